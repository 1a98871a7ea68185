"""Mini-batches around pairs of nodes: the neighbourhoods of both ends, without the edges that are asked for."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from graphdsl.data.derivation import with_derived
from graphdsl.data.hiding import pair_numbers
from graphdsl.data.loading import FetchRows, build_structure, fan_out, find_times
from graphdsl.data.needs import find_needs
from graphdsl.data.places import show_place
from graphdsl.data.sampling import HeteroNeighborSampler, SampledLinkLoader
from graphdsl.data.view import open_data
from graphdsl.model import Schema, Training
from graphdsl.plan import Plan
from graphdsl.text import EdgeKey, SpecError, report


@dataclass(frozen=True, slots=True)
class PairSeeds:
    """Pairs of nodes to sample around.

    Attributes:
        edge: their relation; it need not be one that passes messages.
        index: numbers of sources and targets, shape [2, pairs].
        is_edge: which of them are edges, shape [pairs]; those pass no messages in their own batch.
        time: what each pair may see, shape [pairs]; None without times.
        pass_messages: whether the edges among them are messages all the same (`keep_target`).
    """

    edge: EdgeKey
    index: Tensor
    is_edge: Tensor
    time: Tensor | None = None
    pass_messages: bool = False


def pair_sampler(data: Any, plan: Plan, training: Training, schema: Schema) -> tuple[HeteroData, HeteroNeighborSampler]:
    """The structure that a plan follows, and a sampler over it, for any number of `pair_loader`s.

    Args:
        data: a graph, see `open_data`.
        plan: says which relations to follow at which hop.
        training: `fanout`, `temporal` and `seed`.
        schema: its `time` attributes say what is visible.

    Raises:
        SpecError: GNN624 for a metapath that hides times, GNN611 for a graph that cannot be sampled from.
    """
    view = with_derived(open_data(data), plan)
    fanout = fan_out(plan, view, training.fanout)
    structure = build_structure(view, plan, fanout)
    times = find_times(view, plan, schema, None) if training.temporal else None
    nodes, edges = (times.nodes or None, times.edges or None) if times is not None else (None, None)
    try:
        sampler = HeteroNeighborSampler(structure, fanout, node_time=nodes, edge_time=edges, seed=training.seed)
    except ValueError as error:
        helps = ("`spec.validate(data)` tells more",)
        where = show_place(next(iter(fanout), ""))
        raise SpecError([report("GNN611", f"cannot sample: {error}", where=where, helps=helps)]) from error
    return structure, sampler


def pair_loader(
    data: Any,
    plan: Plan,
    seeds: PairSeeds,
    schema: Schema,
    structure: HeteroData,
    sampler: HeteroNeighborSampler,
    **loader_options: Any,
) -> SampledLinkLoader:
    """Load mini-batches around pairs of nodes.

    Args:
        data: the graph that `pair_sampler` was given.
        plan: says what to read.
        seeds: the pairs.
        schema: says what is the inverse of their relation.
        structure: from `pair_sampler`.
        sampler: from `pair_sampler`.
        **loader_options: of `torch.utils.data.DataLoader`, such as `batch_sampler`.

    Returns:
        A loader of `HeteroData` batches for `batch_inputs`. The store of the pairs' relation has their positions
        `edge_label_index`, `edge_label` (1 for an edge) and `input_id`. Neither the edges among the pairs, nor their
        inverses, nor parallels of them are among the messages, unless `seeds` says so.
    """
    view = with_derived(open_data(data), plan)
    fetch = FetchRows(view, find_needs(plan), plan.relations)
    hide = _HideSeeds(seeds.edge, schema.edges[seeds.edge].inverse, fetch)
    return SampledLinkLoader(
        structure,
        sampler,
        (seeds.edge, seeds.index),
        edge_label=seeds.is_edge.long(),
        edge_label_time=seeds.time if sampler.is_temporal else None,
        transform=fetch if seeds.pass_messages else hide,
        filter_per_worker=False,
        **loader_options,
    )


@dataclass(frozen=True, slots=True)
class _HideSeeds:
    """Takes the edges that a batch asks for out of its messages, then fetches the rows of the rest."""

    edge: EdgeKey
    inverse: EdgeKey | None
    fetch: FetchRows

    def __call__(self, batch: HeteroData) -> HeteroData:
        source, _, target = self.edge
        store = batch[self.edge]
        asked = store.edge_label_index[:, store.edge_label > 0]
        ends = torch.stack([batch[source].n_id[asked[0]], batch[target].n_id[asked[1]]])
        width = 1 + max((int(batch[name].n_id.max()) for name in (source, target) if len(batch[name].n_id)), default=0)
        hidden = pair_numbers(ends, width, ordered=source != target)
        for edge in (self.edge, self.inverse):
            if edge is None or edge not in batch.edge_types or "edge_index" not in batch[edge]:
                continue
            index = batch[edge].edge_index
            here = torch.stack([batch[edge[0]].n_id[index[0]], batch[edge[2]].n_id[index[1]]])
            here = here if edge == self.edge else here.flip(0)
            keep = ~torch.isin(pair_numbers(here, width, ordered=source != target), hidden)
            batch[edge].edge_index, batch[edge].e_id = index[:, keep], batch[edge].e_id[keep]
            if "num_sampled_edges" in batch[edge]:
                hops = keep.split(batch[edge].num_sampled_edges)
                batch[edge].num_sampled_edges = [int(hop.sum()) for hop in hops]
        return self.fetch(batch)
