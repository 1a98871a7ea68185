"""Labels of nodes in several graphs: nodes are numbered through, graph after graph, and whole graphs are split if need be."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from graphdsl.data.graph_set import GraphSet
from graphdsl.data.view import open_data
from graphdsl.model import Training
from graphdsl.plan import AnyHead, Head, Plan
from graphdsl.text import Diagnostic, SpecError, report
from graphdsl.training.shares import SPLITS, draw_graphs
from graphdsl.training.task import head_task


def are_nodes_of_graphs(data: Any, heads: Sequence[AnyHead]) -> bool:
    """Whether a model predicts labels of nodes, and nothing else, on a list of graphs."""
    listed = isinstance(data, GraphSet) and data.is_list
    return listed and bool(heads) and all(isinstance(item, Head) and item.spread is None for item in heads)


def takes_nodes_of_graphs(data: Any, plan: Plan) -> bool:
    """`are_nodes_of_graphs` for a plan."""
    return are_nodes_of_graphs(data, plan.heads)


class NodeNumbers:
    """Nodes of one type in several graphs, numbered through.

    Args:
        graphs: in order.
        node_type: whose nodes are counted.

    Example:
        >>> import graphdsl
        >>> schema = graphdsl.loads("schema s { node a { x: float[1] } }").schema()
        >>> first, second = HeteroData(), HeteroData()
        >>> first["a"].x, second["a"].x = torch.zeros(3, 1), torch.zeros(2, 1)
        >>> NodeNumbers(GraphSet([first, second], schema), "a").split(torch.tensor([2, 3]))
        (tensor([0, 1]), tensor([2, 0]))
    """

    def __init__(self, graphs: GraphSet, node_type: str) -> None:
        self.type = node_type
        sizes = torch.tensor(graphs.sizes(node_type))
        self.count = int(sizes.sum())
        self._starts = torch.cat([torch.zeros(1, dtype=torch.long), sizes.cumsum(0)])

    def split(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """The graph of each node, and its number there."""
        graph = torch.searchsorted(self._starts, numbers, right=True) - 1
        return graph, numbers - self._starts[graph]

    def in_batch(self, batch: HeteroData, graphs: Tensor) -> Tensor:
        """Numbers of the nodes of the leading graphs of a batch, in its order.

        Args:
            batch: graphs side by side, with `ptr` for each type.
            graphs: the numbers of the leading ones.
        """
        ends: Tensor = batch[self.type].ptr[: len(graphs) + 1]
        sizes = ends.diff()
        place = torch.arange(int(ends[-1])) - ends[:-1].repeat_interleave(sizes)
        return self._starts[graphs].repeat_interleave(sizes) + place


def node_table(graphs: GraphSet, heads: Sequence[AnyHead], training: Training) -> HeteroData:
    """Labels and masks of the nodes of all graphs, as if they stood in one graph without edges.

    Where the nodes have a `train_mask` (and others), these are the splits. Else graphs that carry masks are split by them;
    otherwise graphs are drawn, in the shares of `training.split` and by its `seed` alone: no graph is in two splits.

    Raises:
        SpecError: GNN613 where no graph with labels is left for a split.
    """
    of_nodes = [item for item in heads if isinstance(item, Head)]
    table, found = HeteroData(), list[Diagnostic]()
    labelled = torch.zeros(len(graphs), dtype=torch.bool)
    for head in of_nodes:
        table[head.type].num_nodes = sum(graphs.sizes(head.type))
        labels = _rows(graphs, head.type, head.attribute)
        if labels is not None:
            table[head.type][head.attribute] = labels
            numbers = NodeNumbers(graphs, head.type)
            has = head_task(head).is_labelled(labels).nonzero().reshape(-1)
            labelled[numbers.split(has)[0]] = True
    parts = _split_graphs(graphs, labelled, training)
    for kind in dict.fromkeys(head.type for head in of_nodes):
        masks = {split: _rows(graphs, kind, f"{split}_mask") for split in SPLITS}
        if any(mask is not None for mask in masks.values()):
            table[kind].update({f"{split}_mask": mask for split, mask in masks.items() if mask is not None})
            continue
        sizes = torch.tensor(graphs.sizes(kind))
        for split, chosen in parts.items():
            here = torch.zeros(len(graphs), dtype=torch.bool)
            here[chosen] = True
            table[kind][f"{split}_mask"] = here.repeat_interleave(sizes)
            if not bool((here & labelled).any()):
                found.append(_nothing_left(split, next(item for item in of_nodes if item.type == kind)))
    if found:
        raise SpecError(found)
    return table


def _split_graphs(graphs: GraphSet, labelled: Tensor, training: Training) -> dict[str, Tensor]:
    carried = {split: mask for split in SPLITS if (mask := graphs.values(f"{split}_mask")) is not None}
    if carried:
        return {split: mask.bool().nonzero().reshape(-1) for split, mask in carried.items()}
    return draw_graphs(labelled, training)


def _rows(graphs: GraphSet, node_type: str, name: str) -> Tensor | None:
    """An attribute of the nodes of all graphs; graphs without it have no labels, and nodes in no mask. None if all lack it."""
    given: list[Tensor | None] = []
    sizes = graphs.sizes(node_type)
    for graph, size in zip(graphs, sizes, strict=True):
        view = open_data(graph)
        has = size > 0 and name in view.keys(node_type)
        given.append(torch.as_tensor(view.read(node_type, name)).detach().cpu() if has else None)
    known = next((item for item in given if item is not None), None)
    if known is None:
        return None
    nothing = False if known.dtype == torch.bool else float("nan") if known.is_floating_point() else -1
    fill = [known.new_full((size, *known.shape[1:]), 0 if name.endswith("_mask") else nothing) for size in sizes]
    return torch.cat([rest if item is None else item for item, rest in zip(given, fill, strict=True)])


def _nothing_left(split: str, head: Head) -> Diagnostic:
    helps = ("give more labelled graphs, other shares (`split: [0.8, 0.1, 0.1]`), or masks of the nodes",)
    message = f"no graph with labelled nodes is left for the split `{split}`"
    return report("GNN613", message, head.span, "predicted here", helps=helps, where="data")
