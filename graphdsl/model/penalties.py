"""From `penalty` statements to losses beside those of the predictions, and losses that a model gives and nobody uses."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphdsl.catalog import Entry, entries, find, names
from graphdsl.model.combining import find_state
from graphdsl.model.layers import LayerReader
from graphdsl.model.program import AnyStage, EdgesStage, LayerUse, NodesStage, Penalty
from graphdsl.model.schema import Schema
from graphdsl.model.schemas import unknown_type
from graphdsl.model.values import show
from graphdsl.model.weights import read_positive
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, did_you_mean, listing, renaming, report, show_name


@dataclass(frozen=True, slots=True)
class PenaltyPlace:
    """A penalty as written, and what was known where it stands.

    Attributes:
        state: number of the state before it.
        states: the named ones.
        dropped: types that ended in each state, with the place.
    """

    statement: n.PenaltyStatement
    state: int
    states: Mapping[str, int]
    dropped: Mapping[int, Mapping[str, Span]]


def own_losses(layer: LayerUse) -> Iterator[str]:
    """Names of the layers with a loss of their own, of a layer and those in its arguments."""
    if layer.entry.loss:
        yield layer.entry.name
    for value in layer.arguments.values():
        for item in cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,):
            if isinstance(item, LayerUse):
                yield from own_losses(item)


def stage_losses(stage: AnyStage) -> dict[str, Span]:
    """Losses that a stage gives by itself: the name by which its module gives each, and the place of the layer."""
    rules = stage.rules if isinstance(stage, NodesStage | EdgesStage) else ()
    layers = [rule.layer for rule in rules]
    for item in stage.pipe:
        layers += [item.layer] if item.layer is not None else [rule.layer for rule in item.rules]
    return {name: layer.span for layer in reversed(layers) for name in own_losses(layer)}


def written(what: n.Penalised, arguments: Mapping[str, Any]) -> str:
    """How a penalty is called: as it is written, in one spelling."""
    values = [_place(item) for item in what.values]
    values += [f"{name} = {show(value)}" for name, value in arguments.items()]
    return f"{what.name.text}({', '.join(values)})" if values else what.name.text


def _place(value: n.PenalisedValue) -> str:
    state = f"{show_name(value.state.text)}." if value.state else ""
    return state + show_name(value.name.text)


def read_weight_of(statement: n.PenaltyStatement, layers: LayerReader) -> float:
    """The weight of a penalty, 1 unless written."""
    return read_positive(statement.weight, layers.values, layers.found)


class PenaltyReader:
    """Reads the penalties of a model of node maps and relation maps; problems go to `found`.

    Args:
        schema: what there is.
        stages: all stages of the model.
        layers: reads functions and their arguments.
    """

    def __init__(self, schema: Schema, stages: Sequence[AnyStage], layers: LayerReader) -> None:
        self.schema = schema
        self.stages = stages
        self.layers = layers
        self.found = layers.found
        self.own = [stage_losses(stage) for stage in stages]

    def read(self, place: PenaltyPlace) -> Penalty | None:
        """The penalty of a statement, or None after a report."""
        what = place.statement.what
        entry = find(what.name.text)
        if entry is not None and entry.kind == "loss":
            return self.function(place, entry)
        if entry is not None and entry.loss:
            return self.layer(place, entry)
        self.found.append(self.no_loss(place, entry))
        return None

    def function(self, place: PenaltyPlace, entry: Entry) -> Penalty | None:
        """A function of a type's values in a state."""
        what = place.statement.what
        if "nodes" not in entry.takes[0].kinds:
            message = f"`{entry.name}` reads no rows of nodes"
            helps = (f"it is a step of a `sequential` block: `{entry.name}: {entry.takes[0].name} -> loss`",)
            self.found.append(report("GNN107", message, what.name.span, helps=helps))
            return None
        if len(what.values) != 1:
            message = f"`{entry.name}` is of the values of one type"
            helps = (f"write `penalty {entry.name}(TYPE)`, or `penalty {entry.name}(STATE.TYPE)` for a named state",)
            self.found.append(report("GNN203", message, what.span, helps=helps))
            return None
        value = what.values[0]
        state = find_state(value.state, place.states, self.found) if value.state else place.state
        layer = self.layers.read(n.Call(what.name, what.arguments, what.span), "penalty")
        weight = read_weight_of(place.statement, self.layers)
        if state is None or layer is None or not self.is_type(value, place.dropped[state]):
            return None
        name = written(what, layer.arguments)
        return Penalty(name, "function", weight, what.span, layer=layer, state=state, type=value.name.text)

    def is_type(self, value: n.PenalisedValue, dropped: Mapping[str, Span]) -> bool:
        """Whether there is such a type in the state; a report if not."""
        name = value.name
        if name.text not in self.schema.nodes:
            self.found.append(unknown_type(name, self.schema.nodes))
        elif name.text in dropped:
            also = ((dropped[name.text], "dropped here"),)
            self.found.append(report("GNN503", f"`{name.text}` was dropped", name.span, also=also))
        return name.text in self.schema.nodes and name.text not in dropped

    def layer(self, place: PenaltyPlace, entry: Entry) -> Penalty | None:
        """The losses that layers of a class have of their own, in all stages or in named ones."""
        what = place.statement.what
        before = len(self.found)
        refuse_arguments(what, self.found)
        wanted: set[str] = set()
        for value in what.values:
            if value.state is not None:
                helps = (f"name the stage: `{entry.name}({value.state.text})`",)
                message = f"the loss of `{entry.name}` is that of a stage, not of a type"
                self.found.append(report("GNN202", message, value.span, helps=helps))
            elif find_state(value.name, place.states, self.found) is not None:
                wanted.add(value.name.text)
        weight = read_weight_of(place.statement, self.layers)
        if len(self.found) > before:
            return None
        stages = tuple(
            number
            for number, own in enumerate(self.own)
            if entry.name in own and (not what.values or self.stages[number].name in wanted)
        )
        if not stages:
            where = f"`{', '.join(sorted(wanted))}`" if wanted else "this model"
            helps = (f"use the layer, `edges {{ *: {entry.name}(…) }}`, or leave the penalty out",)
            message = f"{where} has no `{entry.name}`, whose loss this is"
            self.found.append(report("GNN321", message, what.span, helps=helps))
            return None
        return Penalty(written(what, {}), "layer", weight, what.span, own=entry.name, stages=stages)

    def no_loss(self, place: PenaltyPlace, entry: Entry | None) -> Diagnostic:
        """Why a name is no loss."""
        what = place.statement.what
        name = what.name.text
        if entry is not None:
            return layer_without_loss(what, {loss for own in self.own for loss in own})
        usual = next(iter(self.schema.nodes), "TYPE")
        helps = (f"a function of its values is one: `penalty gini({show_name(usual)})`",)
        if name in place.states:
            helps = (f"a function of its values is one: `penalty gini({name}.{show_name(usual)})`",)
            return report("GNN321", f"`{name}` is a state, not a loss", what.name.span, helps=helps)
        if name in self.schema.nodes:
            helps = (f"a function of its values is one: `penalty gini({show_name(name)})`",)
            return report("GNN321", f"`{name}` is a node type, not a loss", what.name.span, helps=helps)
        return unknown_loss(what, {loss for own in self.own for loss in own} | {*names("loss")})


