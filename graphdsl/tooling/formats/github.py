"""Findings as workflow commands of GitHub Actions, which become annotations at the lines of a pull request.

The message is escaped as the runner reads it back: `%`, carriage return and newline; in properties also `:` and `,`.
"""

from collections.abc import Sequence

from graphdsl.text import Diagnostic

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _escape(str(value)).replace(":", "%3A").replace(",", "%2C")


def _command(item: Diagnostic) -> str:
    properties: dict[str, object] = {}
    message = item.message
    if item.primary:
        span = item.primary.span
        properties = {"file": span.file.replace("\\", "/"), "line": span.line, "endLine": span.end_line}
        if span.line == span.end_line:  # Columns of a place that goes over several lines are refused.
            properties |= {"col": span.column, "endColumn": span.end_column}
    elif item.where:
        message = f"{item.where}: {message}"
    properties["title"] = f"{item.code} {item.name}"
    said = [message, *(f"help: {text}" for text in item.helps)]
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[item.severity]} {given}::{_escape(chr(10).join(said))}"


def to_github(items: Sequence[Diagnostic]) -> str:
    """A line for each finding; nothing where nothing was found.

    >>> from graphdsl.text import Span, report
    >>> to_github([report("GNN101", "100 % wrong", Span("a,b.gnn", 3, 5, 3, 9))])
    '::error file=a%2Cb.gnn,line=3,endLine=3,col=5,endColumn=9,title=GNN101 unknown-name::100 %25 wrong'
    """
    return "\n".join(map(_command, items))
