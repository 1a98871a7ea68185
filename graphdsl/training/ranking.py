"""Recommendation of links: how good the best new targets of each source are, by the metrics of `torch_geometric.metrics`."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch_geometric.metrics import (
    LinkPredAveragePopularity,
    LinkPredCoverage,
    LinkPredDiversity,
    LinkPredF1,
    LinkPredHitRatio,
    LinkPredMAP,
    LinkPredMRR,
    LinkPredNDCG,
    LinkPredPersonalization,
    LinkPredPrecision,
    LinkPredRecall,
)

from graphdsl.backends import AnyModel
from graphdsl.data.hiding import stored_relation
from graphdsl.data.places import show_place
from graphdsl.data.view import GraphView, open_data
from graphdsl.model import Schema
from graphdsl.plan import LinkHead
from graphdsl.text import EdgeKey, SpecError, did_you_mean, listing, report, show_name
from graphdsl.training.batches import BatchSource
from graphdsl.training.link_prediction import LinkEnds, predict_top
from graphdsl.training.link_targets import LinkTargets
from graphdsl.training.splits import Supervision

_OF_TRUTH = {
    "precision": LinkPredPrecision,
    "recall": LinkPredRecall,
    "f1": LinkPredF1,
    "map": LinkPredMAP,
    "ndcg": LinkPredNDCG,
    "mrr": LinkPredMRR,
    "hit_ratio": LinkPredHitRatio,
}


def rank_links(
    model: AnyModel,
    source: BatchSource,
    supervision: Supervision,
    head: LinkHead,
    ends: LinkEnds,
    split: str,
    top: int,
    device: torch.device,
    category: Tensor | None = None,
    weight: Tensor | None = None,
) -> dict[str, float]:
    """Metrics of the best new targets of each source that has an edge in a split.

    Messages run over the edges that they run over while the split is evaluated. Edges of the earlier splits, and those in
    none, are known: they are never among the targets, and the others are wanted.

    Args:
        model: a compiled model with trained weights.
        source: batches of the graph.
        supervision: the splits.
        head: a prediction of whether there is an edge.
        ends: see `find_ends`.
        split: "val" or "test".
        top: how many targets for each source.
        device: where to compute.
        category: of each target, shape `[num_targets]` of whole numbers: `diversity` is told, too.
        weight: of each edge, positive, shape `[num_edges]`: how much it is wanted; `weighted_recall` and `weighted_ndcg`
            are told, too.

    Returns:
        By names such as `ndcg@10`; nothing for a source that is joined to nearly everything and has fewer new targets.
    """
    if head.events is not None:
        message = "`--top` ranks targets that are new to a source, and events come again"
        helps = ("leave `--top` out: `mrr` and `hits@k` rank each event among `negatives k`",)
        raise SpecError([report("GNN647", message, head.span, "predicted here", where="--top", helps=helps)])
    links = supervision.links[head.name]
    truth, known = _wanted_and_known(links, split)
    gain = None if weight is None else _gains(links, split, weight)
    top = min(top, ends.targets)
    asked = replace(ends, edges=known)
    best = predict_top(model, source, head, asked, top, device, supervision.graph(split)).pairs
    full = torch.bincount(best[0], minlength=ends.sources) == top
    chosen = (torch.bincount(truth[0], minlength=ends.sources) > 0) & full
    if not bool(chosen.any()):
        return {}
    table = best[1][chosen[best[0]]].reshape(-1, top)
    row = chosen.cumsum(0) - 1
    kept = chosen[truth[0]]
    truth, gain = truth[:, kept], None if gain is None else gain[kept]
    wanted = torch.stack([row[truth[0]], truth[1]])
    metrics = _metrics(top, torch.bincount(known[1], minlength=ends.targets), category, gain is not None)
    for metric in metrics.values():
        metric.update(table, wanted, gain)
    return {f"{name}@{top}": float(metric.compute()) for name, metric in metrics.items()}


def _metrics(top: int, popularity: Tensor, category: Tensor | None, weighted: bool) -> dict[str, Any]:
    """PyG's metrics by name; `popularity` counts the known edges into each target."""
    metrics: dict[str, Any] = {name: cls(top) for name, cls in _OF_TRUTH.items()}
    metrics["coverage"] = LinkPredCoverage(top, len(popularity))
    metrics["personalization"] = LinkPredPersonalization(top)
    metrics["average_popularity"] = LinkPredAveragePopularity(top, popularity)
    if category is not None and top > 1:  # Among one target there are no two to compare.
        metrics["diversity"] = LinkPredDiversity(top, category)
    if weighted:
        metrics |= {"weighted_recall": LinkPredRecall(top, True), "weighted_ndcg": LinkPredNDCG(top, True)}
    return metrics