def refuse_arguments(what: n.Penalised, found: list[Diagnostic]) -> None:
    """A loss that is there already takes no arguments."""
    for item in what.arguments:
        found.append(report("GNN201", f"`{what.name.text}` takes no argument here", item.span, helps=("leave it out",)))


def layer_without_loss(what: n.Penalised, own: Iterable[str]) -> Diagnostic:
    """The name is that of a layer that gives no loss."""
    known = sorted({*own} or {entry.name for entry in entries() if entry.loss})
    notes = listing("layers with a loss of their own", known)
    return report("GNN321", f"`{what.name.text}` has no loss of its own", what.name.span, notes=notes)


def unknown_loss(what: n.Penalised, known: Iterable[str]) -> Diagnostic:
    """The name is that of nothing that gives a loss."""
    name, known = what.name.text, sorted(known)
    helps, notes = did_you_mean(name, known), listing("losses", known)
    fix = renaming(what.name.span, name, known)
    return report("GNN101", f"unknown loss `{name}`", what.name.span, helps=helps, notes=notes, fix=fix)


def distinct(penalties: Iterable[Penalty | None], found: list[Diagnostic]) -> tuple[Penalty, ...]:
    """The penalties that could be read, each once."""
    result: dict[str, Penalty] = {}
    for item in penalties:
        if item is None:
            continue
        if item.name in result:
            also = ((result[item.name].span, "first here"),)
            helps = ("give one of them the sum of both weights",)
            found.append(report("GNN102", f"`{item.name}` is penalised twice", item.span, also=also, helps=helps))
        result.setdefault(item.name, item)
    return tuple(result.values())


def unused_losses(stages: Sequence[AnyStage], penalties: Iterable[Penalty]) -> Iterator[Diagnostic]:
    """Layers with a loss of their own that is not trained: said once for each place."""
    used = {(number, item.own) for item in penalties for number in item.stages}
    told: set[Span] = set()
    for number, stage in enumerate(stages):
        for name, span in stage_losses(stage).items():
            if (number, name) not in used and span not in told:
                told.add(span)
                yield unused_loss(f"`{name}` has a loss of its own, and nothing adds it", name, span)


def unused_loss(message: str, name: str, span: Span) -> Diagnostic:
    """A loss that is given and not trained."""
    helps = (f"add it to the training: `penalty {name} weight 0.1`",)
    return report("GNN320", message, span, helps=helps)
