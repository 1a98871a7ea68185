"""Predictions of whole graphs: the nodes of each graph become one row, type by type."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from graphdsl.backends.modules import build_module
from graphdsl.backends.naming import module_key
from graphdsl.backends.places import located
from graphdsl.plan import GraphHead
from graphdsl.text import SpecError, listing, report, show_name


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which nodes make a graph.

    Attributes:
        batch: the graph [num_nodes] of each node, by node type; without any, all nodes are one graph.
        count: number of graphs; None = as many as `batch` numbers.
    """

    batch: Mapping[str, Tensor]
    count: int | None

    def graphs(self) -> int:
        """Number of graphs."""
        if self.count is not None:
            return self.count
        if not self.batch:
            return 1
        return max((int(batch.max()) + 1 for batch in self.batch.values() if batch.numel()), default=0)


class GraphReadout(nn.Module):
    """Readouts of node types side by side, and the head behind them.

    A graph that has no node of a type gets zeros for it, whatever the readout: an aggregation never sees an empty group,
    so none of them gives NaN.

    Args:
        head: the prediction.
    """

    def __init__(self, head: GraphHead) -> None:
        super().__init__()
        self.prediction = head
        self.readouts = nn.ModuleDict({module_key(item.type): build_module(item.module) for item in head.readouts})
        self.head = build_module(head.module)

    def forward(self, values: Mapping[str, Tensor], grouping: Grouping) -> Tensor:
        """Predict.

        Args:
            values: [num_nodes, width] by node type.
            grouping: which nodes make a graph.

        Returns:
            [num_graphs, size].
        """
        graphs = grouping.graphs()
        rows: list[Tensor] = []
        for item in self.prediction.readouts:
            x = values[item.type]
            batch = self._batch(item.type, x, grouping)
            assert item.width_out is not None, "a plan without unknown widths"
            with located(f"`{item.module.name}` of `{show_name(item.type)}`", item.module.span):
                rows.append(_read_out(self.readouts[module_key(item.type)], x, batch, graphs, item.width_out))
        return self.head(torch.cat(rows, dim=-1))

    def _batch(self, name: str, x: Tensor, grouping: Grouping) -> Tensor:
        if not grouping.batch or (name not in grouping.batch and x.size(0) == 0):
            return x.new_zeros(x.size(0), dtype=torch.long)
        if name not in grouping.batch:
            message = f"`batch_dict` says nothing about `{show_name(name)}`"
            notes = listing("entries of `batch_dict`", grouping.batch)
            raise SpecError([report("GNN618", message, self.prediction.span, "read here", notes=notes)])
        batch = grouping.batch[name]
        if batch.shape != (x.size(0),):
            message = f"`batch_dict[{name!r}]` is {list(batch.shape)}, not [{x.size(0)}]"
            raise SpecError([report("GNN607", message, self.prediction.span, "read here")])
        return batch


def _read_out(readout: nn.Module, x: Tensor, batch: Tensor, graphs: int, width: int) -> Tensor:
    """One row for each graph; zeros for graphs without nodes."""
    present = torch.zeros(graphs, dtype=torch.bool, device=x.device)
    present[batch] = True
    filled = int(present.sum())
    if filled == graphs:
        return readout(x, batch, dim_size=graphs)
    if filled == 0:
        touched = sum((parameter.sum() for parameter in readout.parameters()), x.sum())
        return x.new_zeros(graphs, width) + 0 * touched
    numbers = present.cumsum(0) - 1
    found = readout(x, numbers[batch], dim_size=filled)
    return found.new_zeros(graphs, width).index_copy(0, present.nonzero().reshape(-1), found)
