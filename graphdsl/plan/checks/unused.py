"""Parts of a schema that no model of the file reads."""

from collections.abc import Sequence

from graphdsl.model import Schema
from graphdsl.plan.attribute_reads import attribute_reads
from graphdsl.plan.events import event_head
from graphdsl.plan.head_types import LinkHead
from graphdsl.plan.ir import Plan, SequenceStage
from graphdsl.plan.module_spec import Ids
from graphdsl.plan.passes.mark_live import read_inputs
from graphdsl.text import Diagnostic, report, show_edge, show_name

_KINDS = ("float", "int", "bool")


def unused_types(plans: Sequence[Plan], schema: Schema) -> list[Diagnostic]:
    """Node types of which nothing reaches a prediction of any model, and that no relation of a model touches."""
    touched = {end for plan in plans for edge in plan.relations for end in (edge[0], edge[2])}
    touched |= {name for plan in plans for head in plan.heads for name in head.types}
    touched |= {name for plan in plans for head in plan.objectives for name in head.embedded}
    touched |= {end for plan in plans if (head := event_head(plan)) for end in (head.edge[0], head.edge[2])}
    touched |= {
        end
        for plan in plans
        for item in plan.derived
        if item.metapath
        for hop in item.metapath.hops
        for end in (hop.edge[0], hop.edge[2])
    }
    touched |= {name for plan in plans for name in read_inputs(plan)}
    helps = ("leave it out, or serve a relation that leads from it",)
    return [
        report("GNN704", f"no model of this file reads `{show_name(name)}`", node.span, helps=helps)
        for name, node in schema.nodes.items()
        if name not in touched
    ]


def unserved_relations(plans: Sequence[Plan], schema: Schema) -> list[Diagnostic]:
    """Edge types that send nothing in any model, in neither direction and on no metapath."""
    used = {edge for plan in plans for edge in plan.relations}
    used |= {hop.edge for plan in plans for item in plan.derived if item.metapath for hop in item.metapath.hops}
    used |= {head.edge for plan in plans for head in plan.heads if isinstance(head, LinkHead)}
    used |= {stage.edge for plan in plans for stage in plan.stages if isinstance(stage, SequenceStage)}
    used |= {hop.edge for plan in plans for head in plan.objectives for hop in head.path}
    touched = {end for edge in used for end in (edge[0], edge[2])}
    helps = ("serve it in a relation map, or leave it out",)
    return [
        report("GNN710", f"no model of this file serves `{show_edge(key)}`: it sends nothing", edge.span, helps=helps)
        for key, edge in schema.edges.items()
        if key not in used and edge.inverse not in used and not edge.derived and {edge.source, edge.target} <= touched
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


def unused_attributes(plans: Sequence[Plan], schema: Schema) -> list[Diagnostic]:
    """Numbers of node types that no model reads: models read `x` and what is bound to an input."""
    bound = {found.item.attribute for plan in plans for found in attribute_reads(plan)}
    read = {name for plan in plans for name in read_inputs(plan)}
    found: list[Diagnostic] = []
    for name, node in schema.nodes.items():
        for key, attribute in node.attributes.items():
            place = f"`{show_name(name)}.{show_name(key)}`"
            embedded = key == "x" and name in read and all(isinstance(plan.inputs.get(name), Ids) for plan in plans)
            if attribute.type.kind not in _KINDS or key in bound or (key == "x" and not embedded):
                continue
            if embedded:
                message = f"{place} is not read: the type has an embedding"
                helps = ("leave the embedding out to read the features, or the attribute",)
            else:
                message = f"no model of this file reads {place}"
                named = f"nodes {{ {show_name(name)}: Linear(…, x = {show_name(key)}) }}"
                helps = (f"read it by name, `{named}`, put it into `x` as a column, or leave it out",)
            found.append(report("GNN705", message, attribute.span, helps=helps))
    return found
