"""The heterogeneous neighbour sampler behind PyG's `BaseSampler` interface."""

import copy
import dataclasses
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch_geometric.sampler import (
    BaseSampler,
    EdgeSamplerInput,
    HeteroSamplerOutput,
    NegativeSampling,
    NodeSamplerInput,
)
from torch_geometric.sampler.neighbor_sampler import edge_sample

from graphdsl.data.sampling.fanout import Fanout, tabulate_fanout
from graphdsl.data.sampling.graph import Data, EdgeTime, NodeTime, read_graph
from graphdsl.data.sampling.hops import Rules, Strategy, place_seeds, walk
from graphdsl.data.sampling.layout import build_layout
from graphdsl.data.sampling.output import assemble_output
from graphdsl.data.sampling.randomness import batch_generator, resolve_seed, torch_seeded
from graphdsl.data.sampling.times import Times, as_times


class HeteroNeighborSampler(BaseSampler):
    """Sample the neighbourhood of nodes or edges of a heterogeneous graph, in numpy alone.

    Does what `torch_geometric.sampler.NeighborSampler` does, which needs the compiled packages pyg-lib or
    torch-sparse, and goes with PyG's `NodeLoader` and `LinkLoader`. The method is that of GraphSAGE (Hamilton et al.,
    "Inductive representation learning on large graphs", NeurIPS 2017), with a fanout for each relation.

    Hop by hop, each node that the hop before added receives, from every relation into it, at most `fanout` of its
    edges; sources that are new are added. In the output

    - seeds stand first in their type's node list, in the order given, duplicates included (each has its own edges);
    - nodes and edges follow hop after hop, `num_sampled_nodes` and `num_sampled_edges` count them, and the edges of a
      relation are sorted by destination;
    - `edge` holds positions in the relation's `edge_index`, so that edge attributes are filtered along;
    - node types and relations that are not reached are there, with empty tensors.

    **Time.** With `node_time` or `edge_time`, each seed grows its own tree, in which nothing is later than the seed:
    an edge is followed if neither the edge nor its source node has a later time. Types and relations without times are
    static and always visible. Seeds themselves always stay.

    Args:
        data: a `HeteroData`, or a pair of a `FeatureStore` and a `GraphStore`. It is read once, here.
        fanout: for each relation the number of edges per hop; -1 for all, 0 for none. A relation left out is not
            followed.
        node_time: attribute name of node times, or the times of each node type that has them, shape `[num_nodes]`.
        edge_time: attribute name of edge times, or the times of each relation that has them, shape `[E]`.
        strategy: which of the visible edges of a relation with times to take: "uniform"-ly or the "last" ones.
        strictly_before: hide also what has the very time of the seed, as the edge that is to be predicted has.
        replace: choose with replacement.
        disjoint: grow a tree for each seed also without times; the output's `batch` names each node's seed.
        seed: makes a sample a function of (seed, epoch, batch) alone, whichever process draws it; see `set_epoch`.
            A generator is asked once, for a seed. None: randomness comes from torch's generator of the process.

    Raises:
        ValueError: data, fanout, times or options that do not fit; the message names the relation or type.

    Example:
        >>> from torch_geometric.data import HeteroData
        >>> data = HeteroData()
        >>> data["paper"].num_nodes, data["author"].num_nodes = 2, 3
        >>> data["author", "writes", "paper"].edge_index = torch.tensor([[0, 1, 2], [0, 0, 1]])
        >>> sampler = HeteroNeighborSampler(data, {("author", "writes", "paper"): [-1]})
        >>> out = sampler.sample_from_nodes(NodeSamplerInput(None, torch.tensor([1]), input_type="paper"))
        >>> out.node
        {'paper': tensor([1]), 'author': tensor([2])}
    """

    def __init__(
        self,
        data: Data,
        fanout: Fanout,
        *,
        node_time: NodeTime = None,
        edge_time: EdgeTime = None,
        strategy: Strategy = "uniform",
        strictly_before: bool = False,
        replace: bool = False,
        disjoint: bool = False,
        seed: int | torch.Generator | None = None,
    ) -> None:
        super().__init__()
        is_temporal = node_time is not None or edge_time is not None
        check_options(strategy, strictly_before, replace, is_temporal)
        graph = read_graph(data, node_time, edge_time)
        self.num_nodes = graph.num_nodes
        self.node_time = {name: torch.from_numpy(times) for name, times in graph.node_time.items()}
        self.layout = build_layout(graph)
        self.rules = Rules(
            fanout=tabulate_fanout(fanout, self.layout.relations),
            replace=replace,
            disjoint=disjoint or is_temporal,
            strategy=strategy,
            strictly_before=strictly_before,
        )
        self.seed = resolve_seed(seed)
        # In shared memory, so that workers that outlive an epoch hear of the next one.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    @property
    def is_temporal(self) -> bool:
        """Whether anything in the graph has a time."""
        return self.layout.clock is not None

    @property
    def disjoint(self) -> bool:
        """Whether each seed grows its own tree."""
        return self.rules.disjoint

    @property
    def epoch(self) -> int:
        """The epoch that samples belong to."""
        return int(self._epoch.item())

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins: with a seed, the same batch gives another sample in another epoch.

        `SampledNodeLoader` and `SampledLinkLoader` do it by themselves.
        """
        self._epoch.fill_(epoch)

    def clone(self, fanout: Fanout, seed: int | torch.Generator | None = None) -> "HeteroNeighborSampler":
        """Return a sampler over the same memory, for another split's loader: own fanout, seed and epoch, same options.

        Raises:
            ValueError: a fanout that does not fit.
        """
        other = copy.copy(self)
        other.rules = dataclasses.replace(self.rules, fanout=tabulate_fanout(fanout, self.layout.relations))
        other.seed = resolve_seed(seed)
        other._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()
        return other

    # PyG's loaders pass one argument, and its own samplers take no more either.
    def sample_from_nodes(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, index: NodeSamplerInput
    ) -> HeteroSamplerOutput:
        """Sample around nodes.

        Args:
            index: seeds `node` of type `input_type`, shape `[B]`; `time`, shape `[B]`, says what each may see, and
                where it is missing the time of the node itself does.

        Returns:
            The sample; its `metadata` is `(index.input_id, index.time)`.

        Raises:
            ValueError: an unknown type, a node out of range, times missing, or given to a sampler without times.
        """
        if index.input_type is None:
            raise ValueError(f"input_type is None; accepted: one of {list(self.num_nodes)}")
        content = [index.node] if index.time is None else [index.node, index.time]
        times = None if index.time is None else {index.input_type: index.time}
        rng = batch_generator(self.seed, self.epoch, *content)
        out = self._sample({index.input_type: index.node}, times, rng)
        out.metadata = (index.input_id, index.time)
        return out

    def sample_from_edges(
        self, index: EdgeSamplerInput, neg_sampling: NegativeSampling | None = None
    ) -> HeteroSamplerOutput:
        """Sample around both ends of edges, and around those of negative edges.

        Args:
            index: seed edges from `row` to `col`, shape `[B]`, of relation `input_type`; `time`, shape `[B]`, says
                what they may see and must be given if and only if the sampler has times.
            neg_sampling: binary (pairs of random nodes) or triplet (random destinations for each source) negatives.

        Returns:
            The sample, with the `metadata` of `torch_geometric.sampler.neighbor_sampler.edge_sample`.

        Raises:
            ValueError: as for nodes.
        """
        relation = index.input_type
        if relation is None or relation[0] not in self.num_nodes or relation[2] not in self.num_nodes:
            raise ValueError(f"input_type is {relation}; accepted: a relation between types of {list(self.num_nodes)}")
        if (index.time is not None) != self.is_temporal:
            found, wanted = ("no", "one for each edge") if self.is_temporal else ("edge_label_time", "none")
            raise ValueError(f"relation {relation}: seeds have {found} times; accepted by this sampler: {wanted}")
        content = [index.row, index.col] if index.time is None else [index.row, index.col, index.time]
        rng = batch_generator(self.seed, self.epoch, *content)
        example = _ExampleOfTree(len(index.row), neg_sampling)

        def sample(seeds: dict[str, Tensor], times: dict[str, Tensor] | None) -> HeteroSamplerOutput:
            return example.relabel(self._sample(seeds, times, rng), seeds)

        with torch_seeded(None if self.seed is None else int(rng.integers(2**63 - 1))):
            out = edge_sample(index, sample, self.num_nodes, self.disjoint, self.node_time or None, neg_sampling)
        return cast(HeteroSamplerOutput, out)

    def _sample(
        self, seeds: dict[str, Tensor], seed_time: dict[str, Tensor] | None, rng: np.random.Generator
    ) -> HeteroSamplerOutput:
        """Sample around seeds of any types; `edge_sample` calls it too."""
        for node_type, node in seeds.items():
            self._check_seeds(node_type, node)
        times = self._seed_times(seeds, seed_time)
        indices = {name: node.numpy().astype(np.int64) for name, node in seeds.items()}
        start = place_seeds(self.layout, indices, self.disjoint)
        nodes, edges = walk(self.layout, self.rules, start, times, rng)
        return assemble_output(self.layout, nodes, edges, self.disjoint)

    def _check_seeds(self, node_type: str, node: Tensor) -> None:
        if node_type not in self.num_nodes:
            raise ValueError(f"seeds are of node type {node_type!r}; accepted: one of {list(self.num_nodes)}")
        size = self.num_nodes[node_type]
        if node.is_floating_point() or node.dtype == torch.bool or node.dim() != 1:
            raise ValueError(f"seeds of type {node_type!r} are {node.dtype} {list(node.shape)}; accepted: int64 [B]")
        if node.numel() and (node.min() < 0 or node.max() >= size):
            wrong = int(node.min()) if node.min() < 0 else int(node.max())
            raise ValueError(f"seed {wrong} of type {node_type!r}; accepted: 0 to {size - 1}")

    def _seed_times(self, seeds: dict[str, Tensor], seed_time: dict[str, Tensor] | None) -> Times | None:
        """Time of each tree, over all types in the order of `seeds`; None without times."""
        clock = self.layout.clock
        if clock is None:
            if seed_time is not None:
                raise ValueError("seeds have times, but the sampler has none; give it node_time or edge_time")
            return None
        parts = []
        for node_type, node in seeds.items():
            if seed_time is not None:
                times = as_times(f"seeds of type {node_type!r}", seed_time[node_type], len(node))
            elif node_type in self.node_time:
                times = self.node_time[node_type][node].numpy()
            else:
                raise ValueError(
                    f"seeds of type {node_type!r} have no time; give input_time, or node_time of this type "
                    f"(known: {list(self.node_time)})"
                )
            parts.append(times)
        joined = np.concatenate(parts)
        if joined.dtype.kind != clock.distinct.dtype.kind:
            raise ValueError(f"seed times are {joined.dtype}, those of the graph {clock.distinct.dtype}; convert one")
        return joined


class _ExampleOfTree:
    """Which example, a positive edge with its negatives, each tree of an edge sample belongs to.

    `edge_sample` takes trees modulo the number of positives, which is right for as many negatives as positives or a
    multiple; what is relabelled here it leaves as it is, for any number of negatives.
    """

    def __init__(self, num_positives: int, neg_sampling: NegativeSampling | None) -> None:
        self._num_positives = num_positives
        self._period = num_positives
        if neg_sampling is not None and neg_sampling.is_binary():
            self._period += int(np.ceil(num_positives * neg_sampling.amount))

    def relabel(self, out: HeteroSamplerOutput, seeds: dict[str, Tensor]) -> HeteroSamplerOutput:
        """Replace trees by examples in `out.batch`."""
        if out.batch is not None:
            place = torch.cat([torch.arange(len(node)) for node in seeds.values()])
            example = place % self._period % self._num_positives
            out.batch = {name: example[tree] for name, tree in out.batch.items()}
        return out


def check_options(strategy: str, strictly_before: bool, replace: bool, is_temporal: bool) -> None:
    """Refuse options that contradict each other.

    Raises:
        ValueError: an unknown strategy, or options of time without times.
    """
    if strategy not in ("uniform", "last"):
        raise ValueError(f"strategy is {strategy!r}; accepted: 'uniform' or 'last'")
    if not is_temporal and (strategy == "last" or strictly_before):
        option = "strictly_before" if strictly_before else "strategy 'last'"
        raise ValueError(f"{option} needs times; give node_time or edge_time")
    if strategy == "last" and replace:
        raise ValueError("strategy 'last' with replace=True; accepted: one of the two (the last edges are not drawn)")
