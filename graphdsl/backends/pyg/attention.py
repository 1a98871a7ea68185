"""Semantic attention: a learned weight per relation."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch_geometric.nn.inits import glorot


class SemanticAttention(nn.Module):
    r"""Weighs the messages of several relations by their mean score over the destinations.

    From `"Heterogeneous Graph Attention Network" <https://arxiv.org/abs/1903.07293>`_ (Wang et al., 2019):

    .. math::
        w_r = \frac{1}{|V|} \sum_v \mathbf{q}^\top \tanh(\mathbf{W} \mathbf{h}_v^r + \mathbf{b}), \quad
        \mathbf{h}_v = \sum_r \mathrm{softmax}(w)_r \, \mathbf{h}_v^r

    Args:
        channels: width of the messages.
        hidden: width of the scoring layer.
        per: "type": the mean score weighs the messages of all nodes alike, as in the paper; "node": the score of each
            node weighs its own messages.
    """

    def __init__(self, channels: int, hidden: int = 128, per: Literal["type", "node"] = "type") -> None:
        super().__init__()
        self.per = per
        self.lin = nn.Linear(channels, hidden)
        self.q = nn.Parameter(torch.empty(1, hidden))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        self.lin.reset_parameters()
        glorot(self.q)

    def forward(self, messages: list[Tensor]) -> Tensor:
        """Combine messages.

        Args:
            messages: one tensor [num_nodes, channels] per relation.

        Returns:
            [num_nodes, channels].

        >>> message = torch.ones(3, 4)
        >>> torch.allclose(SemanticAttention(4)([message, message]), message)
        True
        """
        stacked = torch.stack(messages)
        if stacked.numel() == 0:  # The mean over no nodes is not a number.
            return stacked.sum(0)
        return (self._weights(stacked).unsqueeze(-1) * stacked).sum(0)

    def shares(self, messages: list[Tensor]) -> Tensor:
        """How much each relation counts: [num_relations], or [num_relations, num_nodes] where each node decides itself.

        Args:
            messages: as for `forward`, of at least one node.
        """
        found = self._weights(torch.stack(messages))
        return found if self.per == "node" else found.squeeze(1)

    def _weights(self, stacked: Tensor) -> Tensor:
        score = (self.q * torch.tanh(self.lin(stacked))).sum(-1)
        return (score if self.per == "node" else score.mean(1, keepdim=True)).softmax(0)
