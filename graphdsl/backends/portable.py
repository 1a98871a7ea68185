"""Layers of PyG made exportable: the same numbers from the same parameters, without sizes that hang on values."""

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import HeteroLinear, HGTConv, RGATConv

from graphdsl.text import EdgeKey


def make_portable(model: nn.Module, spared: tuple[type[nn.Module], ...] = ()) -> None:
    """Let the layers of a model compute what they compute in a way that `torch.export` can follow; in place.

    Args:
        model: whose layers.
        spared: classes that stay as PyG has them.
    """
    for module in model.modules():
        if isinstance(module, spared):
            continue
        if isinstance(module, HGTConv):
            module._construct_src_node_feat = MethodType(_keys_and_values, module)  # type: ignore[method-assign]
        elif isinstance(module, HeteroLinear):
            module.forward = MethodType(_map_each_type, module)  # type: ignore[method-assign]
        elif isinstance(module, RGATConv) and module.mod not in _COUNTING:
            _attend_within_relations(module)


_COUNTING = ("scaled", "f-scaled")
"""Ways of `RGATConv` that count how many edges arrive at a node, whatever their relation."""


def _attend_within_relations(conv: RGATConv) -> None:
    """Attention among the edges of one relation into a node; PyG picks the edges of each relation by a mask.

    A softmax over all edges of a node, of which there is then one for each of its relations, is the same.
    """
    if conv.attention_mechanism != "within-relation":
        return
    conv.attention_mechanism = "across-relation"
    message = conv.message

    def within(
        x_i: Tensor, x_j: Tensor, edge_type: Tensor, edge_attr: Tensor | None, index: Tensor, size_i: int, **_: Any
    ) -> Tensor:
        groups = index * conv.num_relations + edge_type
        return message(x_i, x_j, edge_type, edge_attr, groups, None, size_i * conv.num_relations)

    conv.message = within  # type: ignore[method-assign]


def _map_each_type(self: Any, x: Tensor, type_vec: Tensor) -> Tensor:
    """The map of each row's type [rows, width]; PyG sorts the rows and cuts them where a tensor says."""
    out = x.new_zeros(x.size(0), self.out_channels)
    for number, weight in enumerate(self.weight):
        out = torch.where((type_vec == number).unsqueeze(-1), x @ weight, out)
    return out if self.bias is None else out + self.bias[type_vec]


def _keys_and_values(
    self: Any, k_dict: dict[str, Tensor], v_dict: dict[str, Tensor], edge_index_dict: dict[EdgeKey, Tensor]
) -> tuple[Tensor, Tensor, dict[EdgeKey, int]]:
    """Keys and values [nodes, heads, width] of the sources of each relation, one below the other.

    PyG sorts the rows of all relations and heads into one matrix, and cuts it at places that it looks up in a tensor. Whose
    rows are whose is known before: each relation has a matrix for each head.
    """
    weights = [
        lin.weight.view(self.heads, len(self.edge_types), *lin.weight.shape[1:]) for lin in (self.k_rel, self.v_rel)
    ]
    offset: dict[EdgeKey, int] = {}
    keys: list[Tensor] = []
    values: list[Tensor] = []
    rows = 0
    for edge in edge_index_dict:
        number = self.edge_types_map[edge]
        offset[edge] = rows
        for found, given, weight in zip((keys, values), (k_dict, v_dict), weights, strict=True):
            found.append(torch.einsum("nhd,hde->nhe", given[edge[0]], weight[:, number]))
        rows = rows + k_dict[edge[0]].size(0)
    return torch.cat(keys), torch.cat(values), offset


__all__ = ["make_portable"]
