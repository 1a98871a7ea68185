"""The models of `specs` as PyG publishes them: written by hand, with nothing of ours in them.

`HeteroConv` with a dictionary of convolutions as in PyG's guide to heterogeneous graphs, `HGTConv` and `HANConv` as in
`examples/hetero`, `RGCNConv` over one graph with edge types as in `examples/rgcn.py`. What is the same in each step (one
numbering for all types, metapaths) is made before the step, as the examples do.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import (
    MLP,
    GATConv,
    GATv2Conv,
    GCNConv,
    GINConv,
    HANConv,
    HeteroConv,
    HGTConv,
    RGCNConv,
    SAGEConv,
)

from graphdsl.benching.shapes import Shape
from graphdsl.benching.specs import HEADS, kind_of
from graphdsl.text import EdgeKey

LAYERS = 2


def build_idiom(shape: Shape, model: str) -> nn.Module:
    """The model, with newly drawn weights: `module(x_dict, edge_index_dict)` gives [num_nodes, classes] of the target.

    `RGCNConv` takes the whole graph in its stead, see `idiom_inputs`.

    Args:
        shape: tells types, relations and widths.
        model: one of `specs.MODELS`.
    """
    return _Typed(shape) if model == "rgcn" else _Hetero(shape, model)


def idiom_inputs(shape: Shape, model: str, data: HeteroData, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What the model is called with.

    Args:
        shape: of the graph.
        model: one of `specs.MODELS`.
        data: the graph.
        inputs: of the compiled model: features, and the edges of inverses and metapaths.
    """
    edges = inputs["edge_index_dict"]
    x_dict = {name: x for name, x in inputs["x_dict"].items() if name in shape.types}
    device = next(iter(edges.values())).device
    for name in shape.types:
        if shape.nodes[name].width is None:
            x_dict[name] = torch.arange(data[name].num_nodes, device=device)
    if model != "rgcn":
        return {"x_dict": x_dict, "edge_index_dict": {edge: edges[edge] for edge in shape.edges}}
    start, total = {}, 0
    for name in shape.types:
        start[name] = total
        total += x_dict[name].size(0)
    moved = [edges[edge] + torch.tensor([[start[edge[0]]], [start[edge[2]]]], device=device) for edge in shape.edges]
    kinds = [torch.full((edges[edge].size(1),), place, device=device) for place, edge in enumerate(shape.edges)]
    first = start[shape.target]
    return {
        "x_dict": x_dict,
        "edge_index": torch.cat(moved, dim=1),
        "edge_type": torch.cat(kinds),
        "rows": slice(first, first + x_dict[shape.target].size(0)),
    }


def own_name(name: str) -> str:
    """The name of a parameter in the compiled model, from its name here.

    >>> own_name("convs.1.convs.<a___r___b>.bias"), own_name("lin.weight"), own_name("inputs.a.weight")
    ('stages.edges2.conv.convs.<a___r___b>.bias', 'heads.*.weight', 'stages.nodes1.nodes.a.weight')
    """
    first, _, rest = name.partition(".")
    if first == "convs":
        place, _, rest = rest.partition(".")
        within = "conv" if rest.startswith("convs.") else "joints.0"
        return f"stages.edges{int(place) + 1}.{within}.{rest}"
    return f"stages.nodes1.nodes.{rest}" if first == "inputs" else f"heads.*.{rest}"


class _Hetero(nn.Module):
    """Two layers over dictionaries, ReLU behind each, and a linear layer for the target."""

    def __init__(self, shape: Shape, model: str) -> None:
        super().__init__()
        self.target = shape.target
        self.inputs, widths = _inputs(shape)
        self.convs = nn.ModuleList()
        for _ in range(LAYERS):
            self.convs.append(_layer(shape, model, widths))
            widths = dict.fromkeys(shape.types, shape.hidden)
        self.lin = nn.Linear(shape.hidden, shape.classes)

    def forward(self, x_dict: dict[str, Tensor], edge_index_dict: dict[EdgeKey, Tensor]) -> Tensor:
        if len(self.inputs):
            x_dict = {name: self.inputs[name](x).relu() for name, x in x_dict.items()}
        for conv in self.convs:
            x_dict = conv(x_dict, edge_index_dict)
            x_dict = {name: x.relu() for name, x in x_dict.items()}
        return self.lin(x_dict[self.target])


class _Typed(nn.Module):
    """Two `RGCNConv` over all types in one numbering."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.inputs, widths = _inputs(shape)
        first = widths[shape.target]
        self.convs = nn.ModuleList(
            RGCNConv(first if layer == 0 else shape.hidden, shape.hidden, len(shape.edges)) for layer in range(LAYERS)
        )
        self.lin = nn.Linear(shape.hidden, shape.classes)

    def forward(self, x_dict: dict[str, Tensor], edge_index: Tensor, edge_type: Tensor, rows: slice) -> Tensor:
        if len(self.inputs):
            x_dict = {name: self.inputs[name](x).relu() for name, x in x_dict.items()}
        x = torch.cat([x_dict[name] for name in sorted(x_dict)])
        for conv in self.convs:
            x = conv(x, edge_index, edge_type).relu()
        return self.lin(x[rows])


def _inputs(shape: Shape) -> tuple[nn.ModuleDict, dict[str, int]]:
    """What brings all types to one width where some have no features, and the widths behind it."""
    widths = {name: shape.nodes[name].width for name in shape.types}
    known = {name: width for name, width in widths.items() if width is not None}
    if len(known) == len(widths):
        return nn.ModuleDict(), known
    modules: dict[str, nn.Module] = {
        name: nn.Embedding(shape.nodes[name].count, shape.hidden) if width is None else nn.Linear(width, shape.hidden)
        for name, width in widths.items()
    }
    return nn.ModuleDict(modules), dict.fromkeys(widths, shape.hidden)


def _layer(shape: Shape, model: str, widths: dict[str, int]) -> nn.Module:
    """One layer: a module over all relations, or one for each of them."""
    if model in ("hgt", "han"):
        joint = HGTConv if model == "hgt" else HANConv
        return joint(widths, shape.hidden, (list(shape.types), list(shape.edges)), heads=HEADS)
    made = {
        edge: _conv(kind_of(edge) if model == "mixed" else model, edge, widths, shape.hidden) for edge in shape.edges
    }
    return HeteroConv(made, aggr="sum")  # type: ignore[arg-type]


def _conv(kind: str, edge: EdgeKey, widths: dict[str, int], hidden: int) -> nn.Module:
    """The convolution of one relation; between two types there are no self-loops."""
    source, _, target = edge
    pair = widths[source] if source == target else (widths[source], widths[target])
    if kind in ("sage", "sage_max"):
        return SAGEConv(pair, hidden, aggr="max" if kind == "sage_max" else "mean")
    if kind == "gin":
        return GINConv(MLP([widths[source], hidden, hidden], norm=None))
    if kind == "gcn":
        return GCNConv(widths[source], hidden)
    attention = GATConv if kind == "gat" else GATv2Conv
    return attention(pair, hidden // HEADS, heads=HEADS, add_self_loops=source == target)


__all__ = ["build_idiom", "idiom_inputs", "own_name"]
