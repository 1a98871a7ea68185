"""What can only be told of a file as a whole: what none of its models reads; and, on demand, what could be better."""

from collections.abc import Mapping, Sequence

from graphdsl.model import Model, ResolvedSpec, Schema, same_metapaths, single_turns, undeclared_inverses
from graphdsl.plan import Plan, asked_at_once, unforeseen_settings, unordered_events
from graphdsl.plan.checks import (
    REVIEWS,
    sampled_walks,
    unread_metapaths,
    unserved_relations,
    unused_attributes,
    unused_types,
)
from graphdsl.text import Diagnostic


def review(resolved: ResolvedSpec, plans: Mapping[str, Plan], pedantic: bool) -> list[Diagnostic]:
    """Findings about schemas by all models of a file, and pedantic ones about each model.

    Args:
        resolved: the meaning of the file.
        plans: plans of models without errors.
        pedantic: whether findings of phase 7 are wanted.
    """
    own = {name: model for name, model in resolved.models.items() if model.span.file == resolved.source.name}
    found: list[Diagnostic] = []
    for schema in resolved.schemas.values():
        models = [name for name, model in own.items() if model.schema is schema]
        if models and all(name in plans for name in models):
            found += _of_schema(schema, [plans[name] for name in models], pedantic)
    for name in own:
        if name in plans and name in resolved.trainings:
            found += sampled_walks(plans[name], resolved.trainings[name])
            found += unordered_events(plans[name], resolved.trainings[name])
            found += unforeseen_settings(plans[name], resolved.trainings[name])
            found += asked_at_once(plans[name], resolved.trainings[name])
    for name, model in own.items() if pedantic else ():
        found += _of_model(model, plans.get(name))
    return found


def _of_schema(schema: Schema, plans: Sequence[Plan], pedantic: bool) -> list[Diagnostic]:
    found = unread_metapaths(plans, schema)
    if pedantic:
        found += [*unused_types(plans, schema), *unserved_relations(plans, schema), *unused_attributes(plans, schema)]
        found += [*same_metapaths(schema), *undeclared_inverses(schema)]
    return found


def _of_model(model: Model, plan: Plan | None) -> list[Diagnostic]:
    found = single_turns(model.declared)
    for check in REVIEWS if plan is not None else ():
        found += check(plan, model.schema)  # type: ignore[arg-type]
    return found
