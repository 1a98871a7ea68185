"""A score of pairs that reads all nodes around both ends: PyG's `LPFormer`, which is told the graph by the model."""

from typing import Any, Final

import torch
from torch import Tensor
from torch_geometric.utils import to_undirected

from graphdsl.kernels.keeping import KeptResults
from graphdsl.kernels.pagerank import personal_pagerank
from graphdsl.kernels.scoring import PairScorer
from graphdsl.text import SpecError, report

try:
    from torch_geometric.nn.models import LPFormer
except ImportError as error:
    _OLD = "`lpformer` needs PyG's `LPFormer`, which this torch-geometric does not have"
    _HELPS = ("pip install --upgrade torch-geometric",)
    raise SpecError([report("GNN617", _OLD, where="python", helps=_HELPS)]) from error

_AT_ONCE: Final = 1 << 13
"""Pairs that `every` scores at a time: each reads the nodes around both of its ends."""


class PairTransformer(LPFormer, PairScorer):
    """PyG's `LPFormer`: attention of a pair over the nodes near its ends, which personalized PageRank tells.

    A scorer reads the rows of both ends; here a row ends with the node's number, as a further column, and `look` keeps the
    graph. Edges count both ways. In training, the pairs that are scored are no edges meanwhile, as in PyG's example.

    Source: Shomer et al., LPFormer: An Adaptive Graph Transformer for Link Prediction, KDD 2024.

    Args:
        in_channels: columns of the nodes.
        hidden_channels: columns inside.
        num_gnn_layers: graph convolutions before it.
        gnn_dropout: of these.
        transformer_dropout: share of the nodes around a pair that are left out in training.
        ppr_thresholds: least PageRank of common neighbours, other neighbours, and further nodes.
        alpha: chance of a walk to go home.
        eps: how exact PageRank is.

    Shapes:
        - rows of `source` and `target`: [num_pairs, hidden_channels + 1], as `look` makes them.
        - result: [num_pairs, 1].

    >>> scorer = PairTransformer(4, 8).eval()
    >>> h = scorer.look(torch.ones(3, 4), torch.tensor([[0, 1], [1, 2]]), None)
    >>> scorer(h[[0, 0]], h[[1, 2]]).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        num_gnn_layers: int = 2,
        gnn_dropout: float = 0.1,
        transformer_dropout: float = 0.1,
        ppr_thresholds: tuple[float, ...] = (0.0, 1e-4, 1e-2),
        alpha: float = 0.15,
        eps: float = 5e-5,
    ) -> None:
        super().__init__(
            in_channels,
            hidden_channels,
            num_gnn_layers,
            gnn_dropout,
            transformer_dropout=transformer_dropout,
            ppr_thresholds=list(ppr_thresholds),
        )
        self.alpha, self.eps = alpha, eps
        self._ranks = KeptResults()
        self._seen: Any = None

    def look(self, x: Tensor, edge_index: Tensor, pairs: Tensor | None) -> Tensor:
        """Read the graph.

        Args:
            x: values [num_nodes, in_channels].
            edge_index: what is known, [2, num_edges].
            pairs: what is about to be scored [2, num_pairs]; in training it is no edge meanwhile.

        Returns:
            [num_nodes, hidden_channels + 1]: what the convolutions make, and the number of each node.
        """
        count = x.size(0)
        ranks = self._ranks.fetch("ranks", [edge_index], [count], lambda: self._rank(edge_index, count))
        edges = to_undirected(edge_index, num_nodes=count)
        if self.training and pairs is not None:
            asked = torch.cat([pairs[0] * count + pairs[1], pairs[1] * count + pairs[0]])
            edges = edges[:, ~torch.isin(edges[0] * count + edges[1], asked)]
        ones = torch.ones(edges.size(1), dtype=torch.int, device=edges.device)
        adjacency = _matrix(edges, ones, count)
        x = self.propagate(x, edges)
        self._seen = (x, adjacency, *ranks)
        numbers = torch.arange(count, device=x.device, dtype=x.dtype).unsqueeze(1)
        return torch.cat([x, numbers], dim=1)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:  # type: ignore[override]
        """Shape [pairs, 1]."""
        x, adjacency, ranks, _ = self._seen
        ends = torch.stack([source[:, -1], target[:, -1]]).long()
        both = self.elementwise_lin(x[ends[0]] * x[ends[1]])
        with torch.sparse.check_sparse_tensor_invariants(False):  # else PyTorch warns that it does not check
            around = self.calc_pairwise(ends, x, adjacency, ranks)
        return self.score_func(torch.cat([both, around], dim=-1)).unsqueeze(-1)

    def get_non_1hop_ppr(self, batch: Tensor, adj: Tensor, ppr_matrix: Tensor) -> Any:
        """Further nodes count only with a large rank, so the others are not even looked at."""
        return super().get_non_1hop_ppr(batch, adj, self._seen[3])

    def _rank(self, edge_index: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """PageRank, and what of it is large enough for further nodes."""
        ranks = personal_pagerank(to_undirected(edge_index, num_nodes=count), count, self.alpha, self.eps)
        large = ranks.values() >= self.thresh_non1hop
        far = _matrix(ranks.indices()[:, large], ranks.values()[large], count)
        return ranks, far

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_seen": None}  # what it has seen belongs to one pass

    def every(self, source: Tensor, target: Tensor) -> Tensor:
        """Every source with every target, shape [sources, targets, 1]."""
        columns = target.size(0)
        number = torch.arange(source.size(0) * columns, device=source.device)
        parts = [self(source[some // columns], target[some % columns]) for some in number.split(_AT_ONCE)]
        return torch.cat([source.new_zeros(0, 1), *parts]).view(source.size(0), columns, 1)


def _matrix(index: Tensor, values: Tensor, size: int) -> Tensor:
    return torch.sparse_coo_tensor(index, values, (size, size), check_invariants=False).coalesce()
