"""From a `sequential` block to steps with resolved names: what each step reads and gives, and whether that fits."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphdsl.catalog import Header, Slot, SlotKind, has_norm, header_of, is_deaf, is_graphwise
from graphdsl.model.combining import JUMP_MODES, STATE_JOINS
from graphdsl.model.layers import LayerReader
from graphdsl.model.program import LayerUse, SequenceStage, SequenceStep
from graphdsl.model.schema import Schema
from graphdsl.model.sequence_nodes import NodeSets, set_on
from graphdsl.model.sequence_values import WORDS, HeaderReader, Value, made_of, set_of, stands_for, way_between
from graphdsl.model.values import UNKNOWN, Refused, evaluate, show
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Enough, Span, did_you_mean, listing, report

MAX_REPEAT = 1000
MAX_STEPS = 5000
_JOINED: tuple[SlotKind, ...] = ("nodes", "graphs", "dense", "edge values")


class SequenceBuilder:
    """Walks the steps of a block in order; problems go to `found`.

    Attributes:
        last: the value that the last step gives.
    """

    def __init__(self, schema: Schema, values: Mapping[str, Any], found: list[Diagnostic]) -> None:
        self.schema = schema
        self.values = values
        self.found = found
        self.header = HeaderReader(schema, found)
        self.known: dict[str, Value] = {}
        self.steps: list[SequenceStep] = []
        self.last: Value | None = None
        self.previous: str | None = None
        self.made: dict[tuple[Span, int], tuple[str, Span]] = {}
        self.read: set[tuple[Span, int]] = set()
        self.losses: set[tuple[Span, int]] = set()
        self.lost: set[str] = set()
        self.batched = False
        self.sets = NodeSets(found)
        self.turns = 0
        self.replay: list[int] | None = None

    def build(self, statement: n.SequenceStatement) -> SequenceStage:
        """The block as a stage: all its steps."""
        inputs = self.header.read(statement)
        self.batched = any(item.source == "batch" for item in inputs) or bool(self.schema.graph)
        for place, item in enumerate(inputs):
            at = (statement.span, place)
            self.made[at] = (item.name, item.span)
            self.known[item.name] = Value(item.kind, set_of(item.kind, 0), item.span, "", at)
        self.lost |= self.header.lost
        self.run(statement.steps)
        if not statement.steps:
            self.found.append(report("GNN505", "the block has no step", statement.span))
        edge = self.header.edge.key
        return SequenceStage(
            "sequential", None, 0, None, (), statement.span, self.header.nodes.name, edge, inputs, tuple(self.steps)
        )

    def unused(self) -> None:
        """Names that nothing reads, once all predictions are known."""
        spans = {step.span for step in self.steps}
        for at, (name, span) in self.made.items():
            if at in self.read or at in self.losses:
                continue
            helps = ("write `_`",) if at[0] in spans else ("leave it out of the header",)
            if any(step.span == at[0] and step.layer and step.layer.span == span for step in self.steps):
                helps = ("leave the step out, or read what it gives",)
            self.found.append(report("GNN109", f"`{name}` is never read", span, helps=helps))

    def run(self, steps: Sequence[n.SequenceStep]) -> None:
        """Read steps in order."""
        for step in steps:
            if isinstance(step, n.RepeatedSteps):
                self.repeat(step)
            else:
                self.step(step)

    # --- repeats ---

    def repeat(self, statement: n.RepeatedSteps) -> None:
        """Unroll a repeat."""
        count = self.count(statement.count)
        before, outer = len(self.found), self.replay
        first_turn: list[int] = []
        for turn in range(count):
            self.turns += 1
            if max(self.turns, len(self.steps)) > MAX_STEPS:
                message = f"the block has more than {MAX_STEPS} steps"
                self.found.append(report("GNN204", message, statement.count.span))
                raise Enough
            if statement.share and turn > 0 and outer is None:
                self.replay = list(first_turn)
            start = len(self.steps)
            self.run(statement.body)
            if turn == 0:
                shared = ((step.shares, index) for index, step in enumerate(self.steps[start:], start))
                first_turn = [index if owner is None else owner for owner, index in shared]
            if outer is None:
                self.replay = None
            if len(self.found) > before:
                break  # the same findings again would say nothing new

    def value(self, node: n.Expression) -> Any:
        """The value of an expression, UNKNOWN after a report."""
        try:
            return evaluate(node, self.values)
        except Refused as refused:
            self.found.append(refused.diagnostic)
            return UNKNOWN

    def count(self, node: n.Expression) -> int:
        """Turns of a repeat; 1 while nobody has said how many."""
        count = self.value(node)
        if count is UNKNOWN:
            return 1
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MAX_REPEAT:
            message = f"`repeat` needs a whole number from 0 to {MAX_REPEAT}, found {show(count)}"
            code = "GNN204" if isinstance(count, int | float) and not isinstance(count, bool) else "GNN202"
            self.found.append(report(code, message, node.span))
            return 0
        return count

    # --- one step ---

    def step(self, statement: n.LayerStep) -> None:
        """Read a step, and bind the names that it gives."""
        call = statement.layer
        join = call.name.text if call.name.text in STATE_JOINS else ""
        layer = None if join else LayerReader(self.values, {}, self.found).read(call, "step")
        mode = self.mode(call, join)
        header = self.join_header(statement) if join else header_of(layer.entry) if layer else None
        if header is None:
            self.lose(statement)
            return
        header = header.told(layer.arguments) if layer else header
        names = self.names(statement, header)
        if names is None:
            self.lose(statement)
            return
        inputs, outputs, spans = names
        read = self.values_of(inputs, spans, header, call.name.text)
        first = read[0] if read else None
        if layer is not None and first is not None:
            self.warn_mixed(layer, header, inputs, statement)
        shares = self.replay.pop(0) if self.replay else None
        kind = self.give(statement, header, inputs, outputs, read)
        self.steps.append(SequenceStep(layer, join, mode, inputs, outputs, kind, shares, statement.span))

    def lose(self, statement: n.LayerStep) -> None:
        """A step that cannot be read: nothing is said about the names that it would have given."""
        for slot in statement.outputs or ():
            if isinstance(slot, n.Name):
                self.known.pop(slot.text, None)
                self.lost.add(slot.text)
        if statement.outputs and isinstance(statement.outputs[0], n.Name):
            self.previous = statement.outputs[0].text

    def names(
        self, statement: n.LayerStep, header: Header
    ) -> tuple[tuple[str | None, ...], tuple[str | None, ...], list[Span]] | None:
        """Names that a step reads and gives; without a header, that of the step before it."""
        name = statement.layer.name.text
        helps = (f"write `{name}: {header.example}`",)
        if statement.inputs is None or statement.outputs is None:
            if self.previous is None:
                message = "the first step says what it reads" if not self.steps else "the step before gives nothing"
                self.found.append(report("GNN530", message, statement.span, helps=helps))
                return None
            if not header.alone:
                needed = ", ".join(slot.name for slot in header.takes[: header.needed])
                count = "one value" if len(header.gives) > 1 else f"`{needed}`"
                verb = "gives more than" if len(header.gives) > 1 else "reads"
                message = f"`{name}` {verb} {count}, so it needs a header"
                self.found.append(report("GNN530", message, statement.span, helps=helps))
                return None
            return (self.previous,), (self.previous,), [statement.span]
        inputs = [None if isinstance(slot, n.Literal) else slot.text for slot in statement.inputs]
        outputs = [None if isinstance(slot, n.Literal) or slot.text == "_" else slot.text for slot in statement.outputs]
        if not self.fits(statement, header, len(inputs), len(outputs)):
            return None
        return tuple(inputs), tuple(outputs), [slot.span for slot in statement.inputs]

    def fits(self, statement: n.LayerStep, header: Header, inputs: int, outputs: int) -> bool:
        """Whether a header names as many values as the layer reads and gives."""
        name = statement.layer.name.text
        slots = (*(statement.inputs or ()), *(statement.outputs or ()))
        span = slots[0].span.to(slots[-1].span)
        before = len(self.found)
        if not header.needed <= inputs <= len(header.takes):
            low, high = header.needed, len(header.takes)
            said = str(low) if low == high else f"{low} to {high}"
            takes = ", ".join(slot.name for slot in header.takes)
            message = f"`{name}` reads {said} value{'s' if high > 1 else ''} ({takes}), its header names {inputs}"
            helps = ("optional ones may be `none`",) if low < high else ()
            self.found.append(report("GNN530", message, span, helps=helps))
        if outputs != len(header.gives):
            gives = ", ".join(slot.name for slot in header.gives)
            many = len(header.gives)
            message = f"`{name}` gives {many} value{'s' if many > 1 else ''} ({gives}), its header names {outputs}"
            helps = (f"name all of them, `_` for those that nobody reads: `{header.example}`",)
            self.found.append(report("GNN530", message, span, helps=helps if many > 1 else ()))
        for slot in statement.inputs or ():
            if isinstance(slot, n.Name) and slot.text == "_":
                helps = ("`none` passes nothing",)
                self.found.append(
                    report("GNN101", "`_` discards a value, so nothing can read it", slot.span, helps=helps)
                )
        for slot in statement.outputs or ():
            if isinstance(slot, n.Literal):
                self.found.append(report("GNN530", "`none` is no name", slot.span, helps=("`_` discards a value",)))
        return len(self.found) == before

    # --- what a step reads ---

    def values_of(
        self, inputs: Sequence[str | None], spans: Sequence[Span], header: Header, layer: str
    ) -> list[Value | None]:
        """The values of names, checked against what the layer reads."""
        result: list[Value | None] = []
        for name, span, slot in zip(inputs, spans, header.takes, strict=False):
            value = self.lookup(name, span) if name is not None else None
            if value is not None:
                self.read.add(value.place)
            if slot.ignored and value is not None and value.kind is not None:
                message = f"`{layer}` has no use for `{slot.name}`: {slot.ignored}"
                self.found.append(
                    report("GNN536", message, span, helps=("write `none`, or take a layer that reads it",))
                )
            elif (name is None or (value is not None and value.kind is None)) and not slot.optional:
                message = f"`{layer}` cannot do without `{slot.name}`"
                self.found.append(report("GNN530", message, span, "`none`" if name is None else f"`{name}` is `none`"))
            elif value is not None and value.kind is not None and not stands_for(value.kind, slot.kinds):
                self.found.append(self.other_kind(name or "", value, slot, span, layer))
            result.append(value)
        told = list(zip(inputs, result, spans, strict=False))
        if header.unpools:
            self.sets.check_return(told, layer)
        elif header.chooses:
            self.sets.check_choice(told, layer)
        else:
            self.sets.check_pairs(told, header.takes, layer)
            self.sets.check(told, header.takes)
        return result

    def lookup(self, name: str, span: Span) -> Value | None:
        """The value of a name, None after a report."""
        if name in self.known or name in self.lost:
            return self.known.get(name)
        helps = did_you_mean(name, self.known)
        if name in self.header.known and not helps:
            helps = (f"name it behind `sequential`: `sequential {', '.join([*self.inputs(), name])}`",)
        notes = listing("names", self.known)
        self.found.append(report("GNN101", f"nothing is called `{name}` here", span, helps=helps, notes=notes))
        return None

    def inputs(self) -> list[str]:
        """Names of the block's header."""
        return [name for name, value in self.known.items() if not value.maker]

    def other_kind(self, name: str, value: Value, slot: Slot, span: Span, layer: str) -> Diagnostic:
        """A value of another kind than the layer reads."""
        assert value.kind is not None
        rare = ("pair", "links") if value.kind not in ("pair", "links") else ()
        wanted = " or ".join(WORDS[kind] for kind in slot.kinds if kind not in rare)
        fitting = [known for known, other in self.known.items() if other.kind in slot.kinds]
        message = f"`{layer}` reads {wanted} here (`{slot.name}`), and `{name}` stands for {WORDS[value.kind]}"
        way = way_between(name, value.kind, slot.kinds)
        helps = (f"pass `{fitting[-1]}`",) if fitting else ()
        if way and (not fitting or value.kind == "colors"):
            helps = (way,)
        if value.kind == "dense" and layer == "MLP":
            helps = ("use `Linear`, `relu` and `Linear`: the norms in `MLP` take nodes of dense rows for columns",)
        also = ((value.span, "made here"),) if value.maker else ()
        return report("GNN531", message, span, also=also, helps=helps)

    def warn_mixed(self, layer: LayerUse, header: Header, inputs: Sequence[str | None], statement: n.LayerStep) -> None:
        """A layer that could be told which nodes make a graph, and is not."""
        place = next((place for place, slot in enumerate(header.takes) if slot.kinds == ("batch",)), None)
        entry = layer.entry
        filled = entry.with_defaults(layer.arguments)
        alone = (entry.kind == "norm" or has_norm(entry)) and not is_graphwise(entry, filled)
        first = self.known.get(inputs[0] or "")
        if place is None or alone or not self.batched or first is None or first.kind not in ("nodes", "edges"):
            return
        if is_deaf(entry, filled):
            message = f"the norms inside `{entry.name}` take all graphs of a mini-batch for one, even with `batch`"
            self.found.append(report("GNN533", message, statement.layer.span, helps=('write `norm = "batch_norm"`',)))
            return
        if place < len(inputs) and inputs[place] is not None:
            return
        helps = (f"pass it: `{entry.name}: {header.example}`",)
        message = f"without `batch`, `{entry.name}` takes all graphs of a mini-batch for one"
        self.found.append(report("GNN533", message, statement.layer.span, helps=helps))

    # --- what a step gives ---

    def give(
        self,
        statement: n.LayerStep,
        header: Header,
        inputs: Sequence[str | None],
        outputs: Sequence[str | None],
        read: Sequence[Value | None],
    ) -> SlotKind:
        """Bind the names that a step gives; the kind of the first of them."""
        first = next((value for value in read if value is not None), None)
        old = max((value.nodes for value in read if value is not None), default=0)
        old = self.sets.returned(read[1]) if header.unpools else old
        self.sets.begin(statement.layer.name.text, statement.span, old)
        by_slot = dict(zip((slot.name for slot in header.takes), zip(inputs, read, strict=False), strict=False))
        cluster = by_slot.get("cluster", (None, None))[1]
        merged = self.sets.merged(cluster)
        sides = [
            max(
                (set_on(value, slot, side) for slot, value in zip(header.takes, read, strict=False) if value),
                default=-1,
            )
            for side in (0, 1)
        ]
        between = any(value is not None and value.kind in ("pair", "links") for value in read)
        kinds: list[SlotKind | None] = []
        for place, (slot, name) in enumerate(zip(header.gives, outputs, strict=False)):
            kind = slot.kinds[0] if slot.kinds else made_of(first and first.kind, header.takes[0].kinds)
            taken = by_slot.get(slot.name, (None, None))[1]
            if slot.kept and taken is not None and taken.kind == "edge numbers":
                kind = taken.kind
            if slot.optional and _is_none(by_slot.get(slot.name)):
                kind = None
            kinds.append(kind)
            at = (statement.span, place)
            owner = statement.outputs[place] if statement.outputs else statement.layer
            same = sides[0] if any(item.side for item in header.takes) else old
            nodes, onto = set_of(kind, merged if slot.fresh else max(same, 0)), -1
            if kind in ("pair", "links"):
                nodes, onto = sides
            elif slot.side or between:
                nodes = set_of(kind, sides[1])
            made = Value(kind, nodes, statement.span, statement.layer.name.text, at, onto)
            if kind == "loss":
                self.losses.add(at)
            elif place == 0:
                self.last, self.previous = made, name
            if name is not None:
                self.known[name] = made
                self.lost.discard(name)
                self.made.setdefault(at, (name, owner.span))
        return kinds[0] or "nodes"

    # --- joins ---

    def join_header(self, statement: n.LayerStep) -> Header | None:
        """A join reads any number of rows of one kind; None after a report."""
        name = statement.layer.name.text
        least = 1 if name == "stack" else 2  # the first layer of a DNA network reads one value, as a stack
        if statement.inputs is None or len(statement.inputs) < least:
            helps = (f"write `{name}: x1, x2 -> x`",)
            message = f"`{name}` joins at least {'one value' if least == 1 else 'two values'}"
            self.found.append(report("GNN530", message, statement.span, helps=helps))
            return None
        first = statement.inputs[0]
        kind = self.known[first.text].kind if isinstance(first, n.Name) and first.text in self.known else None
        kinds: tuple[SlotKind, ...] = (kind,) if kind is not None and kind in _JOINED else _JOINED
        made: tuple[SlotKind, ...] = ()
        if name == "stack":
            kinds, made = ("nodes",), ("stack",)
        slots = tuple(Slot(f"x{place}", kinds) for place, _ in enumerate(statement.inputs, 1))
        return Header(slots, (Slot("x", made),))

    def mode(self, call: n.Call, join: str) -> str:
        """The mode of a `jump`; other joins have no option."""
        mode = "cat"
        for item in call.arguments if join else ():
            if join != "jump" or item.name is None or item.name.text != "mode":
                helps = ('only `jump` has an option: `jump(mode = "lstm"): x1, x2 -> x`',)
                self.found.append(report("GNN201", f"`{join}` takes no such argument", item.span, helps=helps))
                continue
            mode = self.value(item.value)
            if mode not in JUMP_MODES and mode is not UNKNOWN:
                notes = listing("modes", [show(known) for known in JUMP_MODES])
                code = "GNN204" if isinstance(mode, str) else "GNN202"
                self.found.append(report(code, f"`jump` has no mode {show(mode)}", item.value.span, notes=notes))
        return mode if mode in JUMP_MODES else "cat"


def _is_none(given: tuple[str | None, Value | None] | None) -> bool:
    """Whether an optional input was left out, `none`, or a value that is `none`."""
    if given is None or given[0] is None:
        return True
    return given[1] is not None and given[1].kind is None
