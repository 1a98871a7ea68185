"""Kernels on a GPU: first whether each is right, then how fast it is, then whole models beside plain PyG.

`PYTHONPATH=. python tests/bench/gpu.py --json gpu.json` on a machine with a GPU takes at most `--minutes` (default: 8). Without
one, `TRITON_INTERPRET=1 PYTHONPATH=. python tests/bench/gpu.py --tiny` runs the same on a CPU, for a look at the script.

Right: results and gradients against plain torch in double precision, by the norm of the difference over that of the result;
where plain torch in the same precision is far off too, twice as far will do.
Fast: the median of runs between events; the share is the bytes that must be moved (every row that an edge leads from, every
result once) over the time, as a part of what a copy moves. Where rows stay in the cache of the device, it may exceed one.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graphdsl.benching.cases import Request, measure_shape, versions
from graphdsl.benching.measuring import Budget
from graphdsl.benching.records import Cell
from graphdsl.benching.roofline import bandwidth
from graphdsl.benching.shapes import NAMES
from graphdsl.benching.specs import MODELS, why_not
from graphdsl.kernels import use_implementation
from graphdsl.kernels.attending import additive_attention
from graphdsl.kernels.extremes import gather_max
from graphdsl.kernels.gathering import edge_dot, gather_sum
from graphdsl.kernels.grouped import grouped_linear
from graphdsl.kernels.implementations import Implementation
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.normalizing import segment_softmax

LIMITS = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 2e-2, torch.float16: 3e-3}
Primitive = Callable[..., Tensor]


@dataclass(frozen=True)
class Work:
    """A primitive on a graph.

    Attributes:
        name: of it.
        primitive: computes it.
        shapes: of what it is given.
        numbers: that it must read and write, forwards.
        indices: of four bytes that it must read.
        width: columns.
    """

    name: str
    primitive: Primitive
    shapes: list[tuple[int, ...]]
    numbers: int
    indices: int
    width: int


def works(layout: Layout, width: int) -> Iterator[Work]:
    """Every primitive on a layout."""
    rows, columns, edges = layout.rows, layout.columns, layout.edges
    table, out = (columns, width), rows * width
    each = edges * width
    yield Work("gather_sum", lambda x: gather_sum(layout, x), [table], each + out, edges + rows, width)
    yield Work(
        "gather_sum, weighted",
        lambda x, weight: gather_sum(layout, x, weight),
        [table, (edges,)],
        each + edges + out,
        edges + rows,
        width,
    )
    yield Work("gather_max", lambda x: gather_max(layout, x), [table], each + out, edges + rows, width)
    yield Work(
        "edge_dot", lambda left, right: edge_dot(layout, left, right), [(rows, width), table], each + edges + out,
        edges + rows, width,
    )  # fmt: skip
    yield Work("segment_softmax", lambda score: segment_softmax(layout, score), [(edges,)], 2 * edges, rows, 1)
    yield Work(
        "additive_attention",
        lambda x, left, right: additive_attention(layout, x, left, right, 0.2),
        [table, (rows,), (columns,)],
        each + edges + out,
        edges + rows,
        width,
    )
    groups = min(64, rows // 8)
    bounds = [rows * group // groups for group in range(groups + 1)]
    yield Work(
        f"grouped_linear, {groups} groups",
        lambda x, weight: grouped_linear(x, weight, bounds),
        [(rows, width), (groups, width, width)],
        2 * out + groups * width * width,
        0,
        width,
    )


def draw_layout(rows: int, columns: int, edges: int, skew: float, device: torch.device, seed: int) -> Layout:
    """A graph; at skew g a row's share of edges falls with its rank r as r ** (1 / g - 1)."""
    draw = torch.Generator(device).manual_seed(seed)
    ends = torch.rand(edges, generator=draw, device=device, dtype=torch.float64).pow(skew).mul(rows).long()
    sources = torch.randint(columns, (edges,), generator=draw, device=device)
    return Layout.of(ends.clamp(max=rows - 1), sources, rows, columns)


