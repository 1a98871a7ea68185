"""From a `predict` statement to what is predicted: the label, its head, its weight."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphdsl.catalog import SPREADERS
from graphdsl.model.graph_predictions import GRAPH, GraphTargetReader
from graphdsl.model.labels import is_label
from graphdsl.model.layers import LayerReader
from graphdsl.model.links import find_target, is_edge_label, read_negatives, read_scorer, refuse_link_options
from graphdsl.model.program import AnyPrediction, GraphPrediction, LinkPrediction, Prediction, ScorerUse
from graphdsl.model.schema import Schema
from graphdsl.model.spreading import SpreadReader
from graphdsl.model.weights import read_weight
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, report


@dataclass(frozen=True, slots=True)
class PredictionReader:
    """Reads one `predict` statement where it stands.

    Attributes:
        schema: what there is to predict.
        state: number of the state before it.
        dropped: types that ended earlier, with the place.
        earlier: predictions before it.
        layers: reads the head.
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

    def read(self, statement: n.PredictStatement) -> AnyPrediction | None:
        """The prediction of a statement, or None after a report."""
        target = statement.target
        for span in statement.again:
            self.found.append(report("GNN209", "this option is given twice", span, helps=("leave one out",)))
        if isinstance(target, n.LinkTarget):
            self.refuse_value(target)
            return self.link(statement, target)
        refuse_link_options(statement, self.found)
        if target.sources is not None or (target.type.text == GRAPH and GRAPH not in self.schema.nodes):
            return self.graphs(statement, target)
        return self.nodes(statement, target)

    def nodes(self, statement: n.PredictStatement, target: n.LabelTarget) -> Prediction | None:
        """A label of the nodes of one type."""
        kind, attribute = target.type, target.attribute
        span = kind.span.to(attribute.span)
        name = f"{kind.text}.{attribute.text}"
        if not is_label(target, self.schema, self.found) or self.is_dropped(kind) or self.is_again(name, span):
            return None
        weight = read_weight(statement.weight, self.value, self.found)
        if statement.head is not None and statement.head.name.text in SPREADERS:
            read = SpreadReader(self.schema, self.layers, self.found).read(statement.head, target)
            if read is None:
                return None
            return Prediction(kind.text, attribute.text, read[1], weight, self.state, span, read[0])
        head = self.layers.read(statement.head, "head") if statement.head else None
        return Prediction(kind.text, attribute.text, head, weight, self.state, span)

    def graphs(self, statement: n.PredictStatement, target: n.LabelTarget) -> GraphPrediction | None:
        """A label of whole graphs."""
        span = target.type.span.to(target.attribute.span)
        read = GraphTargetReader(self.schema, self.dropped, self.layers, self.found).read(statement, target)
        weight = read_weight(statement.weight, self.value, self.found)
        if read is None or self.is_again(f"{GRAPH}.{target.attribute.text}", span):
            return None
        return GraphPrediction(target.attribute.text, read.sources, read.readout, read.head, weight, self.state, span)

    def link(self, statement: n.PredictStatement, target: n.LinkTarget) -> LinkPrediction | None:
        """A relation's edges, or a label that they carry."""
        edge, attribute = find_target(target, self.schema, self.found), target.attribute
        if edge is None or (attribute is not None and not is_edge_label(attribute, edge, self.schema, self.found)):
            return None
        if any([self.is_dropped(end) for end in (target.source, target.target)][: len({edge[0], edge[2]})]):
            return None
        scorer = read_scorer(statement.head, "dot" if attribute is None else "Linear", self.layers, self.found)
        if statement.negatives is not None and isinstance(scorer, ScorerUse) and scorer.scorer.name == "signed":
            helps = ("leave `negatives` out: pairs without an edge are drawn, as many as edges of both signs",)
            message = "the negative edges of `signed` are those of another relation"
            self.found.append(report("GNN522", message, statement.negatives.span, helps=helps))
        negatives = read_negatives(statement, attribute is not None, self.value, self.found)
        place = statement.head.span if statement.head else target.span
        name = None if attribute is None else attribute.text
        keep, weight = statement.keep_target is not None, read_weight(statement.weight, self.value, self.found)
        made = LinkPrediction(edge, name, scorer or "Linear", negatives, keep, weight, self.state, place, target.span)
        return None if scorer is None or self.is_again(made.label, target.span) else made

    def refuse_value(self, target: n.LinkTarget) -> None:
        """`from` behind a link names a value of a block, and there is none."""
        if target.value is not None:
            helps = ("leave it out: the prediction reads the state before it",)
            message = "`from` behind a link names a value of a `sequential` block"
            self.found.append(report("GNN107", message, target.value.span, helps=helps))

    # --- what all predictions have ---

    def is_dropped(self, kind: n.Name) -> bool:
        """Whether a type that is to be predicted was dropped, which is reported."""
        if kind.text not in self.dropped:
            return False
        also = ((self.dropped[kind.text], "dropped here"),)
        message = f"`{kind.text}` was dropped and cannot be predicted"
        self.found.append(report("GNN503", message, kind.span, also=also))
        return True

    def is_again(self, name: str, span: Span) -> bool:
        """Whether the same is predicted already, which is reported; `name` is as in `AnyPrediction.label`."""
        earlier = next((item for item in self.earlier if item.label == name), None)
        if earlier is None:
            return False
        also = ((earlier.span, "first predicted here"),)
        self.found.append(report("GNN102", f"`{name}` is predicted twice", span, also=also))
        return True
