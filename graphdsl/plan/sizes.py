"""What a plan must know before it can be compiled: widths, counts and values of parameters."""

from collections.abc import Iterator

from graphdsl.catalog import find
from graphdsl.model import UNKNOWN
from graphdsl.plan.degrees import degrees_unknown, lacking_degrees
from graphdsl.plan.head_types import GraphHead, ObjectiveHead
from graphdsl.plan.ir import JoinStage, NodeStage, Plan, RelationStage, SequenceStage, Stage
from graphdsl.plan.module_spec import Ids, ModuleSpec, Width
from graphdsl.plan.modules import unresolved
from graphdsl.text import Diagnostic, Span, report

_FROM_DATA = "give the data: `--data` on the command line, `data=` in Python"


def _readings(stage: Stage) -> Iterator[tuple[ModuleSpec, tuple[Width, ...]]]:
    """Modules of a stage and the widths that each reads."""
    if isinstance(stage, NodeStage):
        yield from ((step.module, (step.width_in,)) for step in stage.steps)
    elif isinstance(stage, RelationStage):
        yield from ((step.module, step.width_in) for step in stage.steps)
        yield from ((joint.module, tuple(joint.width_in.values())) for joint in stage.joints)
    elif isinstance(stage, JoinStage):
        yield from ((step.module, (step.width_in,)) for step in stage.modules)
    elif isinstance(stage, SequenceStage):
        yield from ((step.module, (step.width_in,)) for step in stage.steps)
    yield from ((step.module, (step.width_in,)) for item in stage.pipe for step in item.steps)


def _missing(module: ModuleSpec, widths: tuple[Width, ...]) -> Diagnostic:
    uncounted = "num_nodes" in module.arguments and module.arguments["num_nodes"] is None
    if uncounted or any(isinstance(width, Ids) for width in widths):
        message = f"the number of nodes that `{module.name}` needs is not known"
        helps = (_FROM_DATA, "or state it: `node T(count = N)`")
        return report("GNN508", message, module.span, helps=helps)
    if module.arguments.get("num_classes", 0) is None:
        message = f"the number of classes that `{module.name}` needs is not known"
        return report("GNN506", message, module.span, helps=(_FROM_DATA, "or state it in the schema instead of `*`"))
    lacking = lacking_degrees(module)
    if lacking is not None:
        return degrees_unknown(lacking, readout=lacking is module and _reads_out(module))
    message = f"the width that `{module.name}` needs is not known"
    return report("GNN506", message, module.span, helps=(_FROM_DATA, "or state it in the schema instead of `*`"))


def _reads_out(module: ModuleSpec) -> bool:
    entry = find(module.name)
    return entry is not None and entry.kind == "readout"


def missing_sizes(plan: Plan) -> list[Diagnostic]:
    """What is still unknown: parameters, otherwise each place where modules lack a width or a count."""
    unset = [
        report(
            "GNN206",
            f"model `{plan.model}` needs a value for `{name}`",
            where=f"model `{plan.model}`",
            helps=(f"give it: `--set {name}=…`, or `{name}=…` in Python",),
        )
        for name, value in plan.parameters.items()
        if value is UNKNOWN
    ]
    if unset:
        return unset  # widths follow from them
    places: dict[Span, Diagnostic] = {}
    for stage in plan.stages:
        for module, widths in _readings(stage):
            if unresolved(module):
                places.setdefault(module.span, _missing(module, widths))
    for head in plan.heads:
        for item in head.readouts if isinstance(head, GraphHead) else ():
            if unresolved(item.module):
                places.setdefault(item.module.span, _missing(item.module, (item.width_in,)))
        if unresolved(head.module):
            walks = isinstance(head, ObjectiveHead) and head.kind == "walks"
            read = (Ids(None),) if walks else tuple(plan.widths(head.state)[name] for name in head.types)
            places.setdefault(head.span, _missing(head.module, read))
        elif head.size is None and (not head.types or head.module.arguments.get("out_channels", 0) is None):
            message = f"the size of `{head.name}` is not known"
            helps = (_FROM_DATA, "or state it in the schema instead of `*`")
            places.setdefault(head.span, report("GNN506", message, head.span, helps=helps))
    return list(places.values())
