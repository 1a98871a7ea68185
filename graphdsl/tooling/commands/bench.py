"""`gnn bench`: how fast a backend is beside plain PyG."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdsl.api import load
from graphdsl.benching.records import Cell, Setting, to_plain
from graphdsl.benching.shapes import NAMES, SCALES, SHAPES, TINY, Shape, scaled
from graphdsl.benching.specs import MODELS
from graphdsl.text import Diagnostic, SpecError, did_you_mean, listing, report
from graphdsl.text.rewriting import write_bytes
from graphdsl.tooling.arguments import add_format, add_plugins, parameters, whole_number
from graphdsl.tooling.output import CLEAN, FINDINGS, INTERRUPTED, MISUSE, print_findings
from graphdsl.tooling.running import check_data, open_data

if TYPE_CHECKING:
    from graphdsl.benching.cases import Request

_BASELINES = ("pyg", "idiom", "compile")
_OWN_BASELINES = ("pyg", "program", "compile")
_SAID = f"""Measure a backend beside plain PyG: the same weights, outputs and gradients compared, runs in turn, medians.
With SPEC, your own model on your own data; without, models of ours on graphs that are drawn:
{"; ".join(f"{shape.name}, {shape.about}" for shape in SHAPES)}. To try the command: {", ".join(it.name for it in TINY)}."""
_TOLERANCE = 1e-3
"""Largest difference of outputs that rounding explains."""
_KINK = 0.05
"""The same of gradients: a value that rounding puts on the other side of a ReLU's kink changes them by a step."""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("bench", help="measure how fast models run beside plain PyG", description=_SAID)
    parser.add_argument("spec", nargs="?", help="a `.gnn` file: measure its model")
    parser.add_argument("data", nargs="?", help="its data, as of `gnn train`; otherwise those of the train block")
    parser.add_argument("--shape", nargs="+", metavar="GRAPH", default=[], help="graphs; otherwise all five")
    said = f"models, of {', '.join(MODELS)}; otherwise all. With SPEC: the model, where it has several"
    parser.add_argument("--model", nargs="+", metavar="NAME", default=[], help=said)
    said = "pyg = our reference backend, idiom = written by hand in plain PyG, compile = that behind torch.compile"
    said += "; with SPEC also program = what `gnn build` writes"
    parser.add_argument("--against", nargs="+", metavar="BASELINE", default=[], help=said)
    parser.add_argument("--backend", metavar="NAME", help="ours; otherwise fused")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute")
    parser.add_argument(
        "--threads", type=whole_number, metavar="N", help="of torch on a CPU; otherwise as torch decides"
    )
    parser.add_argument("--repeats", type=whole_number, default=7, metavar="K", help="most runs of each (default: 7)")
    said = "a step that takes longer is given up; no more runs of a cell are begun after it (default: 30)"
    parser.add_argument("--seconds", type=_seconds, default=30.0, metavar="S", help=said)
    said = "what a step may take on a CPU; otherwise four fifths of what is free"
    parser.add_argument("--memory", type=_seconds, metavar="GIB", help=said)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of graphs and weights")
    parser.add_argument("--params", metavar="FILE", help="with SPEC: YAML file with values for the model's parameters")
    said = "with SPEC: a value for a parameter; wins over --params"
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help=said)
    said = f"models (sage) on graphs of up to {SCALES['edges'][-1]:,} edges or {SCALES['relations'][-1]:,} relations"
    parser.add_argument("--scale", choices=tuple(SCALES), help=said)
    parser.add_argument("--svg", metavar="FILE", help="with --scale: draw times and memory over sizes")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured, after each cell")
    add_format(parser)
    add_plugins(parser)
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"`{text}` is not a number above 0")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Measure cell by cell, print and write what there is."""
    if misuse := _misuse(arguments):
        print(f"gnn bench: {misuse}", file=sys.stderr)
        return MISUSE
    _refuse_unwritable("--json", arguments.json)
    _refuse_unwritable("--svg", arguments.svg)
    if arguments.spec is not None:
        return _run_own(arguments)
    shapes = _shapes(arguments)
    models = _chosen(arguments.model, "--model", "models", MODELS) or list(MODELS[:1] if arguments.scale else MODELS)
    request = _request(arguments, _BASELINES)
    from graphdsl.benching.cases import measure_shape

    pairs = [(shape, model) for shape in shapes for model in models]
    works = [
        (f"{shape.name} {model}", lambda tell, shape=shape, model=model: measure_shape(shape, model, request, tell))
        for shape, model in pairs
    ]
    return _measure(works, [shape.name for shape in shapes], request, arguments)


def _shapes(arguments: argparse.Namespace) -> list[Shape]:
    """The graphs to draw."""
    if arguments.scale is not None:
        return [scaled(arguments.scale, size) for size in SCALES[arguments.scale]]
    chosen = _chosen(arguments.shape, "--shape", "graphs", NAMES)
    return [NAMES[name] for name in chosen] if chosen else list(SHAPES)


def _misuse(arguments: argparse.Namespace) -> str:
    """What is wrong with the combination of options, if anything."""
    if arguments.spec is None and (arguments.params or arguments.set):
        return "`--params` and `--set` are for the model of a SPEC"
    if arguments.scale is not None and (arguments.spec is not None or arguments.shape):
        return "`--scale` draws graphs of its own: it goes with neither a SPEC nor `--shape`"
    if arguments.svg is not None and arguments.scale is None:
        return "`--svg` draws how cost grows: it needs `--scale`"
    if arguments.spec is not None and arguments.shape:
        return "`--shape` draws a graph, and a SPEC is measured on its own data"
    if arguments.spec is not None and len(arguments.model) > 1:
        return "of a SPEC, one model is measured at a time"
    return ""


def _run_own(arguments: argparse.Namespace) -> int:
    """Measure the user's model."""
    spec = load(arguments.spec)
    name = spec.model(arguments.model[0] if arguments.model else None).name
    values = parameters(arguments)
    plan = spec.plan(name, **values)  # Before the data is loaded, which may take long.
    request = _request(arguments, _OWN_BASELINES)
    from graphdsl.benching.own import measure_own, refuse_unmeasured
    from graphdsl.data import parse_source
    from graphdsl.tooling.bench_table import heading, notes, own_report, terminal_width

    refuse_unmeasured(plan)
    source = parse_source(arguments.data, Path()) if arguments.data else spec.training(name).data
    with _printing(1) as (put, tell):
        setting = _setting(request)
        put(*heading(setting, terminal_width()))
        tell("loading data", 0)
        data = open_data(source, spec.schema(name), arguments.spec)
        check_data(spec, data, name)
        cell = measure_own(spec, name, data, values, request, lambda said: tell(said, 0))
        put(*own_report(cell), *notes([cell], terminal_width()))
    _write(arguments, setting, [cell])
    code = CLEAN if cell.ours.seconds("forward") is not None else FINDINGS
    return max(code, _judge([cell], setting, arguments.format))


