"""What would tell a model the links that it predicts."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphdsl.model.program import EdgesStage, LinkPrediction, Program, RelationRule, ScorerUse, SequenceStage
from graphdsl.model.schema import Metapath, Schema
from graphdsl.text import Diagnostic, EdgeKey, Span, report, show_edge


@dataclass(frozen=True, slots=True)
class HiddenLinks:
    """A predicted relation whose edges a model may not see.

    Attributes:
        edge: the relation.
        read: all relations that rules of the model read.
        span: where it is predicted.
    """

    edge: EdgeKey
    read: frozenset[EdgeKey]
    span: Span


def hidden_links(program: Program) -> tuple[HiddenLinks, ...]:
    """The link predictions of a program whose edges leave the message passing graph."""
    read = frozenset(edge for rule in _rules(program) for edge in rule.edges if edge in program.schema.edges)
    read |= {stage.edge for stage in program.stages if isinstance(stage, SequenceStage)}
    return tuple(
        HiddenLinks(item.edge, read, item.span)
        for item in program.predictions
        if isinstance(item, LinkPrediction) and not item.keep_target
    )


def find_leaks(program: Program) -> list[Diagnostic]:
    """Rules that read what a link prediction is to find.

    The predicted edges of a split and their declared inverses leave the message passing graph. That is no help
    against a composed relation: each of its edges stands for several of the predicted ones. So a metapath over the
    predicted relation is refused, unless the prediction says `keep_target`. The predicted label of an edge may never
    be read.
    """
    return [
        finding
        for prediction in program.predictions
        if isinstance(prediction, LinkPrediction)
        for rule in _rules(program)
        for finding in (*_composed(rule, prediction, program.schema), *_bound(rule, prediction, program.schema))
    ]


def mirrored(edge: EdgeKey, schema: Schema) -> set[EdgeKey]:
    """A relation and its declared inverse."""
    inverse = schema.edges[edge].inverse
    return {edge} if inverse is None else {edge, inverse}


def _rules(program: Program) -> Iterator[RelationRule]:
    """Each rule of the spec once, whatever repeats it."""
    seen: set[object] = set()
    for stage in program.stages:
        for rule in stage.rules if isinstance(stage, EdgesStage) else ():
            if rule.span not in seen:
                seen.add(rule.span)
                yield rule


def _composed(rule: RelationRule, prediction: LinkPrediction, schema: Schema) -> Iterator[Diagnostic]:
    if prediction.keep_target:
        return
    for path in schema.metapaths.values():
        run = leaking_hop(path, prediction, schema)
        if path.key in rule.edges and run is not None:
            message = f"the metapath `{path.name}` runs over `{show_edge(run)}`, which is predicted"
            also = ((path.span, "declared here"), (prediction.span, "predicted here"))
            helps = (
                "let layers follow the single relations: the predicted edges leave those",
                "`keep_target` behind the prediction keeps them all, where they are no secret",
            )
            yield report("GNN520", message, rule.span, "this reads it", also=also, helps=helps)


def leaking_hop(path: Metapath, prediction: LinkPrediction, schema: Schema) -> EdgeKey | None:
    """The hidden relation that a metapath runs over: the predicted one, or that of the other sign."""
    hops = {hop.edge for hop in path.hops}
    signs = (prediction.edge, _of_other_sign(prediction, schema))
    return next((edge for edge in signs if not hops.isdisjoint(mirrored(edge, schema))), None)


def _of_other_sign(prediction: LinkPrediction, schema: Schema) -> EdgeKey:
    """The relation of negative edges where signs are predicted, otherwise the predicted one."""
    source, _, target = prediction.edge
    named = prediction.scorer.arguments.get("negative") if isinstance(prediction.scorer, ScorerUse) else None
    return (source, named, target) if (source, named, target) in schema.edges else prediction.edge  # type: ignore[return-value]


def _bound(rule: RelationRule, prediction: LinkPrediction, schema: Schema) -> Iterator[Diagnostic]:
    if prediction.attribute is None or not mirrored(prediction.edge, schema).intersection(rule.edges):
        return
    for item in (read for bound in rule.layer.inputs for read in bound.read):
        if item.input.source == "edge" and item.attribute == prediction.attribute:
            message = f"`{item.attribute}` is predicted, so no layer may read it"
            also = ((prediction.span, "predicted here"),)
            yield report("GNN509", message, item.span, "the label is also the input", also=also)
