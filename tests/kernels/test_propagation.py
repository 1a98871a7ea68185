"""Products with sparse matrices, and results that are kept."""

import pytest
import torch
from torch import Tensor

from graphdsl.kernels import KeptResults, averaging, sparse_matrix


def multigraph() -> torch.Tensor:
    """Edges between 6 sources and 7 targets, some parallel; the last ones have none."""
    torch.manual_seed(0)
    return torch.stack([torch.randint(5, (20,)), torch.randint(4, (20,))])


def test_averaging_is_the_mean_over_parallel_edges_too() -> None:
    edges = multigraph()
    x = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    matrix = averaging(edges, 6, 7, torch.float64)
    for target, row in enumerate((matrix @ x).detach()):
        sources = [source for source, other in edges.t().tolist() if other == target]
        mean = sum((x[source].detach() for source in sources), torch.zeros(3, dtype=torch.float64))
        torch.testing.assert_close(row, mean / max(len(sources), 1))
    assert torch.autograd.gradcheck(lambda value: matrix @ value, (x,))
    assert torch.autograd.gradgradcheck(lambda value: matrix @ value, (x,))


@pytest.mark.parametrize(("sources", "targets"), [(0, 3), (3, 0), (0, 0), (3, 4)])
def test_without_edges(sources: int, targets: int) -> None:
    x = torch.randn(sources, 2, requires_grad=True)
    product = averaging(torch.zeros(2, 0, dtype=torch.long), sources, targets, x.dtype) @ x
    product.sum().backward()
    assert product.shape == (targets, 2)
    assert not product.any()


def test_entries_at_one_place_are_added_and_narrow_numbers_widened() -> None:
    matrix = sparse_matrix(torch.tensor([1, 0, 1]), torch.tensor([2, 0, 2]), torch.tensor([1.0, 2.0, 3.0]), (2, 3))
    assert matrix.forward.to_dense().tolist() == [[2, 0, 0], [0, 0, 4]]
    assert matrix.backward.to_dense().tolist() == matrix.forward.to_dense().t().tolist()
    assert (matrix @ torch.ones(3, 1, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_kept_results_follow_identity_version_and_sizes() -> None:
    kept, origin, made = KeptResults(), torch.zeros(2), []

    def make() -> int:
        made.append(1)
        return len(made)

    assert [kept.fetch("a", [origin], [3], make) for _ in range(3)] == [1, 1, 1]
    assert kept.fetch("a", [origin], [4], make) == 2
    assert kept.fetch("a", [origin], [3], make) == 1
    assert kept.fetch("b", [origin], [4], make) == 3
    origin.add_(1)
    assert kept.fetch("b", [origin], [4], make) == 4
    assert kept.fetch("b", [origin.clone()], [4], make) == 5
    assert len(kept) == 3  # the clone is gone, and its result with it
    assert kept.fetch("a", [origin], [4], make) == 6
    assert len(kept) == 2  # what "a" was of the origin as it had been is gone, too


def test_results_of_graphs_that_share_some_edges_are_kept_side_by_side() -> None:
    kept, shared, made = KeptResults(), torch.zeros(2), []
    parts = [torch.zeros(1) for _ in range(3)]

    def fetch(part: Tensor) -> int:
        return kept.fetch("layout", [shared, part], [], lambda: made.append(1) or len(made))

    assert [fetch(part) for part in (*parts, *parts)] == [1, 2, 3, 1, 2, 3]
    del parts[0]
    assert fetch(torch.ones(1)) == 4
    assert len(kept) == 3  # the first part is gone
    for _ in range(20):
        fetch(torch.ones(1))
    assert len(kept) == 3
