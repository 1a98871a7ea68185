"""From a model's body and values for its parameters to a program: repeats unrolled, rules matched, names resolved."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphdsl.model.combining import JoinReader, find_state, read_combine
from graphdsl.model.layers import LayerReader
from graphdsl.model.matching import Arm, match_relations, match_types
from graphdsl.model.objectives import ObjectiveReader, lonely_walks
from graphdsl.model.penalties import PenaltyPlace, PenaltyReader, distinct, unused_losses
from graphdsl.model.predictions import PredictionReader
from graphdsl.model.program import (
    AnyPrediction,
    AnyStage,
    DroppedStage,
    EdgesStage,
    JoinedStage,
    NodesStage,
    Penalty,
    Pipe,
    Program,
    RelationRule,
    TypeRule,
)
from graphdsl.model.schema import Schema
from graphdsl.model.schemas import unknown_type
from graphdsl.model.sequence_programs import elaborate_sequence
from graphdsl.model.values import UNKNOWN, Refused, evaluate, show
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, EdgeKey, Edit, Enough, Fix, Label, Span, report

MAX_REPEAT = 1000
MAX_STAGES = 5000
MAX_LAYERS = 50_000
"""Layer instances of a model; more would be a mistake, and checking them would take minutes."""


def _stage_names(statements: tuple[n.Statement, ...]) -> dict[str, Span]:
    """Names of states, and where each is first made."""
    names: dict[str, Span] = {}
    for statement in statements:
        if isinstance(statement, n.StageStatement) and statement.name:
            names.setdefault(statement.name.text, statement.name.span)
        elif isinstance(statement, n.RepeatStatement):
            names = {**_stage_names(statement.body), **names}
    return names


class _ProgramBuilder:
    """Walks a model's statements in order; problems go to `found`."""

    def __init__(
        self, declared: n.ModelDecl, schema: Schema, values: Mapping[str, Any], found: list[Diagnostic]
    ) -> None:
        self.declared = declared
        self.schema = schema
        self.values = values
        self.found = found
        self.stages: list[AnyStage] = []
        self.predictions: list[AnyPrediction] = []
        self.penalised: list[PenaltyPlace] = []
        self.states: dict[str, int] = {}
        self.current = 0
        self.dropped: dict[int, dict[str, Span]] = {0: {}}
        self.reserved = _stage_names(declared.body)
        self.keys: set[str] = set()
        self.numbers: dict[str, int] = {}
        self.replay: list[int] | None = None
        self.repeats: list[Span] = []
        self.stray = 0
        self.turns = 0
        self.layers = 0
        self.matched: dict[tuple[int, frozenset[str]], Any] = {}

    def build(self) -> Program:
        self.run(self.declared.body)
        penalties = self.penalties()
        self.found[:] = [self.made_later(item) for item in self.found]
        self.found += lonely_walks(self.predictions, self.stages)
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
            penalties,
        )

    def made_later(self, item: Diagnostic) -> Diagnostic:
        """A state that is not known where it is read, and made further down: says so."""
        match = re.fullmatch(r"unknown state `(\w+)`", item.message)
        place = self.reserved.get(match.group(1)) if match and item.code == "GNN101" else None
        if place is None:
            return item
        helps = ("a state is read behind the statement that makes it: move that one up",)
        return replace(item, labels=(*item.labels, Label(place, "made here")), helps=helps, fix=None)

    def run(self, statements: tuple[n.Statement, ...]) -> None:
        for statement in statements:
            if isinstance(statement, n.StageStatement):
                self.stage(statement)
            elif isinstance(statement, n.RepeatStatement):
                self.repeat(statement)
            elif isinstance(statement, n.DropStatement):
                self.drop(statement)
            elif isinstance(statement, n.PredictStatement | n.LearnStatement):
                self.predict(statement)
            elif isinstance(statement, n.PenaltyStatement):
                self.penalise(statement)
            else:
                helps = ("put it outside of `repeat`, alone with `predict`",)
                self.found.append(report("GNN107", "`sequential` is the whole of a model", statement.span, helps=helps))

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
            stem, glue = (name, "_") if name is not None else (kind, "")
            number = self.numbers.get(stem, 1 if name is not None else 0) + 1
            while (key := f"{stem}{glue}{number}") in self.keys or key in self.reserved:
                number += 1
            self.numbers[stem] = number
        self.keys.add(key)
        return key

    def put(self, stage: AnyStage, dropped: dict[str, Span]) -> None:
        self.stages.append(stage)
        self.current = len(self.stages)
        self.dropped[self.current] = dropped
        if stage.name is not None:
            self.states[stage.name] = self.current
        if len(self.stages) > MAX_STAGES:
            self.give_up(f"the model has more than {MAX_STAGES} stages", self.declared.name.span)

    def give_up(self, message: str, span: Span) -> None:
        """Stop at a model that is too large to be meant.

        Raises:
            Enough: always.
        """
        self.found.append(report("GNN204", message, span))
        raise Enough

    def shared(self) -> int | None:
        return self.replay.pop(0) if self.replay else None

    def stage(self, statement: n.StageStatement) -> None:
        source = statement.source
        name = statement.name.text if statement.name else None
        if isinstance(source, n.JoinCall):
            self.join(statement, source, name)
            return
        found = find_state(source.state, self.states, self.found) if source.state else self.current
        reads = self.current if found is None else found
        dropped = self.dropped[reads]
        if isinstance(source, n.NodesMap):
            rules = self.type_rules(source.rules, dropped, "nodes")
            pipe = self.pipe(statement, dropped)
            stage = NodesStage(self.key_for(name, "nodes"), name, reads, self.shared(), pipe, statement.span, rules)
        else:
            edges = self.relation_rules(source.rules, dropped)
            combine, arguments = read_combine(source.combine, self.value, self.found)
            pipe = self.pipe(statement, dropped)
            span = source.combine.span if source.combine else None
            key = self.key_for(name, "edges")
            stage = EdgesStage(key, name, reads, self.shared(), pipe, statement.span, edges, combine, arguments, span)
        self.put(stage, dropped)

    def arms(self, rules: tuple[n.Rule, ...], dropped: Mapping[str, Span], match: Any) -> tuple[Arm[Any], ...]:
        """Rules matched to types or relations, once for all turns of a repeat."""
        key = (id(rules), frozenset(dropped))
        if key not in self.matched:
            self.matched[key] = match(rules, self.schema, dropped, self.found)
        arms: tuple[Arm[Any], ...] = self.matched[key]
        self.layers += len(arms) + sum(len(arm.keys) for arm in arms)
        if self.layers > MAX_LAYERS:
            self.give_up(f"the model has more than {MAX_LAYERS} layers", self.declared.name.span)
        return arms

    def type_rules(self, rules: tuple[n.Rule, ...], dropped: Mapping[str, Span], place: str) -> tuple[TypeRule, ...]:
        result: list[TypeRule] = []
        arms: tuple[Arm[str], ...] = self.arms(rules, dropped, match_types)
        for arm in arms:
            if arm.rule.share:
                helps = ("layers of a node map are one per type; leave `share` out",)
                self.found.append(report("GNN107", "`share` ties relations, not types", arm.rule.span, helps=helps))
            layer = self.reader().read(arm.rule.layer, place)
            if layer is not None:
                result += [TypeRule(key, layer, arm.rule.span, key in arm.named) for key in arm.keys]
        return tuple(result)

    def relation_rules(self, rules: tuple[n.Rule, ...], dropped: Mapping[str, Span]) -> tuple[RelationRule, ...]:
        result: list[RelationRule] = []
        arms: tuple[Arm[EdgeKey], ...] = self.arms(rules, dropped, match_relations)
        for arm in arms:
            layer = self.reader().read(arm.rule.layer, "edges")
            if layer is None or not arm.keys:
                continue
            if arm.rule.share and layer.entry.scope != "relation":
                helps = ("leave `share` out",)
                message = f"`{layer.entry.name}` is one instance for all its relations already"
                self.found.append(report("GNN107", message, arm.rule.span, helps=helps))
            keys = tuple(sorted(arm.keys))
            result.append(RelationRule(keys, layer, arm.rule.share, arm.rule.span, bool(arm.named)))
        return tuple(result)

    def pipe(self, statement: n.StageStatement, dropped: Mapping[str, Span]) -> tuple[Pipe, ...]:
        result: list[Pipe] = []
        for item in statement.pipe:
            if isinstance(item, n.PipeMap):
                rules = self.type_rules(item.rules, dropped, "pipe")
                result.append(Pipe("map", None, rules, item.span))
            elif item.call.name.text == "residual":
                if item.call.arguments:
                    fix = Fix("leave the arguments out", (Edit(item.call.span, "residual"),))
                    place = item.call.arguments[0].span
                    self.found.append(report("GNN201", "`residual` takes no argument", place, fix=fix))
                result.append(Pipe("residual", None, (), item.span))
            else:
                layer = self.reader().read(item.call, "pipe")
                if layer is not None:
                    result.append(Pipe("layer", layer, (), item.span))
        return tuple(result)

    def join(self, statement: n.StageStatement, source: n.JoinCall, name: str | None) -> None:
        if self.stray != source.span.line:  # of several stray words on a line, the first says it all
            before = len(self.found)
            read = JoinReader(self.states, self.value, self.found).read(source.call)
            self.stray = source.span.line if len(self.found) > before else 0
        else:
            read = None
        states = (self.current,) if read is None else read.states
        dropped = {key: span for state in states for key, span in self.dropped[state].items()}
        pipe = self.pipe(statement, dropped)
        key, shares = self.key_for(name, "join"), self.shared()
        kind, mode = ("same", "cat") if read is None else (read.kind, read.mode)
        stage = JoinedStage(key, name, states[0], shares, pipe, statement.span, kind, states, mode)
        self.put(stage, dropped)

    # --- other statements ---

    def repeat(self, statement: n.RepeatStatement) -> None:
        count = self.value(statement.count)
        if count is UNKNOWN:
            count = 1
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MAX_REPEAT:
            message = f"`repeat` needs a whole number from 0 to {MAX_REPEAT}, found {show(count)}"
            code = "GNN204" if isinstance(count, int | float) and not isinstance(count, bool) else "GNN202"
            self.found.append(report(code, message, statement.count.span))
            return
        before, outer = len(self.found), self.replay
        first_turn: list[int] = []
        self.repeats.append(statement.span)
        for turn in range(count):
            self.spend(statement.count.span)
            if statement.share and turn > 0 and outer is None:
                self.replay = list(first_turn)
            start = len(self.stages)
            self.run(statement.body)
            if turn == 0:
                # An inner shared repeat points to its own first turn already.
                first_turn = [self.owner(index) for index in range(start, len(self.stages))]
            if outer is None:
                self.replay = None
            if len(self.found) > before:
                break  # the same findings again would say nothing new
        self.repeats.pop()

    def spend(self, span: Span) -> None:
        """Count the turns of all repeats, so that nested ones cannot run away."""
        self.turns += 1
        if self.turns > MAX_STAGES:
            self.give_up(f"the model repeats more than {MAX_STAGES} times in all", span)

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
                again = dropped[name.text] == name.span
                helps = ("the second turn of `repeat` drops it again: put `drop` behind the repeat",) if again else ()
                message = f"`{name.text}` was dropped already"
                self.found.append(report("GNN503", message, name.span, also=also, helps=helps))
            else:
                dropped[name.text] = name.span
                types.append(name.text)
        key = self.key_for(None, "drop")
        self.put(DroppedStage(key, None, self.current, self.shared(), (), statement.span, tuple(types)), dropped)

    def predict(self, statement: n.PredictStatement | n.LearnStatement) -> None:
        learns = isinstance(statement, n.LearnStatement)
        if self.repeats:
            helps, what = ("put it behind the repeat",), "an objective" if learns else "a prediction"
            self.found.append(report("GNN107", f"{what} cannot be repeated", statement.span, helps=helps))
            return
        here = (
            self.schema,
            self.current,
            self.dropped[self.current],
            self.predictions,
            self.reader(),
            self.value,
            self.found,
        )
        prediction = ObjectiveReader(*here).read(statement) if learns else PredictionReader(*here).read(statement)
        if prediction is not None:
            self.predictions.append(prediction)

    def penalise(self, statement: n.PenaltyStatement) -> None:
        if self.repeats:
            helps = ("put it behind the repeat: the losses of all turns count",)
            self.found.append(report("GNN107", "a penalty cannot be repeated", statement.span, helps=helps))
            return
        self.penalised.append(PenaltyPlace(statement, self.current, dict(self.states), self.dropped))

    def penalties(self) -> tuple[Penalty, ...]:
        """The penalties, once all stages are known; warnings about losses that none of them names."""
        reader = PenaltyReader(self.schema, self.stages, self.reader())
        penalties = distinct((reader.read(place) for place in self.penalised), self.found)
        if len(penalties) == len(self.penalised):
            self.found += unused_losses(self.stages, penalties)
        return penalties


def elaborate(declared: n.ModelDecl, schema: Schema, values: Mapping[str, Any], found: list[Diagnostic]) -> Program:
    """The program of a model with values for its parameters; problems are appended to `found`.

    Raises:
        Enough: the model is too large, or has too many problems; the reasons are in `found`.
    """
    if any(isinstance(statement, n.SequenceStatement) for statement in declared.body):
        return elaborate_sequence(declared, schema, values, found)
    return _ProgramBuilder(declared, schema, values, found).build()
