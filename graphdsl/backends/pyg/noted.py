"""What joint layers say of metapaths, their instances and hops, in the names of the spec."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from graphdsl.backends.naming import edge_key, module_key
from graphdsl.plan import JointStep
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class InstanceAttention:
    """Attention over the instances of a metapath.

    Attributes:
        nodes: [stops, instances], the nodes of each instance from its source to its target.
        weight: [instances, heads]; those of a target sum to 1.
    """

    nodes: Tensor
    weight: Tensor


@dataclass(frozen=True, slots=True)
class FusedAttention:
    """Attention among what came to the nodes of a type.

    Attributes:
        inputs: what came: `("x", None)` a node's own values, `("x", metapath)` values along it, `("labels", metapath)` labels.
        weight: [num_nodes, heads, inputs, inputs]: how much each input takes from each; those that one takes sum to 1.
    """

    inputs: tuple[tuple[str, EdgeKey | None], ...]
    weight: Tensor


Groups = dict[tuple[EdgeKey, ...], Tensor]


class Weights(Protocol):
    """Where notes go, see `AttentionWeights`."""

    @property
    def relations(self) -> dict[tuple[str, str], Groups]: ...

    @property
    def instances(self) -> dict[tuple[str, EdgeKey], InstanceAttention]: ...

    @property
    def fused(self) -> dict[tuple[str, str], FusedAttention]: ...

    @property
    def hops(self) -> dict[tuple[str, int], Groups]: ...


def note(weights: Weights, stage: str, step: JointStep, what: str, value: Tensor, about: Sequence[Any]) -> None:
    """Take down what a layer says.

    Args:
        weights: where it goes.
        stage: key of the stage.
        step: the layer's.
        what: which kind of thing it is: "instances", "paths", "fused", "hop" or "subsets".
        value: what was worked out, without a gradient.
        about: of which type, metapath or hop, see the layers.
    """
    edges = {edge_key(edge): edge for edge in (*step.edges, *step.relations)}
    types = {module_key(name): name for name in step.types}
    if what == "instances":
        key, nodes = about
        weights.instances[stage, edges[key]] = InstanceAttention(nodes, value)
    elif what == "paths":
        name, paths = about
        found: Groups = {(edges[key],): share for key, share in zip(paths, value.reshape(-1), strict=True)}
        weights.relations[stage, types[name]] = found
    elif what == "fused":
        name, inputs = about
        known = tuple((kind, None if key is None else edges[key]) for kind, key in inputs)
        weights.fused[stage, types[name]] = FusedAttention(known, value)
    elif what == "hop":
        order: list[tuple[EdgeKey, ...]] = [*((edge,) for edge in step.edges), ()]
        weights.hops[stage, about[0]] = dict(zip(order, value.unbind(-1), strict=True))
    else:
        hop, subsets = about
        chosen = [
            tuple(edge for edge, inside in zip(step.edges, row, strict=True) if inside) for row in subsets.tolist()
        ]
        weights.hops[stage, hop] = dict(zip(chosen, value.unbind(), strict=True))


__all__ = ["FusedAttention", "InstanceAttention", "note"]
