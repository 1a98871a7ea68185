"""Lowering of a `sequential` block: widths flow from name to name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from graphdsl.catalog import Slot, header_of
from graphdsl.model import LayerUse, SequenceInput
from graphdsl.model import SequenceStage as Block
from graphdsl.model import SequenceStep as BlockStep
from graphdsl.plan.degrees import known_degrees, known_sizes
from graphdsl.plan.ir import SequenceStage, SequenceStep
from graphdsl.plan.module_spec import ModuleSpec, Width
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.state import Flow
from graphdsl.text import report

_JUMP = "torch_geometric.nn.JumpingKnowledge"
Shape = Literal["", "flat", "columns", "numbers"]


class _BlockLowering:
    """Lowers the steps of one block; `widths` are those of the names so far, `absent` those that are `none`."""

    def __init__(self, block: Block, flow: Flow) -> None:
        self.block = block
        self.flow = flow
        self.widths: dict[str | None, int | None] = {item.name: self.columns(item) for item in block.inputs}
        self.onto: dict[str | None, int | None] = {}
        self.absent: set[str | None] = {None}
        self.between: set[str | None] = set()
        self.numbers: set[str | None] = {it.name for it in block.inputs if it.kind in ("numbers", "edge numbers")}
        self.steps: list[SequenceStep] = []

    def columns(self, item: SequenceInput) -> int | None:
        """Columns of an input; None where there are none, or nobody has told."""
        schema, metadata = self.flow.schema, self.flow.metadata
        if item.name == "x" and item.source == "node":
            return self.flow.columns(self.block.type, self.flow.states[0][self.block.type], item.span)
        tables = {
            "node": (schema.nodes[self.block.type].attributes, metadata and metadata.nodes.get(self.block.type)),
            "edge": (schema.edges[self.block.edge].attributes, metadata and metadata.edges.get(self.block.edge)),
            "graph": (schema.graph, metadata and metadata.graph),
        }
        if item.source not in tables:
            return None
        attributes, store = tables[item.source]
        width = attributes[item.name].type.width
        tensor = store.tensors.get(item.name) if store else None
        return width if width is not None else tensor.width if tensor else None

    def lower(self) -> SequenceStage:
        for step in self.block.steps:
            self.steps.append(self.join(step) if step.layer is None else self.layer(step, step.layer))
        block = self.block
        last = next((step for step in reversed(self.steps) if step.kind != "loss"), None)
        widths: dict[str, Width] = dict(self.flow.states[0])
        of_nodes = last is not None and last.kind == "nodes"
        if last is not None and of_nodes:
            widths[block.type] = last.width_out
        made = (block.type,) if of_nodes else ()
        columns = {name: width for name, width in self.widths.items() if name is not None}
        stage = SequenceStage(block.key, 0, None, (), made, widths, block.span, block.type, block.edge)
        return replace(stage, inputs=block.inputs, steps=tuple(self.steps), columns=columns)

    # --- layers ---

    def layer(self, step: BlockStep, layer: LayerUse) -> SequenceStep:
        entry = layer.entry
        header = header_of(entry)
        assert header is not None, "a layer that the model has let through"
        header = header.told(layer.arguments)
        width = self.widths.get(step.inputs[0])
        if step.inputs[0] in self.absent and header.takes[0].optional:
            width = 0
        found = self.flow.found
        self.check_inputs(step, layer, header.takes)
        edge_width = self.edge_width(step, layer, header.takes)
        inputs = self.inputs(step, layer, header.takes)
        around = self.surroundings(layer, width, edge_width)
        if step.inputs[0] in self.onto or any(name in self.between for name in step.inputs):
            around = replace(around, pair=(width, self.onto.get(step.inputs[0], width)), between_types=True)
            self.check_equal(layer, around.pair, step)
        module = build_module(layer, replace(around, inputs=inputs), found)
        module = self.shared(step, module)
        filled = entry.with_defaults(module.arguments)
        named = dict(zip((slot.name for slot in header.takes), step.inputs, strict=False))
        first: int | None = None
        for place, (slot, name) in enumerate(zip(header.gives, step.outputs, strict=True)):
            columns = self.given(slot, module, filled, named)
            first = columns if place == 0 else first
            missing = slot.optional and named.get(slot.name) in self.absent
            (self.absent.add if missing else self.absent.discard)(name)
            self.absent.add(None)
            self.widths[name] = columns
            self.note_sides(slot, name, step)
        shapes = self.shapes(step, header.takes, {slot.name for slot in header.gives if slot.kept})
        self.note_numbers(header.gives, named, step)
        call = "function" if entry.function else "module"
        return SequenceStep(
            call, module, step.inputs, step.outputs, shapes, step.kind, step.shares, width, first, step.span
        )

    def note_sides(self, slot: Slot, name: str | None, step: BlockStep) -> None:
        """Columns of the receivers in rows of two sets, and which values are edges between two."""
        self.onto.pop(name, None)
        self.between.discard(name)
        if slot.kinds == ("pair",):
            self.onto[name] = self.widths.get(step.inputs[1])
        if slot.kinds == ("links",):
            self.between.add(name)

    def check_equal(self, layer: LayerUse, pair: tuple[int | None, int | None] | None, step: BlockStep) -> None:
        """Some layers want senders and receivers equally wide."""
        wants = layer.entry.needs_equal_pair(layer.entry.with_defaults(layer.arguments))
        if wants and pair is not None and None not in pair and pair[0] != pair[1]:
            message = f"`{layer.entry.name}` reads two sets of nodes: {pair[0]} and {pair[1]} columns"
            self.flow.unequal(message, step.span, "must be equally wide", [])

    def surroundings(self, layer: LayerUse, width: int | None, edge_width: int | None) -> Surroundings:
        """What arguments of a step's module are derived from."""
        degrees = known_degrees(self.block.edge, self.flow)
        if layer.entry.kind == "readout":
            degrees = known_sizes(self.block.type, self.flow)
        count = self.flow.count(self.block.type)
        return Surroundings(width=width, edge_width=edge_width, degrees=degrees, count=count)

    def given(
        self, slot: Slot, module: ModuleSpec, filled: Mapping[str, Any], named: Mapping[str, str | None]
    ) -> int | None:
        """Columns of a value that a layer gives."""
        if slot.kinds and slot.kinds[0] not in ("nodes", "graphs", "dense", "edge values", "stack", "pair"):
            return None
        if slot.columns is not None:
            return slot.columns
        if slot.width in named:
            return self.widths.get(named[slot.width])
        if slot.width:
            told: Any = filled.get(slot.width)
            if told is None:  # a network that is not there changes nothing
                return self.widths.get(named.get(slot.name))
            return told if isinstance(told, int) else getattr(told, "width_out", None)
        return module.width_out

    def shared(self, step: BlockStep, module: ModuleSpec) -> ModuleSpec:
        """Every turn of a shared repeat must build the same module."""
        if step.shares is None:
            return module
        first = self.steps[step.shares].module
        if first != module and "None" not in f"{first}{module}":
            message = f"one set of weights cannot serve every turn: `{first}` in the first, `{module}` in a later one"
            helps = ("bring the values to one width before the repeat, or leave `share` out",)
            self.flow.found.append(report("GNN502", message, module.span, "not the same in every turn", helps=helps))
        return module

    # --- inputs ---

    def check_inputs(self, step: BlockStep, layer: LayerUse, takes: Sequence[Slot]) -> None:
        """One number for each edge where a layer takes no more; further rows of nodes as wide as the first."""
        first = self.widths.get(step.inputs[0])
        for name, slot in list(zip(step.inputs, takes, strict=False))[1:]:
            width = self.widths.get(name)
            if width is None or name in self.absent:
                continue
            if slot.scalar and width != 1:
                message = (
                    f"`{slot.name}` of `{layer.entry.name}` is one number per edge, and `{name}` has {width} columns"
                )
                self.flow.found.append(report("GNN202", message, step.span))
            elif slot.columns is not None:
                if width != slot.columns:
                    message = (
                        f"`{slot.name}` of `{layer.entry.name}` has {slot.columns} columns, and `{name}` has {width}"
                    )
                    self.flow.unequal(message, step.span, "", [])
            elif slot.kinds == ("nodes",) and not slot.own and first is not None and width != first:
                message = f"`{layer.entry.name}` reads `{name}` beside `{step.inputs[0]}`: {width} and {first} columns"
                self.flow.unequal(message, step.span, "must be equally wide", [])

    def inputs(self, step: BlockStep, layer: LayerUse, takes: Sequence[Slot]) -> dict[str, int | None]:
        """Columns of what is passed to forward inputs, by input."""
        passed = {slot.name: name for name, slot in zip(step.inputs, takes, strict=False) if name not in self.absent}
        return {item.name: self.widths.get(passed[item.name]) for item in layer.entry.inputs if item.name in passed}

    def edge_width(self, step: BlockStep, layer: LayerUse, takes: Sequence[Slot]) -> int | None:
        """Columns of the value of edges that sets a constructor argument (`edge_dim`), if one is passed."""
        decisive = {item.name for item in layer.entry.inputs if item.width_parameter is not None}
        for name, slot in zip(step.inputs, takes, strict=False):
            if slot.name in decisive and name not in self.absent:
                return self.widths.get(name)
        return None

    def note_numbers(self, gives: Sequence[Slot], named: Mapping[str, str | None], step: BlockStep) -> None:
        """Which of the values that a step gives are whole numbers because it keeps them as they are."""
        kept = [
            name for slot, name in zip(gives, step.outputs, strict=True)
            if slot.kept and named.get(slot.name) in self.numbers
        ]  # fmt: skip
        self.numbers.difference_update(step.outputs)
        self.numbers.update(kept)

    def shapes(self, step: BlockStep, takes: Sequence[Slot], kept: Collection[str]) -> tuple[Shape, ...]:
        found: list[Shape] = []
        for name, slot in zip(step.inputs, takes, strict=False):
            rows = (
                slot.kinds != () and "batch" not in slot.kinds and slot.kinds[0] in ("nodes", "graphs", "edge values")
            )
            whole = {*slot.kinds} <= {"numbers", "edge numbers", "colors"} and bool(slot.kinds)
            whole |= slot.name in kept and name in self.numbers
            found.append("numbers" if whole else "flat" if slot.scalar else "columns" if rows else "")
        return tuple(found)

    # --- joins ---

    def join(self, step: BlockStep) -> SequenceStep:
        widths = [self.widths.get(name) for name in step.inputs]
        known = [width for width in widths if width is not None]
        side_by_side = step.join == "cat" or (step.join == "jump" and step.mode == "cat")
        out: int | None = None
        if len(known) == len(widths):
            out = sum(known) if side_by_side else known[0]
        if not side_by_side and len(set(known)) > 1:
            parts = ", ".join(f"`{name}` {width}" for name, width in zip(step.inputs, widths, strict=True))
            message = f"`{step.join}` joins values of equal width: {parts}"
            helps = (
                ("bring them to one width before",) if step.join == "stack" else ("`cat` takes values of any width",)
            )
            self.flow.unequal(message, step.span, "joined here", [], helps)
        arguments: dict[str, Any] = {}
        if step.join == "jump":
            arguments["mode"] = step.mode
            if step.mode == "lstm":
                arguments |= {"channels": widths[0], "num_layers": len(widths)}
        path = _JUMP if step.join == "jump" else ""
        module = self.shared(step, ModuleSpec(step.join, path, arguments, out, step.span))
        self.widths[step.outputs[0]] = out
        self.numbers.discard(step.outputs[0])
        self.absent.discard(step.outputs[0])
        self.absent.add(None)
        shapes: tuple[Shape, ...] = ("columns" if step.kind != "dense" else "",) * len(step.inputs)
        return SequenceStep(
            "join", module, step.inputs, step.outputs, shapes, step.kind, step.shares, widths[0], out, step.span
        )


def lower_sequence(block: Block, flow: Flow) -> SequenceStage:
    """Lower a `sequential` block."""
    return _BlockLowering(block, flow).lower()
