"""Findings as plain data, and as JSON."""

import json
from collections.abc import Sequence
from typing import Any

from graphdsl.text import Diagnostic, Facts, Span


def _span(span: Span) -> dict[str, Any]:
    return {name: getattr(span, name) for name in ("file", "line", "column", "end_line", "end_column")}


def facts_to_dict(facts: Facts) -> dict[str, Any]:
    """The facts of a finding as plain data."""
    return {"expected": facts.expected, "found": facts.found, "count": facts.count, "first": list(facts.first)}


def diagnostic_to_dict(item: Diagnostic) -> dict[str, Any]:
    """A diagnostic as plain data."""
    fix = None
    if item.fix:
        edits = [{"span": _span(edit.span), "replacement": edit.replacement} for edit in item.fix.edits]
        fix = {"title": item.fix.title, "edits": edits}
    return {
        "code": item.code,
        "name": item.name,
        "severity": item.severity,
        "message": item.message,
        "where": item.where,
        "labels": [{"span": _span(lb.span), "text": lb.text, "primary": lb.primary} for lb in item.labels],
        "helps": list(item.helps),
        "notes": list(item.notes),
        "fix": fix,
        "facts": None if item.facts is None else facts_to_dict(item.facts),
    }


def to_json(items: Sequence[Diagnostic]) -> str:
    """A list with an object for each finding."""
    return json.dumps([diagnostic_to_dict(item) for item in items], indent=2, ensure_ascii=False)
