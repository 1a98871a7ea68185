"""Mini-batches for a plan: seeds, their neighbourhoods as deep as the model sees, and the rows that it reads.

Sampled is a graph of bare structure: the relations that matter at some hop, in an order that no dictionary decides.
The rows of features, attributes and labels of a batch are fetched by number, from memory or from a feature store.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import HeteroData
from torch_geometric.loader.utils import infer_filter_per_worker

from graphdsl.data.derivation import materialize, with_derived
from graphdsl.data.needs import Needs, find_needs
from graphdsl.data.places import Place, show_place
from graphdsl.data.sampling import HeteroNeighborSampler, SampledNodeLoader, neighbor_loader
from graphdsl.data.view import GraphView, open_data
from graphdsl.model import Attribute, Schema, Training
from graphdsl.plan import Plan, receptive_hops, sampled_walks
from graphdsl.text import EdgeKey, SpecError, report


def seed_loader(
    data: Any,
    plan: Plan,
    seeds: tuple[str, Tensor],
    training: Training,
    *,
    schema: Schema | None = None,
    shuffle: bool = False,
    like: SampledNodeLoader | None = None,
    **loader_options: Any,
) -> SampledNodeLoader:
    """Load mini-batches around seed nodes.

    Args:
        data: a `HeteroData`, or a `(FeatureStore, GraphStore)` pair, of which rows are read as batches need them.
        plan: says which relations to follow at which hop (`receptive_hops`), and what to read.
        seeds: node type, and numbers [seeds] of its nodes or a mask.
        training: `batch_size`, `fanout` (nearest hop first, the last number for all further ones), `temporal`, `seed`
            and `workers`.
        schema: needed for `temporal`: its `time` attributes (the first of each type or relation) say what is visible.
        shuffle: a new order in each epoch.
        like: a loader of other seeds that this function made of the same data, plan and fanout: its structure in
            memory is shared instead of built again.
        **loader_options: further options of `torch.utils.data.DataLoader`, such as `batch_sampler`.

    Returns:
        A loader of `HeteroData` batches for `batch_inputs`. Seeds stand first in their type and number `batch_size`;
        `n_id` and `e_id` say which nodes and edges are there, `input_id` which seeds. Every type and relation of the
        plan is there, if need be without nodes or edges, and so are the labels that the plan predicts.

    Raises:
        SpecError: GNN624 for `temporal` without times, GNN611 for a graph that cannot be sampled from.
        ValueError: options that contradict each other.
    """
    view = with_derived(open_data(data), plan)
    fanout = fan_out(plan, view, training.fanout)
    structure: Any = like.data if like is not None else build_structure(view, plan, fanout)
    sampler = like.node_sampler if like is not None and isinstance(like.node_sampler, HeteroNeighborSampler) else None
    # A sampler that is shared has the times already.
    temporal = training.temporal and sampler is None
    times = find_times(view, plan, schema, seeds[0]) if temporal else Times({}, {})
    if "batch_sampler" not in loader_options:
        loader_options |= {"shuffle": shuffle, "batch_size": training.batch_size or max(1, len(seeds[1]))}
    try:
        return neighbor_loader(
            structure,
            fanout,
            seeds,
            node_time=times.nodes or None,
            edge_time=times.edges or None,
            seed=training.seed,
            sampler=sampler,
            transform=FetchRows(view, find_needs(plan), plan.relations),
            filter_per_worker=infer_filter_per_worker(data),
            **{"num_workers": training.workers, "persistent_workers": training.workers > 0, **loader_options},
        )
    except ValueError as error:
        helps = ("`spec.validate(data)` tells more",)
        raise SpecError([report("GNN611", f"cannot sample: {error}", where=seeds[0], helps=helps)]) from error


def fan_out(plan: Plan, view: GraphView, fanout: tuple[int, ...]) -> dict[EdgeKey, list[int]]:
    """Neighbours per relation and hop: a relation that cannot matter at a hop is not followed there.

    Args:
        plan: the model's plan.
        view: the graph; relations that it lacks are left out.
        fanout: numbers of neighbours, nearest hop first; the last one serves all further hops.

    Raises:
        SpecError: GNN360 for a layer that walks along whole metapaths.
    """
    refused = sampled_walks(plan)
    if refused:
        raise SpecError(refused)
    hops = receptive_hops(plan)
    numbers = [*fanout, *[fanout[-1]] * len(hops)][: len(hops)]
    followed = sorted({edge for hop in hops for edge in hop} & set(view.edge_types))
    return {
        edge: [number if edge in hop else 0 for hop, number in zip(hops, numbers, strict=True)] for edge in followed
    }


def build_structure(view: GraphView, plan: Plan, fanout: Mapping[EdgeKey, Any]) -> HeteroData:
    """Numbers of nodes and the relations that are followed."""
    structure = HeteroData()
    ends = {end for edge in fanout for end in (edge[0], edge[2])}
    for name in sorted({*plan.inputs, *ends} & set(view.node_types)):
        structure[name].num_nodes = view.count(name)
    for edge, index in materialize(view, tuple(fanout)).items():
        structure[edge].edge_index = index.cpu()
    return structure


@dataclass(frozen=True, slots=True)
class Times:
    """Times [num_nodes] of node types and [E] of relations."""

    nodes: Mapping[str, Tensor]
    edges: Mapping[EdgeKey, Tensor]


def find_times(view: GraphView, plan: Plan, schema: Schema | None, seed_type: str | None) -> Times:
    """The times that temporal sampling goes by: of each type or relation its first `time` attribute.

    Seeds of `seed_type` bring their own; edges as seeds (None) bring theirs.

    Raises:
        SpecError: GNN624: seeds have no time, or a metapath hides the times on its way.
    """
    if schema is None:
        raise ValueError("temporal sampling needs the schema, whose `time` attributes say when")
    nodes = {name: node.attributes for name, node in schema.nodes.items()}
    edges = {edge.key: edge.attributes for edge in schema.edges.values()}
    node_time = _read_times(view, {name: nodes[name] for name in view.node_types if name in nodes})
    edge_time = _read_times(view, {edge: edges[edge] for edge in plan.relations if edge in edges})
    if seed_type is not None and seed_type not in node_time:
        message = f"temporal sampling asks what each `{seed_type}` may see, but `{seed_type}` has no `time`"
        helps = (f"declare `{seed_type} {{ when: time }}` and give it to the data, or train without `temporal`",)
        span = schema.nodes[seed_type].span if seed_type in schema.nodes else None
        raise SpecError([report("GNN624", message, span, "declared here", where=seed_type, helps=helps)])
    _refuse_hidden_times(view, plan, node_time, edge_time)
    return Times(
        {name: time for name, time in node_time.items() if isinstance(name, str)},
        {edge: time for edge, time in edge_time.items() if not isinstance(edge, str)},
    )


def _read_times(view: GraphView, declared: Mapping[Any, Mapping[str, Attribute]]) -> dict[Place, Tensor]:
    found: dict[Place, Tensor] = {}
    for place, attributes in declared.items():
        times = [
            item.name for item in attributes.values() if item.type.kind == "time" and item.name in view.keys(place)
        ]
        if times:
            found[place] = view.read(place, times[0])
    return found


def _refuse_hidden_times(
    view: GraphView, plan: Plan, node_time: Mapping[Place, Tensor], edge_time: Mapping[Place, Tensor]
) -> None:
    """An edge of a composed relation has no time, so what happened on its way later than the seed would be seen."""
    for item in plan.derived:
        if item.metapath is None or item.edge not in view.edge_types:
            continue
        hops = item.metapath.hops
        # The node at the far end is a node of the composed edge, whose time the sampler does look at.
        between = [hop.edge[0] if hop.backward else hop.edge[2] for hop in hops[:-1]]
        timed = [place for place in (*between, *(hop.edge for hop in hops)) if place in node_time or place in edge_time]
        if timed:
            message = (
                f"temporal sampling cannot follow the metapath `{item.metapath.name}`: `{show_place(timed[0])}` on its "
                f"way has a time, and the composed edges do not tell it"
            )
            helps = ("let layers follow the single relations, or train without `temporal`",)
            raise SpecError([report("GNN624", message, item.metapath.span, "declared here", helps=helps)])


@dataclass(frozen=True, slots=True)
class FetchRows:
    """Completes a sampled structure: rows of tensors, and relations without edges where none were followed."""

    view: GraphView
    needs: Needs
    relations: tuple[EdgeKey, ...]

    def __call__(self, batch: HeteroData) -> HeteroData:
        """Complete a batch."""
        for name in batch.node_types:
            features = ("x",) if name in self.needs.features else ()
            wanted = {*features, *self.needs.nodes.get(name, ()), *self.needs.labels.get(name, ())}
            wanted |= {*self.needs.known.get(name, ())}
            self._fetch(batch, name, batch[name].n_id, wanted)
        none = torch.zeros(0, dtype=torch.long)
        for edge in self.relations:
            if edge not in self.view.edge_types:
                continue
            if edge not in batch.edge_types:
                batch[edge].edge_index, batch[edge].e_id = torch.stack([none, none]), none
            self._fetch(batch, edge, batch[edge].e_id, set(self.needs.edges.get(edge, ())))
        return batch

    def _fetch(self, batch: HeteroData, place: Place, rows: Tensor, wanted: set[str]) -> None:
        for key in sorted(wanted.intersection(self.view.keys(place))):
            batch[place][key] = self.view.read(place, key, rows)
