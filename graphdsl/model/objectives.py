"""From a `learn` statement to what is learned without labels: of which nodes, along what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphdsl.catalog import OBJECTIVES
from graphdsl.model.layers import LayerReader
from graphdsl.model.matching import match_relation
from graphdsl.model.program import AnyPrediction, Objective
from graphdsl.model.schema import MetapathHop, Schema
from graphdsl.model.schemas import unknown_type
from graphdsl.model.weights import read_weight
from graphdsl.syntax import nodes as n
from graphdsl.text import (
    Diagnostic,
    EdgeKey,
    Edit,
    Fix,
    Span,
    did_you_mean,
    listing,
    renaming,
    report,
    show_edge,
    show_name,
)

_WANTED = {
    "MetaPath2Vec": ("walks along a metapath", "`learn APA: MetaPath2Vec(…)` with the name of a metapath"),
    "Node2Vec": ("walks along a relation within one type", "`learn a -[r]-> a: Node2Vec(…)`"),
    "DeepGraphInfomax": ("learns of the nodes of one type", "`learn TYPE: DeepGraphInfomax`"),
}
"""What each objective is about, and how that is written."""

_Target = tuple[str, str, EdgeKey | None, tuple[MetapathHop, ...]]
"""The name of what is learned, the type, and what walks follow: its key and its hops."""


@dataclass(frozen=True, slots=True)
class ObjectiveReader:
    """Reads one `learn` statement where it stands.

    Attributes:
        schema: what there is to learn of.
        state: number of the state before it.
        dropped: types that ended earlier, with the place.
        earlier: predictions and objectives before it.
        layers: reads the objective's arguments.
        value: the value of an expression, UNKNOWN after a report.
        found: where problems go.
    """

    schema: Schema
    state: int
    dropped: Mapping[str, Span]
    earlier: Sequence[AnyPrediction]
    layers: LayerReader
    value: Callable[[n.Expression], Any]
    found: list[Diagnostic]

    def read(self, statement: n.LearnStatement) -> Objective | None:
        """The objective of a statement, or None after a report."""
        use = self.layers.read_objective(statement.objective)
        weight = read_weight(statement.weight, self.value, self.found)
        target = statement.target
        name = statement.objective.name.text
        if name not in OBJECTIVES:
            return None
        readers = {"DeepGraphInfomax": self.of_type, "MetaPath2Vec": self.of_metapath, "Node2Vec": self.of_relation}
        made = readers[name](target)
        if made is None or use is None or self.is_again(made[0], target.span):
            return None
        label, kind, along, path = made
        return Objective(label, use, kind, along, path, weight, self.state, target.span)

    def of_type(self, target: n.Pattern) -> _Target | None:
        """A type whose nodes are told from others."""
        if not isinstance(target, n.NamePattern) or self.is_else(target.name.text, self.schema.nodes):
            return self.refuse(target, "DeepGraphInfomax")
        name = target.name
        if name.text not in self.schema.nodes:
            self.found.append(unknown_type(name, self.schema.nodes))
            return None
        if name.text in self.dropped:
            also = ((self.dropped[name.text], "dropped here"),)
            message = f"`{name.text}` was dropped and nothing can be learned of it"
            self.found.append(report("GNN503", message, name.span, also=also))
            return None
        return show_name(name.text), name.text, None, ()

    def of_metapath(self, target: n.Pattern) -> _Target | None:
        """A metapath that walks follow."""
        known = self.schema.metapaths
        if not isinstance(target, n.NamePattern) or self.is_else(target.name.text, known):
            return self.refuse(target, "MetaPath2Vec")
        name = target.name
        path = known.get(name.text)
        if path is None:
            helps = did_you_mean(name.text, known)
            helps = helps or ("declare it in the schema: `metapath NAME = a -[r]-> b <-[r]- a`",)
            notes, fix = listing("metapaths", known), renaming(name.span, name.text, known)
            message = f"unknown metapath `{name.text}`"
            self.found.append(report("GNN101", message, name.span, helps=helps, notes=notes, fix=fix))
            return None
        return show_name(path.name), path.source, path.key, path.hops

    def of_relation(self, target: n.Pattern) -> _Target | None:
        """A relation within one type that walks follow."""
        if not isinstance(target, n.RelationPattern):
            return self.refuse(target, "Node2Vec")
        matched = match_relation(target, self.schema, self.found)
        if not matched:
            return None
        edge = matched[0]
        if edge in self.schema.edges and edge[0] == edge[2]:
            return show_edge(edge), edge[0], edge, (MetapathHop(edge, False),)
        path = edge not in self.schema.edges
        said = f"`{show_name(edge[1])}` is a metapath" if path else f"`{show_edge(edge)}` joins two types"
        what = show_name(edge[1]) if path else "METAPATH"
        helps = (f"walk along {'it' if path else 'a metapath'}: `learn {what}: MetaPath2Vec(…)`",)
        also = ((self.schema.place(edge), "declared here"),)
        message = f"`Node2Vec` {_WANTED['Node2Vec'][0]}; {said}"
        self.found.append(report("GNN340", message, target.span, also=also, helps=helps))
        return None

    def is_else(self, name: str, wanted: Mapping[str, Any]) -> bool:
        """Whether a name is none of those that are wanted, but that of a type, metapath or relation."""
        return name not in wanted and bool(self.kind_of(name))

    def kind_of(self, name: str) -> str:
        """What a name names, in words."""
        if name in self.schema.nodes:
            return "a node type"
        if name in self.schema.metapaths:
            return "a metapath"
        return "a relation" if any(edge[1] == name for edge in self.schema.edges) else ""

    def refuse(self, target: n.Pattern, objective: str) -> None:
        """Report a target of another kind than an objective takes."""
        wanted, written = _WANTED[objective]
        helps, fix = (f"write {written}",), None
        said = "this is a relation"
        if isinstance(target, n.NamePattern):
            name = target.name.text
            within = [show_edge(key) for key in self.schema.edges if key[1] == name and key[0] == key[2]]
            said = f"`{show_name(name)}` is {self.kind_of(name) or 'unknown'}"
            if objective == "Node2Vec" and len(within) == 1:
                helps, fix = (f"write `{within[0]}`",), Fix(f"write `{within[0]}`", (Edit(target.span, within[0]),))
        message = f"`{objective}` {wanted}; {said}"
        self.found.append(report("GNN340", message, target.span, helps=helps, fix=fix))

    def is_again(self, name: str, span: Span) -> bool:
        """Whether the same is learned already, which is reported."""
        earlier = next((item for item in self.earlier if isinstance(item, Objective) and item.name == name), None)
        if earlier is not None:
            also = ((earlier.span, "first learned here"),)
            self.found.append(report("GNN102", f"`{name}` is learned twice", span, also=also))
        return earlier is not None


def lonely_walks(predictions: Sequence[AnyPrediction], stages: Sequence[Any]) -> list[Diagnostic]:
    """Walks train vectors of their own: beside them, nothing of a model would be used."""
    walks = [item for item in predictions if isinstance(item, Objective) and item.path]
    if not walks or (len(predictions) == 1 and not stages):
        return []
    name = walks[0].layer.entry.name
    others = [item for item in predictions if item is not walks[0]]
    also = [(item.span, "this shares nothing with it") for item in (*stages[:1], *others[:1])]
    helps = ("give it a model of its own; the vectors that it predicts can be features `x` of another",)
    message = f"`{name}` learns vectors of its own, which no stage or prediction reads"
    return [report("GNN342", message, walks[0].span, also=also, helps=helps)]
