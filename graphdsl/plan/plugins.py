"""Which plug-ins a plan needs."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from graphdsl.catalog import Provider, provider_of
from graphdsl.plan.ir import Plan
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.plan.walk import modules


def needed_plugins(plan: Plan) -> dict[str, Provider]:
    """Layers of plug-ins that a plan uses, with where each is from."""
    names = sorted({name for module in modules(plan) for name in _names(module)})
    return {name: provider for name in names if (provider := provider_of(name)) is not None}


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, ModuleSpec):
        yield value.name
        value = tuple(value.arguments.values())
    elif isinstance(value, Mapping):
        value = tuple(cast(Mapping[Any, Any], value).values())
    if isinstance(value, tuple):
        for item in cast(tuple[Any, ...], value):
            yield from _names(item)
