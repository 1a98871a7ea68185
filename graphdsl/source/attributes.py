"""Attributes of edges and nodes that layers read, as arguments of the forward pass."""

from graphdsl.plan import InputBinding, JointStep, RelationStage, RelationStep
from graphdsl.source.context import Context, encoded
from graphdsl.source.expressions import Expression, Group, call, flat, mapping, pair, quote
from graphdsl.source.naming import identifier
from graphdsl.text import EdgeKey


def attribute_inputs(context: Context) -> list[str]:
    """Attributes that live steps read, sorted, `x` aside."""
    found = {item.attribute for step in live_steps(context) for item in step.inputs if item.source in ("edge", "node")}
    return sorted(found - {"x"})


def live_steps(context: Context) -> list[RelationStep | JointStep]:
    """Steps of relations that the predictions depend on."""
    stages = [stage for _, stage in context.plan.relation_stages()]
    return [step for stage in stages for step in (*stage.steps, *stage.joints) if step.live]


def argument(attribute: str) -> str:
    """The forward argument that brings an attribute: `year_dict`."""
    return "x_dict" if attribute == "x" else f"{identifier(attribute).removesuffix('_')}_dict"


def forms(attribute: str, context: Context) -> set[str]:
    """How live steps read an attribute: `flat` = [rows], `columns` = [rows, width]."""
    bound = (item for step in live_steps(context) for item in step.inputs if item.source in ("edge", "node"))
    return {"flat" if item.scalar else "columns" for item in bound if item.attribute == attribute}


def read(item: InputBinding, place: str | EdgeKey, context: Context) -> Expression:
    """An attribute of a relation or a node type as [rows] or [rows, width]."""
    table = "given_x_dict" if item.attribute == "x" else argument(item.attribute)
    parts = (context.name(place),) if isinstance(place, str) else map(quote, encoded(place))
    values = Group(f"{table}[", tuple(("", part) for part in parts), "]")
    if item.attribute != "x" and len(forms(item.attribute, context)) == 1:
        return values  # all of them are in form already
    form = "flat" if item.scalar else "columns"
    context.helpers.add(form)
    return call(form, values, context.known())


def absent_places(attribute: str, context: Context) -> dict[str, str]:
    """Places of an attribute that a graph may lack, with the tensors that stand for them."""
    found: dict[str, str] = {}
    for step in live_steps(context):
        for item in step.inputs:
            if item.attribute != attribute or item.source not in ("edge", "node"):
                continue
            edges = step.edges if isinstance(step, JointStep) else (step.edge,)
            types = sorted({end for edge in edges for end in (edge[0], edge[2])})
            for place in edges if item.source == "edge" else types:
                if may_be_absent(place, context):
                    key = context.name(place) if isinstance(place, str) else context.edge(place)
                    found[key] = f"{context.known()}.new_zeros({'0' if item.scalar else f'0, {item.width or 1}'})"
    return found


def may_be_absent(place: str | EdgeKey, context: Context) -> bool:
    """Whether a graph may lack a node type or relation, or what the relation is made from."""
    plan = context.plan
    if isinstance(place, str):
        return place in plan.optional_types
    origin = next((item.inverse_of for item in plan.derived if item.edge == place and item.inverse_of), place)
    return any(
        edge in plan.optional_relations or not plan.optional_types.isdisjoint((edge[0], edge[2]))
        for edge in (place, origin)
    )


def tables_by_edge(stage: RelationStage, context: Context) -> dict[str, Expression]:
    """Arguments of `HeteroConv` beside values and edges, by name: dictionaries by edge type."""
    tables: dict[str, dict[str, Expression]] = {}
    for step in stage.steps:
        for item in step.inputs if step.live else ():
            if item.source == "batch" and not context.plan.graph_heads:
                continue  # all nodes are one graph
            tables.setdefault(f"{item.argument}_dict", {})[context.edge(step.edge)] = _of_relation(item, step, context)
    return {name: _table(values, len(values) == len(stage.steps)) for name, values in tables.items()}


def _table(values: dict[str, Expression], every: bool) -> Expression:
    """The attribute's own dictionary, where all relations of the stage take theirs from it as it is."""
    shown = {key: flat(value) for key, value in values.items()}
    first = next(iter(shown.values())).partition("[")[0]
    if every and all(value == f"{first}[{key[1:-1]}]" for key, value in shown.items()):
        return first
    return mapping(values)


def _of_relation(item: InputBinding, step: RelationStep, context: Context) -> Expression:
    source, _, target = step.edge
    if item.source == "edge":
        return read(item, step.edge, context)
    if item.source == "batch":
        return f"graphs.get({context.name(source)})"
    found = [_of_type(item, name, context) for name in dict.fromkeys((source, target))]
    return found[0] if len(found) == 1 else pair(found)


def _of_type(item: InputBinding, name: str, context: Context) -> Expression:
    if item.source == "state":
        return f"{context.states[item.state]}[{context.name(name)}]"
    return read(item, name, context)


def reads_graphs(context: Context) -> bool:
    """Whether a layer reads the graph of each node."""
    bound = (item.source for step in live_steps(context) for item in step.inputs)
    return bool(context.plan.graph_heads) and "batch" in bound


def joint_values(item: InputBinding, step: JointStep, context: Context) -> dict[str, Expression]:
    """An input of a joint layer by relation or node type."""
    if item.source == "edge":
        return {context.edge(edge): read(item, edge, context) for edge in step.edges}
    return {context.name(name): _of_type(item, name, context) for name in step.types}
