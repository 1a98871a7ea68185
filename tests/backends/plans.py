"""Plans written by hand, graphs to run them on, and the comparison with modules written by hand."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from graphdsl.backends import CompiledModel, compile_plan
from graphdsl.plan import (
    Combine,
    Derived,
    DropStage,
    Head,
    Ids,
    InputBinding,
    JoinStage,
    JointStep,
    ModuleSpec,
    NodeStage,
    NodeStep,
    PipeStep,
    Plan,
    RelationStage,
    RelationStep,
    Stage,
)
from graphdsl.plan.passes import mark_live
from graphdsl.text import EdgeKey, Span, encode

Edges = dict[EdgeKey, Tensor]

WRITES: EdgeKey = ("author", "writes", "paper")
WRITTEN_BY: EdgeKey = ("paper", "written_by", "author")
CITES: EdgeKey = ("paper", "cites", "paper")
TEACHES: EdgeKey = ("author", "teaches", "author")
COUNTS = {"author": 6, "paper": 9, "venue": 4}


def at(line: int, column: int = 5) -> Span:
    """A place in the imagined spec `hand.gnn`."""
    return Span("hand.gnn", line, column, line, column + 8)


def module(path: str, width_out: int | None, line: int = 1, **arguments: Any) -> ModuleSpec:
    """A module of `torch_geometric.nn`, or of another package if `path` has a dot."""
    full = path if "." in path else f"torch_geometric.nn.{path}"
    return ModuleSpec(full.rpartition(".")[2], full, arguments, width_out, at(line))


def sends(
    edge: EdgeKey,
    spec: ModuleSpec,
    *inputs: InputBinding,
    instance: int | None = None,
    line: int = 20,
) -> RelationStep:
    """A step of one relation; without a number it has an instance of its own."""
    own = abs(hash(edge)) + 1000 if instance is None else instance
    return RelationStep(edge, spec, own, (None, None), spec.width_out, inputs, at(line))


def joint(
    edges: Iterable[EdgeKey],
    spec: ModuleSpec,
    widths: Mapping[str, int | Ids],
    *inputs: InputBinding,
    typed: bool = False,
    line: int = 30,
) -> JointStep:
    """A step of a layer that sees several relations."""
    ordered = tuple(sorted(edges))
    types = tuple(sorted({name for edge in ordered for name in (edge[0], edge[2])}))
    seen = {name: widths[name] for name in types}
    return JointStep(ordered, types, spec, "typed" if typed else "joint", seen, spec.width_out, inputs, at(line))


def metadata(*edges: EdgeKey) -> tuple[tuple[str, ...], tuple[EdgeKey, ...]]:
    """What HANConv and HGTConv are built with."""
    ordered = tuple(sorted(edges))
    return tuple(sorted({name for edge in ordered for name in (edge[0], edge[2])})), ordered


def apply(line: int = 40, **specs: ModuleSpec) -> PipeStep:
    """A pipe's step on some types."""
    return PipeStep(
        "apply", tuple(NodeStep(name, spec, None, spec.width_out, at(line)) for name, spec in specs.items()), at(line)
    )


RESIDUAL = PipeStep("residual", (), at(41))


@dataclass
class Draft:
    """A plan in the making: widths follow from the steps."""

    inputs: dict[str, int | Ids]
    stages: list[Stage] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)

    @property
    def last(self) -> int:
        return len(self.stages)

    def widths(self, state: int) -> dict[str, Any]:
        return dict(self.inputs if state == 0 else self.stages[state - 1].widths)

    def _base(
        self, key: str, reads: int, made: Mapping[str, Any], pipe: tuple[PipeStep, ...], shares: int | None
    ) -> dict:
        for item in pipe:
            made = {**made, **{step.type: step.width_out for step in item.steps if step.width_out is not None}}
        widths = {**self.widths(reads), **made}
        produced = tuple(sorted(made))
        span = at(10 + self.last)
        return {
            "key": key,
            "reads": reads,
            "shares": shares,
            "pipe": pipe,
            "produced": produced,
            "widths": widths,
            "span": span,
        }

    def nodes(
        self, key: str = "h0", *pipe: PipeStep, shares: int | None = None, line: int = 15, **specs: ModuleSpec
    ) -> "Draft":
        steps = tuple(
            NodeStep(name, spec, self.widths(self.last)[name], spec.width_out, at(line))
            for name, spec in sorted(specs.items())
        )
        base = self._base(key, self.last, {step.type: step.width_out for step in steps}, pipe, shares)
        self.stages.append(NodeStage(**base, steps=steps))
        return self

    def edges(
        self,
        *steps: RelationStep | JointStep,
        key: str = "h1",
        pipe: tuple[PipeStep, ...] = (),
        combine: str = "sum",
        shares: int | None = None,
        reads: int | None = None,
        **arguments: Any,
    ) -> "Draft":
        alone = tuple(sorted((item for item in steps if isinstance(item, RelationStep)), key=lambda item: item.edge))
        joints = tuple(item for item in steps if isinstance(item, JointStep))
        arriving: dict[str, list[int]] = {}
        for item in alone:
            arriving.setdefault(item.edge[2], []).append(item.width_out)
        for item in joints:
            for name in item.targets:
                arriving.setdefault(name, []).append(item.width_out)
        combined = {name: sum(found) if combine == "cat" else found[0] for name, found in arriving.items()}
        base = self._base(key, self.last if reads is None else reads, combined, pipe, shares)
        how = Combine(combine, arguments, at(19))
        self.stages.append(RelationStage(**base, steps=alone, joints=joints, combine=how, combined=combined))
        return self

    def join(
        self, kind: str, *states: int, key: str = "join1", pipe: tuple[PipeStep, ...] = (), **jumps: ModuleSpec
    ) -> "Draft":
        before = [self.widths(state) for state in states]
        made = {
            name: sum(widths[name] for widths in before) if kind == "cat" else before[0][name]
            for name in before[0]
            if not isinstance(before[0][name], Ids)
        }
        made |= {name: spec.width_out for name, spec in jumps.items()}
        modules = tuple(NodeStep(name, spec, None, spec.width_out, at(16)) for name, spec in sorted(jumps.items()))
        base = self._base(key, states[0], made, pipe, None)
        self.stages.append(JoinStage(**base, kind=kind, states=states, modules=modules))
        return self

    def drop(self, *types: str) -> "Draft":
        base = self._base(f"drop{self.last}", self.last, {}, (), None)
        base["widths"] = {name: width for name, width in base["widths"].items() if name not in types}
        self.stages.append(DropStage(**base, types=types))
        return self

    def predict(
        self, name: str, size: int = 3, attribute: str = "y", state: int | None = None, weight: float = 1.0
    ) -> "Draft":
        read = self.last if state is None else state
        spec = module("Linear", size, 50, in_channels=self.widths(read)[name], out_channels=size)
        key = f"{encode(name)}__{encode(attribute)}"
        self.heads.append(Head(f"{name}.{attribute}", key, name, attribute, "class", size, read, spec, weight, at(50)))
        return self

    def plan(
        self,
        *derived: Derived,
        optional_types: Iterable[str] = (),
        optional_relations: Iterable[EdgeKey] = (),
    ) -> Plan:
        used = set()
        for stage in self.stages:
            if isinstance(stage, RelationStage):
                used |= {step.edge for step in stage.steps} | {edge for item in stage.joints for edge in item.edges}
        plan = Plan(
            model="hand",
            schema="library",
            parameters={},
            inputs=dict(sorted(self.inputs.items())),
            relations=tuple(sorted(used)),
            optional_types=frozenset(optional_types),
            optional_relations=frozenset(optional_relations),
            derived=derived,
            stages=tuple(self.stages),
            heads=tuple(self.heads),
        )
        return mark_live(plan) if self.heads else plan

    def compile(self, *derived: Derived, seed: int = 0, **options: Any) -> CompiledModel:
        torch.manual_seed(seed)
        return compile_plan(self.plan(*derived, **options))


