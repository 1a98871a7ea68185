"""Findings as SARIF 2.1.0 (OASIS), which code scanning services and editors read.

Lines and columns count from 1, columns in Unicode code points, the end column behind the last character. A message doubles
its braces (§3.11.5), so that none is taken for a placeholder.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from graphdsl.text import Diagnostic, Edit, Fix, Label, Span, explain, introduction, lookup
from graphdsl.tooling.formats.plain import facts_to_dict

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def _message(text: str) -> dict[str, Any]:
    text = text.replace("{", "{{").replace("}", "}}")
    if re.search(r"\]\(", text):  # It would be read as a link.
        text = re.sub(r"([\\\[\]])", r"\\\1", text)
    return {"text": text}


def _artifact(file: str) -> dict[str, Any]:
    """A file: relative to the folder where the command ran, or absolute, as it was given."""
    path = PurePath(file)
    return {"uri": Path(file).as_uri() if path.is_absolute() else quote(path.as_posix())}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _location(label: Label) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _artifact(label.span.file), "region": _region(label.span)}
    }
    if label.text:
        location["message"] = _message(label.text)
    return location


def _fix(fix: Fix) -> dict[str, Any]:
    by_file: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        by_file.setdefault(edit.span.file, []).append(edit)
    changes = [
        {
            "artifactLocation": _artifact(file),
            "replacements": [
                {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}} for edit in edits
            ],
        }
        for file, edits in by_file.items()
    ]
    return {"description": _message(fix.title), "artifactChanges": changes}


def _result(item: Diagnostic, rules: Sequence[str]) -> dict[str, Any]:
    said = [item.message, *(f"note: {text}" for text in item.notes), *(f"help: {text}" for text in item.helps)]
    result: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": rules.index(item.code),
        "level": item.severity,
        "message": _message("\n".join(said)),
    }
    location = _location(item.primary) if item.primary else {}
    if item.where:
        location["logicalLocations"] = [{"fullyQualifiedName": item.where}]
    if location:
        result["locations"] = [location]
    if related := [label for label in item.labels if not label.primary]:
        result["relatedLocations"] = [{"id": number, **_location(label)} for number, label in enumerate(related, 1)]
    if item.facts:
        result["properties"] = {key: it for key, it in facts_to_dict(item.facts).items() if it not in ("", None, [])}
    if item.fix:
        result["fixes"] = [_fix(item.fix)]
    return result


def _rule(code: str) -> dict[str, Any]:
    entry, page = lookup(code), explain(code)
    return {
        "id": code,
        "name": entry.name,
        "shortDescription": {"text": entry.why},
        "fullDescription": {"text": introduction(code)},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": entry.severity},
    }


def to_sarif(items: Iterable[Diagnostic]) -> str:
    """One run with its results, and the rules that they are of."""
    from graphdsl import __version__

    found = list(items)
    rules = sorted({item.code for item in found})
    driver = {"name": "graphdsl", "version": __version__, "rules": [_rule(code) for code in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, rules) for item in found],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)
