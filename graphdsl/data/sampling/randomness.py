"""Where a batch's randomness comes from.

With a seed, a sample is a function of (seed, epoch, content of the batch) alone: however many worker processes there
are and whichever of them draws it, the same batch gives the same sample. Without one, randomness comes from torch's
generator of the process, which `torch.manual_seed` sets in the main process and the data loader sets, anew for each
epoch, in a worker.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def resolve_seed(seed: int | torch.Generator | None) -> int | None:
    """Check a seed; from a generator one is drawn.

    Raises:
        ValueError: a seed that is not a whole number from 0 to 2^63 - 1.
    """
    if isinstance(seed, torch.Generator):
        return int(torch.randint(2**63 - 1, (), generator=seed))
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63):
        raise ValueError(f"seed is {seed!r}; accepted: a whole number from 0 to 2^63 - 1, a torch.Generator or None")
    return seed


class SeededGenerator(torch.Generator):
    """A torch generator that a spawned worker can receive.

    Torch pickles the state of a generator as a tensor in shared memory, which is gone before the worker opens it; here
    it travels as bytes.

    Example:
        >>> import pickle
        >>> generator = SeededGenerator.from_seed(3)
        >>> copy = pickle.loads(pickle.dumps(generator))
        >>> bool((torch.rand(2, generator=generator) == torch.rand(2, generator=copy)).all())
        True
    """

    @classmethod
    def from_seed(cls, seed: int) -> "SeededGenerator":
        """Return a generator that starts from `seed`."""
        generator = cls()
        generator.manual_seed(seed)
        return generator

    @classmethod
    def from_state(cls, state: bytes) -> "SeededGenerator":
        """Return a generator that goes on from `state`."""
        generator = cls()
        generator.set_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))
        return generator

    def __reduce__(self) -> tuple[Any, ...]:
        return SeededGenerator.from_state, (self.get_state().numpy().tobytes(),)


def batch_generator(seed: int | None, epoch: int, *content: torch.Tensor) -> np.random.Generator:
    """Return the generator of one batch; `content` says which batch it is.

    Example:
        >>> first, again = (batch_generator(1, 0, torch.arange(3)) for _ in range(2))
        >>> bool(first.random() == again.random())
        True
    """
    if seed is None:
        return np.random.default_rng(int(torch.randint(2**63 - 1, ())))
    digest = hashlib.blake2b(digest_size=16)
    for tensor in content:
        digest.update(np.ascontiguousarray(tensor.numpy()).data)
    return np.random.default_rng([seed, epoch, *np.frombuffer(digest.digest(), np.uint32).tolist()])


@contextmanager
def torch_seeded(seed: int | None) -> Iterator[None]:
    """Let torch's CPU generator run from `seed` inside the block and go on afterwards as if nothing had been drawn.

    `torch.manual_seed` would also reset the generators of accelerators, so only the CPU's is touched. With None the
    block does nothing.
    """
    if seed is None:
        yield
        return
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(state)
