"""Layers that need a package beside PyTorch and PyG, which is not installed here."""

from collections.abc import Iterator
from typing import Any, cast

from graphdsl.catalog import find, is_met, missing, show_packages, since_pyg, useful
from graphdsl.model import Schema
from graphdsl.plan.ir import Plan
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.plan.walk import modules
from graphdsl.text import Diagnostic, Span, report

_SHOWN = 3


def missing_packages(plan: Plan, _schema: Schema) -> list[Diagnostic]:
    """A warning for each package that this model would need to be compiled here."""
    return _report(plan, "GNN310", "is not installed here: it cannot be compiled")


def unmet_requirements(plan: Plan) -> list[Diagnostic]:
    """The same as errors: for what is about to build the model."""
    return _report(plan, "GNN617", "is not installed")


def _report(plan: Plan, code: str, effect: str) -> list[Diagnostic]:
    places: dict[str, dict[Span, str]] = {}
    for module in modules(plan):
        for name, span, requirement in _needs(module):
            places.setdefault(requirement, {}).setdefault(span, name)
    found: list[Diagnostic] = []
    for requirement, spans in places.items():
        (first, name), *others = spans.items()
        packages = useful(requirement)
        message = f"`{name}` needs {show_packages(packages)}, which {effect}"
        also = [(span, f"`{other}` needs it too") for span, other in others[:_SHOWN]]
        found.append(report(code, message, first, also=also, helps=[item.get for item in packages]))
    return found


def _needs(module: ModuleSpec) -> Iterator[tuple[str, Span, str]]:
    """Requirements of a module and of those among its arguments that are not met."""
    entry = find(module.name)
    if entry is not None:
        yield from ((module.name, module.span, requirement) for requirement in missing(entry))
        newer = (
            (item, since_pyg(item.since)) for item in entry.parameters if item.since and item.name in module.arguments
        )
        yield from (
            (f"{item.name}` of `{module.name}", module.span, asked) for item, asked in newer if not is_met(asked)
        )
    for value in module.arguments.values():
        for item in cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,):
            if isinstance(item, ModuleSpec):
                yield from _needs(item)
