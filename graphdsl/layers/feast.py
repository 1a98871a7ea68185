"""`FeaStConv` on a relation without edges."""

from torch import Tensor
from torch_geometric.nn import FeaStConv as Base


class FeaStConv(Base):
    """PyG's `FeaStConv`, which may also serve a relation without edges: it sends nothing there.

    PyG's own layer fails on one ("cannot reshape tensor of 0 elements"), and a sampled batch may have one. Everything
    else, parameters and state dict included, is PyG's.

    Shapes:
        - `x`: [num_nodes, in_channels], or a pair of them between two types.
        - `edge_index`: [2, num_edges].
        - result: [num_targets, out_channels].

    >>> import torch
    >>> FeaStConv(3, 4)(torch.ones(2, 3), torch.zeros(2, 0, dtype=torch.long)).shape
    torch.Size([2, 4])
    """

    def message(self, x_i: Tensor, x_j: Tensor) -> Tensor:
        """Messages [num_edges, out_channels]."""
        # PyG reads what is propagated from a comment in the class: propagate_type: (x: PairTensor)
        q = (self.u(x_j - x_i) + self.c).softmax(dim=1)
        heads = self.lin(x_j).view(x_j.size(0), self.heads, self.out_channels)
        return (heads * q.unsqueeze(-1)).sum(dim=1)
