"""From a model's body and values for its parameters to a program: repeats unrolled, rules matched, names resolved."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from graphdsl.model.layers import LayerReader
from graphdsl.model.matching import match_relations, match_types
from graphdsl.model.program import (
    AnyStage,
    DroppedStage,
    EdgesStage,
    JoinedStage,
    NodesStage,
    Pipe,
    Prediction,
    Program,
    RelationRule,
    TypeRule,
)
from graphdsl.model.schema import LABEL_KINDS, Schema
from graphdsl.model.schemas import unknown_type
from graphdsl.model.values import UNKNOWN, Refused, evaluate, show
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, did_you_mean, listing, report

MAX_REPEAT = 1000
MAX_STAGES = 5000
COMBINES = ("sum", "mean", "max", "min", "cat", "attention")
JOINS = ("cat", "add", "mean", "max", "jump")
JUMP_MODES = ("cat", "max", "lstm")
JoinKind = Literal["cat", "add", "mean", "max", "jump", "same"]


def _stage_name(statement: n.Statement) -> set[str]:
    if isinstance(statement, n.StageStatement):
        return {statement.name.text} if statement.name else set()
    if isinstance(statement, n.RepeatStatement):
        return set().union(*(_stage_name(item) for item in statement.body))
    return set()


class _ProgramBuilder:
    """Walks a model's statements in order; problems go to `found`."""

    def __init__(self, declared: n.ModelDecl, schema: Schema, values: Mapping[str, Any], found: list[Diagnostic]) -> None:
        self.declared = declared
        self.schema = schema
        self.values = values
        self.found = found
        self.stages: list[AnyStage] = []
        self.predictions: list[Prediction] = []
        self.states: dict[str, int] = {}
        self.current = 0
        self.dropped: dict[int, dict[str, Span]] = {0: {}}
        self.reserved = set().union(*(_stage_name(item) for item in declared.body))
        self.keys: set[str] = set()
        self.replay: list[int] | None = None
        self.halted = False
        self.turns = 0

    def build(self) -> Program:
        self.run(self.declared.body)
        if not self.predictions and not self.found:
            helps = ("end the model with `predict TYPE.LABEL`",)
            message = f"model `{self.declared.name.text}` predicts nothing"
            self.found.append(report("GNN505", message, self.declared.name.span, helps=helps))
        return Program(
            self.declared.name.text,
            self.schema,
            self.values,
            tuple(self.stages),
            tuple(self.predictions),
            self.declared.name.span,
        )

    def run(self, statements: tuple[n.Statement, ...]) -> None:
        for statement in statements:
            if self.halted:
                return
            if isinstance(statement, n.StageStatement):
                self.stage(statement)
            elif isinstance(statement, n.RepeatStatement):
                self.repeat(statement)
            elif isinstance(statement, n.DropStatement):
                self.drop(statement)
            else:
                self.predict(statement)

    def value(self, node: n.Expression) -> Any:
        """The value of an expression, UNKNOWN after a report."""
        try:
            return evaluate(node, self.values)
        except Refused as refused:
            self.found.append(refused.diagnostic)
            return UNKNOWN

    def reader(self) -> LayerReader:
        return LayerReader(self.values, self.states, self.found)

    # --- stages ---

    def key_for(self, name: str | None, kind: str) -> str:
        """A key that no other stage has: the state's name where it is free."""
        if name is not None and name not in self.keys:
            key = name
        else:
            stem, number = (name, 2) if name is not None else (kind, 1)
            glue = "_" if name is not None else ""
            while (key := f"{stem}{glue}{number}") in self.keys or key in self.reserved:
                number += 1
        self.keys.add(key)
        return key

    def state(self, name: n.Name) -> int:
        if name.text in self.states:
            return self.states[name.text]
        helps = did_you_mean(name.text, self.states)
        notes = listing("states", self.states)
        self.found.append(report("GNN101", f"unknown state `{name.text}`", name.span, helps=helps, notes=notes))
        return self.current

    def put(self, stage: AnyStage, dropped: dict[str, Span]) -> None:
        self.stages.append(stage)
        self.current = len(self.stages)
        self.dropped[self.current] = dropped
        if stage.name is not None:
            self.states[stage.name] = self.current
        if len(self.stages) > MAX_STAGES:
            self.halted = True
            message = f"the model has more than {MAX_STAGES} stages"
            self.found.append(report("GNN204", message, self.declared.name.span))

    def shared(self) -> int | None:
        return self.replay.pop(0) if self.replay else None

    def stage(self, statement: n.StageStatement) -> None:
        source = statement.source
        name = statement.name.text if statement.name else None
        if isinstance(source, n.JoinCall):
            self.join(statement, source, name)
            return
        reads = self.state(source.state) if source.state else self.current
        dropped = self.dropped[reads]
        if isinstance(source, n.NodesMap):
            rules = self.type_rules(source.rules, dropped, "nodes")
            pipe = self.pipe(statement, dropped)
            stage = NodesStage(self.key_for(name, "nodes"), name, reads, self.shared(), pipe, statement.span, rules)
        else:
            edges = self.relation_rules(source.rules, dropped)
            combine, arguments = self.combine(source.combine)
            pipe = self.pipe(statement, dropped)
            span = source.combine.span if source.combine else None
            key = self.key_for(name, "edges")
            stage = EdgesStage(key, name, reads, self.shared(), pipe, statement.span, edges, combine, arguments, span)
        self.put(stage, dropped)

    def type_rules(self, rules: tuple[n.Rule, ...], dropped: Mapping[str, Span], place: str) -> tuple[TypeRule, ...]:
        result: list[TypeRule] = []
        for arm in match_types(rules, self.schema, dropped, self.found):
            if arm.rule.share:
                helps = ("layers of a node map are one per type; leave `share` out",)
                self.found.append(report("GNN107", "`share` ties relations, not types", arm.rule.span, helps=helps))
            layer = self.reader().read(arm.rule.layer, place)
            if layer is not None:
                result += [TypeRule(key, layer, arm.rule.span, arm.named) for key in arm.keys]
        return tuple(result)

    def relation_rules(self, rules: tuple[n.Rule, ...], dropped: Mapping[str, Span]) -> tuple[RelationRule, ...]:
        result: list[RelationRule] = []
        for arm in match_relations(rules, self.schema, dropped, self.found):
            layer = self.reader().read(arm.rule.layer, "edges")
            if layer is None or not arm.keys:
                continue
            if arm.rule.share and layer.entry.scope != "relation":
                helps = ("leave `share` out",)
                message = f"`{layer.entry.name}` is one instance for all its relations already"
                self.found.append(report("GNN107", message, arm.rule.span, helps=helps))
            keys = tuple(sorted(arm.keys))
            result.append(RelationRule(keys, layer, arm.rule.share, arm.rule.span, arm.named))
        return tuple(result)

    def combine(self, call: n.Call | None) -> tuple[str, dict[str, Any]]:
        if call is None:
            return "sum", {}
        if call.name.text not in COMBINES:
            helps = did_you_mean(call.name.text, COMBINES)
            notes = listing("ways to combine", COMBINES)
            message = f"unknown combine `{call.name.text}`"
            self.found.append(report("GNN101", message, call.name.span, helps=helps, notes=notes))
            return "sum", {}
        arguments: dict[str, Any] = {}
        for position, item in enumerate(call.arguments):
            name = item.name.text if item.name else ("hidden" if position == 0 else "")
            if call.name.text != "attention" or name != "hidden":
                helps = ("only `attention` takes an argument: `attention(hidden = 128)`",)
                self.found.append(report("GNN201", "unknown argument of `combine`", item.span, helps=helps))
                continue
            value = self.value(item.value)
            if value is not UNKNOWN and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                self.found.append(report("GNN204", "`hidden` must be a whole number ≥ 1", item.value.span))
                continue
            arguments["hidden"] = value
        if call.name.text == "attention":
            arguments.setdefault("hidden", 128)
        return call.name.text, arguments

    def pipe(self, statement: n.StageStatement, dropped: Mapping[str, Span]) -> tuple[Pipe, ...]:
        result: list[Pipe] = []
        for item in statement.pipe:
            if isinstance(item, n.PipeMap):
                rules = self.type_rules(item.rules, dropped, "pipe")
                result.append(Pipe("map", None, rules, item.span))
            elif item.call.name.text == "residual":
                if item.call.arguments:
                    self.found.append(report("GNN201", "`residual` takes no argument", item.call.arguments[0].span))
                result.append(Pipe("residual", None, (), item.span))
            else:
                layer = self.reader().read(item.call, "pipe")
                if layer is not None:
                    result.append(Pipe("layer", layer, (), item.span))
        return tuple(result)

    def join(self, statement: n.StageStatement, source: n.JoinCall, name: str | None) -> None:
        call = source.call
        kind: JoinKind = "same"
        if call.name.text in self.states and not call.arguments:
            states = [self.states[call.name.text]]
        elif call.name.text in JOINS:
            kind = next(item for item in get_args(JoinKind) if item == call.name.text)
            states = [self.state(item.value.name) for item in call.arguments if self.is_state(item, kind)]
            if len(states) < 2 and all(isinstance(item.value, n.Reference) for item in call.arguments):
                helps = (f"write `{kind}(h0, h1)`",)
                self.found.append(report("GNN203", f"`{kind}` joins at least two states", call.span, helps=helps))
        else:
            self.found.append(self.unknown_source(call))
            return
        mode = self.jump_mode(call) if kind == "jump" else "cat"
        states = states or [self.current]
        dropped = {key: span for state in states for key, span in self.dropped[state].items()}
        pipe = self.pipe(statement, dropped)
        key, shares = self.key_for(name, "join"), self.shared()
        stage = JoinedStage(key, name, states[0], shares, pipe, statement.span, kind, tuple(states), mode)
        self.put(stage, dropped)

    def is_state(self, item: n.Argument, kind: str) -> bool:
        """Whether an argument of a join names a state; reports what is neither state nor option."""
        if item.name is not None:
            if kind != "jump" or item.name.text != "mode":
                helps = ("only `jump` has an option: `mode`",)
                self.found.append(report("GNN201", f"unknown option `{item.name.text}`", item.span, helps=helps))
            return False
        if isinstance(item.value, n.Reference):
            return True
        self.found.append(report("GNN202", "a join takes names of states", item.span))
        return False

    def jump_mode(self, call: n.Call) -> str:
        option = next((item for item in call.arguments if item.name and item.name.text == "mode"), None)
        mode = self.value(option.value) if option else "cat"
        if mode in JUMP_MODES or mode is UNKNOWN or option is None:
            return "cat" if mode is UNKNOWN else mode
        notes = listing("modes", JUMP_MODES)
        self.found.append(report("GNN204", f"`jump` has no mode {show(mode)}", option.value.span, notes=notes))
        return "cat"

    def unknown_source(self, call: n.Call) -> Diagnostic:
        name = call.name.text
        known = [*self.states, *JOINS]
        helps = did_you_mean(name, known) or ("a layer stands in `nodes { *: … }`, in `edges { … }` or behind `|`",)
        message = f"`{name}` is neither a state nor a join"
        return report("GNN101", message, call.name.span, helps=helps, notes=listing("states and joins", known))

    # --- other statements ---

    def repeat(self, statement: n.RepeatStatement) -> None:
        count = self.value(statement.count)
        if count is UNKNOWN:
            count = 1
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MAX_REPEAT:
            message = f"`repeat` needs a whole number from 0 to {MAX_REPEAT}, found {show(count)}"
            self.found.append(report("GNN204", message, statement.count.span))
            return
        before, outer = len(self.found), self.replay
        first_turn: list[int] = []
        for turn in range(count):
            self.spend(statement.count.span)
            if self.halted:
                return
            if statement.share and turn > 0 and outer is None:
                self.replay = list(first_turn)
            start = len(self.stages)
            self.run(statement.body)
            if turn == 0:
                # An inner shared repeat points to its own first turn already.
                first_turn = [self.owner(index) for index in range(start, len(self.stages))]
            if outer is None:
                self.replay = None
            if len(self.found) > before or self.halted:
                return  # the same findings again would say nothing new

    def spend(self, span: Span) -> None:
        """Count the turns of all repeats, so that nested ones cannot run away."""
        self.turns += 1
        if self.turns > MAX_STAGES and not self.halted:
            self.halted = True
            self.found.append(report("GNN204", f"the model repeats more than {MAX_STAGES} times in all", span))

    def owner(self, index: int) -> int:
        """The stage whose weights a stage uses."""
        shares = self.stages[index].shares
        return index if shares is None else shares

    def drop(self, statement: n.DropStatement) -> None:
        dropped = dict(self.dropped[self.current])
        types: list[str] = []
        for name in statement.types:
            if name.text not in self.schema.nodes:
                self.found.append(unknown_type(name, self.schema.nodes))
            elif name.text in dropped:
                also = ((dropped[name.text], "first dropped here"),)
                self.found.append(report("GNN503", f"`{name.text}` was dropped already", name.span, also=also))
            else:
                dropped[name.text] = name.span
                types.append(name.text)
        key = self.key_for(None, "drop")
        self.put(DroppedStage(key, None, self.current, self.shared(), (), statement.span, tuple(types)), dropped)

    def predict(self, statement: n.PredictStatement) -> None:
        kind, attribute = statement.type, statement.attribute
        if kind.text not in self.schema.nodes:
            self.found.append(unknown_type(kind, self.schema.nodes))
            return
        if not self.is_label(kind, attribute):
            return
        if kind.text in self.dropped[self.current]:
            also = ((self.dropped[self.current][kind.text], "dropped here"),)
            self.found.append(report("GNN503", f"`{kind.text}` was dropped and cannot be predicted", kind.span, also=also))
            return
        earlier = next((p for p in self.predictions if (p.type, p.attribute) == (kind.text, attribute.text)), None)
        if earlier is not None:
            also = ((earlier.span, "first predicted here"),)
            message = f"`{kind.text}.{attribute.text}` is predicted twice"
            self.found.append(report("GNN102", message, statement.span, also=also))
            return
        head = self.reader().read(statement.head, "head") if statement.head else None
        weight = self.weight(statement)
        span = kind.span.to(attribute.span)
        self.predictions.append(Prediction(kind.text, attribute.text, head, weight, self.current, span))

    def weight(self, statement: n.PredictStatement) -> float:
        if statement.weight is None:
            return 1.0
        value = self.value(statement.weight)
        if value is UNKNOWN:
            return 1.0
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            self.found.append(report("GNN204", "a weight is a number ≥ 0", statement.weight.span))
            return 1.0
        return float(value)

    def is_label(self, kind: n.Name, attribute: n.Name) -> bool:
        attributes = self.schema.nodes[kind.text].attributes
        found = attributes.get(attribute.text)
        labels = [name for name, item in attributes.items() if item.type.kind in LABEL_KINDS]
        notes = listing(f"labels of `{kind.text}`", labels)
        if found is None:
            helps = did_you_mean(attribute.text, labels or attributes)
            message = f"`{kind.text}` has no attribute `{attribute.text}`"
            self.found.append(report("GNN101", message, attribute.span, helps=helps, notes=notes))
            return False
        if found.type.kind not in LABEL_KINDS:
            also = ((found.span, f"`{found.type}` is no label"),)
            message = f"`{kind.text}.{attribute.text}` cannot be predicted"
            helps = ("declare it as `class[k]`, `multilabel[k]` or `real`",)
            self.found.append(report("GNN511", message, attribute.span, also=also, helps=helps, notes=notes))
            return False
        if attribute.text == "x":
            helps = ("give the label another key than `x`, which models read",)
            self.found.append(report("GNN509", "the label is also the input", attribute.span, helps=helps))
            return False
        return True


def elaborate(
    declared: n.ModelDecl, schema: Schema, values: Mapping[str, Any], found: list[Diagnostic]
) -> Program:
    """The program of a model with values for its parameters; problems are appended to `found`."""
    return _ProgramBuilder(declared, schema, values, found).build()
