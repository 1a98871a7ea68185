"""What a model reads and the data may lack by the schema, because it is declared with `?`."""

from collections.abc import Iterable, Iterator, Mapping

from graphdsl.data.graph_set import GraphSet, read_data
from graphdsl.data.needs import find_needs
from graphdsl.data.phrases import python
from graphdsl.data.places import Place, show_place
from graphdsl.data.view import GraphView, open_data
from graphdsl.model import Attribute, Schema
from graphdsl.plan import Plan
from graphdsl.text import Diagnostic, Facts, report


def check_needed(schema: Schema, data: object, plan: Plan) -> Iterator[Diagnostic]:
    """Optional attributes that a model reads and that are absent.

    Args:
        schema: the model's.
        data: as for `validate`; of several graphs each is looked at, and the first that lacks one is named.
        plan: the model, planned for this data.
    """
    read = read_data(data, schema)
    views = [open_data(graph) for graph in read] if isinstance(read, GraphSet) else [open_data(read)]
    needs = find_needs(plan)
    places: list[tuple[Place, Iterable[str]]] = [*needs.nodes.items(), *needs.edges.items()]
    for place, names in places:
        for name in names:
            lacking = next((number for number, view in enumerate(views) if _lacks(schema, view, place, name)), None)
            if lacking is not None:
                yield _say(schema, place, name, plan.model, f"graph {lacking}" if len(views) > 1 else "the data")


def _lacks(schema: Schema, view: GraphView, place: Place, name: str) -> bool:
    declared = _declared(schema, place)
    stored = place
    if isinstance(place, tuple) and place in schema.edges and place not in view.edge_types:
        stored = schema.edges[place].inverse or place
    held = stored in view.node_types or stored in view.edge_types
    return held and name in declared and declared[name].type.optional and name not in view.keys(stored)


def _declared(schema: Schema, place: Place) -> Mapping[str, Attribute]:
    """Attributes of a type or relation; a metapath has none."""
    if isinstance(place, str):
        return schema.nodes[place].attributes
    return schema.edges[place].attributes if place in schema.edges else {}


def _say(schema: Schema, place: Place, name: str, model: str, lacking: str) -> Diagnostic:
    attributes = _declared(schema, place)
    return report(
        "GNN674",
        f"`{model}` reads `{show_place(place, name)}`, and {lacking} has none",
        attributes[name].span,
        "it may be absent by the schema",
        where=show_place(place, name),
        helps=(f"add `{python(place, name)}`, or leave it out of the layer that reads it",),
        facts=Facts(str(attributes[name].type), "nothing"),
    )
