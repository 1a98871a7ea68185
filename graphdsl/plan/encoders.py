"""Lowering of encoders: modules that read attributes of nodes or edges by name."""

from collections.abc import Mapping, Sequence

from graphdsl.catalog import SIDE_BY_SIDE, looks_up
from graphdsl.model import Attribute, BoundInput, LayerUse
from graphdsl.plan.ir import InputBinding, NodeStep
from graphdsl.plan.module_spec import ModuleSpec, Width
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.state import Flow
from graphdsl.text import Diagnostic, Fix, Span, did_you_mean, listing, renaming, report, show_name

_LABELS = ("class", "multilabel", "real", "mask")
_NUMBERS = ("int", "bool", "class", "time")


def parts_of(use: LayerUse) -> tuple[LayerUse, ...]:
    """The layers that stand side by side, or the one layer."""
    parts: tuple[LayerUse, ...] = use.arguments["modules"] if use.entry is SIDE_BY_SIDE else (use,)
    return parts


def build_encoder(use: LayerUse, widths: Sequence[int | None], found: list[Diagnostic]) -> ModuleSpec:
    """The module of an encoder.

    Args:
        use: a layer, or several side by side.
        widths: columns that each of them reads.
        found: where problems go.
    """
    made = tuple(
        build_module(part, Surroundings(width=width), found) for part, width in zip(parts_of(use), widths, strict=True)
    )
    if use.entry is not SIDE_BY_SIDE:
        return made[0]
    known = [module.width_out for module in made if module.width_out is not None]
    width = sum(known) if len(known) == len(made) else None
    return ModuleSpec(use.entry.name, use.entry.path, {"modules": made}, width, use.span)


def is_looked_up(use: LayerUse) -> bool:
    """Whether a layer reads whole numbers, one for each row."""
    return looks_up(use.entry)


def lower_encoded(name: str, layer: LayerUse, width: Width, rule: Span, reads: int, flow: Flow) -> NodeStep:
    """A layer of a node map that reads attributes of the type in place of its value.

    Args:
        name: the type.
        layer: what reads them; among several side by side, a layer that names none reads the value.
        width: of the value.
        rule: where it stands.
        reads: number of the state that holds the value.
        flow: where widths come from and problems go.
    """
    widths: list[int | None] = []
    inputs: list[InputBinding] = []
    for part in parts_of(layer):
        columns = _columns(name, part, flow) if part.inputs else flow.columns(name, width, rule)
        widths.append(columns)
        if part.inputs:
            inputs.append(
                InputBinding("x", "node", part.inputs[0].attribute, width=columns, numbers=is_looked_up(part))
            )
        else:
            inputs.append(InputBinding("x", "state", state=reads, width=columns))
    module = build_encoder(layer, widths, flow.found)
    return NodeStep(name, module, width, module.width_out, rule, inputs=tuple(inputs))


def _columns(name: str, part: LayerUse, flow: Flow) -> int | None:
    """Columns of the attribute of a type that a layer reads; problems are reported."""
    (bound,) = part.inputs
    node = flow.schema.nodes[name]
    attribute = node.attributes.get(bound.attribute)
    if attribute is None:
        known = [key for key, item in node.attributes.items() if item.type.kind not in _LABELS]
        message = f"`{show_name(name)}` has no attribute `{bound.attribute}`"
        helps, notes = did_you_mean(bound.attribute, known), listing(f"attributes of `{name}`", known)
        fix = rename(bound, known)
        also = ((node.span, "declared here"),)
        flow.found.append(report("GNN304", message, bound.span, also=also, helps=helps, notes=notes, fix=fix))
        return None
    if attribute.type.kind in _LABELS:
        what = "a mask" if attribute.type.kind == "mask" else "a label"
        message = f"`{show_name(name)}.{attribute.name}` is {what}, which no layer may read"
        helps = ("`MaskLabel` shows labels of training nodes",) if attribute.type.kind == "class" else ()
        flow.found.append(report("GNN556", message, bound.span, also=((attribute.span, "declared here"),), helps=helps))
        return None
    width = attribute.type.width
    if width is None:
        store = flow.metadata.nodes.get(name) if flow.metadata else None
        tensor = store.tensors.get(attribute.name) if store else None
        width = tensor.width if tensor else None
    check_kind(part, attribute, width, flow)
    return width


def check_kind(part: LayerUse, attribute: Attribute, width: int | None, flow: Flow) -> None:
    """What is looked up are whole numbers, one for each row."""
    if not is_looked_up(part):
        return
    if attribute.type.kind in _NUMBERS and width in (None, 1):
        return
    message = f"`{part.entry.name}` looks up one whole number, and `{attribute.name}` is `{attribute.type}`"
    also = ((attribute.span, "declared here"),)
    helps = ("`Linear(…)` reads decimal numbers, and several columns",)
    flow.found.append(report("GNN556", message, part.inputs[0].span, also=also, helps=helps))


def rename(bound: BoundInput, known: Sequence[str] | Mapping[str, object]) -> Fix | None:
    """The fix that binds an input to the attribute that can be meant."""
    keyword = f"{bound.input.name} = " if bound.input.name else ""
    return renaming(bound.span, bound.attribute, sorted(known), lambda name: f"{keyword}{show_name(name)}")
