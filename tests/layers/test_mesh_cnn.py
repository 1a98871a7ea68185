"""`MeshCNNConv`: PyG's own where edges stand in its order, and the same in any other."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric import nn as pyg

import graphdsl
from graphdsl.layers import MeshCNNConv
from graphdsl.text import SpecError


def octahedron() -> tuple[Tensor, Tensor]:
    """The mesh's 12 edges as nodes, each with its four neighbours in PyG's order, and their places."""
    faces = [(0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4), (2, 0, 5), (1, 2, 5), (3, 1, 5), (0, 3, 5)]
    sides = sorted({frozenset(pair) for a, b, c in faces for pair in ((a, b), (b, c), (c, a))}, key=sorted)
    number = {side: place for place, side in enumerate(sides)}
    found = [
        [number[frozenset((end, *set(face) - side))], number[side]]
        for side in sides
        for face in faces
        if side <= set(face)
        for end in sorted(side)
    ]
    return torch.tensor(found).t().contiguous(), torch.arange(4).repeat(len(sides))


def test_it_is_that_of_pyg_and_minds_no_order() -> None:
    torch.manual_seed(0)
    index, place = octahedron()
    assert index.shape == (2, 48)
    x = torch.randn(12, 5, requires_grad=True)
    ours, theirs = MeshCNNConv(5, 7), pyg.MeshCNNConv(5, 7)
    theirs.load_state_dict(ours.state_dict())
    mixed = torch.randperm(48)
    for order in (torch.arange(48), mixed):
        found, wanted = ours(x, index[:, order], place[order]), theirs(x, index)
        torch.testing.assert_close(found, wanted)
        for mine, other in zip(*(torch.autograd.grad(out.square().sum(), x) for out in (found, wanted)), strict=True):
            torch.testing.assert_close(mine, other)
    assert not torch.allclose(theirs(x, index[:, mixed]), wanted)  # what PyG's does with another order


def test_the_two_faces_of_an_edge_may_be_told_in_either_order() -> None:
    torch.manual_seed(0)
    index, place = octahedron()
    layer, x = MeshCNNConv(5, 7), torch.randn(12, 5)
    torch.testing.assert_close(layer(x, index, (place + 2) % 4), layer(x, index, place))


def test_a_missing_neighbour_counts_as_zeros() -> None:
    torch.manual_seed(0)
    layer, x = MeshCNNConv(5, 7), torch.randn(3, 5)
    rim = torch.tensor([[1, 2], [0, 0]])
    open_mesh = layer(x, rim, torch.tensor([0, 1]))[0]
    kernels = layer.kernels
    read = (x[0], x[1].abs(), x[1], x[2].abs(), x[2])
    torch.testing.assert_close(open_mesh, sum(kernel(value) for kernel, value in zip(kernels, read, strict=True)))


def test_another_place_is_an_error_that_says_so() -> None:
    with pytest.raises(SpecError) as refused:
        MeshCNNConv(5, 7)(torch.ones(2, 5), torch.tensor([[0], [1]]), torch.tensor([4]))
    (found,) = refused.value.diagnostics
    assert found.code == "GNN677"
    assert "place 4" in found.message


def test_a_spec_reads_the_places_of_its_data() -> None:
    model: Any = graphdsl.loads("""
      schema s {
        node side { x: float[5] }
        edge side -[beside]-> side { place: int }
        graph { y: class[2] }
      }
      model m on s {
        sequential x, edge_index, place, batch {
          MeshCNNConv(7): x, edge_index, place -> x
          global_mean_pool: x, batch -> x
          Linear(2)
        }
      }""").compile("m")
    index, place = octahedron()
    x = torch.randn(12, 5)
    wanted = model[-1](model[0](x, index, place).mean(0, keepdim=True))
    torch.testing.assert_close(model(x, index, place.float(), torch.zeros(12, dtype=torch.long)), wanted)
