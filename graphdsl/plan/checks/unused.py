"""Parts of a schema that no model of the file reads."""

from collections.abc import Sequence

from graphdsl.model import Schema
from graphdsl.plan.attribute_reads import attribute_reads
from graphdsl.plan.head_types import LinkHead
from graphdsl.plan.ir import Plan, SequenceStage
from graphdsl.plan.module_spec import Ids
from graphdsl.plan.passes.mark_live import read_inputs
from graphdsl.text import Diagnostic, EdgeKey, report, show_edge, show_name

_KINDS = ("float", "int", "bool")


def untouched_types(plans: Sequence[Plan], schema: Schema) -> list[str]:
    """Node types of which nothing reaches a prediction of any model, and that no relation of a model touches."""
    touched = {end for plan in plans for edge in plan.relations for end in (edge[0], edge[2])}
    touched |= {name for plan in plans for head in plan.heads for name in head.types}
    touched |= {name for plan in plans for head in plan.objectives for name in head.embedded}
    events = [head for plan in plans for head in plan.link_heads if head.events is not None]
    touched |= {end for head in events for end in (head.edge[0], head.edge[2])}
    touched |= {
        end
        for plan in plans
        for item in plan.derived
        if item.metapath
        for hop in item.metapath.hops
        for end in (hop.edge[0], hop.edge[2])
    }
    touched |= {name for plan in plans for name in read_inputs(plan)}
    return [name for name in schema.nodes if name not in touched]


def unused_types(plans: Sequence[Plan], schema: Schema) -> list[Diagnostic]:
    """The same as findings."""
    helps = ("leave it out, or serve a relation that leads from it",)
    return [
        report("GNN704", f"no model of this file reads `{show_name(name)}`", schema.nodes[name].span, helps=helps)
        for name in untouched_types(plans, schema)
    ]


def silent_relations(plans: Sequence[Plan], schema: Schema) -> list[EdgeKey]:
    """Edge types between types that are read, which send nothing in any model, in neither direction and on no metapath."""
    used = {edge for plan in plans for edge in plan.relations}
    used |= {hop.edge for plan in plans for item in plan.derived if item.metapath for hop in item.metapath.hops}
    used |= {head.edge for plan in plans for head in plan.heads if isinstance(head, LinkHead)}
    used |= {head.negative for plan in plans for head in plan.link_heads if head.negative is not None}
    used |= {stage.edge for plan in plans for stage in plan.stages if isinstance(stage, SequenceStage)}
    used |= {hop.edge for plan in plans for head in plan.objectives for hop in head.path}
    touched = {end for edge in used for end in (edge[0], edge[2])}
    return [
        key
        for key, edge in schema.edges.items()
        if key not in used and edge.inverse not in used and not edge.derived and {edge.source, edge.target} <= touched
    ]


def unserved_relations(plans: Sequence[Plan], schema: Schema) -> list[Diagnostic]:
    """The same as findings."""
    helps = ("serve it in a relation map, or leave it out",)
    said = "no model of this file serves `{}`: it sends nothing"
    return [
        report("GNN710", said.format(show_edge(key)), schema.edges[key].span, helps=helps)
        for key in silent_relations(plans, schema)
    ]


def unread_metapaths(plans: Sequence[Plan], schema: Schema) -> list[Diagnostic]:
    """Metapaths that no rule of a model serves: only a rule that names one does."""
    read = {edge for plan in plans for edge in plan.relations}
    read |= {
        edge for plan in plans for _, stage in plan.relation_stages() for joint in stage.joints for edge in joint.paths
    }
    read |= {head.along for plan in plans for head in plan.objectives if head.along}
    return [
        report(
            "GNN120",
            f"no model of this file reads the metapath `{show_name(path.name)}`",
            path.span,
            helps=(f"serve it by its name, `edges {{ {show_name(path.name)}: … }}`, or leave it out",),
        )
        for path in schema.metapaths.values()
        if path.key not in read
    ]


def unread_attributes(plans: Sequence[Plan], schema: Schema) -> list[tuple[str, str]]:
    """Types and their attributes that are numbers and that no model reads: models read `x` and what is bound to an input."""
    bound, read = _bound(plans), {name for plan in plans for name in read_inputs(plan)}
    found: list[tuple[str, str]] = []
    for name, node in schema.nodes.items():
        for key, attribute in node.attributes.items():
            embedded = key == "x" and name in read and all(isinstance(plan.inputs.get(name), Ids) for plan in plans)
            if attribute.type.kind in _KINDS and key not in bound and (key != "x" or embedded):
                found.append((name, key))
    return found


def unread_edge_attributes(plans: Sequence[Plan], schema: Schema) -> list[tuple[EdgeKey, str]]:
    """Relations and their attributes that are numbers and that no model reads."""
    bound = _bound(plans)
    return [
        (edge.key, key)
        for edge in schema.edges.values()
        for key, attribute in edge.attributes.items()
        if not edge.derived and attribute.type.kind in _KINDS and key not in bound
    ]


def _bound(plans: Sequence[Plan]) -> set[str]:
    """Names of attributes that are bound to an input somewhere."""
    bound = {found.item.attribute for plan in plans for found in attribute_reads(plan)}
    bound |= {item.name for plan in plans if plan.sequence is not None for item in plan.sequence.inputs}
    bound |= {head.spread.weight for plan in plans for head in plan.node_heads if head.spread is not None}
    bound |= {head.events.message for plan in plans for head in plan.link_heads if head.events is not None}
    return bound


def unused_attributes(plans: Sequence[Plan], schema: Schema) -> list[Diagnostic]:
    """Those of node types as findings."""
    found: list[Diagnostic] = []
    for name, key in unread_attributes(plans, schema):
        place = f"`{show_name(name)}.{show_name(key)}`"
        if key == "x":
            message = f"{place} is not read: the type has an embedding"
            helps = ("leave the embedding out to read the features, or the attribute",)
        else:
            message = f"no model of this file reads {place}"
            named = f"nodes {{ {show_name(name)}: Linear(…, x = {show_name(key)}) }}"
            helps = (f"read it by name, `{named}`, put it into `x` as a column, or leave it out",)
        found.append(report("GNN705", message, schema.nodes[name].attributes[key].span, helps=helps))
    return found
