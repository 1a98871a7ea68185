"""Three implementations of the primitives agree: plain torch, CPU, and kernels of Triton, interpreted where there is no GPU."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from graphdsl.kernels import IMPLEMENTATIONS, implementation_of, implementations, layouts, use_implementation
from graphdsl.kernels.attending import additive_attention
from graphdsl.kernels.extremes import gather_max, gather_min
from graphdsl.kernels.gathering import edge_dot, gather_sum
from graphdsl.kernels.grouped import grouped_linear
from graphdsl.kernels.implementations import Implementation, describe, has_triton
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.normalizing import edge_scores, segment_softmax

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
NEEDS_TRITON = pytest.mark.skipif(not has_triton(), reason="Triton is not installed: it is made for Linux")
OURS = ["cpu", pytest.param("triton", marks=NEEDS_TRITON)]
SIZES = {"torch.float64": 1e-10, "torch.float32": 2e-5, "torch.float16": 2e-2, "torch.bfloat16": 1e-1}

Primitive = Callable[..., Tensor]


def layout_of(name: str) -> Layout:
    """Graphs that are awkward in one way each."""
    draw = torch.Generator().manual_seed(3)
    if name == "one row":  # More edges than one program takes on.
        row, rows, columns = torch.zeros(9000, dtype=torch.long), 1, 40
    elif name == "long rows":  # Two of them, and one column with as many edges.
        row = torch.cat([torch.full((5000,), 2), torch.full((4500,), 5), torch.arange(8)])
        rows, columns = 8, 30
    elif name == "empty rows":
        row, rows, columns = torch.tensor([7, 3, 3, 7, 7]), 9, 6
    elif name == "one edge each":
        row, rows, columns = torch.randperm(20, generator=draw), 20, 5
    elif name == "one edge":
        row, rows, columns = torch.tensor([0]), 1, 1
    elif name == "no edges":
        row, rows, columns = torch.zeros(0, dtype=torch.long), 3, 2
    else:
        row, rows, columns = torch.randint(0, 20, (150,), generator=draw), 20, 12
    column = torch.randint(0, columns, row.shape, generator=draw)
    column[: column.numel() // 2] = columns // 2
    return Layout.of(row.to(DEVICE), column.to(DEVICE), rows, columns)


LAYOUTS = ["one row", "long rows", "empty rows", "one edge each", "one edge", "no edges", "drawn"]


def primitives(layout: Layout, width: int) -> dict[str, tuple[Primitive, list[tuple[int, ...]]]]:
    """Each primitive on a layout, and the shapes that it takes."""
    rows, columns, edges = layout.rows, layout.columns, layout.edges
    return {
        "gather_sum": (lambda x: gather_sum(layout, x), [(columns, width)]),
        "weighted": (lambda x, weight: gather_sum(layout, x, weight), [(columns, width), (edges,)]),
        "max": (lambda x: gather_max(layout, x), [(columns, width)]),
        "weighted min": (lambda x, weight: gather_min(layout, x, weight), [(columns, width), (edges,)]),
        "edge_dot": (lambda left, right: edge_dot(layout, left, right), [(rows, width), (columns, width)]),
        "edge_scores": (lambda left, right: edge_scores(layout, left, right), [(rows,), (columns,)]),
        "softmax": (lambda score: segment_softmax(layout, 3 * score), [(edges,)]),
        "attention": (
            lambda x, left, right: additive_attention(layout, x, left, 3 * right, 0.2),
            [(columns, width), (rows,), (columns,)],
        ),
    }


PRIMITIVES = list(primitives(layout_of("drawn"), 3))


def drawn(shapes: list[tuple[int, ...]], dtype: torch.dtype = torch.float64) -> list[Tensor]:
    draw = torch.Generator().manual_seed(5)
    return [torch.randn(*shape, generator=draw, dtype=torch.float64).to(DEVICE, dtype) for shape in shapes]


def computed(by: Implementation, primitive: Primitive, given: list[Tensor]) -> list[Tensor]:
    """What a primitive gives, and its gradients."""
    values = [item.detach().requires_grad_() for item in given]
    with use_implementation(by):
        made = primitive(*values)
    arriving = torch.linspace(-1, 2, made.numel(), dtype=torch.float64).view(made.shape)
    found = torch.autograd.grad(made, values, arriving.to(made), allow_unused=True)
    return [
        made.detach(),
        *[torch.zeros_like(x) if item is None else item for item, x in zip(found, values, strict=True)],
    ]


def same(found: list[Tensor], wanted: list[Tensor], size: float) -> None:
    """Equal but for rounding, measured by the largest number there is."""
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        most = float(other.abs().max()) if other.numel() else 0.0
        torch.testing.assert_close(one.double(), other.double(), rtol=0, atol=size * max(most, 1.0))


@pytest.mark.parametrize("name", PRIMITIVES)
@pytest.mark.parametrize("graph", LAYOUTS)
@pytest.mark.parametrize("by", OURS)
def test_equals_plain_torch(by: Implementation, graph: str, name: str) -> None:
    layout = layout_of(graph)
    for width in (5,) if layout.edges > 1000 else (1, 40):
        primitive, shapes = primitives(layout, width)[name]
        given = drawn(shapes)
        same(computed(by, primitive, given), computed("torch", primitive, given), SIZES["torch.float64"])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", PRIMITIVES)
@NEEDS_TRITON
def test_lower_precision_is_added_up_in_single(name: str, dtype: torch.dtype) -> None:
    primitive, shapes = primitives(layout_of("drawn"), 7)[name]
    given = drawn(shapes, dtype)
    exact = computed("torch", primitive, [item.double() for item in given])
    found = computed("triton", primitive, given)
    assert found[0].dtype == dtype
    same(found, exact, SIZES[str(dtype)])


@NEEDS_TRITON
def test_weights_and_scores_may_be_of_another_precision() -> None:
    layout = layout_of("drawn")
    for name in ("weighted", "attention"):
        primitive, shapes = primitives(layout, 6)[name]
        given = drawn(shapes, torch.float32)
        given[0] = given[0].bfloat16()
        found = computed("triton", primitive, given)
        assert [item.dtype for item in found] == [torch.bfloat16, *[item.dtype for item in given]]
        same(found, computed("torch", primitive, [item.double() for item in given]), SIZES["torch.bfloat16"])


@pytest.mark.parametrize("name", PRIMITIVES)
@pytest.mark.parametrize("by", OURS)
def test_gradcheck(by: Implementation, name: str) -> None:
    primitive, shapes = primitives(layout_of("empty rows"), 2)[name]
    given = [item.requires_grad_() for item in drawn(shapes)]
    with use_implementation(by):
        assert torch.autograd.gradcheck(primitive, given)


@pytest.mark.parametrize("name", PRIMITIVES)
@pytest.mark.parametrize("by", OURS)
def test_values_that_lie_apart(by: Implementation, name: str) -> None:
    primitive, shapes = primitives(layout_of("drawn"), 6)[name]
    given = drawn(shapes)
    wanted = computed("torch", primitive, given)
    transposed = [item.t().contiguous().t() if item.dim() == 2 else item for item in given]
    sliced = [torch.cat([item, item], -1)[..., : item.size(-1)] for item in given]
    strided = [torch.stack([item, item], -1)[..., 0] for item in given]
    for apart in (transposed, sliced, strided):
        same(computed(by, primitive, apart), wanted, SIZES["torch.float64"])
    expanded = [item[:1].expand_as(item) for item in given]
    same(
        computed(by, primitive, expanded),
        computed("torch", primitive, [item.contiguous() for item in expanded]),
        SIZES["torch.float64"],
    )


@pytest.mark.parametrize("name", PRIMITIVES)
@pytest.mark.parametrize("by", OURS)
def test_layouts_too_large_for_32_bits(by: Implementation, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    primitive, shapes = primitives(layout_of("drawn"), 3)[name]
    given = drawn(shapes)
    wanted = computed("torch", primitive, given)
    monkeypatch.setattr(layouts, "_FITS", 100)
    layout = layout_of("drawn")
    assert layout.pointer.dtype == layout.column.dtype == layout.back.order.dtype == torch.int64
    primitive, _ = primitives(layout, 3)[name]
    same(computed(by, primitive, given), wanted, SIZES["torch.float64"])


@pytest.mark.parametrize("by", OURS)
@pytest.mark.parametrize("heads", [2, 3])
def test_heads_are_rows(by: Implementation, heads: int) -> None:
    layout = layout_of("drawn").heads(heads)
    primitive, shapes = primitives(layout, 4)["attention"]
    given = drawn(shapes)
    same(computed(by, primitive, given), computed("torch", primitive, given), SIZES["torch.float64"])


@pytest.mark.parametrize("by", OURS)
@pytest.mark.parametrize("bounds", [[0, 4, 4, 9], [0, 70, 90], [0, 0, 9], [0, 9], [0, 0]])
def test_grouped_products(by: Implementation, bounds: list[int]) -> None:
    def product(x: Tensor, weight: Tensor) -> Tensor:
        return grouped_linear(x, weight, bounds)

    for width_in, width_out in ((5, 3), (70, 33), (1, 1)):
        given = drawn([(bounds[-1], width_in), (len(bounds) - 1, width_out, width_in)])
        apart = [given[0].t().contiguous().t(), given[1].transpose(1, 2).contiguous().transpose(1, 2)]
        wanted = computed("torch", product, given)
        same(computed(by, product, given), wanted, SIZES["torch.float64"])
        same(computed(by, product, apart), wanted, SIZES["torch.float64"])
    given = [item.requires_grad_() for item in drawn([(bounds[-1], 2), (len(bounds) - 1, 3, 2)])]
    with use_implementation(by):
        assert torch.autograd.gradcheck(product, given)


@NEEDS_TRITON
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_grouped_products_of_lower_precision(dtype: torch.dtype) -> None:
    given = drawn([(30, 20), (3, 10, 20)], dtype)

    def product(x: Tensor, weight: Tensor) -> Tensor:
        return grouped_linear(x, weight, [0, 4, 20, 30])

    exact = computed("torch", product, [item.double() for item in given])
    same(computed("triton", product, given), exact, SIZES[str(dtype)])


@NEEDS_TRITON
def test_slices_of_many_rows_are_products_of_their_own() -> None:
    from graphdsl.kernels.triton.grouped import serves

    assert [serves(torch.ones(9, 2), bounds) for bounds in ((0, 9), (0, 4, 9), (0, 4, 9000))] == [False, True, False]


@pytest.mark.parametrize("graph", ["drawn", "long rows"])
@pytest.mark.parametrize("name", ["max", "weighted min"])
@pytest.mark.parametrize("by", OURS)
def test_extremes_that_several_edges_have(by: Implementation, name: str, graph: str) -> None:
    primitive, shapes = primitives(layout_of(graph), 6)[name]
    given = [item.round().clamp(-1, 1) for item in drawn(shapes)]
    same(computed(by, primitive, given), computed("torch", primitive, given), SIZES["torch.float64"])


@NEEDS_TRITON
def test_an_extreme_of_what_is_no_number_is_none() -> None:
    layout = layout_of("drawn")
    (x,) = drawn([(layout.columns, 3)])
    x[4, 1] = torch.nan
    with use_implementation("torch"):
        wanted = gather_max(layout, x)
    assert wanted.isnan().any()
    with use_implementation("triton"):
        torch.testing.assert_close(gather_max(layout, x), wanted, equal_nan=True)


@NEEDS_TRITON
def test_attention_of_rows_wider_than_a_program_holds() -> None:
    primitive, shapes = primitives(layout_of("empty rows"), 600)["attention"]
    given = drawn(shapes)
    same(computed("triton", primitive, given), computed("torch", primitive, given), SIZES["torch.float64"])


@NEEDS_TRITON
def test_attention_of_large_scores() -> None:
    layout = layout_of("long rows")
    given = drawn([(layout.columns, 4), (layout.rows,), (layout.columns,)], torch.float32)
    given[2] = 500 * given[2]
    found = computed("triton", lambda *of: additive_attention(layout, *of, 0.2), given)
    assert all(item.isfinite().all() for item in found)
    exact = computed("torch", lambda *of: additive_attention(layout, *of, 0.2), [item.double() for item in given])
    same(found, exact, 1e-4)


@NEEDS_TRITON
def test_more_programs_than_a_gpu_starts_are_refused() -> None:
    from graphdsl.kernels.triton.blocks import checked_grid

    assert checked_grid((1 << 31) - 1, 2) == ((1 << 31) - 1, 2)
    with pytest.raises(ValueError, match="at most 2147483647 times 65535"):
        checked_grid(1 << 31)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@NEEDS_TRITON
def test_kernels_compile_for_a_gpu(dtype: str, tmp_path: Path) -> None:
    script = Path(__file__).with_name("compile_kernels.py")
    root = str(script.parents[2])
    variables = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path), "PYTHONPATH": root, "TRITON_INTERPRET": "0"}
    made = subprocess.run([sys.executable, script, dtype], env=variables, check=True, capture_output=True, text=True)
    kernels = "".join(path.read_text() for path in (script.parents[2] / "graphdsl/kernels/triton").glob("*.py"))
    assert made.stdout.split() == sorted(re.findall(r"@triton.jit\ndef (\w+)", kernels))


def test_gradients_are_of_the_implementation_that_made_the_result() -> None:
    layout = layout_of("drawn")
    x = torch.ones(12, 2, device=DEVICE, requires_grad=True)
    with use_implementation("torch"):
        made = gather_sum(layout, x.square())
    (first,) = torch.autograd.grad(made.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)  # Only torch's own gradients have gradients.
    torch.testing.assert_close(second, first.detach())
    with use_implementation("cpu"):
        made = gather_sum(layout, x)
    node: Any = made.grad_fn
    assert node.by == "cpu"


def test_the_device_decides_unless_somebody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(implementations.VARIABLE, raising=False)
    here, elsewhere = torch.zeros(1), torch.zeros(1, device="meta")
    assert (implementation_of(here), implementation_of(elsewhere)) == ("cpu", "torch")
    assert describe(torch.device("cpu")) == "cpu"
    monkeypatch.setenv(implementations.VARIABLE, "torch")
    assert implementation_of(here) == "torch"
    assert describe(torch.device("cpu")) == "torch (asked for)"
    with use_implementation("cpu"):
        assert implementation_of(here) == "cpu"
        with use_implementation("torch"):
            assert implementation_of(here) == "torch"
        assert implementation_of(here) == "cpu"
    monkeypatch.setenv(implementations.VARIABLE, "numba")
    with pytest.raises(ValueError, match=r"`GRAPHDSL_KERNELS` is one of torch, cpu, triton \(got 'numba'\)"):
        implementation_of(here)
    with pytest.raises(ValueError, match="implementation is one of torch, cpu, triton"), use_implementation("fast"):  # type: ignore[arg-type]
        pass
    assert IMPLEMENTATIONS == ("torch", "cpu", "triton")


@NEEDS_TRITON
def test_triton_on_a_cpu_asks_for_its_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    with use_implementation("triton"):
        monkeypatch.setenv("TRITON_INTERPRET", "1")
        assert implementation_of(torch.zeros(1)) == "triton"
        assert describe(torch.device("cpu")) == "triton (asked for)"
        assert implementation_of(torch.zeros(1, dtype=torch.complex64)) == "torch"
        monkeypatch.delenv("TRITON_INTERPRET")
        with pytest.raises(RuntimeError, match=r"run on a GPU, and these values are on `cpu`.*TRITON_INTERPRET=1"):
            implementation_of(torch.zeros(1))


def test_triton_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implementations, "has_triton", lambda: False)
    with use_implementation("triton"), pytest.raises(RuntimeError, match="not installed: `pip install triton`"):
        implementation_of(torch.zeros(1))


def test_triton_is_imported_only_where_it_computes() -> None:
    code = """
import sys, torch
from graphdsl.kernels import implementation_of
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.layouts import Layout
gather_sum(Layout.of(torch.tensor([0]), torch.tensor([0]), 1, 1), torch.ones(1, 1))
assert "graphdsl.kernels.triton" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
