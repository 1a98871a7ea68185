"""Layers that are linear in their neighbours, along metapaths whose pairs are never made: one sum for each hop.

Each gives what the layer gives on the composed pairs, weighted by the number of paths, up to rounding. Where several
metapaths of a stage begin with the same hops and read the same rows, those hops are gone along once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from graphdsl.backends.fused.single import Served
from graphdsl.kernels.hopping import Carried, HopProduct, NormalizedHops
from graphdsl.kernels.ordering import transforms_first


@dataclass(frozen=True, slots=True)
class _Ends:
    """What a layer reads along a metapath.

    Attributes:
        product: the metapath.
        x: rows of the sources [sources, width].
        own: rows of the targets [targets, width].
        carried: what other metapaths of the stage brought along.
    """

    product: HopProduct
    x: Tensor
    own: Tensor
    carried: Carried

    def total(self, x: Tensor) -> Tensor:
        """Sums over pairs, with their weights."""
        return self.product.sum(x, self.carried)

    def mean(self, x: Tensor) -> Tensor:
        """Averages over paths."""
        return self.product.average(x, self.carried)

    def normalized(self, loop: float | None) -> Callable[[Tensor], Tensor]:
        """Sums as GCN normalizes them."""
        return NormalizedHops(self.product, loop).sum


def send_hopwise(served: Served) -> list[Tensor]:
    """The message [num_nodes, width] of each step, along pending metapaths.

    Args:
        served: the steps, their modules and the graph; `together` and `groups` do not matter.
    """
    values = served.states[served.stage.reads]
    carried: Carried = {}
    made: list[Tensor] = []
    for step, module in zip(served.steps, served.modules, strict=True):
        product = served.graph.pending[step.edge].product()
        ends = _Ends(product, values[step.edge[0]], values[step.edge[2]], carried)
        made.append(_SENDERS[step.module.name](module, ends))
    return made


def _behind(weight: Tensor, ends: _Ends, add: Callable[[Tensor], Tensor]) -> Tensor:
    """A sum along the hops and a matrix [width_out, width_in], in the cheaper order."""
    width_out, width_in = weight.shape
    product = ends.product
    if transforms_first(product.edges, product.sources, product.targets, width_in, width_out):
        return add(functional.linear(ends.x, weight))
    return functional.linear(add(ends.x), weight)


def _adding(layer: Any, ends: _Ends) -> Callable[[Tensor], Tensor]:
    return ends.mean if layer.aggr == "mean" else ends.total


def _shifted(made: Tensor, bias: Tensor | None) -> Tensor:
    return made if bias is None else made + bias


def _sage(layer: Any, ends: _Ends) -> Tensor:
    made = _shifted(_behind(layer.lin_l.weight, ends, _adding(layer, ends)), layer.lin_l.bias)
    if layer.root_weight:
        made = made + layer.lin_r(ends.own)
    return functional.normalize(made, p=2.0, dim=-1) if layer.normalize else made


def _graph_conv(layer: Any, ends: _Ends) -> Tensor:
    made = _behind(layer.lin_rel.weight, ends, _adding(layer, ends))
    return _shifted(made, layer.lin_rel.bias) + layer.lin_root(ends.own)


def _simple(layer: Any, ends: _Ends) -> Tensor:
    return _adding(layer, ends)(ends.x)


def _gin(layer: Any, ends: _Ends) -> Tensor:
    made: Tensor = layer.nn(ends.total(ends.x) + (1 + layer.eps) * ends.own)
    return made


def _lgconv(layer: Any, ends: _Ends) -> Tensor:
    return ends.normalized(None)(ends.x) if layer.normalize else ends.total(ends.x)


def _gcn(layer: Any, ends: _Ends) -> Tensor:
    loop = 2.0 if layer.improved else 1.0
    add = ends.normalized(loop if layer.add_self_loops else None) if layer.normalize else ends.total
    return _shifted(_behind(layer.lin.weight, ends, add), layer.bias)


def _sgc(layer: Any, ends: _Ends) -> Tensor:
    x, add = ends.x, ends.normalized(1.0 if layer.add_self_loops else None)
    for _ in range(layer.K):
        x = add(x)
    made: Tensor = layer.lin(x)
    return made


def _ssgc(layer: Any, ends: _Ends) -> Tensor:
    x, add = ends.x, ends.normalized(1.0 if layer.add_self_loops else None)
    total = x * layer.alpha
    for _ in range(layer.K):
        x = add(x)
        total = total + (1 - layer.alpha) / layer.K * x
    made: Tensor = layer.lin(total)
    return made


def _tag(layer: Any, ends: _Ends) -> Tensor:
    x, add = ends.x, ends.normalized(None) if layer.normalize else ends.total
    first, *others = layer.lins
    made: Tensor = first(x)
    for lin in others:
        x = add(x)
        made = made + lin(x)
    return _shifted(made, layer.bias)


def _appnp(layer: Any, ends: _Ends) -> Tensor:
    x = ends.x
    add = ends.normalized(1.0 if layer.add_self_loops else None) if layer.normalize else ends.total
    for _ in range(layer.K):
        x = add(x) * (1 - layer.alpha) + layer.alpha * ends.x
    return x


def _hpn(layer: Any, ends: _Ends) -> Tensor:
    start = layer.lin(ends.x)
    start = start if layer.act is None else layer.act(start)
    start = start if start.dtype == torch.double else start.float()
    made: Tensor = start
    for _ in range(layer.K):
        made = (1 - layer.gamma) * ends.mean(made) + layer.gamma * start
    return made


_SENDERS: Final[Mapping[str, Callable[[Any, _Ends], Tensor]]] = {
    "SAGEConv": _sage,
    "GraphConv": _graph_conv,
    "SimpleConv": _simple,
    "GINConv": _gin,
    "LGConv": _lgconv,
    "GCNConv": _gcn,
    "SGConv": _sgc,
    "SSGConv": _ssgc,
    "TAGConv": _tag,
    "APPNP": _appnp,
    "HPNConv": _hpn,
}
"""By layer, those that `plan.hopping` lets through."""