def drawn(work: Work, dtype: torch.dtype, device: torch.device, seed: int) -> list[Tensor]:
    """What a primitive is given."""
    draw = torch.Generator(device).manual_seed(seed)
    return [torch.randn(*shape, generator=draw, device=device).to(dtype).requires_grad_() for shape in work.shapes]


def computed(work: Work, given: list[Tensor], by: Implementation) -> list[Tensor]:
    """Result and gradients."""
    with use_implementation(by):
        made = work.primitive(*given)
    arriving = torch.linspace(-1, 2, made.numel(), dtype=torch.float64, device=made.device).view(made.shape)
    return [made.detach(), *torch.autograd.grad(made, given, arriving.to(made))]


def check(device: torch.device, tiny: bool) -> list[dict[str, Any]]:
    """Whether each primitive is right."""
    found: list[dict[str, Any]] = []
    graphs = {"uniform": (3000, 2000, 40_000, 1.0), "skewed, long rows": (3000, 2000, 60_000, 6.0)}
    if tiny:
        graphs = {"uniform": (20, 30, 100, 1.0)}
    for graph, (rows, columns, edges, skew) in graphs.items():
        layout = draw_layout(rows, columns, edges, skew, device, 1)
        for width in (48,) if tiny else (1, 16, 100, 128):
            for work in works(layout, width):
                for dtype, limit in LIMITS.items():
                    given = drawn(work, dtype, device, 2)
                    exact = computed(work, [x.detach().double().requires_grad_() for x in given], "torch")
                    made = computed(work, given, "triton")
                    errors = [_error(one, other) for one, other in zip(made, exact, strict=True)]
                    rounding = [_error(*both) for both in zip(computed(work, given, "torch"), exact, strict=True)]
                    right = all(
                        error <= max(limit, 2 * usual) for error, usual in zip(errors, rounding, strict=True)
                    )  # NaN is not.
                    found.append({
                        "primitive": work.name, "graph": graph, "width": width, "dtype": str(dtype)[6:],
                        "errors": errors, "right": right,
                    })  # fmt: skip
                    if not right:
                        print("WRONG", found[-1])
    return found


def _error(made: Tensor, exact: Tensor) -> float:
    size = float(exact.norm())
    return float((made.double() - exact).norm()) / size if size else float(made.double().norm())


def seconds_of(work: Callable[[], object], device: torch.device, most: float) -> float:
    """The median time of a call."""
    work()
    runs: list[float] = []
    begun = time.perf_counter()
    while len(runs) < 3 or (len(runs) < 30 and time.perf_counter() - begun < most):
        if device.type == "cuda":
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record()
            work()
            end.record()
            end.synchronize()
            runs.append(start.elapsed_time(end) / 1e3)
        else:
            start_at = time.perf_counter()
            work()
            runs.append(time.perf_counter() - start_at)
    return statistics.median(runs)


def time_primitives(device: torch.device, speed: float, tiny: bool, until: float) -> list[dict[str, Any]]:
    """How fast each primitive is, in each implementation."""
    found: list[dict[str, Any]] = []
    graphs = {
        "10 M edges": (1_000_000, 1_000_000, 10_000_000, 1.0),
        "10 M, skewed": (1_000_000, 1_000_000, 10_000_000, 4.0),
    }
    if tiny:
        graphs = {"tiny": (20, 30, 100, 1.0)}
    print(f"\n{'primitive':26} {'graph':14} {'width':>5} {'dtype':>8} {'by':>6}  forward  share     step")
    for graph, sizes in graphs.items():
        layout = draw_layout(*sizes, device, 1)
        _ = layout.back
        for width, dtype in ((8, torch.float32),) if tiny else ((64, torch.float32), (128, torch.bfloat16)):
            for work in works(layout, width):
                for by in ("triton", "cpu", "torch"):
                    if time.perf_counter() > until:
                        print("no time is left for further primitives")
                        return found
                    found.append(_timed(work, graph, dtype, by, device, speed))
        del layout
    return found


