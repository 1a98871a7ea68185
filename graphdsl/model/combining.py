"""Reading `combine …` behind a relation map, and joins of states: `cat(h0, h1)`, `jump(h0, h1, mode = "lstm")`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from graphdsl.model.program import CombineKind, JoinKind
from graphdsl.model.values import UNKNOWN, show
from graphdsl.syntax import STATEMENTS
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Edit, Fix, did_you_mean, listing, renaming, report

COMBINES = get_args(CombineKind)
JOINS = ("cat", "add", "mul", "mean", "max", "jump")
STATE_JOINS = (*JOINS, "stack")
JUMP_MODES = ("cat", "max", "lstm")
ATTENTION_WIDTH = 128
SHARING = ("type", "node")
ATTENTION_OPTIONS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "hidden": (
        "a whole number ≥ 1",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1,
    ),
    "per": ('"type" or "node"', lambda value: value in SHARING),
}
"""Arguments of `attention` in order: what each must be, in words and as a test."""
_STATEMENTS = ("nodes", "edges", "repeat", "drop", "predict", "penalty", "learn")

Evaluate = Callable[[n.Expression], Any]


def read_combine(
    call: n.Call | None, evaluate: Evaluate, found: list[Diagnostic]
) -> tuple[CombineKind, dict[str, Any]]:
    """How messages of several relations meet, and with which arguments; `sum` by default.

    Args:
        call: what stands behind `combine`.
        evaluate: gives values of expressions, UNKNOWN where there is none yet.
        found: where problems go.
    """
    if call is None:
        return "sum", {}
    kind: CombineKind | None = next((item for item in COMBINES if item == call.name.text), None)
    if kind is None:
        helps = did_you_mean(call.name.text, COMBINES)
        notes = listing("ways to combine", COMBINES)
        message = f"unknown combine `{call.name.text}`"
        fix = renaming(call.name.span, call.name.text, COMBINES)
        found.append(report("GNN101", message, call.name.span, helps=helps, notes=notes, fix=fix))
        return "sum", {}
    arguments: dict[str, Any] = {}
    for position, item in enumerate(call.arguments):
        name = item.name.text if item.name else dict(enumerate(ATTENTION_OPTIONS)).get(position, "")
        if kind != "attention" or name not in ATTENTION_OPTIONS:
            helps = ('only `attention` takes arguments: `attention(hidden = 128, per = "node")`',)
            fix = Fix("leave the arguments out", (Edit(call.span, kind),)) if kind != "attention" else None
            found.append(report("GNN201", f"unknown argument of `combine {kind}`", item.span, helps=helps, fix=fix))
            continue
        if name in arguments:
            found.append(report("GNN209", f"`{name}` is given twice", item.span, helps=("leave one of them out",)))
        value = evaluate(item.value)
        wanted, fits = ATTENTION_OPTIONS[name]
        if value is not UNKNOWN and not fits(value):
            helps = did_you_mean(value, SHARING) if name == "per" and isinstance(value, str) else ()
            found.append(
                report("GNN204", f"`{name}` must be {wanted}, not {show(value)}", item.value.span, helps=helps)
            )
            continue
        arguments[name] = value
    if kind == "attention":
        arguments.setdefault("hidden", ATTENTION_WIDTH)
    return kind, arguments


@dataclass(frozen=True, slots=True)
class Join:
    """A join as it is written: which states, in order."""

    kind: JoinKind
    states: tuple[int, ...]
    mode: str = "cat"


class JoinReader:
    """Reads joins; knows the states, and where problems go."""

    def __init__(self, states: Mapping[str, int], evaluate: Evaluate, found: list[Diagnostic]) -> None:
        self.states = states
        self.evaluate = evaluate
        self.found = found

    def read(self, call: n.Call) -> Join | None:
        """The join of a call, or a bare state; None after a report."""
        name = call.name.text
        if name in self.states and not call.arguments:
            return Join("same", (self.states[name],))
        if name not in STATE_JOINS:
            self.found.append(self.unknown_source(call))
            return None
        kind = next(item for item in get_args(JoinKind) if item == name)
        before = len(self.found)
        positional = [item for item in call.arguments if item.name is None]
        states = [self.state(item.value) for item in positional]
        mode = self.options([item for item in call.arguments if item.name is not None], kind)
        least = 1 if kind == "stack" else 2  # the first layer of a DNA network reads one state, as a stack
        if len(positional) < least:
            helps = (f"write `{kind}(h0, h1)`",)
            notes = listing("states", self.states)
            message = f"`{kind}` joins at least {'one state' if least == 1 else 'two states'}"
            self.found.append(report("GNN203", message, call.span, helps=helps, notes=notes))
        if len(self.found) > before:
            return None
        return Join(kind, tuple(state for state in states if state is not None), mode)

    def state(self, value: n.Expression) -> int | None:
        """The number of the state that an argument names."""
        if not isinstance(value, n.Reference):
            helps = ("name the stage first: `h1 = edges { … }`, then `cat(h0, h1)`",)
            self.found.append(report("GNN202", "a join takes names of states", value.span, helps=helps))
            return None
        return find_state(value.name, self.states, self.found)

    def options(self, options: list[n.Argument], kind: JoinKind) -> str:
        """The mode of a `jump`; other joins have no option."""
        mode = "cat"
        for position, item in enumerate(options):
            if kind != "jump" or item.name is None or item.name.text != "mode":
                helps = ("only `jump` has an option: `mode`",)
                name = item.name.text if item.name else ""
                self.found.append(report("GNN201", f"`{kind}` has no option `{name}`", item.span, helps=helps))
            elif position > 0:
                self.found.append(
                    report("GNN209", "`mode` is given twice", item.span, helps=("leave one of them out",))
                )
            else:
                mode = self.jump_mode(item.value)
        return mode

    def jump_mode(self, value: n.Expression) -> str:
        """The mode that an expression names; "cat" after a report, and while it is unknown."""
        mode = self.evaluate(value)
        if mode in JUMP_MODES:
            return mode
        if mode is not UNKNOWN:
            notes = listing("modes", [show(item) for item in JUMP_MODES])
            code = "GNN204" if isinstance(mode, str) else "GNN202"
            helps = did_you_mean(mode, JUMP_MODES) if isinstance(mode, str) else ()
            self.found.append(report(code, f"`jump` has no mode {show(mode)}", value.span, helps=helps, notes=notes))
        return "cat"

    def unknown_source(self, call: n.Call) -> Diagnostic:
        """A statement starts with a name that is no state and no join."""
        name = call.name.text
        known = [*self.states, *STATE_JOINS]
        if name in STATEMENTS and name not in self.states:
            return report("GNN014", f"a spec has no `{name}`", call.name.span, helps=(STATEMENTS[name],))
        helps = did_you_mean(name, [*known, *_STATEMENTS]) or (
            "a layer stands in `nodes { *: … }`, in `edges { … }` or behind `|`",
        )
        message = f"`{name}` is neither a state nor a join"
        notes, fix = listing("states and joins", known), renaming(call.name.span, name, known)
        return report("GNN101", message, call.name.span, helps=helps, notes=notes, fix=fix)


def find_state(name: n.Name, states: Mapping[str, int], found: list[Diagnostic]) -> int | None:
    """The number of a named state, None after a report."""
    if name.text not in states:
        helps, notes = did_you_mean(name.text, states), listing("states", states)
        fix, message = renaming(name.span, name.text, states), f"unknown state `{name.text}`"
        found.append(report("GNN101", message, name.span, helps=helps, notes=notes, fix=fix))
        return None
    return states[name.text]