Work = tuple[str, Callable[[Callable[[str], None]], Cell]]


def _measure(works: Sequence[Work], shapes: Sequence[str], request: "Request", arguments: argparse.Namespace) -> int:
    from graphdsl.tooling.bench_table import BenchTable, heading, legend, notes, terminal_width

    setting = _setting(request)
    width = terminal_width()
    table = BenchTable(request.against, shapes, width, setting.bandwidth is not None)
    cells: list[Cell] = []
    code = CLEAN
    with _printing(len(works)) as (put, tell):
        put(*heading(setting, width), *table.header())
        try:
            for name, work in works:
                tell(name, len(cells))
                cell = work(lambda said, name=name: tell(f"{name}: {said}", len(cells)))
                cells.append(cell)
                put(table.line(cell))
                _write(arguments, setting, cells)
        except KeyboardInterrupt:
            code = INTERRUPTED
            put(f"interrupted: {len(cells)} of {len(works)} cells")
            _write(arguments, setting, cells)  # The last one may have been measured and not written.
        if (mean := table.mean(cells)) is not None:
            put(mean)
        put(*legend(setting, width), *notes(cells, width))
    return max(code, _judge(cells, setting, arguments.format))


def _judge(cells: Sequence[Cell], setting: Setting, style: str) -> int:
    """The exit code, by whether the numbers are the same."""
    found = _differing(cells, setting)
    return print_findings(found, style, stream=sys.stderr) if found else CLEAN


def _chosen(given: Sequence[str], option: str, what: str, known: Iterable[str]) -> list[str]:
    """Names given with blanks or commas between them, each once.

    Raises:
        SpecError: GNN101 for one that does not exist.
    """
    names = list(dict.fromkeys(name for text in given for name in text.split(",") if name))
    for name in names:
        if name not in known:
            helps = did_you_mean(name, known)
            raise SpecError(
                [
                    report(
                        "GNN101",
                        f"there is no `{name}` to measure",
                        where=option,
                        helps=helps,
                        notes=listing(what, known),
                    )
                ]
            )
    return names


