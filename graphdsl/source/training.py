"""A plain training loop behind a written program: `python program.py data.pt`."""

from collections.abc import Iterator

from graphdsl.model import Training
from graphdsl.plan import (
    GraphHead,
    Head,
    LinkHead,
    ObjectiveHead,
    Plan,
    asked_at_once,
    graph_scorers,
    sampled_walks,
    shown_labels,
    unforeseen_settings,
    unordered_events,
)
from graphdsl.source.context import Context
from graphdsl.source.loop import Loop, known_scores, write_loop
from graphdsl.source.loop_data import container
from graphdsl.source.loop_events import events
from graphdsl.source.loop_forecasts import forecasts
from graphdsl.source.loop_graphs import graphs
from graphdsl.source.loop_links import links
from graphdsl.source.loop_nodes import sampled, whole_graph
from graphdsl.source.loop_signs import signs, unsigned
from graphdsl.source.loop_unlabelled import contrast, walks
from graphdsl.text import Diagnostic, Span, report

_HELPS = ("`gnn build` without `--train` writes the model; `gnn train` trains it",)


def untrained(plan: Plan, training: Training) -> Iterator[Diagnostic]:
    """What the written loop cannot train (GNN373)."""
    where = plan.heads[0].span if plan.heads else plan.stages[0].span
    refused = next(_untrained_predictions(plan), None)
    if refused is not None:
        message, span = refused
        yield report("GNN373", message, span or where, helps=_HELPS)
        return
    yield from (*asked_at_once(plan, training), *unordered_events(plan, training), *unforeseen_settings(plan, training))
    for message in _unknown_settings(plan, training):
        yield report("GNN373", message, training.span or where, helps=_HELPS)
    known = known_scores(Context(plan))
    if training.monitor not in ("", *known):
        message = f"a written loop does not compute `{training.monitor}`; it knows " + ", ".join(known)
        yield report("GNN373", message, training.span or where, helps=_HELPS)


def _untrained_predictions(plan: Plan) -> Iterator[tuple[str, Span | None]]:
    head = plan.heads[0] if len(plan.heads) == 1 else None
    if not isinstance(head, Head | GraphHead | LinkHead | ObjectiveHead):
        message = "a written loop trains one prediction, of nodes, links or whole graphs, or one objective"
        yield f"{message}, not `{plan.model}`", plan.heads[-1].span if plan.heads else None
        return
    spread = head.spread if isinstance(head, Head) else None
    if spread is not None and spread.alone:
        yield f"`{spread.module.name}` learns nothing: there is nothing to train", head.span


def _unknown_settings(plan: Plan, training: Training) -> Iterator[str]:
    head = plan.heads[0]
    yield from unsigned(plan, training)
    if training.precision != "32-true":
        yield "a written loop computes in single precision: it does not know `precision`"
    if training.temporal:
        yield "a written loop knows no times: it does not know `temporal`"
    if isinstance(head, ObjectiveHead) and training.class_weights:
        yield "without labels there are no classes: a written loop does not know `class_weights` there"
    if training.batch_size is None or isinstance(head, GraphHead):
        return
    if isinstance(head, ObjectiveHead) and head.kind == "infomax":
        yield "a written loop contrasts whole graphs: it does not know `batch_size` there"
    if shown_labels(plan):
        yield "a written loop shows labels of whole graphs: it does not know `batch_size` beside `MaskLabel`"
    elif plan.sequence is not None or sampled_walks(plan) or getattr(head, "spread", None) is not None:
        yield f"`{plan.model}` reads the whole graph: a written loop does not know `batch_size` there"


def prepare_training(context: Context, training: Training) -> None:
    """Say what the loop needs, before the model is written."""
    head = context.plan.heads[0]
    whole = isinstance(head, GraphHead | ObjectiveHead) or bool(graph_scorers(context.plan)) or _of_events(context.plan)
    context.sampled = not whole and training.batch_size is not None
    context.imports.use("torch.nn.Module")
    if not _of_events(context.plan):
        container(context)


def _of_events(plan: Plan) -> bool:
    return any(head.events is not None for head in plan.link_heads)


def write_training(context: Context, training: Training) -> str:
    """Functions, `main`, and its call."""
    return write_loop(_loop(context, training), context, training)


def _loop(context: Context, training: Training) -> Loop:
    head = context.plan.heads[0]
    if isinstance(head, LinkHead) and head.kind == "event":
        return forecasts(head, context, training)
    if isinstance(head, LinkHead) and head.events is not None:
        return events(head, context, training)
    if isinstance(head, LinkHead) and head.negative is not None:
        return signs(head, context, training)
    if isinstance(head, LinkHead):
        return links(head, context, training)
    if isinstance(head, GraphHead):
        return graphs(head, context, training)
    if isinstance(head, ObjectiveHead):
        return walks(head, context, training) if head.kind == "walks" else contrast(head, context)
    assert isinstance(head, Head), "other predictions are refused before"
    return sampled(head, context, training) if context.sampled else whole_graph(head, context, training)


__all__ = ["prepare_training", "untrained", "write_training"]
