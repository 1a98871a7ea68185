"""Layers over meshes."""

from typing import Any

import torch
from equal_rows import WIDTH, Graph, Relation
from torch import Tensor
from torch_geometric import nn as pyg

PLACES = 4


def _in_order(module: pyg.MeshCNNConv, graph: Graph) -> Tensor:
    """PyG wants four neighbours in a row: a row of its own for each place, that holds what arrives there."""
    rows, edges = graph.x.size(0), graph.edge_index
    told = graph.inputs["place"].long()
    kept: list[Any] = []
    for node in range(rows):
        for place in range(PLACES):
            found = (edges[1] == node) & (told == place)
            kept.append(graph.x[edges[0, found]].sum(0))
    here = torch.arange(rows * PLACES)
    index = torch.stack([rows + here, here // PLACES])
    return module(torch.cat([graph.x, torch.stack(kept)]), index)[:rows]


ROWS = (Relation("MeshCNNConv(4)", lambda _: pyg.MeshCNNConv(WIDTH, 4), call=_in_order),)
