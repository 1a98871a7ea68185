"""Measuring contenders side by side: each watched once, then all in turn, so that a busy machine slows them alike."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graphdsl.benching.contenders import Contender, NothingLearned, draw_probes, find_name
from graphdsl.benching.memory import Clock, Limits, TooLarge, TooSlow, memory_left, watched
from graphdsl.benching.records import PASSES, Measured, Pass, Refusal, show_bytes

Tell = Callable[[str], None]

_WARM = 0.2  # A contender whose step takes a larger part of the time is warm after its watched step.
_SMALLEST = 1e-3  # Gradients are compared with the largest of their parameter, but with no less than this of all.


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be spent on a cell.

    Attributes:
        repeats: most runs of each contender.
        seconds: a step that takes longer is given up; no further round of runs is begun after so long.
        memory: bytes that a step may take; None = what the machine has left.
        clock: what tells seconds. With one thread, `time.process_time` tells what a step takes on a machine that has
            nothing else to do.
    """

    repeats: int = 7
    seconds: float = 30.0
    memory: int | None = None
    clock: Clock = time.perf_counter

    def limits(self) -> Limits:
        """For the next step."""
        return Limits(memory_left() if self.memory is None else self.memory, self.seconds, self.clock)


@dataclass(slots=True)
class _Numbers:
    """What a contender computed."""

    outputs: dict[str, Tensor]
    gradients: dict[str, Tensor]


def measure(contenders: Sequence[Contender], device: torch.device, budget: Budget, tell: Tell) -> list[Measured]:
    """Measure contenders, the first of which is ours; the others are compared with it.

    Args:
        contenders: with the same weights.
        device: where they are.
        budget: how much may be spent.
        tell: is told what is being done.
    """
    found = [Measured(contender.name) for contender in contenders]
    probes: dict[str, Tensor] = {}
    ours: _Numbers | None = None
    for contender, measured in zip(contenders, found, strict=True):
        gc.collect()
        if ours is not None and not ours.outputs:
            _refuse(measured, PASSES, Refusal("other", f"not run, as {found[0].name} was given up"))
            continue
        numbers = _watch(contender, measured, probes, device, budget, tell)
        if ours is None:
            ours = numbers
        elif numbers.outputs:
            measured.outputs = _largest(ours.outputs, numbers.outputs)
            if numbers.gradients and ours.gradients:
                measured.gradients = _largest_of_gradients(ours.gradients, numbers.gradients)
    del ours
    _run(contenders, found, probes, device, budget, tell)
    if found[0].seconds("forward") is not None:
        tell(f"{found[0].name}: a new graph")
        found[0].layout = _layout_seconds(contenders[0], found[0], device, budget.clock)
    return found


def _watch(
    contender: Contender,
    measured: Measured,
    probes: dict[str, Tensor],
    device: torch.device,
    budget: Budget,
    tell: Tell,
) -> _Numbers:
    """The first steps of a contender, watched: what they need, and what they compute."""
    numbers = _Numbers({}, {})
    works: dict[Pass, Callable[[], object]] = {
        "forward": lambda: numbers.outputs.update(contender.forward()),
        "step": lambda: contender.step(probes, training=False),
    }
    start = time.perf_counter()
    for kind, work in works.items():
        tell(f"{contender.name}: {_named(kind)}, watched")
        if kind == "step":
            _draw(probes, numbers.outputs)
        torch.manual_seed(0)  # Some layers draw numbers even where dropout is off.
        try:
            if contender.watched or device.type == "cuda":
                peak = watched(work, device, budget.limits())[1]
                measured.peaks[kind] = peak.memory + measured.kept
                if kind == "forward":  # What is kept for this graph stays beside all further steps.
                    measured.kept = max(peak.kept - sum(item.nbytes for item in numbers.outputs.values()), 0)
            else:
                work()
        except Exception as error:
            _refuse(measured, PASSES[PASSES.index(kind) :], _refusal(error, contender))
        gradients = contender.take_gradients()
        if kind in measured.refusals:
            return numbers
        numbers.gradients = gradients
    if not contender.watched:
        contender.step(probes)  # In training mode it is compiled once more.
        contender.take_gradients()
        measured.compiling = time.perf_counter() - start
    return numbers


def _refusal(error: Exception, contender: Contender) -> Refusal:
    """Why a step was given up; anything else is a defect, and raised."""
    if isinstance(error, TooLarge):
        return Refusal("memory", f"needs {show_bytes(error.needed)}", error.needed)
    if isinstance(error, TooSlow):
        return Refusal("time", f"takes more than {error.seconds:g} s", error.seconds)
    if isinstance(error, NothingLearned):
        return Refusal("other", "nothing is learned")
    if contender.watched:
        raise error
    # What torch compiles may fail in many ways.
    return Refusal("other", (str(error).strip().splitlines() or [type(error).__name__])[0])