def features(widths: Mapping[str, int | Ids], counts: Mapping[str, int] = COUNTS, seed: int = 1) -> dict[str, Tensor]:
    """Random features of the types that have some."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(counts[name], width, generator=generator)
        for name, width in widths.items()
        if isinstance(width, int)
    }


def edges(*keys: EdgeKey, counts: Mapping[str, int] = COUNTS, seed: int = 2) -> Edges:
    """Random multigraphs; the last node of each type is isolated."""
    generator = torch.Generator().manual_seed(seed)
    return {
        key: torch.stack([torch.randint(counts[key[end]] - 1, (17,), generator=generator) for end in (0, 2)])
        for key in keys
    }


Reference = Callable[[dict[str, Tensor]], dict[str, Tensor]]


def compare(
    model: CompiledModel,
    modules: Mapping[str, nn.Module],
    reference: Reference,
    x_dict: Mapping[str, Tensor],
    edge_index_dict: Edges,
    **inputs: Any,
) -> None:
    """Require the same typed map, and the same gradients, from a model and from modules written by hand.

    Args:
        model: the compiled model.
        modules: hand-written modules by the prefix of their parameters in the model; its weights are copied there.
        reference: computes every type from features with those modules.
        x_dict: features.
        edge_index_dict: edges.
        **inputs: further inputs of the model.
    """
    state = model.state_dict()
    for prefix, twin in modules.items():
        own = {key.removeprefix(f"{prefix}."): value for key, value in state.items() if key.startswith(f"{prefix}.")}
        twin.load_state_dict(own)
        twin.train(model.training)
        twin.zero_grad()
    ours_x, theirs_x = ({name: x.clone().requires_grad_() for name, x in x_dict.items()} for _ in range(2))
    torch.manual_seed(5)
    ours = model.encode(ours_x, edge_index_dict, **inputs)
    torch.manual_seed(5)
    theirs = reference(theirs_x)
    assert set(ours) == set(theirs)
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], msg=lambda text, name=name: f"{name}: {text}")
    model.zero_grad()
    _total(ours).backward()
    _total(theirs).backward()
    for prefix, twin in modules.items():
        grads = dict(model.get_submodule(prefix).named_parameters())
        for name, parameter in twin.named_parameters():
            _same_gradient(f"{prefix}.{name}", grads[name].grad, parameter.grad)
    for name in x_dict:
        _same_gradient(f"x of {name}", ours_x[name].grad, theirs_x[name].grad)


def _total(values: Mapping[str, Tensor]) -> Tensor:
    """A scalar in which every number counts differently."""
    return sum(
        ((value * torch.linspace(-1, 1, value.numel()).view_as(value)).sum() for _, value in sorted(values.items())),
        torch.zeros(()),
    )


def _same_gradient(name: str, ours: Tensor | None, theirs: Tensor | None) -> None:
    assert (ours is None) == (theirs is None), name
    if ours is not None and theirs is not None:
        torch.testing.assert_close(ours, theirs, msg=lambda text: f"gradient of {name}: {text}")


def convs(edge: EdgeKey, stage: str = "h1") -> str:
    """Prefix of the parameters of one relation's module."""
    return f"stages.{stage}.conv.convs.<{'___'.join(edge)}>"


def renamed(plan: Plan, **changes: Any) -> Plan:
    """A plan with other fields."""
    return replace(plan, **changes)
