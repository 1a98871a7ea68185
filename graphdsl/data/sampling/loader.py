"""Mini-batches of sampled neighbourhoods: PyG's `NodeLoader` over the best sampler that is installed."""

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

import torch
import torch_geometric.typing
from torch import Tensor
from torch_geometric.data import HeteroData
from torch_geometric.loader import LinkLoader, NodeLoader
from torch_geometric.loader.utils import get_input_nodes
from torch_geometric.sampler import NeighborSampler

from graphdsl.data.sampling.fanout import EdgeType, Fanout, tabulate_fanout
from graphdsl.data.sampling.graph import Data, EdgeTime, NodeTime
from graphdsl.data.sampling.hops import Strategy
from graphdsl.data.sampling.randomness import SeededGenerator, resolve_seed
from graphdsl.data.sampling.sampler import HeteroNeighborSampler, check_options
from graphdsl.data.sampling.times import as_times

Backend: TypeAlias = Literal["auto", "own", "pyg-lib", "torch-sparse"]
InputNodes: TypeAlias = str | tuple[str, Tensor | None]


class SampledNodeLoader(NodeLoader):
    """A `NodeLoader` that tells a sampler with epochs when one begins.

    Attributes:
        sampling_backend: what samples: "own" (`HeteroNeighborSampler`), "pyg-lib" or "torch-sparse".
        epoch: the epoch that the next iteration begins; set it when training resumes.
    """

    sampling_backend: str = "own"
    epoch: int = 0

    def __iter__(self) -> Any:
        if isinstance(self.node_sampler, HeteroNeighborSampler):
            self.node_sampler.set_epoch(self.epoch)
        self.epoch += 1
        return super().__iter__()


class SampledLinkLoader(LinkLoader):
    """A `LinkLoader` that tells a sampler with epochs when one begins.

    Attributes:
        epoch: the epoch that the next iteration begins; set it when training resumes.
    """

    epoch: int = 0

    def __iter__(self) -> Any:
        if isinstance(self.link_sampler, HeteroNeighborSampler):
            self.link_sampler.set_epoch(self.epoch)
        self.epoch += 1
        return super().__iter__()


@dataclass(frozen=True)
class SamplingOptions:
    """Options of sampling that decide which backends can serve; as in `HeteroNeighborSampler`."""

    node_time: NodeTime = None
    edge_time: EdgeTime = None
    strategy: Strategy = "uniform"
    strictly_before: bool = False
    replace: bool = False
    disjoint: bool = False

    @property
    def is_temporal(self) -> bool:
        """Whether anything has a time."""
        return self.node_time is not None or self.edge_time is not None

    def refuse_beside_sampler(self, backend: str) -> None:
        """Raise ValueError where an option is given although a sampler, which has its own, is given too."""
        given = [field.name for field in fields(self) if getattr(self, field.name) is not field.default]
        given += ["backend"] if backend not in ("auto", "own") else []
        if given:
            raise ValueError(f"{given[0]} is given beside sampler, which has its own; accepted: one of the two")


def neighbor_loader(
    data: Data,
    fanout: Fanout,
    input_nodes: InputNodes,
    batch_size: int = 1,
    *,
    input_time: Tensor | None = None,
    node_time: NodeTime = None,
    edge_time: EdgeTime = None,
    strategy: Strategy = "uniform",
    strictly_before: bool = False,
    replace: bool = False,
    disjoint: bool = False,
    seed: int | torch.Generator | None = None,
    sampler: HeteroNeighborSampler | None = None,
    backend: Backend = "auto",
    **loader_options: Any,
) -> SampledNodeLoader:
    """Load mini-batches of nodes with their sampled neighbourhoods.

    Sampling is PyG's where pyg-lib or torch-sparse is installed and means the same by these options
    (`choose_backend`), ours otherwise; `sampling_backend` of the loader says which. Batches look the same, but for
    torch-sparse, which does not count nodes and edges per hop (`num_sampled_nodes` is missing).

    Args:
        data: a `HeteroData`, or a pair of a `FeatureStore` and a `GraphStore`.
        fanout: for each relation the number of edges per hop; -1 for all, 0 or left out for none.
        input_nodes: node type of the seeds, or the type with seeds (indices or mask).
        batch_size: number of seeds in a batch.
        input_time: what each seed may see, shape `[seeds]`; without it the seed's own time in `node_time`.
        node_time: see `HeteroNeighborSampler`, as the options up to `disjoint`.
        edge_time: see there.
        strategy: see there.
        strictly_before: see there.
        replace: see there.
        disjoint: see there.
        seed: fixes the order of shuffled seeds and, with our sampler, each sample of each epoch. PyG's samplers follow
            torch's generator of the process: set `torch.manual_seed`, or ask for `backend="own"`.
        sampler: a sampler of ours to clone instead of reading `data` again; its options up to `disjoint` hold, and
            those here are left alone.
        backend: "auto", or the one that must be used.
        **loader_options: options of `NodeLoader` and `torch.utils.data.DataLoader`: `shuffle`, `num_workers`, ….

    Raises:
        ValueError: options that contradict each other, or a backend that is missing or cannot serve them.
    """
    options = SamplingOptions(node_time, edge_time, strategy, strictly_before, replace, disjoint)
    seed = resolve_seed(seed)
    if seed is not None and loader_options.get("generator") is None:
        loader_options["generator"] = SeededGenerator.from_seed(seed)
    if sampler is not None:
        options.refuse_beside_sampler(backend)
        chosen, node_sampler = "own", sampler.clone(fanout, seed)
    else:
        chosen = choose_backend(data, fanout, options, backend)
        node_sampler = _build_sampler(chosen, data, fanout, options, seed, loader_options.get("num_workers", 0))
    input_time = _seed_times(data, node_sampler, input_nodes, input_time)
    loader = SampledNodeLoader(data, node_sampler, input_nodes, input_time, batch_size=batch_size, **loader_options)
    loader.sampling_backend = chosen
    return loader


