"""Parsing: text in, tree and diagnostics out; nothing is ever raised for a bad spec."""

from dataclasses import dataclass, replace
from typing import Any, cast

from lark.exceptions import UnexpectedInput

from graphdsl.syntax import nodes as n
from graphdsl.syntax.brackets import scan
from graphdsl.syntax.build import build
from graphdsl.syntax.grammar import read_tree
from graphdsl.text import Diagnostic, SourceText, Span, report

LANGUAGE_VERSION = 1
MAX_ERRORS = 20
MAX_DEPTH = 100
"""How deep brackets may nest."""
MAX_TREE = 200
"""How deep expressions may nest, the terms of a long sum included."""
MAX_SPENT = 2_000_000
"""Characters that may be parsed again after errors."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What parsing gives.

    Attributes:
        file: the tree, without the statements that could not be read.
        diagnostics: what is wrong with the text.
        lost: words of the statements that could not be read: names that they may have declared.
        spelled: the `.gnn` text of a spec in YAML or JSON.
    """

    file: n.File
    diagnostics: tuple[Diagnostic, ...]
    lost: frozenset[str] = frozenset()
    spelled: str = ""


def is_document(name: str) -> bool:
    """Whether a file of this name is a spec in YAML or JSON."""
    return name.lower().endswith((".yaml", ".yml", ".json"))


def _check_version(declared: n.Literal) -> list[Diagnostic]:
    if declared.value == LANGUAGE_VERSION:
        return []
    return [
        report(
            "GNN013",
            f"this program reads version {LANGUAGE_VERSION} of the language, not {declared.value}",
            declared.span,
            helps=(f"write `gnn {LANGUAGE_VERSION}`, or install a newer graphdsl",),
        )
    ]


def _too_deep(declarations: list[Any]) -> Diagnostic | None:
    """Expressions nested deeper than later stages, which recurse, can follow (found without recursion)."""
    stack: list[tuple[Any, int, Span | None]] = [(item, 0, None) for item in declarations]
    while stack:
        item, depth, span = stack.pop()
        if depth > MAX_TREE:
            return report("GNN005", f"nested deeper than {MAX_TREE} levels", span)
        if isinstance(item, tuple):
            stack += [(child, depth, span) for child in cast(tuple[Any, ...], item)]
        elif hasattr(item, "__dataclass_fields__") and not isinstance(item, Span | n.Name | n.Literal):
            here: Span = item.span
            stack += [(getattr(item, field), depth + 1, here) for field in item.__dataclass_fields__ if field != "span"]
    return None


def _refuse(source: SourceText, found: Diagnostic) -> Parsed:
    return Parsed(n.File(source, ()), (found,))


def _empty(source: SourceText) -> Diagnostic:
    return report(
        "GNN004", f"`{source.name}` declares nothing", where=source.name,
        helps=("a spec has a `schema`, a `model`, and usually a `train` block",),
    )  # fmt: skip


def _fixable(source: SourceText, text: str, found: Diagnostic) -> Diagnostic:
    """A finding in a repaired text; its fix goes where earlier repairs have changed the line that it is for."""
    lines = text.split("\n")
    edits = found.fix.edits if found.fix else ()
    touched = {line for edit in edits for line in range(edit.span.line, edit.span.end_line + 1)}
    same = all(lines[line - 1].removesuffix("\r") == source.lines[line - 1] for line in touched)
    return found if same else replace(found, fix=None)


def _within(source: SourceText, found: Diagnostic) -> Diagnostic:
    """A finding in a repaired text with its places in the original, whose lines may be shorter."""

    def place(span: Span) -> Span:
        last = len(source.lines[min(span.line, len(source.lines)) - 1]) + 1
        return replace(span, column=min(span.column, last), end_column=max(min(span.end_column, last), span.column + 1))

    labels = tuple(replace(label, span=place(label.span)) for label in found.labels)
    return found if labels == found.labels else replace(found, labels=labels, fix=None)


def _read(source: SourceText) -> tuple[list[Any], list[Diagnostic], frozenset[str]]:
    """Declarations (a version first), what is wrong, and the words of what was lost, all errors repaired in turn."""
    text = source.text
    found: list[Diagnostic] = []
    lost = frozenset[str]()
    spent = 0
    while True:
        try:
            return build(read_tree(text), source.name), found, lost
        except UnexpectedInput as error:
            # Imported for a faulty text only: a clean one need not wait for their patterns.
            from graphdsl.syntax.mistakes import explain
            from graphdsl.syntax.recovery import apply

            mistake = explain(source.name, text, error)
        found.append(_within(source, _fixable(source, text, mistake.diagnostic)))
        spent += len(text)
        repaired = apply(text, mistake.repair)
        if repaired is None or len(found) == MAX_ERRORS or spent > MAX_SPENT:
            return [], found, lost
        text = repaired[0]
        lost |= repaired[1]


def parse(source: SourceText) -> Parsed:
    """Parse a spec; every error is reported, what can be read is returned. Its name says whether it is YAML or JSON.

    >>> parsed = parse(SourceText("a.gnn", "schema s { node a { x: float[3] } }"))
    >>> parsed.diagnostics, len(parsed.file.declarations)
    ((), 1)
    """
    if is_document(source.name):
        from graphdsl.syntax.documents import parse_document

        return parse_document(source)
    deepest = scan(source.text, MAX_DEPTH).deepest
    if deepest is not None:
        line, column = source.place(deepest)
        place = Span(source.name, line, column, line, column + 1)
        return _refuse(source, report("GNN005", f"brackets are nested deeper than {MAX_DEPTH} levels", place))
    return finish(source, *_read(source))


def spell_out(source: SourceText) -> str:
    """The `.gnn` text of a spec, whatever it is written in, formatted if that is not `.gnn`; "" if it cannot be read."""
    if not is_document(source.name):
        return source.text
    from graphdsl.syntax.documents import to_gnn
    from graphdsl.syntax.formatting import format_source

    said = to_gnn(source)
    return format_source(SourceText(source.name, said)).text if isinstance(said, str) else ""


def finish(source: SourceText, children: list[Any], found: list[Diagnostic], lost: frozenset[str]) -> Parsed:
    """What parsing gives, from the declarations (a version first), what is wrong, and the words of what was lost."""
    if not found and (deep := _too_deep(children)):
        return _refuse(source, deep)
    if children and isinstance(children[0], n.Literal):
        found += _check_version(children[0])
        children = children[1:]
    if not children and not found:
        found.append(_empty(source))
    return Parsed(n.File(source, tuple(children)), tuple(found), lost)
