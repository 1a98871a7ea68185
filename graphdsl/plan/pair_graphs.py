"""Scorers of pairs that read the graph around both ends."""

from collections.abc import Sequence
from typing import Any

from graphdsl.model import LinkPrediction, ScorerUse, Training
from graphdsl.plan.head_types import LinkHead
from graphdsl.plan.ir import Plan, SequenceStage
from graphdsl.plan.state import Flow
from graphdsl.text import Diagnostic, report, show_edge

_READS_GRAPH = "lpformer"
_THRESHOLDS = 3


def check_graph_scorer(use: ScorerUse, prediction: LinkPrediction, flow: Flow) -> None:
    """It reads the predicted relation, within one type, of a model whose graph is at hand."""
    if use.scorer.name != _READS_GRAPH:
        return
    edge = prediction.edge
    if prediction.attribute is not None or edge[0] != edge[2]:
        said = "is what edges carry" if prediction.attribute is not None else "joins two types"
        message = f"`lpformer` scores whether there is an edge within one type, and `{prediction.label}` {said}"
        also = ((flow.schema.place(edge), f"`{show_edge(edge)}`"),)
        helps = ("use `MLP(…)` or `bilinear`, which read the values of both ends alone",)
        flow.found.append(report("GNN679", message, prediction.place, also=also, helps=helps))
    if flow.stages and isinstance(flow.stages[-1], SequenceStage):
        message = "`lpformer` reads the graph of the data, and a `sequential` block may have made another"
        helps = ("write the model with `nodes { … }` and `edges { … }`",)
        flow.found.append(report("GNN679", message, prediction.place, helps=helps))
    if prediction.keep_target:
        message = "with `keep_target`, `lpformer` would see every edge that it is asked for"
        flow.found.append(report("GNN679", message, prediction.place, helps=("leave `keep_target` out",)))
    limits: Sequence[Any] = use.arguments.get("ppr_thresholds") or (0,) * _THRESHOLDS
    if len(limits) != _THRESHOLDS:
        message = f"`ppr_thresholds` lists {len(limits)} numbers, and there are three kinds of nodes"
        helps = ("give that of common neighbours, of other neighbours, and of further nodes: `[0, 1e-4, 1e-2]`",)
        flow.found.append(report("GNN204", message, prediction.place, helps=helps))


def graph_scorers(plan: Plan) -> tuple[LinkHead, ...]:
    """Predictions of links whose scorer reads the graph."""
    return tuple(head for head in plan.link_heads if head.reads_graph)


def asked_at_once(plan: Plan, training: Training) -> list[Diagnostic]:
    """In a step of all training edges, all would be hidden, and none be left to read."""
    if training.batch_size is not None or training.disjoint > 0:
        return []
    message = "`lpformer` hides the edges that a step asks for, and without `batch_size` a step asks for all"
    helps = ("set `batch_size: 1024` (pairs at a time, on the whole graph), or `disjoint: 0.3`",)
    return [
        report("GNN679", message, training.span or head.span, also=((head.span, "predicted here"),), helps=helps)
        for head in graph_scorers(plan)
    ]
