"""Recommendation of links: how good the best new targets of each source are, by the metrics of `torch_geometric.metrics`."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch_geometric.metrics import (
    LinkPredAveragePopularity,
    LinkPredCoverage,
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
from graphdsl.plan import LinkHead
from graphdsl.text import SpecError, report
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

    Returns:
        By names such as `ndcg@10`; nothing for a source that is joined to nearly everything and has fewer new targets.
    """
    if head.events is not None:
        message = "`--top` ranks targets that are new to a source, and events come again"
        helps = ("leave `--top` out: `mrr` and `hits@k` rank each event among `negatives k`",)
        raise SpecError([report("GNN647", message, head.span, "predicted here", where="--top", helps=helps)])
    links = supervision.links[head.name]
    truth, known = _wanted_and_known(links, split)
    top = min(top, ends.targets)
    asked = replace(ends, edges=known)
    best = predict_top(model, source, head, asked, top, device, supervision.graph(split)).pairs
    full = torch.bincount(best[0], minlength=ends.sources) == top
    chosen = (torch.bincount(truth[0], minlength=ends.sources) > 0) & full
    if not bool(chosen.any()):
        return {}
    table = best[1][chosen[best[0]]].reshape(-1, top)
    row = chosen.cumsum(0) - 1
    truth = truth[:, chosen[truth[0]]]
    wanted = torch.stack([row[truth[0]], truth[1]])
    metrics: dict[str, Any] = {name: cls(top) for name, cls in _OF_TRUTH.items()}
    metrics["coverage"] = LinkPredCoverage(top, ends.targets)
    metrics["personalization"] = LinkPredPersonalization(top)
    popularity = torch.bincount(known[1], minlength=ends.targets)
    metrics["average_popularity"] = LinkPredAveragePopularity(top, popularity)
    for metric in metrics.values():
        metric.update(table, wanted)
    return {f"{name}@{top}": float(metric.compute()) for name, metric in metrics.items()}


def _wanted_and_known(links: LinkTargets, split: str) -> tuple[Tensor, Tensor]:
    """Distinct edges of a split, and all edges that are known while it is predicted."""
    later = ("val", "test") if split == "val" else ("test",)
    known = torch.ones(links.edge_index.size(1), dtype=torch.bool)
    for name in later:
        if name in links.edges:
            known[links.edges[name]] = False
    return links.edge_index[:, links.edges[split]].unique(dim=1), links.edge_index[:, known]
