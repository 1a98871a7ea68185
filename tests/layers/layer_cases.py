"""A small graph with an empty relation and isolated nodes, and every layer of `graphdsl.layers` on it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from graphdsl.layers import CompGCNConv, HetSANNConv, HPNConv, IEHGCNConv, RHGNNConv, SimpleHGNConv

TYPES = {"a": 5, "b": 4, "c": 3}
"""Number of nodes; the last of each has no edge, and no `c` has one."""

EDGES = {
    ("a", "r", "b"): [(0, 0), (1, 0), (2, 1), (3, 2), (0, 2)],
    ("a", "s", "a"): [(0, 1), (1, 2), (2, 0), (3, 3), (1, 0), (1, 0)],
    ("b", "r_back", "a"): [(0, 0), (0, 1), (1, 2), (2, 3), (2, 0)],
    ("c", "e", "b"): [],
}
INVERSE_OF = [0, 1, 0, 3]
START = {"a": 0, "b": 5, "c": 9}
NODES = 12
WIDTH = 4

Inputs = tuple[Tensor, Tensor, Tensor]
"""Nodes of all types numbered together, edges, and their relations."""


def together(dtype: torch.dtype = torch.double) -> Inputs:
    """The graph with all types numbered together."""
    torch.manual_seed(7)
    pairs = [
        (START[edge[0]] + source, START[edge[2]] + target, number)
        for number, (edge, listed) in enumerate(EDGES.items())
        for source, target in listed
    ]
    table = torch.tensor(pairs).t()
    return torch.randn(NODES, WIDTH, dtype=dtype), table[:2].contiguous(), table[2]


@dataclass(frozen=True)
class Typed:
    """A layer over all types together: how to make it, whether gradients flow everywhere."""

    make: Callable[[], nn.Module]
    smooth: bool = True


class OneRelation(nn.Module):
    """A layer of a single relation, on edges of all relations alike."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def reset_parameters(self) -> None:
        self.conv.reset_parameters()

    def forward(self, x: Tensor, edge_index: Tensor, edge_type: Tensor) -> Tensor:
        return self.conv(x, edge_index)


TYPED = {
    "simple_hgn": Typed(lambda: SimpleHGNConv(WIDTH, 3, 4, heads=2)),
    "simple_hgn_mean": Typed(lambda: SimpleHGNConv(WIDTH, 3, 4, heads=2, concat=False, normalize=True, residual=False)),
    # The attention that is handed on is detached, so numeric gradients see more than those of autograd.
    "simple_hgn_deep": Typed(lambda: SimpleHGNConv(WIDTH, 3, 4, num_layers=3, heads=2), smooth=False),
    "compgcn": Typed(lambda: CompGCNConv(WIDTH, 3, 4, INVERSE_OF)),
    "compgcn_mult": Typed(lambda: CompGCNConv(WIDTH, 3, 4, INVERSE_OF, composition="mult", num_bases=2)),
    "compgcn_corr": Typed(
        lambda: CompGCNConv(WIDTH, 5, 4, INVERSE_OF, num_layers=3, composition="corr", normalize=True)
    ),
    "hpn": Typed(lambda: OneRelation(HPNConv(WIDTH, 3, act="tanh"))),
}

WIDTHS = {"a": 4, "b": 3, "c": 5}
METADATA = (list(TYPES), list(EDGES))


def apart(dtype: torch.dtype = torch.double) -> tuple[dict[str, Tensor], dict[tuple[str, str, str], Tensor]]:
    """The graph as dictionaries, with types of different widths."""
    torch.manual_seed(7)
    x = {name: torch.randn(count, WIDTHS[name], dtype=dtype) for name, count in TYPES.items()}
    return x, {edge: torch.tensor(listed, dtype=torch.long).view(-1, 2).t() for edge, listed in EDGES.items()}


BY_TYPE: dict[str, Callable[..., nn.Module]] = {
    "ie_hgcn": lambda metadata, _: IEHGCNConv(WIDTHS, 3, metadata, attention_channels=2),
    "hetsann": lambda metadata, inverse_of: HetSANNConv(WIDTHS, 2, metadata, inverse_of, heads=2, residual=True),
    "hetsann_concat": lambda metadata, _: HetSANNConv(
        WIDTHS, 3, metadata, heads=2, concat=False, attention="concat", add_self_loops=False, residual=True
    ),
    "r_hgnn": lambda metadata, inverse_of: RHGNNConv(WIDTHS, 4, metadata, inverse_of, heads=2),
    "r_hgnn_plain": lambda metadata, _: RHGNNConv(WIDTHS, 4, metadata, num_layers=1, residual=False, norm=False),
}
"""Layers that take dictionaries, from metadata and the numbers of the relations' originals."""
