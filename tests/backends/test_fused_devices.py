"""Kernels on a machine with a GPU: layouts and what a forward pass makes are made where the edges are.

Watched on a CPU, where mistakes would pass. Backward passes are not watched by such a mode.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from test_fused import SERVED, both, gradients
from test_fused_implementations import FEW, NEEDS_TRITON
from torch.overrides import TorchFunctionMode

from graphdsl.kernels import use_implementation
from graphdsl.kernels.implementations import Implementation

OURS = Path(torch.__file__).parent
MAKERS = {
    torch.arange, torch.empty, torch.eye, torch.full, torch.linspace, torch.ones, torch.rand, torch.randint, torch.randn,
    torch.randperm, torch.tensor, torch.zeros,
}  # fmt: skip
ON_A_CPU = {("dropping.py", "drawn"), ("grouped.py", "_tiles")}
"""A seed is drawn, and a table of tiles is made once, where the generator and the numbers are."""
BY_DEVICE = {("sorting.py", name) for name in ("sort_order", "_order_by_radix", "_radix_sort")}
"""Asks first whether it is on a CPU, or measures once how a processor sorts."""


LOOKS_AT_VALUES = {("reducing.py", "_softmax"), ("normalization.py", "_gcn"), ("extremes.py", "spans")}
"""How far exponents are apart; which edges are loops, where weights come with each call; where pieces end, of what has no kernel."""
WAITING = {"tolist", "item", "__bool__", "__int__", "__float__", "__index__", "nonzero", "unique", "cpu", "numpy"}


class Watching(TorchFunctionMode):
    """Notes tensors that our code makes without saying where, and those that it reads with numpy."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if (func in MAKERS and kwargs.get("device") is None) or func is torch.Tensor.numpy:
            self.found |= {*_caller()}
        return func(*args, **kwargs)


class Waiting(TorchFunctionMode):
    """Notes where our code copies numbers to a device or back, and waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        counted = name == "repeat_interleave" and "output_size" not in kwargs and isinstance(args[1], torch.Tensor)
        chosen = name == "__getitem__" and isinstance(args[1], torch.Tensor) and args[1].dtype == torch.bool
        if func is torch.tensor or name in WAITING or counted or chosen:
            self.found |= {*_caller()}
        return func(*args, **kwargs)


def _caller() -> Iterator[tuple[str, str]]:
    """The function that called torch, if it is one of the kernels or the backend."""
    frame = sys._getframe(2)
    while frame and (OURS in Path(frame.f_code.co_filename).parents or frame.f_code.co_filename == __file__):
        frame = frame.f_back
    if frame:
        path = Path(frame.f_code.co_filename)
        if path.parent.name in ("kernels", "triton", "fused"):
            yield path.name, frame.f_code.co_name


@pytest.mark.parametrize(
    ("body", "by"),
    [*((body, "torch") for body in SERVED), *(pytest.param(body, "triton", marks=NEEDS_TRITON) for body in FEW)],
)
def test_tensors_are_made_where_the_edges_are(body: str, by: Implementation) -> None:
    _, fused, inputs = both(body)
    with use_implementation(by), Watching() as watching:
        gradients(fused, inputs)
    assert watching.found <= ON_A_CPU | BY_DEVICE


@pytest.mark.parametrize("body", [body for body in SERVED if "LSTM" not in body])
def test_a_graph_that_comes_again_is_not_waited_for(body: str) -> None:
    _, fused, inputs = both(body)
    fused.eval()
    with use_implementation("torch"), torch.no_grad():
        fused(**inputs)
        with Waiting() as waiting:
            fused(**inputs)
    assert waiting.found <= LOOKS_AT_VALUES


def test_what_is_watched() -> None:
    code = compile("torch.arange(3)\ntorch.arange(3, device='cpu')\nx.numpy()", "/kernels/wrong.py", "exec")
    with Watching() as watching:
        exec(code, {"torch": torch, "x": torch.ones(1)})
    assert watching.found == {("wrong.py", "<module>")}
    for wrong in (
        "torch.tensor([1], device='cpu')",
        "x.repeat_interleave(x.long())",
        "x[x > 0]",
        "bool(x > 0)",
        "x.item()",
    ):
        with Waiting() as waiting:
            exec(compile(wrong, "/kernels/wrong.py", "exec"), {"torch": torch, "x": torch.ones(1)})
        assert waiting.found == {("wrong.py", "<module>")}, wrong
