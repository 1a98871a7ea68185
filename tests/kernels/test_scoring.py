"""Scorers against PyG and torch, pair by pair and all at once."""

import pytest
import torch
from torch_geometric.nn import MLP
from torch_geometric.nn.kge import DistMult as KnowledgeDistMult

from graphdsl.kernels import Bilinear, DistMult, Dot, score_every, score_pairs


def test_distmult_is_that_of_pyg() -> None:
    torch.manual_seed(0)
    reference, own = KnowledgeDistMult(num_nodes=10, num_relations=1, hidden_channels=6), DistMult(6)
    own.weight.data.copy_(reference.rel_emb.weight)
    head, tail = torch.randint(10, (7,)), torch.randint(10, (7,))
    expected = reference(head, torch.zeros(7, dtype=torch.long), tail)
    found = own(reference.node_emb(head), reference.node_emb(tail)).squeeze(-1)
    torch.testing.assert_close(found, expected)


def test_bilinear_is_that_of_torch() -> None:
    torch.manual_seed(0)
    reference, own = torch.nn.Bilinear(4, 5, 3), Bilinear((4, 5), 3)
    own.load_state_dict(reference.state_dict())
    source, target = torch.randn(6, 4), torch.randn(6, 5)
    torch.testing.assert_close(own(source, target), reference(source, target))


@pytest.mark.parametrize(
    "module",
    [Dot(), DistMult(4, 2), Bilinear((4, 4), 3), MLP([8, 5, 1], norm=None)],
    ids=lambda module: type(module).__name__,
)
def test_all_pairs_at_once_are_the_pairs_one_by_one(module: torch.nn.Module) -> None:
    torch.manual_seed(1)
    source, target = torch.randn(3, 4), torch.randn(5, 4)
    every = score_every(module, source, target)
    for i in range(3):
        for j in range(5):
            torch.testing.assert_close(every[i, j], score_pairs(module, source[i : i + 1], target[j : j + 1])[0])
