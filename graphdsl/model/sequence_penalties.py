"""Penalties of a model in the sequential form: losses that its steps give, and those that layers have of their own."""

from collections.abc import Iterator, Sequence

from graphdsl.catalog import find, header_of, names
from graphdsl.model.layers import LayerReader
from graphdsl.model.penalties import (
    layer_without_loss,
    own_losses,
    read_weight_of,
    refuse_arguments,
    unknown_loss,
    unused_loss,
)
from graphdsl.model.program import Penalty, SequenceStep
from graphdsl.model.sequence_values import WORDS
from graphdsl.model.sequences import SequenceBuilder
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, report


class BlockPenalties:
    """Reads the penalties behind a block; problems go to the block's findings.

    Args:
        builder: the block, all its steps read.
        layers: knows the parameters' values.
    """

    def __init__(self, builder: SequenceBuilder, layers: LayerReader) -> None:
        self.builder = builder
        self.layers = layers
        self.found = layers.found
        self.outputs: dict[str, list[tuple[int, int]]] = {}
        self.own: set[str] = set()
        for number, step in enumerate(builder.steps):
            for place, kind in enumerate(_kinds(step)):
                name = step.outputs[place]
                if kind == "loss" and name is not None:
                    self.outputs.setdefault(name, []).append((number, place))
            self.own |= set(own_losses(step.layer)) if step.layer else set()

    def read(self, statement: n.PenaltyStatement) -> Penalty | None:
        """The penalty of a statement, or None after a report."""
        what = statement.what
        name = what.name.text
        if name not in self.outputs and name not in self.own:
            if name not in self.builder.lost:
                self.found.append(self.no_loss(what))
            return None
        refuse_arguments(what, self.found)
        for value in what.values:
            message = f"`{name}` is a loss already: it is of nothing further"
            self.found.append(report("GNN201", message, value.span, helps=(f"write `penalty {name}`",)))
        weight = read_weight_of(statement, self.layers)
        if name in self.outputs:
            return Penalty(name, "output", weight, what.span, outputs=tuple(self.outputs[name]))
        return Penalty(name, "layer", weight, what.span, own=name, stages=(0,))

    def no_loss(self, what: n.Penalised) -> Diagnostic:
        """Why a name is no loss."""
        name = what.name.text
        value, entry = self.builder.known.get(name), find(name)
        if value is not None and value.kind is not None:
            also = ((value.span, "made here"),) if value.maker else ()
            helps = (f"a function of it is one, as a step of the block: `gini: {name} -> loss`, then `penalty loss`",)
            message = f"`{name}` stands for {WORDS[value.kind]}, not for a loss"
            return report("GNN321", message, what.name.span, also=also, helps=helps if value.kind == "nodes" else ())
        if entry is not None and entry.kind == "loss":
            header = header_of(entry)
            assert header is not None
            helps = (f"write `{name}: {header.example}` in the block, and `penalty loss`",)
            message = f"`{name}` is a step of the block, which gives a loss"
            return report("GNN107", message, what.span, helps=helps)
        if entry is not None:
            return layer_without_loss(what, self.own)
        return unknown_loss(what, {*self.outputs, *self.own} or {*names("loss")})


def unused_outputs(steps: Sequence[SequenceStep], penalties: Sequence[Penalty]) -> Iterator[Diagnostic]:
    """Losses that steps give and no penalty names: said once for each step that is written."""
    used = {place for item in penalties for place in item.outputs}
    own = {item.own for item in penalties}
    told: set[Span] = set()
    for number, step in enumerate(steps):
        if step.layer is None or step.layer.span in told:
            continue
        header = header_of(step.layer.entry)
        assert header is not None
        gives = [slot.name for place, slot in enumerate(header.gives) if _free(slot.kinds, (number, place), used)]
        told.add(step.layer.span)
        if gives:
            many = " and ".join(f"`{name}`" for name in gives)
            verb = "nothing adds them" if len(gives) > 1 else "nothing adds it"
            message = f"`{step.layer.entry.name}` gives {many}, and {verb} to the loss"
            helps = (f"name what it gives in the header, and add it behind the block: `penalty {gives[0]} weight 0.1`",)
            yield report("GNN320", message, step.layer.span, helps=helps)
        for name in own_losses(step.layer):
            if name not in own:
                yield unused_loss(f"`{name}` has a loss of its own, and nothing adds it", name, step.layer.span)


def _free(kinds: Sequence[str], place: tuple[int, int], used: set[tuple[int, int]]) -> bool:
    return tuple(kinds) == ("loss",) and place not in used


def _kinds(step: SequenceStep) -> Iterator[str]:
    header = header_of(step.layer.entry) if step.layer else None
    for slot in header.gives if header else ():
        yield slot.kinds[0] if slot.kinds else ""
