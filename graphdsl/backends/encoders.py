"""Encoders at work: modules that read attributes in place of the values of nodes, or on their way into a layer."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from graphdsl.backends.modules import build_module, run_module
from graphdsl.backends.naming import edge_key
from graphdsl.plan import InputBinding, ModuleSpec, RelationStage
from graphdsl.text import EdgeKey, Span, SpecError, report


def encode(module: nn.Module, spec: ModuleSpec, values: Sequence[Tensor], span: Span) -> Tensor:
    """What a module makes of an attribute, or several modules side by side of one each: [rows, width].

    Args:
        module: built from the spec.
        spec: a module, or `cat` of several.
        values: what they read, [rows, width], or [rows] of whole numbers that are looked up.
        span: the line of the spec that reads them.

    Raises:
        SpecError: GNN542 for a number that no vector is kept for.
    """
    if spec.name != "cat":
        return _one(module, spec, values[0], span)
    assert isinstance(module, nn.ModuleList)
    parts: tuple[ModuleSpec, ...] = spec.arguments["modules"]
    return torch.cat([_one(*item, span) for item in zip(module, parts, values, strict=True)], dim=-1)


def _one(module: nn.Module, spec: ModuleSpec, value: Tensor, span: Span) -> Tensor:
    if spec.name == "Embedding" and not value.is_floating_point():
        _check_numbers(spec, value, span)
    return run_module(module, value, spec.width_out)


def _check_numbers(spec: ModuleSpec, value: Tensor, span: Span) -> None:
    if torch.compiler.is_compiling() or value.numel() == 0:
        return
    low, high, known = int(value.min()), int(value.max()), spec.arguments["num_embeddings"]
    if low < 0 or high >= known:
        message = f"the attribute holds numbers from {low} to {high}, and there are vectors for 0 to {known - 1}"
        helps = (f"write `Embedding({high + 1}, …)`",) if low >= 0 else ("count from 0",)
        raise SpecError([report("GNN542", message, span, "looked up here", helps=helps)])


def build_encoders(stage: RelationStage) -> nn.ModuleDict:
    """The encoders of a relation map: by relation and argument; steps of one instance share theirs.

    Those of a layer that sees several relations stand under its number, `joint_0`.
    """
    found = nn.ModuleDict()
    instances: dict[int, nn.ModuleDict] = {}
    for step in stage.steps:
        if step.instance not in instances:
            instances[step.instance] = _by_argument(step.inputs)
        if len(instances[step.instance]):
            found["__".join(edge_key(step.edge))] = instances[step.instance]
    for number, joint in enumerate(stage.joints):
        if len(made := _by_argument(joint.inputs)):
            found[f"joint_{number}"] = made
    return found


def _by_argument(inputs: Sequence[InputBinding]) -> nn.ModuleDict:
    return nn.ModuleDict({item.argument: build_module(item.encoder) for item in inputs if item.encoder is not None})


def encoders_of(stage: RelationStage, modules: nn.ModuleDict) -> Mapping[tuple[str, EdgeKey], nn.Module]:
    """The encoder of each argument on each relation."""
    found: dict[tuple[str, EdgeKey], nn.Module] = {}
    for step in stage.steps:
        key = "__".join(edge_key(step.edge))
        if key in modules:
            found |= {(name, step.edge): module for name, module in _items(modules[key])}
    for number, joint in enumerate(stage.joints):
        if (key := f"joint_{number}") in modules:
            found |= {(name, edge): module for name, module in _items(modules[key]) for edge in joint.edges}
    return found


def _items(modules: nn.Module) -> list[tuple[str, nn.Module]]:
    assert isinstance(modules, nn.ModuleDict)
    return list(modules.items())