def _timed(
    work: Work, graph: str, dtype: torch.dtype, by: Implementation, device: torch.device, speed: float
) -> dict[str, Any]:
    given = drawn(work, dtype, device, 3)
    plain = [item.detach() for item in given]
    line: dict[str, Any] = {
        "primitive": work.name, "graph": graph, "width": work.width, "dtype": str(dtype)[6:], "by": by,
    }  # fmt: skip
    least = work.numbers * given[0].element_size() + 4 * work.indices
    try:
        with use_implementation(by):
            line["forward"] = seconds_of(lambda: work.primitive(*plain), device, 0.3)
            made = work.primitive(*given)
            arriving = torch.randn_like(made)
            line["step"] = seconds_of(lambda: torch.autograd.grad(work.primitive(*given), given, arriving), device, 0.5)
        line["share"] = least / line["forward"] / speed
    except (RuntimeError, ValueError) as error:  # An implementation that does not run here is a finding, not the end.
        line["refused"] = str(error).splitlines()[0]
    shown = line.get("refused") or f"{_ms(line['forward'])} {line['share']:6.0%} {_ms(line['step'])}"
    print(f"{work.name:26} {graph:14} {work.width:5} {line['dtype']:>8} {by:>6} {shown}", flush=True)
    return line


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:8.3f}"


def time_models(device: torch.device, speed: float, tiny: bool, until: float) -> list[Cell]:
    """Models beside plain PyG, as `gnn bench --device cuda` measures them."""
    budget = Budget(repeats=5, seconds=10.0, memory=100 << 30 if device.type == "cuda" else None)
    request = Request("fused", ("pyg", "idiom"), device, budget, 0, speed if device.type == "cuda" else None)
    cells: list[Cell] = []
    print(f"\n{'graph':8} {'model':8}  forward     step  times as fast as pyg, idiom       share   differ")
    for shape in ("tiny",) if tiny else ("mag", "aifb", "am", "acm"):
        for model in ("sage", "gat") if tiny else MODELS:
            if time.perf_counter() > until:
                print("no time is left for further models")
                return cells
            if why_not(NAMES[shape], model):
                continue
            cell = measure_shape(NAMES[shape], model, request, lambda said: None)
            cells.append(cell)
            ratios = [f"{_times(cell, name, 'forward')}/{_times(cell, name, 'step')}" for name in request.against]
            share = cell.ours.shares.get("forward")
            print(
                f"{shape:8} {model:8} {_ms(cell.ours.seconds('forward') or float('nan'))} "
                f"{_ms(cell.ours.seconds('step') or float('nan'))}  {'  '.join(ratios):30} "
                f"{'–' if share is None else f'{share:6.0%}'}   {_difference(cell)}",
                flush=True,
            )
    return cells


def _times(cell: Cell, name: str, kind: Any) -> str:
    ratio = cell.ratio(name, kind)
    return "–" if ratio is None else f"{ratio:.2f}"


def _difference(cell: Cell) -> str:
    known = [value for other in cell.others for value in (other.outputs, other.gradients) if value is not None]
    return f"{max(known):.0e}" if known else "–"


def main() -> int:
    """Check, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where to write what was found")
    parser.add_argument("--minutes", type=float, default=8.0, help="that it may take")
    parser.add_argument("--tiny", action="store_true", help="small graphs, to try the script")
    chosen = parser.parse_args()
    begun = time.perf_counter()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu, Triton interpreted"
    speed = bandwidth(device)
    known = versions()
    print(where, ", ".join(f"{name} {version}" for name, version in known.items()), f"copy {speed / 1e9:.0f} GB/s")
    marks = [begun + 60 * chosen.minutes * part for part in (0.0, 0.4, 0.9)]
    checks = check(device, chosen.tiny)
    wrong = [item for item in checks if not item["right"]]
    print(f"right: {len(checks) - len(wrong)} of {len(checks)} checks")
    result: dict[str, Any] = {"device": where, "versions": known, "copy": speed, "checks": checks}
    steps = {"primitives": time_primitives, "models": time_models}
    for (name, step), (_, until) in zip(steps.items(), pairwise(marks), strict=True):
        made = step(device, speed, chosen.tiny, until)
        result[name] = [item if isinstance(item, dict) else asdict(item) for item in made]
        if chosen.json is not None:
            chosen.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(f"{time.perf_counter() - begun:.0f} s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
