"""Scorers against PyG and torch, pair by pair and all at once."""

import pytest
import torch
from torch import Tensor
from torch_geometric.nn import MLP, kge

from graphdsl.kernels import Bilinear, ComplEx, DistMult, Dot, PairScorer, RotatE, TransE, score_every, score_pairs

KNOWLEDGE: list[tuple[type[kge.KGEModel], type[PairScorer], dict[str, float]]] = [
    (kge.DistMult, DistMult, {}),
    (kge.TransE, TransE, {}),
    (kge.TransE, TransE, {"p_norm": 2.0}),
    (kge.ComplEx, ComplEx, {}),
    (kge.RotatE, RotatE, {}),
    (kge.RotatE, RotatE, {"margin": 6.0}),
]


def ends(reference: kge.KGEModel, index: Tensor) -> Tensor:
    """Values of nodes: real parts, then imaginary ones where PyG has such."""
    imaginary = getattr(reference, "node_emb_im", None)
    values = reference.node_emb(index)
    return values if imaginary is None else torch.cat([values, imaginary(index)], -1)


@pytest.mark.parametrize(("theirs", "ours", "arguments"), KNOWLEDGE, ids=lambda value: getattr(value, "__name__", ""))
def test_scores_and_gradients_of_every_relation_are_those_of_pyg(
    theirs: type[kge.KGEModel], ours: type[PairScorer], arguments: dict[str, float]
) -> None:
    torch.manual_seed(0)
    reference = theirs(num_nodes=10, num_relations=3, hidden_channels=6, **arguments)
    head, tail = torch.randint(10, (7,)), torch.randint(10, (7,))
    source, target = ends(reference, head), ends(reference, tail)
    own = ours(source.size(1), 3, **arguments)
    pairs = [(own.weight, reference.rel_emb.weight)]
    if isinstance(own, ComplEx):
        pairs.append((own.weight_im, reference.rel_emb_im.weight))
    with torch.no_grad():
        for mine, other in pairs:
            mine.copy_(other)
    found = own(source, target)
    expected = torch.stack([reference(head, torch.full((7,), kind), tail) for kind in range(3)], 1)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(own.every(source, target)[torch.arange(7), torch.arange(7)], expected)
    weights, nodes = torch.randn(7, 3), reference.node_emb.weight
    mine = torch.autograd.grad((found * weights).sum(), [*(one for one, _ in pairs), nodes], retain_graph=True)
    other = torch.autograd.grad((expected * weights).sum(), [*(one for _, one in pairs), nodes])
    torch.testing.assert_close(mine, other)


@pytest.mark.parametrize(("theirs", "ours", "arguments"), KNOWLEDGE, ids=lambda value: getattr(value, "__name__", ""))
def test_weights_are_drawn_as_in_pyg(
    theirs: type[kge.KGEModel], ours: type[PairScorer], arguments: dict[str, float]
) -> None:
    own = ours(12, 5, **arguments)
    reference = theirs(2, *own.weight.shape, **arguments)
    names = [name for name in ("rel_emb", "rel_emb_im") if hasattr(reference, name)]
    # PyG draws the nodes first; only the relations are drawn here, in its order.
    reference.node_emb, reference.node_emb_im = torch.nn.Embedding(2, 0), torch.nn.Embedding(2, 0)
    torch.manual_seed(3)
    reference.reset_parameters()
    torch.manual_seed(3)
    own.reset_parameters()
    for mine, name in zip(own.parameters(), names, strict=True):
        torch.testing.assert_close(mine, getattr(reference, name).weight)


def test_bilinear_is_that_of_torch() -> None:
    torch.manual_seed(0)
    reference, own = torch.nn.Bilinear(4, 5, 3), Bilinear((4, 5), 3)
    own.load_state_dict(reference.state_dict())
    source, target = torch.randn(6, 4), torch.randn(6, 5)
    torch.testing.assert_close(own(source, target), reference(source, target))


@pytest.mark.parametrize(
    "module",
    [
        Dot(),
        DistMult(4, 2),
        TransE(4, 2),
        TransE(4, 2, 3.0),
        ComplEx(4, 2),
        RotatE(4, 3),
        Bilinear((4, 4), 3),
        MLP([8, 5, 1], norm=None),
    ],
    ids=lambda module: type(module).__name__,
)
def test_all_pairs_at_once_are_the_pairs_one_by_one(module: torch.nn.Module) -> None:
    torch.manual_seed(1)
    source, target = torch.randn(3, 4), torch.randn(5, 4)
    every = score_every(module, source, target)
    for i in range(3):
        for j in range(5):
            torch.testing.assert_close(every[i, j], score_pairs(module, source[i : i + 1], target[j : j + 1])[0])
