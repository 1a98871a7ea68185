"""Mini-batches of whole graphs."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torch_geometric.data import HeteroData
from torch_geometric.loader import DataLoader

from graphdsl.data import batch_inputs
from graphdsl.data.graph_set import GraphSet
from graphdsl.model import Training
from graphdsl.plan import Plan
from graphdsl.plan.walk import tells_graphs_apart
from graphdsl.text import SpecError, report
from graphdsl.training.batch import Batch, Share
from graphdsl.training.graph_nodes import NodeNumbers
from graphdsl.training.order import SeedOrder


class _Chosen(Dataset[HeteroData]):
    """Some graphs of a set, made alike."""

    def __init__(self, graphs: GraphSet, numbers: Tensor) -> None:
        self.graphs, self.numbers = graphs, numbers.tolist()

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> HeteroData:
        return self.graphs.alike(self.numbers[place])


class GraphBatches:
    """Batches of graphs, by PyG's `DataLoader`.

    Args:
        graphs: where they come from.
        plan: what is to be computed.
        nodes: by prediction, the numbers of the graphs that are wanted, or of nodes, see `of`.
        labels: by prediction, the conformed labels of all graphs or nodes; empty where nothing is compared.
        training: `batch_size` (None = all at once), `seed`, `workers`.
        shuffle: whether each epoch has another order.
        share: this process's part of every batch.
        device: where a batch of all graphs stays; others are on the CPU.
        of: of predictions of nodes, how these are numbered.

    Attributes:
        epoch: the epoch that the next iteration belongs to.
    """

    def __init__(
        self,
        graphs: GraphSet,
        plan: Plan,
        nodes: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        training: Training,
        shuffle: bool,
        share: Share,
        device: torch.device,
        of: Mapping[str, NodeNumbers] | None = None,
    ) -> None:
        self.epoch = 0
        self._of = of or {}
        self._plan, self._nodes, self._labels, self._device = plan, nodes, labels, device
        wanted = [self._of[name].split(rows)[0] if name in self._of else rows for name, rows in nodes.items()]
        numbers = torch.unique(torch.cat(wanted))
        size = training.batch_size or max(1, len(numbers))
        self._order = SeedOrder(len(numbers), size, shuffle, training.seed, share.rank, share.processes)
        self._is_whole = training.batch_size is None
        self._kept: Batch | None = None
        if not self._of:
            _refuse_empty(graphs, plan, numbers)
        workers = 0 if self._is_whole else training.workers
        self.loader = DataLoader(
            _Chosen(graphs, numbers),  # type: ignore[arg-type]
            batch_sampler=self._order,
            num_workers=workers,
            persistent_workers=workers > 0,
        )

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Batch]:
        if self._is_whole and self._kept is not None:
            yield self._kept
            return
        self._order.epoch = 0 if self._is_whole else self.epoch
        for share, batch in zip(self._order.shares(), self.loader, strict=True):
            described = self._describe(batch, share)
            if self._is_whole:
                self._kept = described = described.to(self._device)
            yield described

    def _describe(self, batch: HeteroData, share: int) -> Batch:
        """The first `share` graphs of a batch count."""
        numbers: Tensor = batch["graph_number"][:share]
        rows: dict[str, Tensor] = {}
        labels: dict[str, Tensor] = {}
        nodes: dict[str, Tensor] = {}
        for name, wanted in self._nodes.items():
            here = self._of[name].in_batch(batch, numbers) if name in self._of else numbers
            rows[name] = torch.isin(here, wanted).nonzero().reshape(-1)
            nodes[name] = here[rows[name]]
            if name in self._labels:
                labels[name] = self._labels[name][nodes[name]]
        inputs = batch_inputs(batch, self._plan)
        if self._of and tells_graphs_apart(self._plan):
            inputs["batch_dict"] = {name: batch[name].batch for name in batch.node_types}
        return Batch(inputs, rows, labels, nodes)


def _refuse_empty(graphs: GraphSet, plan: Plan, numbers: Tensor) -> None:
    """PyG's readouts count the graphs of a batch by its last node: one without nodes has no row, unless told."""
    block = plan.sequence
    if block is None or any(item.source == "batch_size" for item in block.inputs):
        return
    empty = sorted(set(graphs.empty(block.type)) & set(numbers.tolist()))
    if empty:
        message = f"graph {empty[0]} has no nodes, so a readout by `batch` alone gives it no row"
        helps = ("leave it out, or read `batch_size` too: `global_mean_pool: x, batch, batch_size -> x`",)
        notes = (f"graphs without nodes: {len(empty)}",)
        raise SpecError([report("GNN630", message, block.span, "this block", helps=helps, notes=notes, where="data")])
