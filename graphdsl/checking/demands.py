"""What the models of a spec want of data, and what of it they leave alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphdsl.checking.analysis import plan_model
from graphdsl.model import HiddenLinks, ResolvedSpec, Schema, hidden_links
from graphdsl.plan import Plan, PredictedLabel, predicted_labels
from graphdsl.plan.checks import silent_relations, unread_attributes, unread_edge_attributes, untouched_types
from graphdsl.text import Diagnostic, Facts, report, show_edge, show_name

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Demands:
    """What models ask of data beside its schema.

    Attributes:
        models: their names.
        links: relations that they predict, of which no other may tell.
        targets: labels that they predict, whose nodes messages should reach.
        unused: notes about what the schema declares and no model reads.
    """

    models: tuple[str, ...]
    links: tuple[HiddenLinks, ...]
    targets: tuple[PredictedLabel, ...]
    unused: tuple[Diagnostic, ...]


def find_demands(resolved: ResolvedSpec, schema: Schema, model: str | None = None) -> Demands:
    """What the models of a schema with their defaults ask of data; what a model leaves alone may be another's.

    Args:
        resolved: the meaning of a spec.
        schema: one of its schemas.
        model: what a single model asks, where it is named.
    """
    of_schema = [item for item in resolved.models.values() if item.schema is schema]
    plans = {item.name: plan for item in of_schema if (plan := plan_model(item, {}, None)[0]) is not None}
    chosen = {name: plan for name, plan in plans.items() if model in (None, name)}
    programs = [program for name in chosen if (program := resolved.models[name].bind({})[0]) is not None]
    return Demands(
        models=tuple(chosen),
        links=tuple(link for program in programs for link in hidden_links(program)),
        targets=tuple(label for plan in chosen.values() for label in predicted_labels(plan)),
        unused=tuple(_unused(list(plans.values()), schema)) if plans and len(plans) == len(of_schema) else (),
    )


def _unused(plans: Sequence[Plan], schema: Schema) -> Iterator[Diagnostic]:
    types = untouched_types(plans, schema)
    relations = silent_relations(plans, schema)
    attributes = [
        f"{show_name(name)}.{show_name(key)}" for name, key in unread_attributes(plans, schema) if name not in types
    ]
    attributes += [f"{show_edge(edge)}.{show_name(key)}" for edge, key in unread_edge_attributes(plans, schema)]
    for noun, names in (
        ("node type", [show_name(name) for name in types]),
        ("relation", [show_edge(edge) for edge in relations]),
        ("attribute", attributes),
    ):
        if names:
            shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            count = f"the {noun}" if len(names) == 1 else f"{len(names)} {noun}s:"
            message = f"no model reads {count} {shown}{more}"
            facts = Facts(f"a model that reads the {noun}", "none", len(names))
            yield report("GNN681", message, where=f"schema {show_name(schema.name)}", facts=facts)
