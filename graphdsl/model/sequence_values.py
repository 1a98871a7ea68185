"""Values inside a `sequential` block: what a name stands for, and whose nodes it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphdsl.catalog import SlotKind
from graphdsl.model.program import SequenceInput
from graphdsl.model.schema import LABEL_KINDS, Attribute, Schema
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, closest, did_you_mean, listing, report

WORDS: Mapping[SlotKind, str] = {
    "nodes": "rows of nodes",
    "edges": "an edge index",
    "edge values": "values of edges",
    "batch": "the graph number of each node",
    "graphs": "rows of graphs",
    "dense": "dense rows",
    "adjacency": "a dense adjacency matrix",
    "mask": "a mask of dense rows",
    "count": "the number of graphs",
    "index": "node numbers",
    "score": "scores",
    "loss": "a loss",
    "record": "a record for unpooling",
    "pair": "rows of two sets of nodes",
    "links": "edges between two sets of nodes",
    "numbers": "a whole number of each node",
    "edge numbers": "a whole number of each edge",
    "cells": "the cell of each node",
    "colors": "the colour of each node",
    "stack": "a stack of rows of nodes",
}
_WAYS: Mapping[tuple[SlotKind, SlotKind], str] = {
    ("nodes", "numbers"): "`argmax: {} -> z` gives the number of the largest column, which one-hot rows stand for",
    ("colors", "numbers"): "`color_bucket(64): {} -> z` gives numbers below 64, which colours share",
    (
        "colors",
        "nodes",
    ): "count them in each graph, `color_histogram(num_colors = 64): {0}, batch -> x`, or tell them apart by"
    " `color_bucket(64): {0} -> z` and `one_hot(64): z -> x`",
}
"""How a value of one kind becomes one of another, where a step does it."""
_OF_NODES: frozenset[SlotKind] = frozenset(
    {
        "nodes",
        "edges",
        "edge values",
        "batch",
        "dense",
        "adjacency",
        "mask",
        "numbers",
        "edge numbers",
        "cells",
        "colors",
        "stack",
        "index",
        "record",
        "pair",
        "links",
    }
)


AS_ROWS: Mapping[SlotKind, SlotKind] = {"numbers": "nodes", "edge numbers": "edge values"}
"""Rows of one column that whole numbers are, too."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a name stands for.

    Attributes:
        kind: what it is; None for a value that is `none`.
        nodes: number of the set of nodes that it belongs to: 0 are those of the data, each pooling makes others; -1
            for what belongs to no nodes.
        span: where it was made.
        onto: number of the second set, of rows of two sets and edges between them; -1 for everything else.
        maker: what made it; empty for data.
        place: the step and the place among its outputs, by which reads are counted.
    """

    kind: SlotKind | None
    nodes: int
    span: Span
    maker: str
    place: tuple[Span, int]
    onto: int = -1


def stands_for(kind: SlotKind, kinds: tuple[SlotKind, ...]) -> bool:
    """Whether a value of a kind can be read where these are: whole numbers are rows of one column, too."""
    return kind in kinds or AS_ROWS.get(kind) in kinds


def made_of(first: SlotKind | None, kinds: tuple[SlotKind, ...]) -> SlotKind:
    """What a layer of single rows makes of its first value: rows of the same nodes or edges."""
    rows = AS_ROWS.get(first, first) if first is not None else None
    if rows is not None and (rows in kinds or first in kinds):
        return rows
    return AS_ROWS.get(kinds[0], kinds[0])


def way_between(name: str, kind: SlotKind, kinds: tuple[SlotKind, ...]) -> str | None:
    """The step that makes a value of these kinds from the value `name` of another, if there is one.

    >>> way_between("c", "colors", ("numbers",))
    '`color_bucket(64): c -> z` gives numbers below 64, which colours share'
    """
    known = next((_WAYS[kind, wanted] for wanted in kinds if (kind, wanted) in _WAYS), None)
    return known.format(name) if known else None


def set_of(kind: SlotKind | None, nodes: int) -> int:
    """The set of nodes of a value of this kind, made of values of some nodes."""
    return nodes if kind in _OF_NODES else -1


class HeaderReader:
    """Reads the names behind `sequential`; problems go to `found`."""

    def __init__(self, schema: Schema, found: list[Diagnostic]) -> None:
        self.nodes = next(iter(schema.nodes.values()))
        self.edge = next(edge for edge in schema.edges.values() if not edge.derived)
        self.schema = schema
        self.found = found
        self.lost: set[str] = set()

    @property
    def known(self) -> tuple[str, ...]:
        """Names that can stand here."""
        tables = (self.nodes.attributes, self.edge.attributes, self.schema.graph)
        free = [name for table in tables for name, item in table.items() if _is_input(item)]
        return tuple(dict.fromkeys([*free, "edge_index", "batch", "batch_size"]))

    def read(self, statement: n.SequenceStatement) -> tuple[SequenceInput, ...]:
        """The inputs of a block, without those that were refused."""
        result: dict[str, SequenceInput] = {}
        for slot in statement.inputs:
            if isinstance(slot, n.Literal) or slot.text == "_":
                self.found.append(report("GNN010", "the header of `sequential` names what is read", slot.span))
            elif slot.text in result:
                also = ((result[slot.text].span, "first named here"),)
                self.found.append(report("GNN102", f"`{slot.text}` is named twice", slot.span, also=also))
            elif (found := self._find(slot)) is not None:
                result[slot.text] = found
        return tuple(result.values())

    def _find(self, slot: n.Name) -> SequenceInput | None:
        name, span = slot.text, slot.span
        if name == "edge_index":
            return SequenceInput(name, "edges", "edge_index", span)
        if name == "batch":
            return SequenceInput(name, "batch", "batch", span)
        if name == "batch_size":
            return SequenceInput(name, "count", "batch_size", span)
        of_nodes, of_edges = self.nodes.attributes.get(name), self.edge.attributes.get(name)
        if of_nodes is not None and of_edges is not None:
            also = ((of_nodes.span, "of the nodes"), (of_edges.span, "of the edges"))
            helps = ("give one of them another name",)
            message = f"`{name}` is an attribute of the nodes and of the edges"
            self.lost.add(name)
            self.found.append(report("GNN104", message, span, also=also, helps=helps))
            return None
        if of_nodes is not None:
            whole = of_nodes.type.kind == "int" and of_nodes.type.width == 1
            return self._of(slot, of_nodes, SequenceInput(name, "numbers" if whole else "nodes", "node", span))
        if of_edges is not None:
            whole = of_edges.type.kind == "int" and of_edges.type.width == 1
            kind: SlotKind = "edge numbers" if whole else "edge values"
            return self._of(slot, of_edges, SequenceInput(name, kind, "edge", span))
        if name in self.schema.graph:
            return self._of(slot, self.schema.graph[name], SequenceInput(name, "graphs", "graph", span))
        self.found.append(self._unknown(slot))
        return None

    def _of(self, slot: n.Name, attribute: Attribute, made: SequenceInput) -> SequenceInput | None:
        if _is_input(attribute):
            return made
        self.lost.add(slot.text)
        also = ((attribute.span, f"`{attribute.type}`"),)
        message = f"`{slot.text}` is a label" if attribute.type.kind in LABEL_KINDS else f"`{slot.text}` is a split"
        message += ", which a model may not read"
        self.found.append(report("GNN509", message, slot.span, also=also))
        return None

    def _unknown(self, slot: n.Name) -> Diagnostic:
        known = self.known
        self.lost |= {slot.text, closest(slot.text, known) or slot.text}
        helps = did_you_mean(slot.text, known)
        if slot.text == "x":
            helps = (f"declare features: `node {self.nodes.name} {{ x: float[…] }}`",)
        notes = listing("names that can stand here", known)
        return report("GNN101", f"the data has no `{slot.text}`", slot.span, helps=helps, notes=notes)


def _is_input(attribute: Attribute) -> bool:
    return attribute.type.kind not in (*LABEL_KINDS, "mask")
