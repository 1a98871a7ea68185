"""How far a model looks: types that lie further away than it has layers."""

from graphdsl.model import Schema
from graphdsl.plan.head_types import AnyHead
from graphdsl.plan.ir import Plan
from graphdsl.plan.passes.mark_live import read_inputs
from graphdsl.plan.reach import depths
from graphdsl.plan.state import listed
from graphdsl.text import Diagnostic, report, show_name


def _distances(plan: Plan, start: tuple[str, ...]) -> dict[str, int]:
    """Hops from every type to the predicted ones, along the relations that the model serves."""
    near = dict.fromkeys(start, 0)
    ring = list(start)
    while ring:
        ring = sorted({edge[0] for edge in plan.relations if edge[2] in ring and edge[0] not in near})
        near |= dict.fromkeys(ring, max(near.values()) + 1)
    return near


def unseen_types(plan: Plan, schema: Schema) -> list[Diagnostic]:
    """Types that relations of the model would bring to a prediction, if it had more layers."""
    read = read_inputs(plan)
    behind = depths(plan)
    found: list[Diagnostic] = []
    for head in plan.heads:
        far = {name: hops for name, hops in _distances(plan, head.types).items() if name not in read}
        far = {name: hops for name, hops in far.items() if hops > behind[head.state]}
        if far and behind[head.state]:
            found.append(_finding(head, far, behind[head.state], schema))
    return found


def _finding(head: AnyHead, far: dict[str, int], depth: int, schema: Schema) -> Diagnostic:
    names = sorted(far, key=lambda name: (far[name], name))
    needed = max(far.values())
    verb = "is" if len(names) == 1 else "are"
    message = (
        f"the model looks {depth} hop{'s' if depth > 1 else ''} far, but {listed(names)} {verb} "
        f"{'further' if len(names) > 1 else f'{needed} hops'} from {listed(map(show_name, head.types))}"
    )
    also = [(schema.nodes[name].span, f"{far[name]} hops away") for name in names[:3]]
    helps = (f"{needed} relation maps see all of it; a metapath brings it near in one",)
    return report("GNN701", message, head.span, also=also, helps=helps)
