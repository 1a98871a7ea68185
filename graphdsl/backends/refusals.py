"""Why torch does not take a model as one graph: which layer, which line of Python, which line of the spec."""

import linecache
import re
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import Any, Final

from graphdsl.plan import (
    DropStage,
    GraphHead,
    JoinStage,
    JointStep,
    ModuleSpec,
    NodeStep,
    Plan,
    RelationStage,
    RelationStep,
    SequenceStep,
    Stage,
)
from graphdsl.text import Span

_FRAME: Final = re.compile(r'File "([^"]+)", line (\d+)')
_SHOWN: Final = ("torch_geometric", "graphdsl", "torch")
_OURS: Final = ("graphdsl/backends/", "graphdsl/tooling/")
_REASONS: Final = (
    (r"extract specialized integer|Dynamic shape operator|tolist\(\)|Unsupported Tensor\.item",
     "a size hangs on values of tensors"),
    (r"Data-dependent branching|guard on data-dependent|generic_jump", "a branch hangs on values of tensors"),
    (r"compressed tensor|[Ss]parse", "torch does not trace sparse matrices"),
    (r"opaque object|_C\.Generator|torch\.Generator", "it draws random numbers by a seed of its own"),
    (r"RNN, GRU, or LSTM", "torch does not trace an LSTM or GRU"),
    (r"marked as skipped|does not know how to trace|Unsupported function call|not supported",
     "torch does not trace a function that it calls"),
)  # fmt: skip
"""What torch's messages begin with, and what they mean."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a model is no single graph.

    Attributes:
        reason: in plain words, one line.
        layer: name of the layer that is to blame, if it is known.
        span: the place in the spec that asked for it.
        notes: the line of Python, and torch's own words.
    """

    reason: str
    layer: str | None
    span: Span
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of Python."""

    file: str
    line: int

    def __str__(self) -> str:
        """`torch_geometric/utils/_coalesce.py:166: if mask.all():`, the same on every machine."""
        parts = PurePath(self.file).parts
        start = max((number for number, part in enumerate(parts) if part in _SHOWN), default=len(parts) - 1)
        code = linecache.getline(self.file, self.line).strip()
        return f"{'/'.join(parts[start:])}:{self.line}" + (f": `{code}`" if code else "")


def explain(error: BaseException, plan: Plan) -> Refusal:
    """Why torch refused a model.

    Args:
        error: what `torch.export` or `torch.compile` raised.
        plan: of the model.
    """
    return blame(places_of(error), str(error) or type(error).__name__, plan)


def blame(places: list[Place], said: str, plan: Plan) -> Refusal:
    """A refusal from the lines that were being traced, outermost first, and torch's words."""
    layer, span = _asked(places, plan)
    shown = [item for item in places if _is_shown(item.file)]
    notes = (f"at {shown[-1]}",) if shown else ()
    first = _first_line(said)
    return Refusal(_plain(said), layer, span, (*notes, f"torch says: {first}") if first else notes)


def places_of(error: BaseException) -> list[Place]:
    """Lines that were being run or traced when torch refused, outermost first."""
    told = [Place(file, int(line)) for file, line in _FRAME.findall(str(error))]
    real = [Place(item.filename, item.lineno or 0) for item in getattr(error, "real_stack", None) or ()]
    ran = [Place(item.filename, item.lineno or 0) for item in traceback.extract_tb(error.__traceback__)]
    return max((real, told, ran), key=lambda found: sum(_is_shown(item.file) for item in found))


def _is_shown(file: str) -> bool:
    """Whether a file is a layer's or a kernel's, and not machinery."""
    known = "torch_geometric/" in file or "graphdsl/" in file
    return known and not any(part in file for part in _OURS) and "graphdsl_written" not in file


def _plain(said: str) -> str:
    return next((plain for pattern, plain in _REASONS if re.search(pattern, said)), _first_line(said))


def _first_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = ("data-dependent expression", "Explanation: ")
    chosen = next((line for line in lines if any(part in line for part in told)), lines[0] if lines else "")
    chosen = chosen.removeprefix("Explanation: ")
    chosen = re.sub(r"Consider annotating your code using torch\._check\*\(\)\.\s*", "", chosen)
    chosen = re.sub(r"\s*\((?:unhinted|Size-like symbols): .*", "", chosen).rstrip(" .:")
    return chosen[:1].lower() + chosen[1:]


def _asked(places: list[Place], plan: Plan) -> tuple[str | None, Span]:
    """The outermost layer on the way, and the rule that asked for it."""
    own: dict[str, tuple[str, Span]] = {}
    inherited: dict[str, tuple[str, Span]] = {}
    for module, span in modules_of(plan):
        for number, file in enumerate(_files_of(module.path)):
            (inherited if number else own).setdefault(file, (module.name, span))
    for files in (own, inherited):  # A base class tells less: others have it, too.
        for item in places:
            if item.file in files:
                return files[item.file]
    return None, plan.heads[0].span if plan.heads else plan.stages[0].span


def _files_of(path: str) -> list[str]:
    """The files of a class or function of PyG or of ours, base classes last; torch's own need no blame."""
    package, _, name = path.rpartition(".")
    if not package or package.startswith("torch."):
        return []
    found = getattr(import_module(package), name, None)
    bases = [item.__module__ for item in getattr(found, "__mro__", (found,)) if item is not None]
    files = [getattr(sys.modules.get(item), "__file__", None) for item in bases if not item.startswith("torch.")]
    return [item for item in dict.fromkeys(files) if item is not None]


def modules_of(plan: Plan) -> Iterator[tuple[ModuleSpec, Span]]:
    """All modules of a plan, those inside of others too, each with the rule that asked for it."""
    for stage in plan.stages:
        yield from _each((step.module, step.rule) for step in _steps(stage))
        yield from _each((step.module, step.rule) for item in stage.pipe for step in item.steps)
    for head in plan.heads:
        if isinstance(head, GraphHead):
            yield from _each((item.module, head.span) for item in head.readouts)
        yield from _each([(head.module, head.span)])


def _steps(stage: Stage) -> tuple[NodeStep | RelationStep | JointStep | SequenceStep, ...]:
    if isinstance(stage, DropStage):
        return ()
    if isinstance(stage, RelationStage):
        return (*stage.steps, *stage.joints)
    return stage.modules if isinstance(stage, JoinStage) else stage.steps


def _each(given: Any) -> Iterator[tuple[ModuleSpec, Span]]:
    for module, span in given:
        yield module, span
        inner = [value for value in module.arguments.values() if isinstance(value, ModuleSpec)]
        yield from _each((item, span) for item in inner)


__all__ = ["Place", "Refusal", "blame", "explain", "modules_of", "places_of"]
