"""What a `sequential` block predicts: the schema's only label, or the one that `predict` names."""

from graphdsl.model.combining import Evaluate
from graphdsl.model.labels import is_graph_label, is_label
from graphdsl.model.links import refuse_link_options
from graphdsl.model.program import AnyPrediction, GraphPrediction, Prediction
from graphdsl.model.schema import LABEL_KINDS, Schema
from graphdsl.model.sequence_values import WORDS, Value
from graphdsl.model.weights import read_weight
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, listing, report, show_name

_GRAPH = "graph"


def predict_output(
    declared: n.ModelDecl, schema: Schema, value_of: Evaluate, last: Value | None, found: list[Diagnostic]
) -> tuple[AnyPrediction, ...]:
    """The prediction that the output of a block is; problems are appended to `found`.

    Args:
        declared: the model.
        schema: its schema, of one node type.
        value_of: gives values of expressions, UNKNOWN after a report.
        last: the block's output; None if that is not known.
        found: where problems go.
    """
    written = [item for item in declared.body if isinstance(item, n.PredictStatement)]
    for again in written[1:]:
        also = ((written[0].span, "first predicted here"),)
        message = "the output of a `sequential` block is one prediction"
        found.append(report("GNN102", message, again.span, also=also))
    made = _written(written[0], schema, value_of, found) if written else _only_label(declared, schema, found)
    if made is None:
        return ()
    if last is not None:
        _check_rows(made, last, found)
    return (made,)


def _written(
    statement: n.PredictStatement, schema: Schema, value_of: Evaluate, found: list[Diagnostic]
) -> AnyPrediction | None:
    target = statement.target
    if statement.head is not None:
        helps = ("write it as the last step of the block",)
        message = "the output of a `sequential` block is the prediction itself, without a head"
        found.append(report("GNN107", message, statement.head.span, helps=helps))
        return None
    if isinstance(target, n.LinkTarget) or target.sources is not None:
        helps = ("a `sequential` block predicts `TYPE.LABEL` or `graph.LABEL`",)
        found.append(report("GNN107", "a `sequential` block cannot predict this", target.span, helps=helps))
        return None
    for again in statement.again:
        found.append(report("GNN209", "this option is given twice", again, helps=("leave one out",)))
    refuse_link_options(statement, found)
    weight = read_weight(statement.weight, value_of, found)
    span = target.type.span.to(target.attribute.span)
    name, label = target.type.text, target.attribute.text
    if name == _GRAPH and name not in schema.nodes:
        if not is_graph_label(target, schema, found):
            return None
        return GraphPrediction(label, (), None, None, weight, 1, span)
    return Prediction(name, label, None, weight, 1, span) if is_label(target, schema, found) else None


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
    names += [f"{_GRAPH}.{show_name(item.name)}" for item in of_graph]
    message = f"schema `{schema.name}` has {len(names) or 'no'} labels: the model must say which one it predicts"
    helps = (f"write `predict {names[0]}` behind the block",) if names else ("declare one: `graph { y: class[2] }`",)
    found.append(report("GNN505", message, span, helps=helps, notes=listing("labels", names)))
    return None


def _check_rows(made: AnyPrediction, last: Value, found: list[Diagnostic]) -> None:
    """One row for each node, or for each graph, as the label asks."""
    assert last.kind is not None
    ends = f"the block ends with {WORDS[last.kind]}"
    if isinstance(made, GraphPrediction):
        if last.kind == "graphs":
            return
        layer = "dense_mean_pool: x -> x" if last.kind == "dense" else "global_mean_pool: x, batch -> x"
        helps = (f"read the graphs out: `{layer}`",)
        _report_rows(f"`{made.label}` is a label of graphs, and {ends}", made, last, helps, found)
    elif last.kind != "nodes":
        _report_rows(f"`{made.label}` is a label of nodes, and {ends}", made, last, (), found)
    elif last.nodes != 0:
        message = f"`{made.label}` is a label of all nodes, and the block ends with those that pooling left"
        _report_rows(message, made, last, (), found)


def _report_rows(
    message: str, made: AnyPrediction, last: Value, helps: tuple[str, ...], found: list[Diagnostic]
) -> None:
    span: Span = last.span
    found.append(report("GNN531", message, span, "the last step", also=((made.span, "predicted here"),), helps=helps))
