"""Cells of the table of `gnn bench`: a model on a graph, ours and the baselines made ready and measured."""

import importlib.metadata
import importlib.util
import platform
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from torch.utils._pytree import tree_map
from torch_geometric.data import HeteroData

from graphdsl.api import Spec, loads
from graphdsl.backends import BACKENDS
from graphdsl.backends.derivation import with_pairs
from graphdsl.benching.contenders import Contender, compiled_by_torch, load_weights
from graphdsl.benching.graphs import draw_graph, example_folder
from graphdsl.benching.idioms import build_idiom, idiom_inputs, own_name
from graphdsl.benching.measuring import Budget, Tell, measure
from graphdsl.benching.records import PASSES, Cell, Measured
from graphdsl.benching.roofline import least_bytes
from graphdsl.benching.shapes import Shape
from graphdsl.benching.specs import spec_text, why_not
from graphdsl.data import batch_inputs, load_source, parse_source
from graphdsl.plan import Plan
from graphdsl.text import SpecError, report

REFERENCE: Final = "pyg"
IDIOM: Final = "idiom"
COMPILED: Final = "compile"
BASELINES: Final = (REFERENCE, IDIOM, COMPILED)
"""What to compare with: our reference backend, the same model written by hand in PyG, and that behind `torch.compile`."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to measure each cell with.

    Attributes:
        backend: ours.
        against: baselines, of `BASELINES`.
        device: where to compute.
        budget: of a cell.
        seed: of graphs and weights.
        bandwidth: bytes a second that the device moves; None where it was not measured.
    """

    backend: str
    against: tuple[str, ...]
    device: torch.device
    budget: Budget
    seed: int = 0
    bandwidth: float | None = None


def usual_backend() -> str:
    """The backend that is measured unless another is named: kernels; `auto` leaves small graphs and first calls to PyG."""
    return "fused" if "fused" in BACKENDS else REFERENCE


def usual_baselines(backend: str, second: str = IDIOM) -> tuple[str, ...]:
    """The baselines of a backend: the reference does not run against itself."""
    return (second,) if backend == REFERENCE else (REFERENCE, second)


def require_compiler(device: torch.device) -> None:
    """Raise `SpecError` (GNN617) where `torch.compile` has nothing to compile with."""
    if device.type == "cuda" and importlib.util.find_spec("triton") is None:
        raise SpecError(
            [report("GNN617", "not installed: triton, with which torch compiles", where="--against compile")]
        )
    if device.type == "cpu" and not any(map(shutil.which, ("c++", "g++", "clang++", "cl"))):
        helps = ("install one, or leave `compile` out of `--against`",)
        raise SpecError([report("GNN617", "no C++ compiler is installed", where="--against compile", helps=helps)])


def open_graph(shape: Shape, spec: Spec, seed: int) -> Any:
    """The graph of a shape."""
    if not shape.stored:
        return draw_graph(shape, seed)
    return load_source(parse_source(str(example_folder(shape.stored) / "data"), Path()), spec.schema())


def measure_shape(shape: Shape, model: str, request: Request, tell: Tell) -> Cell:
    """Measure a model on a shape.

    Args:
        shape: the graph.
        model: one of `specs.MODELS`.
        request: what to measure with.
        tell: is told what is being done.
    """
    if reason := why_not(shape, model):
        return Cell(shape.name, model, reason)
    tell("drawing the graph")
    spec = loads(spec_text(shape, model), f"{shape.name} {model}")
    data = open_graph(shape, spec, request.seed)
    torch.manual_seed(request.seed)

    def build(backend: str) -> Contender:
        module = spec.compile(data=data, backend=backend)
        inputs = batch_inputs(data, module.plan, composed=backend == REFERENCE)
        return compiled(backend, module, inputs, request.device)

    tell("compiling")
    ours = build(request.backend)
    weights = ours.module.state_dict()
    others: list[Contender] = []
    for name in request.against:
        if name == REFERENCE:
            others.append(build(name))
            others[-1].module.load_state_dict(weights)
        else:
            idiom = next((item for item in others if item.name == IDIOM), None)
            idiom = idiom or _by_hand(shape, model, data, ours, request.device)
            others.append(idiom if name == IDIOM else compiled_baseline(idiom))
    return measured_cell((shape.name, model), ours, others, request, tell)


def compiled(backend: str, module: nn.Module, inputs: Mapping[str, Any], device: torch.device) -> Contender:
    """What a backend made, on a device."""
    return Contender(backend, module.to(device), tree_map(lambda item: _moved(item, device), dict(inputs)))


def compiled_baseline(contender: Contender) -> Contender:
    """A baseline behind `torch.compile`."""
    return compiled_by_torch(contender, COMPILED)


def _moved(item: Any, device: torch.device) -> Any:
    return item.to(device) if isinstance(item, torch.Tensor) else item


def _by_hand(shape: Shape, model: str, data: HeteroData, ours: Contender, device: torch.device) -> Contender:
    module = build_idiom(shape, model).to(device)
    load_weights(module, own_name, ours.module.state_dict())
    made: Any = ours.module
    inputs = with_pairs(made.plan, ours.inputs, made.input_names)
    return Contender(IDIOM, module, idiom_inputs(shape, model, data, inputs), own_name)


def measured_cell(
    names: tuple[str, str], ours: Contender, others: Sequence[Contender], request: Request, tell: Tell
) -> Cell:
    """Measure what is ready.

    Args:
        names: of the graph and of the model.
        ours: the backend.
        others: baselines.
        request: where, and how much may be spent.
        tell: is told what is being done.
    """
    given = ours.inputs
    single = {"": given["edge_index"]} if "edge_index" in given else {}
    edges = list(given.get("edge_index_dict", single).values())
    nodes = given.get("n_id_dict", {}) | given.get("x_dict", {"": given.get("x", ())})
    cell = Cell(*names, "", sum(map(len, nodes.values())), len(edges), sum(index.size(1) for index in edges))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"torch\.")  # What torch says while it compiles is for its developers.
        cell.ours, *cell.others = measure([ours, *others], request.device, request.budget, tell)
    if request.bandwidth is not None:
        cell.ours.shares = _shares(cell.ours, ours, request.bandwidth)
    return cell


def _shares(measured: Measured, ours: Contender, speed: float) -> dict[str, float]:
    """Which share of each pass's time the device needs to move what must be moved."""
    plan = ours.module.plan
    if not isinstance(plan, Plan) or plan.sequence is not None:
        return {}
    rows = {**ours.inputs.get("n_id_dict", {}), **ours.inputs.get("x_dict", {})}
    edges = {edge: index.size(1) for edge, index in ours.inputs.get("edge_index_dict", {}).items()}
    least = least_bytes(plan, ours.module, {name: len(item) for name, item in rows.items()}, edges)
    known = {kind: measured.seconds(kind) for kind in PASSES}
    return {kind: least[kind] / speed / seconds for kind, seconds in known.items() if seconds}


def versions() -> dict[str, str]:
    """Versions of what decides how fast it is."""
    names = ("graphdsl", "torch", "torch_geometric", "triton", "numba")
    found: dict[str, str] = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


__all__ = [
    "BASELINES",
    "REFERENCE",
    "Request",
    "compiled",
    "compiled_baseline",
    "measure_shape",
    "measured_cell",
    "open_graph",
    "require_compiler",
    "usual_backend",
    "usual_baselines",
    "versions",
]