def _wanted_and_known(links: LinkTargets, split: str) -> tuple[Tensor, Tensor]:
    """Distinct edges of a split, and all edges that are known while it is predicted."""
    later = ("val", "test") if split == "val" else ("test",)
    known = torch.ones(links.edge_index.size(1), dtype=torch.bool)
    for name in later:
        if name in links.edges:
            known[links.edges[name]] = False
    return links.edge_index[:, links.edges[split]].unique(dim=1), links.edge_index[:, known]


def _gains(links: LinkTargets, split: str, weight: Tensor) -> Tensor:
    """The weights of the distinct edges of a split; those of parallel edges add up."""
    chosen = links.edges[split]
    pairs, place = links.edge_index[:, chosen].unique(dim=1, return_inverse=True)
    return torch.zeros(pairs.size(1)).index_add_(0, place, weight[chosen])


def read_category(data: Any, head: LinkHead, name: str) -> Tensor:
    """The category of each target of a link prediction, shape `[num_targets]`.

    Args:
        data: the graph.
        head: the prediction.
        name: of an attribute of its targets.

    Raises:
        SpecError: GNN603 where the data has no such attribute, GNN204 where it is not one whole number for each target.
    """
    view, kind = open_data(data), head.edge[2]
    value = _read(view, kind, name, "--category")
    if value.numel() != view.count(kind) or value.is_floating_point() or value.is_complex():
        shape = f"{str(value.dtype).removeprefix('torch.')} {[*value.shape]}"
        message = f"`--category` is one whole number for each `{show_name(kind)}`, and `{show_name(name)}` is {shape}"
        raise SpecError([report("GNN204", message, where="--category")])
    return value.reshape(-1).long()


def read_weight(data: Any, head: LinkHead, name: str, schema: Schema) -> Tensor:
    """How much each edge of a predicted relation is wanted, shape `[num_edges]`.

    Args:
        data: the graph.
        head: the prediction.
        name: of an attribute of its relation.
        schema: says which relation is the inverse of which.

    Raises:
        SpecError: GNN603 where the data has no such attribute, GNN204 where it is not one positive number for each edge.
    """
    view = open_data(data)
    stored = stored_relation(view, head.edge, schema)
    assert stored is not None, "its edges are split already"
    value = _read(view, stored[0], name, "--weight")
    if value.numel() != view.count(stored[0]) or not bool((value > 0).all()):
        message = f"`--weight` is one positive number for each edge, and `{show_place(stored[0], name)}` is not"
        raise SpecError([report("GNN204", message, where="--weight")])
    return value.reshape(-1).float()


def _read(view: GraphView, place: str | EdgeKey, name: str, option: str) -> Tensor:
    known = view.keys(place)
    if name not in known:
        message = f"the data has no `{show_place(place, name)}`"
        raise SpecError(
            [
                report(
                    "GNN603", message, where=option, helps=did_you_mean(name, known), notes=listing("attributes", known)
                )
            ]
        )
    return torch.as_tensor(view.read(place, name)).detach().cpu()
