"""Scorers of knowledge graphs: a relation moves the source, and the distance to the target says how likely an edge is.

Each relation that a spec predicts has a scorer, so its vector stands here where PyG has one row of `rel_emb`.
"""

import math

import torch
from torch import Tensor, nn

from graphdsl.kernels.scoring import PairScorer


class TransE(PairScorer):
    """`-‖h + r - t‖` of normalized ends, as in `torch_geometric.nn.kge.TransE`.

    Args:
        in_channels: columns of both ends.
        out_channels: numbers for each pair, each with a vector of its own.
        p_norm: order of the norms.

    Bordes et al., "Translating Embeddings for Modeling Multi-Relational Data", NeurIPS 2013.

    >>> TransE(4)(torch.ones(3, 4), torch.ones(3, 4)).shape
    torch.Size([3, 1])
    """

    def __init__(self, in_channels: int, out_channels: int = 1, p_norm: float = 1.0) -> None:
        super().__init__()
        self.p_norm = p_norm
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the vectors as PyG's class does."""
        bound = 6.0 / math.sqrt(self.weight.size(1))
        nn.init.uniform_(self.weight, -bound, bound)
        with torch.no_grad():
            self.weight.copy_(nn.functional.normalize(self.weight, p=self.p_norm, dim=-1))

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Negative distances, shape [pairs, size]."""
        moved, target = self._moved(source), self._normalized(target)
        return -(moved - target.unsqueeze(1)).norm(p=self.p_norm, dim=-1)

    def every(self, source: Tensor, target: Tensor) -> Tensor:
        """The same for all pairs, shape [sources, targets, size]."""
        return -_distances(self._moved(source), self._normalized(target), self.p_norm)

    def _normalized(self, x: Tensor) -> Tensor:
        return nn.functional.normalize(x, p=self.p_norm, dim=-1)

    def _moved(self, source: Tensor) -> Tensor:
        return self._normalized(source).unsqueeze(1) + self.weight


class ComplEx(PairScorer):
    """`Re⟨h, r, conj(t)⟩` of complex vectors, as in `torch_geometric.nn.kge.ComplEx`.

    The first half of the columns of an end are real parts, the second imaginary ones: `[node_emb | node_emb_im]`.

    Args:
        in_channels: columns of both ends, an even number.
        out_channels: numbers for each pair, each with complex weights of its own.

    Trouillon et al., "Complex Embeddings for Simple Link Prediction", ICML 2016.
    """

    def __init__(self, in_channels: int, out_channels: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // 2))
        self.weight_im = nn.Parameter(torch.empty(out_channels, in_channels // 2))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights as PyG's class does."""
        nn.init.xavier_uniform_(self.weight)
        nn.init.xavier_uniform_(self.weight_im)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Real parts of the products, shape [pairs, size]."""
        return (_product(source, self.weight, self.weight_im) * target.unsqueeze(1)).sum(-1)

    def every(self, source: Tensor, target: Tensor) -> Tensor:
        """The same for all pairs, shape [sources, targets, size]."""
        return torch.einsum("ikc,jc->ijk", _product(source, self.weight, self.weight_im), target)


class RotatE(PairScorer):
    """`margin - ‖h ∘ r - t‖` of complex vectors, r turning each entry by a learned angle, as in PyG's class.

    The first half of the columns of an end are real parts, the second imaginary ones: `[node_emb | node_emb_im]`.

    Args:
        in_channels: columns of both ends, an even number.
        out_channels: numbers for each pair, each with angles of its own.
        margin: the score of a pair whose ends meet.

    Sun et al., "RotatE: Knowledge Graph Embedding by Relational Rotation in Complex Space", ICLR 2019;
    `torch_geometric.nn.kge.RotatE`.
    """

    def __init__(self, in_channels: int, out_channels: int = 1, margin: float = 1.0) -> None:
        super().__init__()
        self.margin = margin
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // 2))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the angles as PyG's class does."""
        nn.init.uniform_(self.weight, 0, 2 * math.pi)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Margins less distances, shape [pairs, size]."""
        return self.margin - torch.linalg.vector_norm(self._turned(source) - target.unsqueeze(1), dim=-1)

    def every(self, source: Tensor, target: Tensor) -> Tensor:
        """The same for all pairs, shape [sources, targets, size]."""
        return self.margin - _distances(self._turned(source), target, 2.0)

    def _turned(self, source: Tensor) -> Tensor:
        return _product(source, self.weight.cos(), self.weight.sin())


def _product(x: Tensor, real: Tensor, imaginary: Tensor) -> Tensor:
    """Complex products of rows [rows, width] with weights [size, width / 2], shape [rows, size, width]."""
    left, right = x.unsqueeze(1).chunk(2, dim=-1)
    return torch.cat([left * real - right * imaginary, right * real + left * imaginary], dim=-1)


def _distances(moved: Tensor, target: Tensor, p_norm: float) -> Tensor:
    """Distances of [sources, size, width] from [targets, width], shape [sources, targets, size]."""
    exact = "donot_use_mm_for_euclid_dist"
    found = torch.cdist(moved.flatten(0, 1), target, p=p_norm, compute_mode=exact)
    return found.unflatten(0, moved.shape[:2]).transpose(1, 2)
