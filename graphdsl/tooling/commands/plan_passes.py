"""What the compiler made of a plan: `gnn plan --passes`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from graphdsl.plan import Plan
from graphdsl.plan.fusing import list_decisions
from graphdsl.plan.grouping import Grouping, list_groups
from graphdsl.plan.hopping import list_path_uses
from graphdsl.plan.table import align
from graphdsl.text import show_edge, show_name


def passes_json(plan: Plan, data: Any = None) -> dict[str, Any]:
    """The same as records: `decisions`, `groups`, `metapaths`, and with data `orders` and `path_choices`."""
    found: dict[str, Any] = {
        "decisions": [asdict(item) for item in list_decisions(plan)],
        "groups": [asdict(item) for item in list_groups(plan)],
        "metapaths": [asdict(item) for item in list_path_uses(plan)],
    }
    if data is not None:
        from graphdsl.data.orders import list_orders
        from graphdsl.data.path_costs import list_path_choices

        found["path_choices"] = [asdict(item) for item in list_path_choices(plan, data)]
        found["orders"] = [asdict(item) for item in list_orders(plan, data)]
    return found


def passes_text(plan: Plan, data: Any, columns: int | None) -> str:
    """Tables: what is left out, what computes each layer and metapath, what is computed at once, with data in which order.

    Args:
        plan: the model.
        data: its data, if they are there.
        columns: of the terminal; None for as many as it takes.
    """
    rows = [
        (item.stage, item.layer, str(item.relations), f"{item.family} kernel" if item.family else "PyG", item.reason)
        for item in list_decisions(plan)
    ]
    parts = [
        _left_out(plan),
        align(("stage", "layer", "relations", "computed by", "because"), rows, columns),
        _group_table(plan, columns),
        _path_table(plan, columns) if data is None else _choice_table(plan, data, columns),
    ]
    if data is not None:
        parts.append(_order_table(plan, data, columns))
    return "\n\n".join(part for part in parts if part)


def _left_out(plan: Plan) -> str:
    """What no prediction depends on."""
    steps = [step for _, stage in plan.relation_stages() for step in stage.steps]
    dead = sum(not step.live for step in steps)
    return f"left out: {dead} of {len(steps)} layers of relations, which no prediction depends on" if dead else ""


def _group_table(plan: Plan, columns: int | None) -> str:
    rows = [
        (
            item.stage,
            f"{item.family} kernel",
            ", ".join(f"{layer} × {count}" for layer, count in item.layers.items()),
            ", ".join(show_name(name) for name in item.targets),
            _folded(item),
        )
        for item in list_groups(plan)
    ]
    return align(("stage", "at once", "relations of", "into", "folded"), rows, columns) if rows else ""


def _folded(item: Grouping) -> str:
    parts = ["messages of relations are added up on the way"] if item.summed else []
    if item.roots:
        parts.append(f"{item.roots} matrices of destinations into {len(item.targets)}")
    if item.shared[0]:
        parts.append(f"products of {item.shared[0]} relations with a shared layer into {item.shared[1]}")
    return "; ".join(parts)


def _path_table(plan: Plan, columns: int | None) -> str:
    """Which metapaths may be gone along hop by hop."""
    cheaper = "hop by hop, where that is cheaper"
    said = {"set": f"{cheaper} and no two paths join the same nodes", "count": cheaper, "mean": cheaper}
    rows = [
        (
            item.edge[1],
            ", ".join(f"{layer} × {count}" for layer, count in item.layers.items()),
            "pairs are made" if item.reason else said[item.multiplicity],
            item.reason,
        )
        for item in list_path_uses(plan)
    ]
    return align(("metapath", "read by", "computed", "because"), rows, columns) if rows else ""


def _choice_table(plan: Plan, data: Any, columns: int | None) -> str:
    """The same on some data, with what both ways cost."""
    from graphdsl.data.path_costs import list_path_choices

    said = {"hops": "hop by hop", "pairs": "pairs are made", "data": "as the data has it"}
    rows = [
        (
            item.edge[1],
            said[item.by],
            "" if item.cost is None else f"{item.cost.steps:,}",
            "" if item.cost is None else f"about {item.cost.pairs:,}",
            item.reason,
        )
        for item in list_path_choices(plan, data)
    ]
    heads = ("metapath", "computed", "edges and nodes on the way", "pairs", "because")
    return align(heads, rows, columns) if rows else ""


def _order_table(plan: Plan, data: Any, columns: int | None) -> str:
    from graphdsl.data.orders import list_orders

    said: Mapping[str, str] = {"matrix": "matrix, then sum", "sum": "sum, then matrix"}
    rows = [
        (
            item.stage,
            show_edge(item.edge),
            said[item.first],
            f"{item.edges:,}",
            f"{item.sources:,}",
            f"{item.pairs:,}",
            f"{item.widths[0]} → {item.widths[1]}",
        )
        for item in list_orders(plan, data)
    ]
    heads = ("stage", "relation", "order", "edges", "sources", "destinations", "width")
    return align(heads, rows, columns) if rows else ""
