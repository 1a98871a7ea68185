"""Findings on the terminal or as JSON, and the exit codes of all commands."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from io import TextIOWrapper
from typing import Any, TextIO

from graphdsl.text import Diagnostic, SourceText, Span, order, render_all

CLEAN, FINDINGS, MISUSE, INTERNAL, INTERRUPTED = 0, 1, 2, 70, 130


def show_everything() -> None:
    """Let a terminal that lacks a character show its code instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def wants_color(stream: TextIO) -> bool:
    """Whether to colour: a terminal, and nobody said NO_COLOR."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _span(span: Span) -> dict[str, Any]:
    return {name: getattr(span, name) for name in ("file", "line", "column", "end_line", "end_column")}


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
    }


def print_findings(
    found: Iterable[Diagnostic],
    style: str = "text",
    sources: Mapping[str, SourceText] | None = None,
    stream: TextIO | None = None,
) -> int:
    """Print findings and say with which exit code to end: 1 when there is an error, 0 otherwise."""
    items = order(found)
    out = stream or sys.stdout
    if style == "json":
        print(json.dumps([diagnostic_to_dict(item) for item in items], indent=2, ensure_ascii=False), file=out)
    else:
        print(render_all(items, sources, wants_color(out)), file=out)
    return FINDINGS if any(item.is_error for item in items) else CLEAN