def choose_backend(data: Data, fanout: Fanout, options: SamplingOptions, asked: Backend = "auto") -> str:
    """Name the backend to sample with.

    Raises:
        ValueError: `asked` is not installed, or does not mean the same by `options`.
    """
    check_options(options.strategy, options.strictly_before, options.replace, options.is_temporal)
    if asked not in ("auto", "own", "pyg-lib", "torch-sparse"):
        raise ValueError(f"backend is {asked!r}; accepted: 'auto', 'own', 'pyg-lib' or 'torch-sparse'")
    if asked == "own":
        return asked
    reasons = {name: why_not(name, data, fanout, options) for name in ("pyg-lib", "torch-sparse")}
    if asked != "auto":
        if reasons[asked] is not None:
            raise ValueError(f"backend {asked!r} cannot serve: {reasons[asked]}; accepted: 'auto' or 'own'")
        return asked
    return next((name for name, reason in reasons.items() if reason is None), "own")


def why_not(backend: str, data: Data, fanout: Fanout, options: SamplingOptions) -> str | None:
    """Say why PyG's sampler over `backend` cannot serve or would mean something else; None where it serves."""
    if not _is_installed(backend):
        return "it is not installed"
    if not isinstance(data, HeteroData):
        return "it wants a graph store sorted by destination and time"
    if not any(len(per_hop) for per_hop in fanout.values()):
        return "it needs at least one hop"
    if len({"__".join(relation) for relation in data.edge_types}) < len(data.edge_types):
        return "it joins the names of a relation with '__', and two relations give the same"
    if backend == "torch-sparse" and (options.disjoint or options.is_temporal):
        return "it has no disjoint sampling, which times need"
    return _why_not_times(data, options) if options.is_temporal else None


def _is_installed(backend: str) -> bool:
    flag = {"pyg-lib": "WITH_PYG_LIB", "torch-sparse": "WITH_TORCH_SPARSE"}[backend]
    return bool(getattr(torch_geometric.typing, flag))


def _why_not_times(data: HeteroData, options: SamplingOptions) -> str | None:
    """Why pyg-lib's idea of time differs: it takes whole numbers under one name, of nodes or of edges."""
    if options.strictly_before:
        return "it has no strictly_before"
    if options.node_time is not None and options.edge_time is not None:
        return "it takes times of nodes or of edges, not both"
    name = options.node_time if options.node_time is not None else options.edge_time
    if not isinstance(name, str):
        return "it takes the name of a time attribute"
    wanted, others = (data.node_stores, data.edge_stores)[:: 1 if options.node_time is not None else -1]
    if any(name in store for store in others):
        return f"nodes and edges both carry {name!r}"
    times = [store[name] for store in wanted if name in store]
    if any(not isinstance(time, Tensor) or time.dtype != torch.int64 or time.dim() != 1 for time in times) or not times:
        return f"it takes int64 times, and {name!r} is something else"
    if options.edge_time is not None and not torch_geometric.typing.WITH_EDGE_TIME_NEIGHBOR_SAMPLE:
        return "the installed version has no times of edges"
    return None


def _build_sampler(
    backend: str, data: Data, fanout: Fanout, options: SamplingOptions, seed: int | None, num_workers: int
) -> HeteroNeighborSampler | NeighborSampler:
    if backend == "own" or not isinstance(data, HeteroData):
        return HeteroNeighborSampler(
            data,
            fanout,
            node_time=options.node_time,
            edge_time=options.edge_time,
            strategy=options.strategy,
            strictly_before=options.strictly_before,
            replace=options.replace,
            disjoint=options.disjoint,
            seed=seed,
        )
    time_attr = options.node_time if options.node_time is not None else options.edge_time
    with warnings.catch_warnings():
        # PyG announces that it will sample without pyg-lib no longer; whoever lands here has torch-sparse, and gets
        # our sampler on that day.
        warnings.filterwarnings("ignore", message="Using 'NeighborSampler' without a 'pyg-lib'")
        return NeighborSampler(
            data,
            _every_relation(fanout, data),
            replace=options.replace,
            disjoint=options.disjoint,
            temporal_strategy=options.strategy,
            time_attr=None if isinstance(time_attr, Mapping) else time_attr,
            share_memory=num_workers > 0 and sys.platform == "linux",
        )


def _every_relation(fanout: Fanout, data: HeteroData) -> dict[EdgeType, list[int]]:
    """PyG wants all relations, with lists of one length."""
    table = tabulate_fanout(fanout, data.edge_types)
    return {relation: table[:, column].tolist() for column, relation in enumerate(data.edge_types)}


def _seed_times(
    data: Data, sampler: HeteroNeighborSampler | NeighborSampler, input_nodes: InputNodes, given: Tensor | None
) -> Tensor | None:
    """What each seed may see: the times given, else its own; checked here, before the first batch."""
    if not sampler.is_temporal:
        if given is not None:
            raise ValueError("input_time is given, but nothing has a time; give node_time or edge_time")
        return None
    node_type, nodes, _ = get_input_nodes(data, input_nodes)
    if given is None:
        own = (sampler.node_time or {}).get(str(node_type))
        if own is None:
            raise ValueError(f"seeds of type {node_type!r} have no time; give input_time, or node_time of this type")
        return own[nodes]
    times = torch.from_numpy(as_times(f"input_time of {node_type!r}", given, len(nodes)))
    if isinstance(sampler, NeighborSampler) and times.is_floating_point():
        raise ValueError(f"input_time of {node_type!r} is {given.dtype}, the times of the graph int64; convert one")
    return times