def _refuse_unwritable(option: str, name: str | None) -> None:
    """Before anything is measured."""
    if name is not None and not Path(name).absolute().parent.is_dir():
        message = f"cannot write `{name}`: there is no such folder"
        raise SpecError([report("GNN616", message, where=option, helps=("make the folder first",))])


def _request(arguments: argparse.Namespace, known: Sequence[str]) -> "Request":
    """What to measure with; `known` are the baselines that there are.

    Raises:
        SpecError: a backend, baseline or device that is not there.
    """
    import torch

    from graphdsl.backends import BACKENDS
    from graphdsl.benching.cases import Request, require_compiler, usual_backend, usual_baselines
    from graphdsl.benching.measuring import Budget
    from graphdsl.benching.roofline import bandwidth

    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise SpecError([report("GNN204", "this machine has no GPU that torch can use", where="--device")])
    given = [arguments.backend] if arguments.backend else []
    backend = (_chosen(given, "--backend", "backends", tuple(BACKENDS)) or [usual_backend()])[0]
    against = _chosen(arguments.against, "--against", "baselines", known) or usual_baselines(backend, known[1])
    device = torch.device(arguments.device)
    if "compile" in against:
        require_compiler(device)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    memory = None if arguments.memory is None else int(arguments.memory * 2**30)
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter  # Of one thread, others on the machine take nothing.
    budget = Budget(arguments.repeats, arguments.seconds, memory, clock)
    speed = bandwidth(device) if device.type == "cuda" else None
    return Request(backend, tuple(against), device, budget, arguments.seed, speed)


def _setting(request: "Request") -> Setting:
    import torch

    from graphdsl.benching.cases import REFERENCE, versions
    from graphdsl.kernels.implementations import describe

    gpu = request.device.type == "cuda"
    return Setting(
        backend=request.backend,
        against=request.against,
        device=torch.cuda.get_device_name(request.device) if gpu else "cpu",
        threads=torch.get_num_threads(),
        clock="processor" if request.budget.clock is time.process_time else "wall",
        seed=request.seed,
        repeats=request.budget.repeats,
        seconds=request.budget.seconds,
        versions=versions(),
        bandwidth=request.bandwidth,
        kernels="" if request.backend == REFERENCE else describe(request.device),
    )


@contextmanager
def _printing(total: int) -> "Iterator[tuple[Callable[..., None], Callable[[str, int], None]]]":
    """How to put lines on standard output, and how to tell what goes on: below them in a terminal, nowhere in a pipe."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console()
    shown = console if console.is_terminal else Console(stderr=True)

    def put(*lines: Any) -> None:
        for line in lines:
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        console.file.flush()

    columns = (BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield put, lambda said, done: progress.update(task, description=said, completed=done)


def _write(arguments: argparse.Namespace, setting: Setting, cells: Sequence[Cell]) -> None:
    """Everything as JSON, and the plot: each file whole or not at all.

    Raises:
        SpecError: GNN616 when one cannot be written.
    """
    texts: dict[str, str] = {}
    if arguments.json is not None:
        plain = _finite(to_plain(setting, cells))
        texts[arguments.json] = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if arguments.svg is not None:
        from graphdsl.tooling.bench_plot import plot

        texts[arguments.svg] = plot(arguments.scale, setting, cells)
    refused = [found for name, text in texts.items() if (found := write_bytes(name, text.encode())) is not None]
    if refused:
        raise SpecError(refused)


def _finite(value: Any) -> Any:
    """NaN and infinities become null."""
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _differing(cells: Sequence[Cell], setting: Setting) -> list[Diagnostic]:
    """GNN685 for each cell whose numbers are not those of a baseline."""
    found: list[Diagnostic] = []
    for cell in cells:
        for other in cell.others:
            gap = other.difference()
            if gap is None or ((other.outputs or 0.0) <= _TOLERANCE and (other.gradients or 0.0) <= _KINK):
                continue
            message = f"`{setting.backend}` and `{other.name}` differ by {gap:.1e} in model `{cell.model}`"
            helps = ('this is a defect of graphdsl: please report it; `backend="pyg"` is right meanwhile',)
            found.append(report("GNN685", message, where=cell.shape, helps=helps))
    return found
