"""`PANConv` and `PANPooling`: PyG's own, with a stand-in for the matrices of torch-sparse, which need not be installed."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch_geometric import nn as pyg
from torch_geometric.nn.conv import pan_conv

import graphdsl
from graphdsl.layers import PANConv, PANPooling

SPEC = """
schema s {
  node atom { x: float[5] }
  edge atom -[bond]-> atom
  graph { y: class[2] }
}

model m on s {
  sequential x, edge_index, batch {
    PANConv(8, filter_size = 2): x, edge_index -> x, paths, weight
    PANPooling(ratio = 0.6): x, paths, weight, batch -> x, edge_index, weight, batch, _, _
    GraphConv(8): x, edge_index, weight -> x
    PANConv(8, filter_size = 1): x, edge_index -> x, _, _
    global_mean_pool: x, batch -> x
    Linear(2)
  }
}
"""


class Matrix:
    """A sparse matrix as `torch_sparse.SparseTensor`: entries that are stored, zeros among them, count as entries."""

    def __init__(self, row: Tensor, col: Tensor, sparse_sizes: tuple[int, int], value: Tensor | None = None) -> None:
        order = (row * sparse_sizes[1] + col).argsort(stable=True)
        self.row, self.col, self.sizes = row[order], col[order], sparse_sizes
        self.value = None if value is None else value[order]
        self.storage = SimpleNamespace(
            row=lambda: self.row,
            col=lambda: self.col,
            value=lambda: self.value,
            rowcount=lambda: torch.bincount(self.row, minlength=self.sizes[0]),
        )

    @classmethod
    def eye(cls, rows: int, columns: int, has_value: bool, dtype: torch.dtype, device: torch.device) -> "Matrix":
        number = torch.arange(rows)
        return cls(number, number, (rows, columns), torch.ones(rows, dtype=dtype))

    def size(self, dim: int) -> int:
        return self.sizes[dim]

    def sparse_sizes(self) -> tuple[int, int]:
        return self.sizes

    def device(self) -> torch.device:
        return self.row.device

    def has_value(self) -> bool:
        return self.value is not None

    def fill_value(self, value: float) -> "Matrix":
        return Matrix(self.row, self.col, self.sizes, torch.full(self.row.shape, value))

    def mul_nnz(self, value: Tensor, layout: str) -> "Matrix":
        return Matrix(self.row, self.col, self.sizes, self.value * value)

    def dense(self) -> Tensor:
        return torch.zeros(self.sizes).index_put((self.row, self.col), self.value, accumulate=True)

    def __matmul__(self, other: "Matrix") -> "Matrix":
        found = torch.zeros(self.sizes).index_put((self.row, self.col), torch.ones(len(self.row)), accumulate=True)
        there = found @ torch.zeros(self.sizes).index_put(
            (other.row, other.col), torch.ones(len(other.row)), accumulate=True
        )
        row, col = there.nonzero().unbind(1)
        return Matrix(row, col, self.sizes, (self.dense() @ other.dense())[row, col])

    def coalesce(self) -> "Matrix":
        row, col = torch.stack([self.row, self.col]).unique(dim=1).unbind(0)
        return Matrix(row, col, self.sizes, self.dense()[row, col])

    def __mul__(self, other: Tensor) -> "Matrix":
        factor = other.expand(self.sizes)
        return Matrix(self.row, self.col, self.sizes, self.value * factor[self.row, self.col])

    __rmul__ = __mul__

    def coo(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.row, self.col, self.value


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pan_conv, "SparseTensor", Matrix)
    monkeypatch.setattr(pyg.PANConv, "propagate", lambda _, edge_index, x, edge_weight: edge_index.dense() @ x)
    # A tensor times a matrix asks the tensor first.
    times = Tensor.__mul__
    monkeypatch.setattr(
        Tensor, "__mul__", lambda self, other: NotImplemented if isinstance(other, Matrix) else times(self, other)
    )


def graph() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    index = torch.tensor([[0, 1, 2, 2, 4, 5, 6, 4], [1, 2, 0, 1, 5, 6, 4, 5]])
    return torch.randn(9, 5, requires_grad=True), index, torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 1])


@pytest.mark.parametrize("size", [0, 1, 3])
def test_the_convolution_is_that_of_pyg(size: int) -> None:
    x, index, _ = graph()
    ours, theirs = PANConv(5, 4, size), pyg.PANConv(5, 4, size)
    torch.nn.init.uniform_(ours.weight, 0.2, 1)
    theirs.load_state_dict(ours.state_dict())
    found, edges, weight = ours(x, index)
    wanted, matrix = theirs(x, index)
    torch.testing.assert_close(found, wanted)
    dense = torch.zeros(9, 9).index_put((edges[1], edges[0]), weight)
    torch.testing.assert_close(dense, matrix.dense())
    assert weight.numel() == matrix.row.numel()
    mine = torch.autograd.grad(found.square().sum(), [x, *ours.parameters()])
    other = torch.autograd.grad(wanted.square().sum(), [x, *theirs.parameters()])
    torch.testing.assert_close(mine, other)


def test_a_graph_without_edges_and_one_without_nodes() -> None:
    empty = torch.zeros(2, 0, dtype=torch.long)
    layer = PANConv(5, 4, 2)
    assert [part.shape[-1] for part in layer(torch.ones(3, 5), empty)] == [4, 3, 3]
    assert layer(torch.ones(0, 5), empty)[0].shape == (0, 4)


def test_the_pooling_is_that_of_pyg() -> None:
    x, index, batch = graph()
    conv, ours, theirs = PANConv(5, 5, 2), PANPooling(5, ratio=0.6), pyg.PANPooling(5, ratio=0.6)
    theirs.load_state_dict(ours.state_dict())
    values, edges, weight = conv(x, index)
    found = ours(values, edges, weight, batch)
    wanted = theirs(values, Matrix(edges[1], edges[0], (9, 9), weight), batch)
    assert found[1].size(1) < edges.size(1)
    for mine, other in zip((found[0], found[3], found[4], found[5]), (wanted[0], *wanted[3:]), strict=True):
        torch.testing.assert_close(mine, other)
    # The stand-in sorts entries by rows.
    kept = len(found[4])
    mine, other = (torch.zeros(kept, kept).index_put((part[1][0], part[1][1]), part[2]) for part in (found, wanted))
    torch.testing.assert_close(mine, other)


def test_a_spec_equals_the_same_by_hand() -> None:
    model = graphdsl.loads(SPEC).compile()
    x, index, batch = graph()
    first, pool, graph_conv, second, linear = (model[place] for place in (0, 1, 2, 3, 5))
    theirs = pyg.PANConv(5, 8, 2)
    theirs.load_state_dict(first.state_dict())
    values, matrix = theirs(x, index)
    row, col, weight = matrix.coo()
    values, edges, weight, groups, _, _ = pool(values, torch.stack([col, row]), weight, batch)
    values = second(graph_conv(values, edges, weight), edges)[0]
    torch.testing.assert_close(model(x, index, batch), linear(pyg.global_mean_pool(values, groups)))
