"""Which metapaths can be gone along hop by hop, so that their pairs are never made, and why not the others.

A layer that adds up its neighbours, each as often as there are paths, gives the same along the hops. Whether that is cheaper,
and for metapaths of distinct pairs whether it is the same, data tells (`graphdsl.kernels.weigh_hops`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphdsl.model import Metapath
from graphdsl.plan.bindings import METAPATH_WEIGHT
from graphdsl.plan.fusing import fused_family
from graphdsl.plan.ir import Plan, RelationStep
from graphdsl.plan.module_spec import Ids
from graphdsl.plan.pair_graphs import graph_scorers
from graphdsl.text import EdgeKey

_Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PathUse:
    """How a metapath is computed.

    Attributes:
        edge: its key.
        multiplicity: of its pairs: "set", "count" or "mean".
        layers: how many of which layers read it.
        reason: why its pairs are made; "" where it may be gone along hop by hop.
        served: whether kernels serve a layer on its pairs.
    """

    edge: EdgeKey
    multiplicity: str
    layers: Mapping[str, int]
    reason: str = ""
    served: bool = False


@dataclass(slots=True)
class _Reader:
    layers: Counter[str] = field(default_factory=Counter[str])
    reasons: list[str] = field(default_factory=list[str])
    served: bool = False


def list_path_uses(plan: Plan) -> tuple[PathUse, ...]:
    """All metapaths that a plan composes where data does not hold them, in the order of their names."""
    paths = {item.edge: item.metapath for item in plan.derived if item.metapath is not None}
    readers = {edge: _Reader() for edge in paths}
    for _, stage in plan.relation_stages():
        for step in stage.steps:
            if step.edge in readers and fused_family(step)[0] is not None:
                readers[step.edge].served = True
    for edge, name, reason in _reads(plan, paths):
        reader = readers[edge]
        reader.layers[name] += 1
        if reason:
            reader.reasons.append(f"{name}: {reason}")
    return tuple(
        PathUse(edge, paths[edge].multiplicity, dict(reader.layers), next(iter(reader.reasons), ""), reader.served)
        for edge, reader in sorted(readers.items())
        if reader.layers
    )


def hop_candidates(plan: Plan) -> dict[EdgeKey, PathUse]:
    """The metapaths that may be gone along hop by hop: nothing reads their pairs one by one."""
    return {item.edge: item for item in list_path_uses(plan) if not item.reason}


def _reads(plan: Plan, paths: Mapping[EdgeKey, Metapath]) -> Iterator[tuple[EdgeKey, str, str]]:
    """Metapath, what reads it, and why that needs its pairs."""
    for _, stage in plan.relation_stages():
        for step in stage.steps:
            if step.edge in paths:
                yield step.edge, step.module.name, why_pairs(step, paths[step.edge])
        for joint in stage.joints:
            several = "it sees several relations at once"
            yield from ((edge, joint.module.name, several) for edge in joint.relations if edge in paths)
    for head in plan.node_heads:
        if head.spread is not None and head.spread.edge in paths:
            yield head.spread.edge, f"predict {head.name}", "labels spread from pair to pair"
    for link in (*plan.link_heads, *graph_scorers(plan)):
        if link.edge in paths:
            yield link.edge, f"predict {link.name}", "pairs are what it predicts"


def why_pairs(step: RelationStep, path: Metapath) -> str:
    """Why a layer needs the pairs of a metapath; "" where sums along the hops are the same.

    Args:
        step: the layer.
        path: the metapath that it serves.
    """
    if path.sample is not None:
        return f"pairs are drawn (sample = {path.sample})"
    refuse = _LAYERS.get(step.module.name)
    if refuse is None:
        return "it is no sum that is linear in the neighbours"
    if any(isinstance(width, Ids) for width in step.width_in):
        return "it reads node numbers"
    if path.multiplicity == "set":
        if step.inputs:
            return "it reads attributes of pairs"
        return refuse(step.module.arguments)
    if not step.inputs:
        return "it counts each pair once, however many paths there are"
    if any(item.encoder is not None or item.attribute != METAPATH_WEIGHT for item in step.inputs):
        return "it reads attributes of pairs"
    if step.module.arguments.get("aggr") == "mean":
        return "it divides by the number of pairs"
    return refuse(step.module.arguments)


def _sums(arguments: _Arguments) -> str:
    aggr = arguments.get("aggr", "sum")
    return "" if aggr in ("sum", "add", "mean") else f"aggr = {_shown(aggr)} reads neighbours one by one"


def _adds(arguments: _Arguments) -> str:
    aggr = arguments.get("aggr", "sum")
    return "" if aggr in ("sum", "add") else f"aggr = {_shown(aggr)} is no sum"


def _unmapped(arguments: _Arguments) -> str:
    return "each neighbour goes through a network first" if arguments.get("project") else _sums(arguments)


def _kept(arguments: _Arguments) -> str:
    return "dropout takes pairs away" if arguments.get("dropout") else _adds(arguments)


def _shown(aggr: Any) -> str:
    return repr(aggr) if isinstance(aggr, str) else str(aggr)


_LAYERS: Final[Mapping[str, Callable[[_Arguments], str]]] = {
    "SAGEConv": _unmapped,
    "GraphConv": _sums,
    "SimpleConv": _sums,
    "GINConv": _adds,
    "LGConv": _adds,
    "GCNConv": _adds,
    "SGConv": _adds,
    "SSGConv": _adds,
    "TAGConv": _adds,
    "APPNP": _kept,
    "HPNConv": _kept,
}
"""Layers that are linear in their neighbours, and a function that says why some arguments make them otherwise, or ""."""
