"""A place at which a layer says what it has worked out, for whoever listens."""

from typing import Any

from torch import Tensor, nn


class Noted(nn.Module):
    """Gives back its first argument; forward hooks see it, and what it is about.

    Layers say so how much metapaths, their instances or hops count. It has no parameters, and does nothing without a hook.

    >>> import torch
    >>> seen = []
    >>> noted = Noted()
    >>> _ = noted.register_forward_hook(lambda module, given, out: seen.append((given[1], out)))
    >>> noted(torch.ones(1), "hop", 1), seen
    (tensor([1.]), [('hop', tensor([1.]))])
    """

    def forward(self, value: Tensor, what: str, *about: Any) -> Tensor:
        """The value as it is.

        Args:
            value: what was worked out.
            what: which kind of thing it is.
            about: of which type, metapath or hop.
        """
        return value


__all__ = ["Noted"]
