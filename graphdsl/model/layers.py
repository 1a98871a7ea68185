"""From a call in a spec to a layer of the catalogue with checked arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from graphdsl.catalog import (
    INSTEAD,
    MASK_LABEL,
    NOT_YET,
    OBJECTIVES,
    RENAMED_LAYERS,
    SPREADERS,
    Entry,
    ForwardInput,
    Kind,
    Parameter,
    Problem,
    check_value,
    describe,
    header_of,
    names,
    offered,
    renamed_argument,
    seek,
)
from graphdsl.model.combining import find_state
from graphdsl.model.elsewhere import meant, other_layers, renamed
from graphdsl.model.encoders import is_encoder, read_encoder
from graphdsl.model.places import is_nestable, misplaced
from graphdsl.model.program import BoundInput, LayerUse
from graphdsl.model.values import UNKNOWN, Refused, evaluate, kind_of, retyped, show
from graphdsl.syntax import nodes as n
from graphdsl.syntax.removal import removal, with_comma
from graphdsl.text import Diagnostic, Edit, Fix, Span, did_you_mean, listing, renaming, report

_CONV: tuple[Kind, ...] = ("conv", "model")
_NODE: tuple[Kind, ...] = ("node", "norm", "activation", "dropout")
_STEP: tuple[Kind, ...] = (*_CONV, *_NODE, "readout", "pool", "dense", "loss", "search", "color", "recurrent")

PLACES: dict[str, tuple[tuple[Kind, ...], str]] = {
    "edges": (_CONV, "a relation map"),
    "nodes": (_NODE, "a node map"),
    "pipe": (_NODE, "a pipe"),
    "head": (_NODE, "a prediction"),
    "step": (_STEP, "a `sequential` block"),
    "readout": (("readout",), "a readout"),
    "penalty": (("loss",), "a penalty"),
    "argument": (_NODE, "an argument"),
    "convolution": (("conv",), "an argument that takes a convolution"),
    "activation": (("activation",), "an argument that takes an activation"),
    "aggregation": (("readout",), "an argument that takes an aggregation"),
}
"""Kinds of layers that can stand at a place, and how the place is called."""


_STATEMENTS = ("nodes", "edges", "repeat", "drop", "predict", "penalty", "learn", "sequential")
"""Words that start statements: where a layer is missing, the next statement is read as one."""
_REPORTED = object()
"""Stands for a nested layer that was refused, and reported."""


_NESTED = {"module": "argument", "conv": "convolution", "activation": "activation", "aggregation": "aggregation"}
"""The place of a layer among arguments, by the type of the parameter."""
_OWNERS = {
    "edge": "an edge attribute",
    "node": "a node attribute",
    "state": "an earlier state",
    "relation": "a relation or metapath",
    "label": "a label",
}


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is known of a layer while its arguments are read one by one."""

    entry: Entry
    call: n.Call
    is_step: bool = False
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    places: dict[str, Span] = field(default_factory=dict[str, Span])
    inputs: list[BoundInput] = field(default_factory=list[BoundInput])


def _is_nothing(value: n.Expression) -> bool:
    """Whether an expression is `none`, in the notation of any language."""
    if isinstance(value, n.Reference):
        return value.name.text in ("None", "null", "nil")
    return isinstance(value, n.Literal) and value.value is None


def _bound_name(value: n.Expression, forward: ForwardInput) -> str | None:
    """The name that an input is bound to; names of attributes may be quoted."""
    if isinstance(value, n.Reference):
        return value.name.text
    if isinstance(value, n.Literal) and isinstance(value.value, str) and forward.source != "state":
        return value.value
    return None


