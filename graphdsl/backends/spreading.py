"""Labels of training nodes, spread along a relation: predictions of `LabelPropagation` and `CorrectAndSmooth`."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn.conv.gcn_conv import gcn_norm

from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.naming import module_key
from graphdsl.model import TRAIN_MASK
from graphdsl.plan import Head, InputBinding, NodeStep, ShownLabels, Spread, WalkedLabels
from graphdsl.text import Span, SpecError, report, show_name

_TINY = 1e-12
"""The share of a class that no label has reached, so that it has a logarithm."""


def known_labels(head: Head, graph: Graph) -> tuple[Tensor, Tensor]:
    """Labels as shares of classes, [num_nodes, size], zero where nothing is known, and whose are known, [num_nodes].

    Only nodes in `train_mask` with a label count; what `y` says of all others is never read.

    Raises:
        SpecError: GNN618 where the model is called without labels or mask, GNN607 for shapes that do not fit.
    """
    labels, mask = _labels_and_mask(head.type, head.attribute, head.span, graph)
    return _shares(labels, mask, head.kind == "multilabel", head.size or 0)


def walked_labels(read: WalkedLabels, values: Values, targets: Iterable[str], graph: Graph) -> dict[str, Tensor]:
    """Labels of training nodes that a walk carries, [num_nodes, size] by the module's names of types; as `known_labels`."""
    found: dict[str, Tensor] = {}
    for name in targets:
        if name in read.kinds:
            labels, mask = _labels_and_mask(name, read.attribute, read.span, graph)
            _check_rows(labels, read.attribute, name, values[name], read.span)
            found[module_key(name)], _ = _shares(labels, mask, read.kinds[name] == "multilabel", read.sizes[name] or 0)
    return found


def _shares(labels: Tensor, mask: Tensor, several: bool, size: int) -> tuple[Tensor, Tensor]:
    if several:
        shares = torch.nan_to_num(labels.reshape(len(labels), -1).float(), nan=-1.0)
        mask = mask & (shares >= 0).any(-1)
        return shares.clamp(min=0) * mask.unsqueeze(-1), mask
    classes = labels.reshape(-1).long()
    mask = mask & (classes >= 0)
    shares = nn.functional.one_hot(torch.where(mask, classes, 0), size).float()
    return shares * mask.unsqueeze(-1), mask


def _labels_and_mask(kind: str, label: str, span: Span, graph: Graph) -> tuple[Tensor, Tensor]:
    """Labels as they are given, and the nodes whose labels may be read, [num_nodes]."""
    tables = [graph.attributes.get(name, {}).get(kind) for name in (label, TRAIN_MASK)]
    for name, found in zip((label, TRAIN_MASK), tables, strict=True):
        if found is None:
            message = f"`{name}_dict` holds nothing for `{show_name(kind)}`, whose labels are read"
            helps = (f"pass `{name}_dict = {{{kind!r}: …}}`; see `graphdsl.data.batch_inputs`",)
            raise SpecError([report("GNN618", message, span, "read here", helps=helps)])
    labels, mask = (item for item in tables if item is not None)
    mask = mask.reshape(-1).bool()
    if len(labels) != len(mask):
        message = f"`{label}` of `{show_name(kind)}` has {len(labels)} rows and `{TRAIN_MASK}` {len(mask)}"
        raise SpecError([report("GNN607", message, span, "read here")])
    return labels, mask


def run_masked(module: nn.Module, step: NodeStep, shown: ShownLabels, x: Tensor, graph: Graph) -> Tensor:
    """PyG's `MaskLabel` on values [num_nodes, width]: labels of nodes in `train_mask`, and of no others.

    Raises:
        SpecError: as `known_labels`.
    """
    labels, mask = _labels_and_mask(step.type, shown.attribute, step.rule, graph)
    classes = labels.reshape(-1).long()
    _check_rows(classes, shown.attribute, step.type, x, step.rule)
    call: Any = module
    return call(x, classes, mask & (classes >= 0))


def _check_rows(labels: Tensor, attribute: str, kind: str, x: Tensor, span: Span) -> None:
    if len(labels) != len(x):
        message = f"`{attribute}` of `{show_name(kind)}` has {len(labels)} rows, and its values {len(x)}"
        raise SpecError([report("GNN607", message, span, "read here")])


def spread_labels(head: Head, spread: Spread, module: nn.Module, graph: Graph, logits: Tensor | None) -> Tensor:
    """What a prediction is once labels are spread, as logits [num_nodes, size].

    Their exponential is what PyG's module gives: shares of classes, which need not sum to one, for a label of one class,
    and chances for one of several.

    Args:
        head: the prediction.
        spread: what spreads labels.
        module: PyG's module.
        graph: what labels spread along, and the labels.
        logits: what the head predicts, [num_nodes, size]; None where nothing is corrected.
    """
    shares, mask = known_labels(head, graph)
    edges, weight = _edges(spread, graph, shares)
    call: Any = module
    if logits is None:
        spread_out = call(shares, edges, mask, weight)
    else:
        soft = logits.sigmoid() if head.kind == "multilabel" else logits.softmax(-1)
        spread_out = call(soft, shares[mask].to(soft), mask, edges, weight)
    if head.kind == "multilabel":
        return spread_out.clamp(_TINY, 1 - torch.finfo(spread_out.dtype).eps).logit()
    return spread_out.clamp(min=_TINY).log()


def _edges(spread: Spread, graph: Graph, like: Tensor) -> tuple[Tensor, Tensor | None]:
    """The relation, and weights of its edges where it has some."""
    edges = graph.edge_index[spread.edge]
    if not spread.weight:
        return edges, None
    binding = InputBinding("edge_weight", "edge", spread.weight, scalar=True, width=1)
    weight = graph.attribute(binding, spread.edge, edges.size(1), spread.span, like)
    if not spread.normalize:
        return edges, weight
    made: Any = gcn_norm(edges, weight, like.size(0), add_self_loops=False)
    return made
