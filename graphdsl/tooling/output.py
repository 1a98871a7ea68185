"""Findings on the terminal or for programs, and the exit codes of all commands."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from io import TextIOWrapper
from typing import TextIO

from graphdsl.text import Diagnostic, SourceText, order, render_all

CLEAN, FINDINGS, MISUSE, INTERNAL, INTERRUPTED = 0, 1, 2, 70, 130
FORMATS = ("text", "json", "sarif", "github")


def show_everything() -> None:
    """Let a terminal that lacks a character show its code instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def wants_color(stream: TextIO) -> bool:
    """Whether to colour: a terminal, and nobody said NO_COLOR."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def show_findings(
    items: Sequence[Diagnostic], style: str, sources: Mapping[str, SourceText] | None = None, color: bool = False
) -> str:
    """Findings in one of the `FORMATS`; what only one format needs is imported for it alone."""
    if style == "json":
        from graphdsl.tooling.formats.plain import to_json

        return to_json(items)
    if style == "sarif":
        from graphdsl.tooling.formats.sarif import to_sarif

        return to_sarif(items)
    if style == "github":
        from graphdsl.tooling.formats.github import to_github

        return to_github(items)
    return render_all(items, sources, color)


def print_findings(
    found: Iterable[Diagnostic],
    style: str = "text",
    sources: Mapping[str, SourceText] | None = None,
    stream: TextIO | None = None,
    deny_warnings: bool = False,
) -> int:
    """Print findings and say with which exit code to end.

    Args:
        found: in any order; they are printed by place.
        style: one of `FORMATS`.
        sources: texts that did not come from a file.
        stream: where to print; None = standard output.
        deny_warnings: whether a warning is as bad as an error.

    Returns:
        1 when there is an error (or a warning that is denied), 0 otherwise.
    """
    items = order(found)
    out = stream or sys.stdout
    shown = show_findings(items, style, sources, wants_color(out))
    if shown:
        print(shown, file=out)
    if style == "text" and items and out is sys.stdout and out.isatty():
        print(f"`gnn explain {items[0].code}` says more", file=out)
    bad = ("error", "warning") if deny_warnings else ("error",)
    return FINDINGS if any(item.severity in bad for item in items) else CLEAN