def _draw(probes: dict[str, Tensor], outputs: Mapping[str, Tensor]) -> None:
    if not probes:
        probes.update(draw_probes(outputs))


def _refuse(measured: Measured, kinds: Sequence[Pass], refusal: Refusal) -> None:
    for kind in kinds:
        measured.refusals[kind] = refusal


def _run(
    contenders: Sequence[Contender],
    found: Sequence[Measured],
    probes: Mapping[str, Tensor],
    device: torch.device,
    budget: Budget,
    tell: Tell,
) -> None:
    """Rounds in which each contender runs once forward, and once forward and backward."""
    gc.collect()
    gc.freeze()  # What is there stays: looking at it again and again is no part of a step.
    try:
        _rounds(contenders, found, probes, device, budget, tell)
    finally:
        gc.unfreeze()


def _rounds(
    contenders: Sequence[Contender],
    found: Sequence[Measured],
    probes: Mapping[str, Tensor],
    device: torch.device,
    budget: Budget,
    tell: Tell,
) -> None:
    begin = budget.clock()
    slow: set[tuple[int, Pass]] = set()
    for turn in range(-1, budget.repeats):  # The round before the first is not counted.
        if turn > 0 and budget.clock() - begin > budget.seconds:
            return
        for kind in PASSES:
            for offset in range(len(contenders)):
                place = (turn + offset) % len(contenders)  # Each is first, second, … in turn.
                contender, measured = contenders[place], found[place]
                if kind in measured.refusals or (place, kind) in slow:
                    continue
                tell(f"{contender.name}: {_named(kind)}, {f'run {turn + 1}' if turn >= 0 else 'warming up'}")
                try:
                    seconds = _time(contender, kind, probes, device, budget.clock)
                except ValueError as error:  # As of batch norms, which refuse to train on one row.
                    _refuse(measured, [kind], Refusal("other", str(error)))
                    continue
                if seconds > _WARM * budget.seconds:
                    slow.add((place, kind))
                    measured.runs[kind] = [seconds]
                elif turn >= 0:
                    measured.runs.setdefault(kind, []).append(seconds)


def _time(contender: Contender, kind: Pass, probes: Mapping[str, Tensor], device: torch.device, clock: Clock) -> float:
    gc.collect()
    gc.disable()
    try:
        _wait(device)
        start = clock()
        if kind == "forward":
            contender.forward()
        else:
            contender.step(probes)
        _wait(device)
        return clock() - start
    finally:
        gc.enable()


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _named(kind: Pass) -> str:
    return "forward" if kind == "forward" else "forward and backward"


def _layout_seconds(contender: Contender, measured: Measured, device: torch.device, clock: Clock) -> float | None:
    """What the first call on a graph takes over later ones; the lesser of two graphs."""
    usual = measured.seconds("forward")
    assert usual is not None
    told = getattr(contender.module, "layout_seconds", None)
    if isinstance(told, float):
        return told
    first = min(_time(contender.on_new_graph(), "forward", {}, device, clock) for _ in range(2))
    return max(first - usual, 0.0)


def _largest(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> float:
    """The largest difference of outputs, relative to the largest output of the same prediction."""
    return max((_relative(ours[name], theirs[name], 0.0) for name in ours if name in theirs), default=float("inf"))


def _largest_of_gradients(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> float:
    """The same of gradients, parameter by parameter; none is a gradient of zero."""
    named = {find_name(name, ours): value for name, value in theirs.items()}
    floor = _SMALLEST * max((float(value.abs().max()) for value in ours.values() if value.numel()), default=0.0)
    worst = 0.0
    for name in {*ours, *named}:
        own, other = ours.get(name), named.get(name)
        if own is None or other is None:
            given = other if own is None else own
            assert given is not None
            own, other = given, torch.zeros_like(given)
        worst = max(worst, _relative(own, other, floor))
    return worst


def _relative(own: Tensor, other: Tensor, floor: float) -> float:
    if own.shape != other.shape:
        return float("inf")
    if not own.numel():
        return 0.0
    own, other = own.detach().to_dense(), other.detach().to_dense()
    gap, size = float((own - other).abs().max()), max(float(other.abs().max()), floor)
    return gap / size if size else gap


__all__ = ["Budget", "Tell", "measure"]
