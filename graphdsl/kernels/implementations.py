"""Which implementation computes the primitives: plain torch, what is fast on a CPU, or Triton.

Sums along edges, softmax of rows, attention and grouped products exist three times, with one signature:

* `torch`: gathers a row for each edge and adds rows up by index, and torch derives the gradients. For any device and dtype;
  what the others are compared with.
* `cpu`: the reducers that stock torch has, without a row for each edge, and gradients of ours.
* `triton`: kernels of ours for a GPU, in `graphdsl.kernels.triton`.

The device of the values decides, unless somebody says otherwise: `use_implementation` in a program, or the variable
`GRAPHDSL_KERNELS` outside of one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from typing import Final, Literal, cast, get_args

import torch
from torch import Tensor

Implementation = Literal["torch", "cpu", "triton"]

IMPLEMENTATIONS: Final[tuple[Implementation, ...]] = get_args(Implementation)
VARIABLE: Final = "GRAPHDSL_KERNELS"
_INTERPRETED: Final = "TRITON_INTERPRET"
_ELSEWHERE: Final = 1 << 26
"""Numbers at once on a GPU: starting a kernel for fewer takes longer than the kernel."""
_KINDS: Final = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""What kernels of Triton are written for; values of other kinds are computed by plain torch."""

_chosen: ContextVar[Implementation | None] = ContextVar("graphdsl_kernels", default=None)


@contextmanager
def use_implementation(name: Implementation) -> Iterator[None]:
    """Inside, primitives are computed by this implementation, wherever their values are.

    Its gradients are those of the implementation too, also where they are asked for outside.

    Args:
        name: one of `IMPLEMENTATIONS`.

    Raises:
        ValueError: if there is no such implementation.

    >>> with use_implementation("torch"):
    ...     implementation_of(torch.zeros(1))
    'torch'
    """
    token = _chosen.set(_known(name, "implementation"))
    try:
        yield
    finally:
        _chosen.reset(token)


def implementation_of(x: Tensor) -> Implementation:
    """Which implementation computes with these values.

    Raises:
        ValueError: if `GRAPHDSL_KERNELS` names none.
        RuntimeError: if Triton was asked for and cannot run: it is not installed, or the values are on a CPU and it was
            not told to interpret its kernels.

    >>> implementation_of(torch.zeros(1))
    'cpu'
    """
    wanted = demanded()
    device = x.device.type
    if wanted == "triton":
        _require_triton(device)
    if wanted is None:
        wanted = "cpu" if device == "cpu" else "triton" if device == "cuda" and has_triton() else "torch"
    return "torch" if wanted == "triton" and x.dtype not in _KINDS else wanted


def demanded() -> Implementation | None:
    """The implementation that somebody asked for; None where the device decides.

    Raises:
        ValueError: if `GRAPHDSL_KERNELS` names none.
    """
    inside = _chosen.get()
    if inside is not None:
        return inside
    outside = os.environ.get(VARIABLE)
    return _known(outside, f"`{VARIABLE}`") if outside else None


def describe(device: torch.device) -> str:
    """What computes on a device, in few words.

    >>> describe(torch.device("cpu"))
    'cpu'
    """
    name = implementation_of(torch.empty(0, device=device))
    return f"{name} (asked for)" if demanded() else str(name)


def at_once(on_a_cpu: int, x: Tensor) -> int:
    """How many numbers of gathered rows are worked on at once where there is no kernel of Triton.

    Args:
        on_a_cpu: as many as stay in the cache of a core.
        x: values, whose device tells.

    >>> at_once(1024, torch.zeros(1)), at_once(1024, torch.zeros(1, device="meta"))
    (1024, 67108864)
    """
    return on_a_cpu if x.device.type == "cpu" else max(on_a_cpu, _ELSEWHERE)


@cache
def has_triton() -> bool:
    """Whether Triton is installed."""
    return find_spec("triton") is not None


def _known(name: str, what: str) -> Implementation:
    if name not in IMPLEMENTATIONS:
        raise ValueError(f"{what} is one of {', '.join(IMPLEMENTATIONS)} (got {name!r})")
    return cast(Implementation, name)


def _require_triton(device: str) -> None:
    if not has_triton():
        raise RuntimeError("kernels of Triton were asked for, and it is not installed: `pip install triton`")
    if device != "cuda" and os.environ.get(_INTERPRETED) != "1":
        raise RuntimeError(
            f"kernels of Triton run on a GPU, and these values are on `{device}`; "
            f"start Python with {_INTERPRETED}=1 to have them interpreted, slowly, on a CPU"
        )
