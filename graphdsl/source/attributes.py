"""Attributes of edges and nodes that layers read, as arguments of the forward pass."""

from graphdsl.plan import (
    AttributeRead,
    InputBinding,
    JointStep,
    ModuleSpec,
    RelationStage,
    RelationStep,
    attribute_reads,
)
from graphdsl.source.context import Context, encoded
from graphdsl.source.expressions import Expression, Group, call, flat, listing, mapping, pair, quote
from graphdsl.source.labels import label_inputs, spread_weights
from graphdsl.source.naming import identifier
from graphdsl.text import EdgeKey


def attribute_inputs(context: Context) -> list[str]:
    """Attributes that live steps and predictions read, sorted, `x` aside."""
    found = {read_here.item.attribute for read_here in live_reads(context)}
    return sorted({*found, *label_inputs(context.plan), *spread_weights(context.plan)} - {"x"})


def live_reads(context: Context) -> list[AttributeRead]:
    """Attributes that the predictions depend on, wherever they are read."""
    return [found for found in attribute_reads(context.plan) if found.live]


def live_steps(context: Context) -> list[RelationStep | JointStep]:
    """Steps of relations that the predictions depend on."""
    stages = [stage for _, stage in context.plan.relation_stages()]
    return [step for stage in stages for step in (*stage.steps, *stage.joints) if step.live]


def argument(attribute: str) -> str:
    """The forward argument that brings an attribute: `year_dict`."""
    return "x_dict" if attribute == "x" else f"{identifier(attribute).removesuffix('_')}_dict"


def forms(attribute: str, context: Context) -> set[str]:
    """How live steps read an attribute: `flat` = [rows], `columns` = [rows, width], `numbers` = [rows] of int64."""
    return {_form(found.item) for found in live_reads(context) if found.item.attribute == attribute}


def _form(item: InputBinding) -> str:
    return "numbers" if item.numbers else "flat" if item.scalar else "columns"


def in_form(form: str, value: Expression, context: Context) -> Expression:
    """An attribute as layers read it."""
    context.helpers.add(form)
    return call(form, value) if form == "numbers" else call(form, value, context.known())


def read(item: InputBinding, place: str | EdgeKey, context: Context) -> Expression:
    """An attribute of a relation or a node type as [rows] or [rows, width]."""
    table = "given_x_dict" if item.attribute == "x" else argument(item.attribute)
    parts = (context.name(place),) if isinstance(place, str) else map(quote, encoded(place))
    values = Group(f"{table}[", tuple(("", part) for part in parts), "]")
    if item.attribute != "x" and len(forms(item.attribute, context)) == 1:
        return values  # all of them are in form already
    return in_form(_form(item), values, context)


def absent_places(attribute: str, context: Context) -> dict[str, str]:
    """Places of an attribute that a graph may lack, with the tensors that stand for them."""
    found: dict[str, str] = {}
    for read_here in live_reads(context):
        item = read_here.item
        for place in sorted(read_here.places, key=str) if item.attribute == attribute else ():
            if may_be_absent(place, context):
                key = context.name(place) if isinstance(place, str) else context.edge(place)
                shape = "0, dtype=torch.long" if item.numbers else "0" if item.scalar else f"0, {item.width or 1}"
                found[key] = f"{context.known()}.new_zeros({shape})"
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
    if item.encoder is not None:
        held = f"encoders[{quote('__'.join(encoded(step.edge)))}]"
        return _encoded(item, item.encoder, step.edge, held, context)
    if item.source == "edge":
        return read(item, step.edge, context)
    if item.source == "batch":
        return f"graphs.get({context.name(source)})"
    found = [_of_type(item, name, context) for name in dict.fromkeys((source, target))]
    return found[0] if len(found) == 1 else pair(found)


def _encoded(item: InputBinding, spec: ModuleSpec, edge: EdgeKey, held: str, context: Context) -> Expression:
    """What the encoder of an input makes of attributes of a relation."""
    values = [read(part, edge, context) for part in item.parts]
    made = apply_encoder(spec, f"{held}[{quote(item.argument)}]", values)
    return call("torch.flatten", made) if item.scalar else made


def apply_encoder(spec: ModuleSpec, module: str, values: list[Expression]) -> Expression:
    """A module on an attribute, or several side by side on one each."""
    if spec.name != "cat":
        return call(module, values[0])
    parts = [
        value if inner.name == "identity" else call(f"{module}[{number}]", value)
        for number, (inner, value) in enumerate(zip(spec.arguments["modules"], values, strict=True))
    ]
    return call("torch.cat", listing(parts), dim="-1")


def _of_type(item: InputBinding, name: str, context: Context) -> Expression:
    if item.source == "state":
        return f"{context.states[item.state]}[{context.name(name)}]"
    return read(item, name, context)


def reads_graphs(context: Context) -> bool:
    """Whether a layer reads the graph of each node."""
    bound = (item.source for step in live_steps(context) for item in step.inputs)
    return bool(context.plan.graph_heads) and "batch" in bound


def joint_values(item: InputBinding, step: JointStep, number: int, context: Context) -> dict[str, Expression]:
    """An input of a joint layer, the stage's `number`th, by relation or node type."""
    if item.encoder is not None:
        held = f'encoders["joint_{number}"]'
        return {context.edge(edge): _encoded(item, item.encoder, edge, held, context) for edge in step.edges}
    if item.source == "edge":
        return {context.edge(edge): read(item, edge, context) for edge in step.edges}
    return {context.name(name): _of_type(item, name, context) for name in step.types}
