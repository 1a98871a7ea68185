"""What turns a graph auto-encoder into VGAE, ARGA or ARGVA: layers on the latent values, with losses of their own."""

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch_geometric.nn.inits import reset

_TINY = 1e-15
_LARGEST_LOGSTD = 10
"""As in `torch_geometric.nn.models.autoencoder`."""


class Variational(nn.Module):
    r"""Draws latent values from a normal distribution that an encoder gives.

    From `"Variational Graph Auto-Encoders" <https://arxiv.org/abs/1611.07308>`_ (Kipf and Welling, 2016). The first half
    of the columns is the mean, the second the logarithm of the standard deviation, bounded above by 10 as in PyG's `VGAE`.
    In training it gives :math:`\mu + \epsilon \sigma`, in evaluation :math:`\mu`.

    Shapes:
        x [num_nodes, 2 · width] gives [num_nodes, width].

    >>> Variational().eval()(torch.tensor([[1.0, 2.0, 0.0, -1.0]]))
    tensor([[1., 2.]])
    """

    def __init__(self) -> None:
        super().__init__()
        self._mu = self._logstd = torch.empty(0, 0)  # of the latest pass, until its loss is asked for

    def forward(self, x: Tensor) -> Tensor:
        """Draw, or give the mean."""
        self._mu, logstd = x.chunk(2, dim=-1)
        self._logstd = logstd.clamp(max=_LARGEST_LOGSTD)
        return self._mu + torch.randn_like(self._logstd) * self._logstd.exp() if self.training else self._mu

    def kl_loss(self) -> Tensor:
        """How far the distributions of the latest pass are from the standard normal one, mean over the nodes."""
        mu, logstd = self._mu, self._logstd
        self._mu = self._logstd = torch.empty(0, 0)
        return -0.5 * (1 + 2 * logstd - mu**2 - logstd.exp() ** 2).sum(1).sum() / max(1, len(mu))


class Adversarial(nn.Module):
    r"""Leaves latent values as they are, and asks them to look as if drawn from the standard normal distribution.

    From `"Adversarially Regularized Graph Autoencoder for Graph Embedding" <https://arxiv.org/abs/1802.04407>`_ (Pan et
    al., IJCAI 2018). A discriminator learns to tell them from random ones, and the encoder to deceive it. Both losses of
    PyG's `ARGA` are one: that of the encoder leaves the discriminator alone, that of the discriminator the encoder. So one
    optimizer makes the steps of both, where PyG's example has two and trains the discriminator five times as often.

    Args:
        discriminator: gives scores of rows; large ones mean that a row is random.

    >>> layer = Adversarial(nn.Linear(2, 1))
    >>> layer(torch.zeros(3, 2)).shape
    torch.Size([3, 2])
    """

    def __init__(self, discriminator: nn.Module) -> None:
        super().__init__()
        self.discriminator = discriminator
        self._z = torch.empty(0, 0)  # of the latest pass, until its loss is asked for

    def reset_parameters(self) -> None:
        """Draw the discriminator's parameters anew."""
        reset(self.discriminator)

    def forward(self, x: Tensor) -> Tensor:
        """The values themselves."""
        self._z = x
        return x

    def adversarial_loss(self) -> Tensor:
        """`reg_loss` of the values of the latest pass for the encoder, and `discriminator_loss` for the discriminator."""
        z, self._z = self._z, torch.empty(0, 0)
        if len(z) == 0:
            return z.sum()
        frozen = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        deceived = functional_call(self.discriminator, frozen, (z,))
        real, fake = self.discriminator(torch.randn_like(z)), self.discriminator(z.detach())
        return _surprise(deceived) + _surprise(real) + _surprise(fake, random=False)


def _surprise(scores: Tensor, random: bool = True) -> Tensor:
    """Cross entropy of scores for rows that are all random, or all not."""
    chance = torch.sigmoid(scores)
    return -torch.log((chance if random else 1 - chance) + _TINY).mean()
