"""Compile every kernel of Triton for a GPU, on a machine without one: the interpreter takes what the compiler refuses.

Rerun with `PYTHONPATH=. python tests/kernels/compile_kernels.py float32 [90]`: a dtype, and the compute capability.
"""

import sys
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.triton import attending, blocks, extremes, gathering, grouped, normalizing

NAMES = {
    torch.float16: "fp16",
    torch.bfloat16: "bf16",
    torch.float32: "fp32",
    torch.float64: "fp64",
    torch.int32: "i32",
    torch.int64: "i64",
}


class Compiling:
    """Stands in for `launch`: compiles a kernel for what it is started with, and starts nothing."""

    def __init__(self, capability: int) -> None:
        self.target = GPUTarget("cuda", capability, 32)
        self.found: set[str] = set()
        self.names: set[str] = set()

    def __call__(self, kernel: Any, grid: object, like: object, arguments: tuple[Any, ...], **sizes: Any) -> None:
        del grid, like
        given = {**dict(zip(kernel.arg_names, arguments, strict=False)), **sizes}
        signature, constants = {}, {}
        for place, parameter in enumerate(kernel.params):
            value = given[parameter.name]
            if parameter.is_constexpr or value is None:
                signature[parameter.name], constants[(place,)] = "constexpr", value
            elif isinstance(value, torch.Tensor):
                signature[parameter.name] = f"*{NAMES[value.dtype]}"
            else:
                signature[parameter.name] = "i32"
        name = f"{kernel.__name__} {signature} {constants}"
        if name not in self.found:
            self.found.add(name)
            self.names.add(kernel.__name__)
            made = triton.compile(ASTSource(kernel, signature, constants), target=self.target)
            assert made.asm["cubin"]


def run(dtype: torch.dtype) -> None:
    """Start every kernel: in long rows and in short ones."""
    row = torch.cat([torch.zeros(blocks.LONG + 9, dtype=torch.long), torch.randint(0, 40, (300,))])
    layout = Layout.of(row, row.flip(0), 40, 50)
    x, weight = torch.ones(50, 40, dtype=dtype), torch.ones(layout.edges, dtype=dtype)
    for given in (weight, None):
        gathering.summed(layout, x, given)
        extremes.extreme(layout, x, given, largest=True)
        extremes.of_columns(layout, x, given, x, x.to(gathering.wide(dtype)))
    extremes.of_edges(layout, x, weight, x, x.to(gathering.wide(dtype)))
    gathering.dotted(layout, x, x)
    gathering.row_sums(layout, weight)
    normalizing.softmax_back(layout, normalizing.softmax(layout, weight), weight)
    scores = [torch.ones(size, dtype=dtype, requires_grad=True) for size in (40, 50)]
    made: Any = attending.Attention.apply(x.clone().requires_grad_(), *scores, 0.2, layout)
    made.backward(made.detach())
    matrices = torch.ones(2, 40, 40, dtype=dtype)
    grouped.multiplied(x, matrices.transpose(1, 2), (0, 9, 50))
    grouped.multiplied_within(x, x, (0, 9, 50))


if __name__ == "__main__":
    compiling = Compiling(int(sys.argv[2]) if len(sys.argv) > 2 else 90)
    for module in (blocks, extremes, gathering, grouped):
        module.launch = compiling
    run(getattr(torch, sys.argv[1]))
    print(*sorted(compiling.names))
