"""Parsing a spec in YAML or JSON."""

from dataclasses import replace

from lark.exceptions import UnexpectedInput

from graphdsl.syntax import nodes as n
from graphdsl.syntax.build import build
from graphdsl.syntax.documents.declarations import spell
from graphdsl.syntax.documents.json_events import json_events
from graphdsl.syntax.documents.places import Spelled
from graphdsl.syntax.documents.tree import MAX_ERRORS, Node, span_of
from graphdsl.syntax.documents.tree import build as build_nodes
from graphdsl.syntax.documents.yaml_events import yaml_events
from graphdsl.syntax.formatting.pieces import tokens_of
from graphdsl.syntax.grammar import read_tree
from graphdsl.syntax.parsing import Parsed, finish, parse
from graphdsl.text import Diagnostic, SourceText, Span, report
from graphdsl.text.rewriting import offsets


def _read(source: SourceText) -> tuple[Node | None, list[Diagnostic]]:
    events = json_events if source.name.lower().endswith(".json") else yaml_events
    root, found = build_nodes(source, events(source.text))
    if root is None or found:
        return root, found
    if root.kind != "map":
        helps = ("a spec in YAML or JSON is a mapping with the key `declarations`",)
        empty = root.kind == "scalar" and root.value is None
        code, said = ("GNN004", "the document is empty") if empty else ("GNN016", "the document is no mapping")
        return root, [report(code, said, span_of(source, root.start, root.end), helps=helps)]
    from graphdsl.syntax.documents.problems import check_form

    return root, check_form(source, root)


def _spell(source: SourceText) -> tuple[Spelled | None, list[Diagnostic]]:
    root, found = _read(source)
    if root is None or found:
        return None, found
    spelled, found = spell(source, root)
    return spelled, found


def _moved(found: Diagnostic, text: SourceText, spelled: Spelled) -> Diagnostic:
    """A finding in the spelled text, at its place in the document."""

    def place(span: Span) -> Span:
        start, end = offsets(text, span)
        return spelled.span(start, max(end, start + 1)) if span.file == text.name else span

    labels = tuple(replace(label, span=place(label.span)) for label in found.labels)
    return replace(found, labels=labels, fix=None)


def parse_document(source: SourceText) -> Parsed:
    """Parse a spec in YAML or JSON; every error is reported, at its place in the document.

    >>> text = '{"declarations": [{"schema": "s", "members": [{"node": "a", "attributes": {"x": "float[3]"}}]}]}'
    >>> parsed = parse_document(SourceText("a.json", text))
    >>> parsed.diagnostics, len(parsed.file.declarations)
    ((), 1)
    """
    spelled, found = _spell(source)
    if found or spelled is None:
        return Parsed(n.File(source, ()), tuple(found[:MAX_ERRORS])) if found else finish(source, [], [], frozenset())
    try:
        tree = read_tree(spelled.text)
    except UnexpectedInput:
        text = SourceText(f"{source.name}.gnn", spelled.text)
        wrong = tuple(_moved(item, text, spelled) for item in parse(text).diagnostics)
        return Parsed(n.File(source, ()), wrong)
    for token in tokens_of(tree):
        spelled.move(token)
    return replace(finish(source, build(tree, source.name), [], frozenset()), spelled=spelled.text)


def to_gnn(source: SourceText) -> str | tuple[Diagnostic, ...]:
    """A spec in YAML or JSON as `.gnn` text that is not formatted; or why it cannot be read."""
    parsed = parse_document(source)
    return tuple(item for item in parsed.diagnostics if item.is_error) or parsed.spelled
