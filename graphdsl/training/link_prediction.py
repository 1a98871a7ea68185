"""Using a trained model for links: scores of given pairs, and the best new targets of every source."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from graphdsl.backends import AnyModel
from graphdsl.data.hiding import stored_relation
from graphdsl.data.view import GraphView, open_data
from graphdsl.kernels import PairScorer, score_every
from graphdsl.model import Schema
from graphdsl.plan import LinkHead
from graphdsl.text import EdgeKey, SpecError, report, show_edge
from graphdsl.training.batches import BatchSource, MessageGraph, Wanted
from graphdsl.training.events import follow_all
from graphdsl.training.prediction import LinkPredictions, predicting
from graphdsl.training.task import head_task

PAIRS_AT_ONCE = 1 << 18
NUMBERS_AT_ONCE = 1 << 24
"""Numbers that scoring sources with all targets holds at once, 64 MB of them."""


@dataclass(frozen=True, slots=True)
class LinkEnds:
    """What a link prediction asks of a graph.

    Attributes:
        sources: number of source nodes.
        targets: number of target nodes.
        edges: all edges that are known, source first, shape `[2, num_edges]`.
    """

    sources: int
    targets: int
    edges: Tensor


def find_ends(data: Any, head: LinkHead, schema: Schema) -> LinkEnds:
    """The nodes that a link prediction may join, and the edges that are known.

    Raises:
        SpecError: GNN610 where a number of nodes cannot be told.
    """
    view = open_data(data)
    sizes = [view.count(name) for name in (head.edge[0], head.edge[2])]
    for name, size in zip((head.edge[0], head.edge[2]), sizes, strict=True):
        if size is None:
            raise SpecError([report("GNN610", f"the number of nodes of `{name}` is unknown", head.span)])
    stored = stored_relation(view, head.edge, schema)
    edges = _edges_of(view, stored)
    if head.negative is not None:  # Signs are asked of all edges.
        edges = torch.cat([edges, _edges_of(view, stored_relation(view, head.negative, schema))], 1)
    return LinkEnds(sizes[0] or 0, sizes[1] or 0, edges)


def _edges_of(view: GraphView, stored: tuple[EdgeKey, bool] | None) -> Tensor:
    """The edges of a relation, source first, from where they are stored, maybe backwards."""
    if stored is None:
        return torch.zeros(2, 0, dtype=torch.long)
    edges = view.connectivity(stored[0]).long().cpu()
    return edges.flip(0) if stored[1] else edges


def predict_pairs(
    model: AnyModel, source: BatchSource, head: LinkHead, ends: LinkEnds, pairs: Tensor, device: torch.device
) -> LinkPredictions:
    """Score pairs.

    Args:
        model: a compiled model with trained weights.
        source: batches of the graph.
        head: a link prediction of its plan.
        ends: see `find_ends`.
        pairs: numbers of sources and targets, shape `[2, pairs]`.
        device: where to compute.
    """
    h = _embed(model, source, head, ends, device)
    with predicting(model, device) as place:
        parts = [
            model.score(h, head.name, some.to(place)).reshape(some.size(1), -1).float().cpu()
            for some in pairs.split(PAIRS_AT_ONCE, 1)
        ]
    outputs = torch.cat([torch.zeros(0, head.size or 1), *parts])
    return LinkPredictions(head, pairs, outputs, head_task(head).decide(outputs))


def predict_top(
    model: AnyModel,
    source: BatchSource,
    head: LinkHead,
    ends: LinkEnds,
    count: int,
    device: torch.device,
    graph: MessageGraph | None = None,
) -> LinkPredictions:
    """The best targets of every source among those that it is not joined to, best first.

    No more than a few sources are scored with all targets at a time.

    Args:
        model: a compiled model with trained weights.
        source: batches of the graph.
        head: a prediction of whether there is an edge.
        ends: see `find_ends`.
        count: how many targets for each source.
        device: where to compute.
        graph: what passes messages; None = all that there is.
    """
    h = _embed(model, source, head, ends, device, graph)
    pairs, outputs = [torch.zeros(2, 0, dtype=torch.long)], [torch.zeros(0, 1)]
    with predicting(model, device) as place:
        module, targets = model.heads[head.key], h[head.edge[2]]
        width = 1 if isinstance(module, PairScorer) else h[head.edge[0]].size(1) + targets.size(1)
        for first, last in _chunks(ends.sources, max(1, NUMBERS_AT_ONCE // max(1, ends.targets * width))):
            scores = score_every(module, h[head.edge[0]][first:last], targets).squeeze(-1).float()
            if head.events is None:  # What has happened may happen again.
                known = _known(head, ends, first, last).to(place)
                scores[known[0], known[1]] = -torch.inf
            best = scores.topk(min(count, ends.targets), dim=1)
            new = best.values > -torch.inf
            rows = torch.arange(first, last, device=place).unsqueeze(1).expand_as(best.indices)
            pairs.append(torch.stack([rows[new], best.indices[new]]).cpu())
            outputs.append(best.values[new].unsqueeze(1).cpu())
    found = torch.cat(outputs)
    return LinkPredictions(head, torch.cat(pairs, 1), found, head_task(head).decide(found))


def _chunks(count: int, size: int) -> Iterator[tuple[int, int]]:
    yield from ((first, min(first + size, count)) for first in range(0, count, size))


def _known(head: LinkHead, ends: LinkEnds, first: int, last: int) -> Tensor:
    """Pairs of these sources that are no news: edges, and a node with itself; sources count from the first."""
    source, target = ends.edges
    here = (source >= first) & (source < last)
    known = torch.stack([source[here] - first, target[here]])
    if head.edge[0] == head.edge[2]:
        loops = torch.arange(first, last)
        known = torch.cat([known, torch.stack([loops - first, loops])], 1)
    return known


def _embed(
    model: AnyModel,
    source: BatchSource,
    head: LinkHead,
    ends: LinkEnds,
    device: torch.device,
    graph: MessageGraph | None = None,
) -> dict[str, Tensor]:
    """What the prediction reads of all nodes of both ends, on the device."""
    sizes = {head.edge[0]: ends.sources, head.edge[2]: ends.targets}
    found: dict[str, Tensor] = {}
    if head.events is not None:
        with predicting(model, device) as place:
            follow_all(model, head, source.event_log(head), source.training, place)
            return model.encode({}, {}, prediction=head.name)
    with predicting(model, device) as place:
        for name in head.types:
            wanted = {head.name: Wanted(name, torch.arange(sizes[name]))}
            parts: list[Tensor] = []
            numbers: list[Tensor] = []
            for batches in source.batches(wanted, graph=graph, device=place):
                for batch in (item.to(place) for item in batches):
                    inputs = {key: value for key, value in batch.inputs.items() if key != "edge_label_index"}
                    parts.append(model.encode(**inputs, prediction=head.name)[name][batch.rows[head.name]])
                    numbers.append(batch.nodes[head.name])
            order = torch.cat(numbers).argsort() if numbers else torch.zeros(0, dtype=torch.long)
            found[name] = torch.cat(parts)[order.to(place)] if parts else torch.zeros(0, 0, device=place)
    return found


def read_pairs(path: Path, head: LinkHead, ends: LinkEnds) -> Tensor:
    """Read pairs from a CSV table with columns `source` and `target`: node numbers.

    Returns:
        Shape `[2, pairs]`.

    Raises:
        SpecError: GNN611: no such file, other columns, no whole numbers, or nodes that there are not.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        raise SpecError([_unreadable(path, said.lower())]) from error
    columns = []
    for name, kind, size in (("source", head.edge[0], ends.sources), ("target", head.edge[2], ends.targets)):
        if name not in table:
            raise SpecError([_unreadable(path, f"it has no column `{name}`")])
        if not pd.api.types.is_integer_dtype(table[name]):
            raise SpecError([_unreadable(path, f"`{name}` holds something else than whole numbers")])
        values = torch.from_numpy(table[name].to_numpy("int64", copy=True))
        outside = values[(values < 0) | (values >= size)]
        if len(outside):
            row = int(((values < 0) | (values >= size)).nonzero()[0]) + 2
            said = f"line {row}: {int(outside[0])} is no `{kind}`, whose numbers are 0 to {size - 1}"
            raise SpecError([_unreadable(path, said)])
        columns.append(values)
    return torch.stack(columns)


def _unreadable(path: Path, said: str) -> Any:
    helps = ("a CSV table with the columns `source` and `target`, which hold node numbers",)
    return report("GNN611", f"cannot read pairs from `{path}`: {said}", where="--pairs", helps=helps)


def pick_heads(heads: tuple[LinkHead, ...], pairs_given: bool, top_given: bool) -> tuple[LinkHead, ...]:
    """The link predictions that `--pairs` or `--top` are for.

    Raises:
        SpecError: GNN204: there are none, or pairs are given for several relations.
    """
    option = "--pairs" if pairs_given else "--top"
    if not heads and (pairs_given or top_given):
        message = "the model predicts no links"
        raise SpecError([report("GNN204", message, where=option, helps=(f"leave `{option}` out",))])
    edges = {head.edge: head for head in heads}
    if pairs_given and len(edges) > 1:
        message = "pairs of which relation? the model predicts " + " and ".join(
            f"`{show_edge(edge)}`" for edge in edges
        )
        helps = tuple(f'`--only "{head.name}"`' for head in heads)
        raise SpecError([report("GNN204", message, where=option, helps=helps)])
    return heads
