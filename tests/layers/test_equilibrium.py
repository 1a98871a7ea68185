"""`EquilibriumAggregation` with gradients switched off: the values are those that it has with them."""

import pytest
import torch
from torch_geometric.nn.aggr import EquilibriumAggregation as Theirs

from graphdsl.layers import EquilibriumAggregation

X, BATCH = torch.randn(6, 3), torch.tensor([0, 0, 1, 1, 1, 2])


def _both() -> tuple[EquilibriumAggregation, Theirs]:
    ours, theirs = EquilibriumAggregation(3, 4, [8, 5], grad_iter=3), Theirs(3, 4, [8, 5], grad_iter=3)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_without_gradients_it_gives_the_same(off: type) -> None:
    ours, theirs = _both()
    wanted = theirs(X, BATCH, dim_size=4)
    with off():
        found = ours(X + 0, BATCH + 0, dim_size=4)
    assert not found.requires_grad
    torch.testing.assert_close(found, wanted.detach())


def test_pyg_itself_fails_in_inference_mode() -> None:
    _, theirs = _both()
    with torch.inference_mode(), pytest.raises(RuntimeError):
        theirs(X + 0, BATCH + 0)


def test_without_an_index_all_nodes_are_one_graph() -> None:
    ours, theirs = _both()
    torch.testing.assert_close(ours(X), theirs(X, torch.zeros(6, dtype=torch.long)))
