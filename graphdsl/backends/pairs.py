"""Scores of pairs of nodes: what link predictions give."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from graphdsl.kernels import score_pairs
from graphdsl.plan import LinkHead, Plan
from graphdsl.text import SpecError, report

Pairs = Tensor | Mapping[str, Tensor] | None
"""Pairs [2, num_pairs] of the only link prediction, or by prediction name."""


def pairs_by_name(plan: Plan, given: Pairs) -> dict[str, Tensor]:
    """The pairs that each link prediction is to score.

    Raises:
        SpecError: GNN618 where a prediction gets none, GNN607 for another shape.
        TypeError: for pairs that no prediction scores.
    """
    heads = {head.name: head for head in plan.link_heads}
    if isinstance(given, Tensor):
        if len(heads) != 1:
            known = ", ".join(f"'{name}'" for name in heads) or "none"
            message = f"model '{plan.model}' takes 'edge_label_index' as a dictionary by link prediction ({known})"
            raise TypeError(message)
        given = dict.fromkeys(heads, given)
    named = dict(given or {})
    unknown = next((name for name in named if name not in heads), None)
    if unknown is not None:
        known = ", ".join(f"'{name}'" for name in heads) or "none"
        raise TypeError(f"model '{plan.model}' has no link prediction '{unknown}' (link predictions: {known})")
    for name, head in heads.items():
        _check(head, named.get(name))
    return named


def _check(head: LinkHead, pairs: Tensor | None) -> None:
    if pairs is None:
        message = f"`{head.name}` scores pairs of nodes, and was given none"
        helps = ("call the model with `edge_label_index=`: a tensor [2, num_pairs] of source and target numbers",)
        raise SpecError([report("GNN618", message, head.span, "predicted here", helps=helps)])
    if pairs.dim() != 2 or pairs.size(0) != 2 or pairs.is_floating_point():
        message = (
            f"pairs for `{head.name}` are {str(pairs.dtype)[6:]} {list(pairs.shape)}, not whole numbers [2, num_pairs]"
        )
        raise SpecError([report("GNN607", message, head.span, "predicted here")])


def score(head: LinkHead, module: nn.Module, values: Mapping[str, Tensor], pairs: Tensor) -> Tensor:
    """Score pairs from the values of their ends.

    Args:
        head: the prediction.
        module: its module.
        values: [num_nodes, width] by node type.
        pairs: numbers of sources and targets, shape [2, num_pairs].

    Returns:
        [num_pairs] for a link (a logit), [num_pairs, size] for a label of edges.
    """
    source, target = values[head.edge[0]][pairs[0]], values[head.edge[2]][pairs[1]]
    if pairs.size(1) == 0 and head.size is not None:
        # Norms refuse to average over nothing; parameters still get a gradient, as in `run_module`.
        touched = sum((item.sum() for item in module.parameters()), source.sum() + target.sum())
        scores = torch.zeros(0, head.size, dtype=touched.dtype, device=pairs.device) + touched
    else:
        scores = score_pairs(module, source, target)
    return scores.squeeze(-1) if head.kind == "link" else scores
