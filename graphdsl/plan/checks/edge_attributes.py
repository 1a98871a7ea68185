"""Attributes of relations that a layer could read and is not given: PyG passes over them in silence."""

from graphdsl.catalog import find
from graphdsl.model import Attribute, Schema
from graphdsl.plan.ir import Plan
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.text import Diagnostic, EdgeKey, Span, listing, report, show_edge


def _unread(module: ModuleSpec, bound: set[str], attributes: list[Attribute]) -> tuple[str, Attribute] | None:
    """An input of a layer that is free, and an attribute that it could take."""
    entry = find(module.name)
    inputs = [item for item in entry.inputs if item.source == "edge"] if entry else []
    if any(item.name in bound for item in inputs):
        return None
    for item in inputs:
        for attribute in attributes:
            if not item.scalar or attribute.type.width == 1:
                return item.name, attribute
    return None


def ignored_edge_attributes(plan: Plan, schema: Schema) -> list[Diagnostic]:
    """One finding for each rule whose layer could read an attribute of its relations."""
    found: dict[Span, Diagnostic] = {}

    def look(rule: Span, module: ModuleSpec, edge: EdgeKey, bound: set[str]) -> None:
        declared = schema.edges.get(edge)
        attributes = [item for item in declared.attributes.values() if item.type.kind == "float"] if declared else []
        free = _unread(module, bound, attributes)
        if free is None or rule in found:
            return
        name, attribute = free
        message = f"`{module.name}` could read `{attribute.name}` of `{show_edge(edge)}`, and is not given it"
        also = ((attribute.span, f"`{attribute.type}`"),)
        helps = (f"give it by keyword: `{name} = {attribute.name}`",)
        notes = listing(f"attributes of `{show_edge(edge)}`", [item.name for item in attributes])
        found[rule] = report("GNN702", message, module.span, also=also, helps=helps, notes=notes)

    for _, stage in plan.relation_stages():
        for step in stage.steps:
            if step.live:
                look(step.rule, step.module, step.edge, {item.argument for item in step.inputs})
        for joint in stage.joints:
            for edge in joint.edges if joint.live else ():
                look(joint.rule, joint.module, edge, {item.argument for item in joint.inputs})
    return list(found.values())
