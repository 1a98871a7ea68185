"""What the values of a `sequential` block predict: labels and links that `predict` names, or the schema's only label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphdsl.model.graph_predictions import GRAPH
from graphdsl.model.labels import is_graph_label
from graphdsl.model.layers import LayerReader
from graphdsl.model.links import refuse_link_options
from graphdsl.model.predictions import PredictionReader
from graphdsl.model.program import AnyPrediction, GraphPrediction, LinkPrediction, Prediction
from graphdsl.model.schema import LABEL_KINDS, Schema
from graphdsl.model.sequence_values import WORDS, Value
from graphdsl.model.sequences import SequenceBuilder
from graphdsl.model.weights import read_weight
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, did_you_mean, listing, report, show_name


def predict_values(
    declared: n.ModelDecl, builder: SequenceBuilder, layers: LayerReader, sure: bool
) -> tuple[AnyPrediction, ...]:
    """The predictions behind a block; problems are appended to what the builder has found.

    Args:
        declared: the model.
        builder: the block, all its steps read.
        layers: reads heads.
        sure: whether the block has no error, so that its values are known.
    """
    reader = _OutputReader(builder, layers, sure)
    written = [item for item in declared.body if isinstance(item, n.PredictStatement)]
    if not written:
        only = _only_label(declared, builder.schema, builder.found)
        return (reader.checked(only, None),) if only is not None else ()
    made: list[AnyPrediction] = []
    for statement in written:
        prediction = reader.read(statement, made)
        if prediction is not None:
            made.append(prediction)
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _OutputReader:
    """Reads predictions; see `predict_values`."""

    builder: SequenceBuilder
    layers: LayerReader
    sure: bool

    def read(self, statement: n.PredictStatement, earlier: Sequence[AnyPrediction]) -> AnyPrediction | None:
        found, target = self.builder.found, statement.target
        before = len(found)
        reader = PredictionReader(self.builder.schema, 1, {}, earlier, self.layers, self.builder.value, found)
        for again in statement.again:
            found.append(report("GNN209", "this option is given twice", again, helps=("leave one out",)))
        made: AnyPrediction | None
        if isinstance(target, n.LinkTarget):
            made = reader.link(statement, target)
        else:
            refuse_link_options(statement, found)
            of_graph = target.type.text == GRAPH and GRAPH not in self.builder.schema.nodes
            made = self.graph(statement, target, reader) if of_graph else reader.nodes(statement, target)
        if isinstance(made, Prediction) and made.spread is not None:
            helps = ("write the model with `nodes { … }` and `edges { … }`",)
            message = f"`{made.spread.layer.entry.name}` cannot stand behind a `sequential` block"
            found.append(report("GNN107", message, made.spread.layer.span, helps=helps))
        name = self.source(target)
        if made is None or len(found) > before:
            return None
        return self.checked(made, name)

    def graph(
        self, statement: n.PredictStatement, target: n.LabelTarget, reader: PredictionReader
    ) -> GraphPrediction | None:
        """A label of whole graphs: a value of the block, or a layer on it."""
        found, span, head = self.builder.found, target.type.span.to(target.attribute.span), statement.head
        if not is_graph_label(target, self.builder.schema, found) or reader.is_again(
            f"{GRAPH}.{target.attribute.text}", span
        ):
            return None
        if head is not None and head.name.text == "readout":
            helps = ("write `global_mean_pool: x, batch -> g` in the block, and `predict … from g`",)
            message = "in a `sequential` block a step reads the graphs out"
            found.append(report("GNN107", message, head.span, helps=helps))
            return None
        layer = self.layers.read(head, "head") if head else None
        weight = read_weight(statement.weight, self.builder.value, found)
        return GraphPrediction(target.attribute.text, (), None, layer, weight, 1, span)

    def source(self, target: n.LabelTarget | n.LinkTarget) -> n.Name | None:
        """The name behind `from`, None where there is none or it is not one name of the block."""
        given = target.value if isinstance(target, n.LinkTarget) else target.sources
        if given is None or isinstance(given, n.Name):
            return self.known(given) if given is not None else None
        if isinstance(given, n.Wildcard) or len(given) != 1:
            span = given.span if isinstance(given, n.Wildcard) else given[0].span.to(given[-1].span)
            helps = ("join several values in the block: `cat: x1, x2 -> x`",)
            message = "behind a `sequential` block a prediction reads one value: `from NAME`"
            self.builder.found.append(report("GNN107", message, span, helps=helps))
            return None
        return self.known(given[0])

    def known(self, name: n.Name) -> n.Name | None:
        builder = self.builder
        value = builder.known.get(name.text)
        if value is None and name.text not in builder.lost:
            notes = listing("names", builder.known)
            helps = did_you_mean(name.text, builder.known)
            message = f"no value of the block is called `{name.text}`"
            builder.found.append(report("GNN101", message, name.span, helps=helps, notes=notes))
        return name

    def checked(self, made: AnyPrediction, name: n.Name | None) -> AnyPrediction:
        """The prediction of a value; rows that are not those of its label are reported."""
        value = self.builder.last if name is None else self.builder.known.get(name.text)
        if value is not None:
            self.builder.read.add(value.place)
        if value is not None and value.kind is not None and self.sure:
            _check_rows(made, value, name, self.builder.found)
        assert isinstance(made, Prediction | GraphPrediction | LinkPrediction)
        return made if name is None else replace(made, value=name.text)


def _only_label(declared: n.ModelDecl, schema: Schema, found: list[Diagnostic]) -> AnyPrediction | None:
    node = next(iter(schema.nodes.values()))
    of_nodes = [item for item in node.attributes.values() if item.type.kind in LABEL_KINDS]
    of_graph = [item for item in schema.graph.values() if item.type.kind in LABEL_KINDS]
    span = declared.name.span
    if len(of_nodes) + len(of_graph) == 1:
        if of_graph:
            return GraphPrediction(of_graph[0].name, (), None, None, 1.0, 1, span)
        return Prediction(node.name, of_nodes[0].name, None, 1.0, 1, span)
    names = [f"{show_name(node.name)}.{show_name(item.name)}" for item in of_nodes]
    names += [f"{GRAPH}.{show_name(item.name)}" for item in of_graph]
    message = f"schema `{schema.name}` has {len(names) or 'no'} labels: the model must say which one it predicts"
    helps = (f"write `predict {names[0]}` behind the block",) if names else ("declare one: `graph { y: class[2] }`",)
    found.append(report("GNN505", message, span, helps=helps, notes=listing("labels", names)))
    return None


def _check_rows(made: AnyPrediction, value: Value, name: n.Name | None, found: list[Diagnostic]) -> None:
    """One row for each node, or for each graph, as the label asks."""
    assert value.kind is not None
    ends = (
        f"the block ends with {WORDS[value.kind]}" if name is None else f"`{name.text}` stands for {WORDS[value.kind]}"
    )
    place = value.span if name is None else name.span
    if isinstance(made, GraphPrediction):
        if value.kind == "graphs":
            return
        layer = "dense_mean_pool: x -> x" if value.kind == "dense" else "global_mean_pool: x, batch -> x"
        helps = (f"read the graphs out: `{layer}`",)
        _report_rows(f"`{made.label}` is a label of graphs, and {ends}", made, place, name, helps, found)
        return
    what = f"`{made.label}` " + ("joins nodes" if isinstance(made, LinkPrediction) else "is a label of nodes")
    if value.kind not in ("nodes", "numbers"):
        _report_rows(f"{what}, and {ends}", made, place, name, (), found)
    elif value.nodes != 0:
        those = "the block ends with those" if name is None else f"`{name.text}` is of those"
        every = what.replace("nodes", "nodes of the data" if isinstance(made, LinkPrediction) else "all nodes")
        _report_rows(f"{every}, and {those} that pooling left", made, place, name, (), found)


def _report_rows(
    message: str, made: AnyPrediction, place: Span, name: n.Name | None, helps: tuple[str, ...], found: list[Diagnostic]
) -> None:
    text = "the last step" if name is None else ""
    also = ((made.span, "predicted here"),)
    found.append(report("GNN531", message, place, text, also=also, helps=helps))
