"""Encoders: layers that read an attribute by name, in node maps and on its way into a layer of relations."""

from typing import Literal, Protocol

from graphdsl.catalog import RAW, SIDE_BY_SIDE, Entry, ForwardInput, encoder, encoders
from graphdsl.model.program import BoundInput, LayerUse
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, did_you_mean, listing, report

Source = Literal["edge", "node"]
_INPUT = "x"
_FEWEST = 2


class Reading(Protocol):
    """What reads the arguments of a layer, and where problems go."""

    found: list[Diagnostic]

    def read_as(self, entry: Entry, call: n.Call) -> LayerUse | None:
        """What a call says of a given entry, or None after a report."""
        ...

    def read(self, call: n.Call, place: str, open_end: bool = False) -> LayerUse | None:
        """What a call says at a place, or None after a report."""
        ...


def is_encoder(call: n.Call) -> bool:
    """Whether a layer of a node map reads attributes: it names one, or puts several side by side."""
    if call.name.text == SIDE_BY_SIDE.name:
        return True
    named = any(item.name is not None and item.name.text == _INPUT for item in call.arguments)
    return named and encoder(call.name.text, "node") is not None


def read_encoder(reading: Reading, call: n.Call, source: Source) -> LayerUse | None:
    """A layer that reads attributes of nodes or edges, or None after a report."""
    if call.name.text == SIDE_BY_SIDE.name:
        return _read_several(reading, call, source)
    entry = encoder(call.name.text, source)
    if entry is None:
        name, known = call.name.text, encoders()
        helps = did_you_mean(name, known)
        notes = listing("layers that can", known)
        message = f"`{name}` cannot read an attribute"
        reading.found.append(report("GNN107", message, call.name.span, helps=helps, notes=notes))
        return None
    return reading.read_as(entry, call)


def _read_several(reading: Reading, call: n.Call, source: Source) -> LayerUse | None:
    """`cat(age, TemporalEncoding(16, x = joined))`."""
    parts = [_read_part(reading, item, source) for item in call.arguments]
    if len(parts) < _FEWEST:
        message = "`cat` puts two or more attributes side by side"
        helps = ("write `cat(ATTRIBUTE, LAYER(…, x = ATTRIBUTE))`",)
        reading.found.append(report("GNN203", message, call.span, helps=helps))
        return None
    known = tuple(part for part in parts if part is not None)
    if len(known) < len(parts):
        return None
    inputs = tuple(item for part in known for item in part.inputs)
    return LayerUse(SIDE_BY_SIDE, {"modules": known}, {}, inputs, call.span)


def _read_part(reading: Reading, argument: n.Argument, source: Source) -> LayerUse | None:
    value = argument.value
    if argument.name is None and isinstance(value, n.Reference):
        bound = BoundInput(ForwardInput("", source), value.name.text, -1, value.span)
        return LayerUse(RAW, {}, {}, (bound,), value.span)
    if argument.name is None and isinstance(value, n.Call) and value.name.text != SIDE_BY_SIDE.name:
        if source == "node" and not is_encoder(value):
            return _of_value(reading, value)
        return read_encoder(reading, value, source)
    message = "`cat` takes names of attributes, and layers that read one"
    helps = ("write `cat(ATTRIBUTE, LAYER(…, x = ATTRIBUTE))`",)
    reading.found.append(report("GNN202", message, argument.span, helps=helps))
    return None


def _of_value(reading: Reading, call: n.Call) -> LayerUse | None:
    """A layer that reads the value of the type beside attributes."""
    layer = reading.read(call, "nodes")
    if layer is None or not (layer.entry.accepts_ids or layer.entry.kind == "label"):
        return layer
    message = f"`{layer.entry.name}` cannot stand beside attributes: it reads no value"
    helps = ("let it read an attribute, `x = ATTRIBUTE`",) if encoder(layer.entry.name, "node") else ()
    helps = helps or ("give it a stage of its own: `nodes { … }`",)
    reading.found.append(report("GNN107", message, call.name.span, helps=helps))
    return None
