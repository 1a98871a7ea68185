"""Lowering of predicted signs: two relations between the same types, one of positive and one of negative edges."""

from typing import Final

from graphdsl.model import LinkPrediction, ScorerUse, Training
from graphdsl.plan.ir import Plan
from graphdsl.plan.state import Flow
from graphdsl.text import Diagnostic, EdgeKey, did_you_mean, listing, report, show_edge

SIGN_COLUMNS: Final = 4
"""Numbers for each pair: logits of a positive, a negative and no edge, and the squared distance of both ends."""


def negative_relation(use: ScorerUse, prediction: LinkPrediction, flow: Flow) -> EdgeKey | None:
    """The relation of negative edges, or None after a report."""
    edge, name = prediction.edge, use.arguments["negative"]
    if prediction.attribute is not None or edge[0] != edge[2]:
        said = "carries a label" if prediction.attribute is not None else "joins two types"
        message = f"`signed` predicts the sign of edges within one type; `{prediction.label}` {said}"
        helps = ('write `predict a -[likes]-> a: signed(negative = "dislikes")`',)
        flow.found.append(report("GNN350", message, prediction.place, helps=helps))
        return None
    found = (edge[0], str(name), edge[2])
    known = [key[1] for key in flow.schema.edges if key[0] == key[2] == edge[0] and key != edge]
    if found in flow.schema.edges and found != edge:
        return found
    said = "is the positive relation itself" if found == edge else f"is no relation within `{edge[0]}`"
    also = ((flow.schema.place(edge), f"`{show_edge(edge)}` has the positive edges"),)
    helps = did_you_mean(str(name), known) or tuple(f'write `negative = "{other}"`' for other in known[:1])
    message = f"`negative` names the relation of negative edges, and `{name}` {said}"
    notes = listing("other relations there", known)
    flow.found.append(report("GNN350", message, prediction.place, also=also, helps=helps, notes=notes))
    return None


def sampled_signs(plan: Plan, training: Training | None = None) -> list[Diagnostic]:
    """One finding for each prediction of signs, which compares edges of the whole graph, in mini-batches."""
    if training is not None and training.batch_size is None:
        return []
    also = [(training.span, "with `batch_size`")] if training is not None and training.span else []
    helps = ("leave `batch_size` out",)
    message = "`signed` is learned on the whole graph: each step compares all edges of both signs"
    heads = (head for head in plan.link_heads if head.negative is not None)
    return [report("GNN351", message, head.module.span, also=also, helps=helps) for head in heads]