class LayerReader:
    """Reads calls; knows the parameters' values, the states and where problems go."""

    def __init__(self, values: Mapping[str, Any], states: Mapping[str, int], found: list[Diagnostic]) -> None:
        self.values = values
        self.states = states
        self.found = found

    def read(self, call: n.Call, place: str, open_end: bool = False) -> LayerUse | None:
        """The layer of a call at a place (a key of `PLACES`), or None after a report.

        With `open_end`, its `out_channels` follow from the layer around it, and may be left out.
        """
        if place == "nodes" and is_encoder(call):
            return read_encoder(self, call, "node")
        entry = seek(call.name.text)
        kinds, where = PLACES[place]
        if entry is None and place == "nodes" and call.name.text == MASK_LABEL.name:
            return self._read(MASK_LABEL, call)
        if entry is None:
            self.found.append(self._unknown_layer(call, kinds))
            return None
        if isinstance(entry, Problem):
            helps = (entry.help,) if entry.help else ()
            self.found.append(report(entry.code, entry.message, call.name.span, helps=helps))
            return None
        entry = entry.as_step if place == "step" and entry.as_step is not None else entry
        whole = entry.kind == "model" and entry.scope != "relation"
        unfit = (place == "step" and header_of(entry) is None) or (place == "edges" and whole)
        unfit |= place in ("convolution", "aggregation") and not is_nestable(entry, place)
        if unfit or entry.kind not in kinds or (place == "argument" and entry.accepts_ids):
            self.found.append(misplaced(call, entry, place, where))
            return None
        return self._read(entry, call, place == "step", open_end)

    def read_objective(self, call: n.Call) -> LayerUse | None:
        """What stands behind `learn TARGET:`, or None after a report."""
        name = call.name.text
        if name in OBJECTIVES:
            return self._read(OBJECTIVES[name], call)
        helps, fix = did_you_mean(name, OBJECTIVES), renaming(call.name.span, name, OBJECTIVES)
        if name in names():
            helps = (f"`{name}` is a layer: put it into the stages before `learn`",)
        notes = listing("objectives", OBJECTIVES)
        self.found.append(
            report("GNN103", f"unknown objective `{name}`", call.name.span, helps=helps, notes=notes, fix=fix)
        )
        return None

    def read_as(self, entry: Entry, call: n.Call) -> LayerUse | None:
        """What a call says of a given entry, or None after a report."""
        return self._read(entry, call)

    def read_spreader(self, call: n.Call) -> LayerUse | None:
        """What spreads labels behind a prediction, one of `SPREADERS`, or None after a report."""
        return self._read(SPREADERS[call.name.text], call)

    def _read(self, entry: Entry, call: n.Call, is_step: bool = False, open_end: bool = False) -> LayerUse | None:
        """A layer with its arguments, or None after a report."""
        reading = _Reading(entry, call, is_step)
        ordered = self._ordered(entry, call)
        read = [self._argument(reading, name, argument) for name, argument in ordered]
        given = {meant(entry, name) for name, _ in ordered if name is not None}
        complete = self._complete(reading, given | {"out_channels"} if open_end else given)
        if not complete or not all(read):
            return None
        return LayerUse(entry, reading.arguments, reading.places, tuple(reading.inputs), call.span)

    def _unknown_layer(self, call: n.Call, kinds: tuple[Kind, ...]) -> Diagnostic:
        name = call.name.text
        if name in _STATEMENTS:
            return report(
                "GNN010", f"expected a layer, found `{name}`", call.name.span, "a layer is missing before this"
            )
        if name in RENAMED_LAYERS:
            return renamed("GNN801", f"there is no layer `{name}`", call.name.span, RENAMED_LAYERS[name])
        others = offered()
        helps = did_you_mean(name, (*names(*kinds), *others)) or did_you_mean(name, names())
        fix = renaming(call.name.span, name, names(*kinds))
        if name in INSTEAD:
            helps, fix = (f"a spec says it as {INSTEAD[name]}",), None
        elif name in NOT_YET:
            helps, fix = (f"PyG has it, but it is no layer of a spec: {NOT_YET[name]}",), None
        notes = listing("layers that can stand here", names(*kinds))
        return report("GNN103", f"unknown layer `{name}`", call.name.span, helps=helps, notes=notes, fix=fix)

    # --- arguments ---

    def _ordered(self, entry: Entry, call: n.Call) -> list[tuple[str | None, n.Argument]]:
        """Arguments with their parameter names: positional ones bind in PyG's order."""
        result: list[tuple[str | None, n.Argument]] = []
        free = [item for item in entry.parameters if not item.keyword]
        position = 0
        for argument in call.arguments:
            if argument.name is not None:
                result.append((argument.name.text, argument))
                continue
            parameter = free[position] if position < len(free) else None
            result.append((parameter.name if parameter else None, argument))
            if parameter is None or not parameter.variadic:
                position += 1
        return result

    def _argument(self, reading: "_Reading", name: str | None, argument: n.Argument) -> bool:
        entry = reading.entry
        if name is None:
            count = sum(not item.keyword for item in entry.parameters)
            message = f"`{entry.name}` takes {count or 'no'} positional argument{'s' if count != 1 else ''}"
            notes = listing("arguments", [known.name for known in entry.parameters])
            self.found.append(report("GNN201", message, argument.span, "one too many", notes=notes))
            return False
        parameter = entry.parameter(name)
        if parameter is None and entry.input(name) is None:
            self.found.append(self._unknown_argument(reading, name, argument))
            return False
        if name in reading.places and not (parameter and parameter.variadic):
            also = ((reading.places[name], "first given here"),)
            helps = ("leave one of them out",)
            self.found.append(report("GNN209", f"`{name}` is given twice", argument.span, also=also, helps=helps))
            return False
        if parameter is None or (entry.input(name) and isinstance(argument.value, n.Reference)):
            return self._input(reading, name, argument)
        return self._value(reading, parameter, argument)

    def _unknown_argument(self, reading: "_Reading", name: str, argument: n.Argument) -> Diagnostic:
        entry, call = reading.entry, reading.call
        span = argument.name.span if argument.name else argument.span
        if name in entry.derived:
            origin = "data" if entry.derived[name] == "degrees" else "schema"
            helps = (f"leave it out: the compiler fills it in from the {origin}",)
            spans = [item.span for item in call.arguments]
            fix = removal(spans, call.arguments.index(argument), f"remove `{name}`")
            return report("GNN208", f"`{name}` is derived", argument.span, helps=helps, fix=fix)
        known = [*(item.name for item in entry.parameters), *(item.name for item in entry.inputs)]
        notes = listing(f"arguments of `{entry.name}`", known)
        message = f"`{entry.name}` has no argument `{name}`"
        if name in entry.left_out:
            return report("GNN201", message, span, helps=(f"left out: {entry.left_out[name]}",), notes=notes)
        elsewhere = renamed_argument(entry, name)
        if elsewhere is not None:
            alone = with_comma([item.span for item in call.arguments], call.arguments.index(argument))
            return renamed("GNN802", message, span, elsewhere, span if elsewhere.name else alone)
        helps = did_you_mean(name, known) or other_layers(entry, name)
        taken = {given for given, _ in self._ordered(entry, call)}
        fix = renaming(span, name, [item for item in known if item not in taken])
        return report("GNN201", message, span, helps=helps, notes=notes, fix=fix)

    def _input(self, reading: "_Reading", name: str, argument: n.Argument) -> bool:
        forward = reading.entry.input(name)
        assert forward is not None
        if reading.is_step:
            header = header_of(reading.entry)
            takes = ", ".join(slot.name for slot in header.takes) if header else ""
            helps = (f"write `{reading.entry.name}(…): {takes} -> x`",)
            message = f"`{name}` is an input of the forward pass: in a `sequential` block it stands behind the colon"
            self.found.append(report("GNN305", message, argument.span, helps=helps))
            return False
        if isinstance(argument.value, n.Call) and forward.source == "edge":
            encoder = read_encoder(self, argument.value, "edge")
            if encoder is not None:
                reading.places[name] = argument.span
                reading.inputs.append(BoundInput(forward, "", -1, argument.span, encoder))
            return encoder is not None
        bound = _bound_name(argument.value, forward)
        if bound is None or _is_nothing(argument.value):
            what = {"state": "a state", "relation": "a relation", "label": "a label"}.get(
                forward.source, "an attribute"
            )
            helps = (f"write `{name} = NAME` with the name of {what}",)
            if _is_nothing(argument.value):
                helps = (f"leave `{name}` out: then nothing is bound",)
            message = f"`{name}` is an input of the forward pass: it is bound to {what}, not to a value"
            self.found.append(report("GNN305", message, argument.value.span, helps=helps))
            return False
        state = None
        if forward.source == "state":
            state = find_state(n.Name(bound, argument.value.span), self.states, self.found)
            if state is None:
                return False
        reading.places[name] = argument.span
        reading.inputs.append(BoundInput(forward, bound, -1 if state is None else state, argument.span))
        return True

    def _value(self, reading: "_Reading", parameter: Parameter, argument: n.Argument) -> bool:
        try:
            value = self._evaluate(reading.entry, parameter, argument.value)
        except Refused as refused:
            self.found.append(refused.diagnostic)
            return False
        if value is _REPORTED:
            return False
        if value is not UNKNOWN and not isinstance(value, LayerUse):
            problem = check_value(parameter, value)
            if problem is not None:
                self.found.append(self._unfit(reading.entry, parameter, value, argument, problem.code))
                return False
        if isinstance(value, LayerUse) and value.inputs and not self._hand_on(reading, value):
            return False
        if parameter.variadic:
            items = cast(tuple[Any, ...], value if isinstance(value, tuple) else (value,))
            value = (*reading.arguments.get(parameter.name, ()), *items)
        reading.arguments[parameter.name] = value
        reading.places[parameter.name] = argument.span
        return True

    def _hand_on(self, reading: "_Reading", inner: LayerUse) -> bool:
        """Inputs of a convolution inside become those of the layer around it, if that passes them on."""
        entry, place = reading.entry, inner.inputs[0]
        if entry.hands_on and not reading.is_step:
            reading.inputs.extend(inner.inputs)
            return True
        message = f"`{entry.name}` passes no `{place.input.name}` on to `{inner.entry.name}`"
        helps = ("leave it out, or use a layer that does without",)
        if entry.hands_on:
            message = f"in a `sequential` block, `{place.input.name}` cannot be passed on to `{inner.entry.name}`"
            helps = ("use `edges { … }`, where inputs are bound by keyword",)
        self.found.append(report("GNN305", message, place.span, helps=helps))
        return False

    def _unfit(self, entry: Entry, parameter: Parameter, value: Any, argument: n.Argument, code: str) -> Diagnostic:
        shown = f"{show(value)} is {kind_of(value)}" if value is not None else "this is `none`"
        if code == "GNN204":
            shown = f"found {show(value)}"
        message = f"`{parameter.name}` of `{entry.name}` must be {describe(parameter)}; {shown}"
        place, helps, fix = argument.value.span, (), None
        if isinstance(value, str):
            helps = did_you_mean(value, parameter.choices)
            literal = isinstance(argument.value, n.Literal)
            fix = renaming(place, value, parameter.choices, show) if helps and literal else None
            if value.strip().isdecimal() and "int" in parameter.type.split("|"):
                helps, fix = (f"write it without quotes: `{value.strip()}`",), None
        elif isinstance(value, float) and value.is_integer() and isinstance(argument.value, n.Literal):
            helps = (f"write `{int(value)}`",)
        elif isinstance(value, int) and "bool" in parameter.type.split("|") and value in (0, 1):
            helps = (f"write `{show(bool(value))}`",)
        fix = fix or retyped(argument.value, lambda other: check_value(parameter, other) is None)
        return report(code, message, place, helps=helps, fix=fix)

    def _evaluate(self, owner: Entry, parameter: Parameter, node: n.Expression) -> Any:
        kinds = parameter.type.split("|")
        network = owner.networks.get(parameter.name)
        open_end = network is not None and network.gives is not None
        place = next((_NESTED[kind] for kind in kinds if kind in _NESTED), None)
        if place is not None and isinstance(node, n.Call):
            return self.read(node, place, open_end) or _REPORTED
        if isinstance(node, n.Reference) and node.name.text not in self.values:
            name = node.name.text
            if place is not None and seek(name) is not None and name not in parameter.choices:
                return self.read(n.Call(node.name, (), node.span), place, open_end) or _REPORTED
            if parameter.choices and name in parameter.choices:
                helps = (f'write it as a string: `"{name}"`',)
                fix = Fix("quote it", (Edit(node.span, f'"{name}"'),))
                raise Refused(report("GNN202", f"`{name}` is a string here", node.span, helps=helps, fix=fix))
        return evaluate(node, self.values)

    def _complete(self, reading: "_Reading", given: set[str]) -> bool:
        """Whether every argument and input that the layer cannot do without is written, rightly or wrongly."""
        entry, call = reading.entry, reading.call
        missing = [item for item in entry.parameters if item.required and item.name not in given]
        for item in missing:
            helps = (f"write `{entry.name}({item.name} = …)`: {describe(item)}",)
            self.found.append(report("GNN203", f"`{entry.name}` needs `{item.name}`", call.span, helps=helps))
        bound = () if reading.is_step else entry.inputs
        needed = [item for item in bound if item.required and item.name not in given]
        for forward in needed:
            helps = (f"bind it: `{forward.name} = NAME` with the name of {_OWNERS[forward.source]}",)
            message = f"`{entry.name}` needs the input `{forward.name}`"
            self.found.append(report("GNN306", message, call.span, helps=helps))
        return not missing and not needed
