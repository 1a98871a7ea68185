"""From the tree of a file to its meaning: schemas, models, train settings."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphdsl.model.parameters import CONSTANTS, RESERVED, Parameter, bind, declare
from graphdsl.model.program import Program
from graphdsl.model.programs import elaborate
from graphdsl.model.schema import Schema
from graphdsl.model.schemas import resolve_schema
from graphdsl.model.settings import resolve_training
from graphdsl.model.training import Training
from graphdsl.model.values import references
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Enough, Findings, SourceText, Span, did_you_mean, listing, report


@dataclass(frozen=True, slots=True)
class Model:
    """A declared model: its parameters and its body, not yet with values."""

    name: str
    schema: Schema
    parameters: tuple[Parameter, ...]
    declared: n.ModelDecl
    span: Span

    def bind(self, given: Mapping[str, Any]) -> tuple[Program | None, list[Diagnostic]]:
        """Give the parameters values and match every rule.

        Args:
            given: values over the defaults.

        Returns:
            The program, and what is wrong; no program when a given value does not fit.
        """
        values, refused = bind(self.parameters, given, f"model `{self.name}`")
        if refused:
            return None, refused
        found = Findings()
        with suppress(Enough):
            return elaborate(self.declared, self.schema, values, found), found
        return None, found


@dataclass(frozen=True, slots=True)
class ResolvedSpec:
    """The meaning of a whole file.

    Attributes:
        source: its text.
        schemas: by name.
        models: by name, in the order of the file.
        trainings: train settings by model name.
    """

    source: SourceText
    schemas: Mapping[str, Schema]
    models: Mapping[str, Model]
    trainings: Mapping[str, Training]


def _twice(what: str, name: n.Name, first: Span) -> Diagnostic:
    return report(
        "GNN102", f"{what} `{name.text}` is declared twice", name.span, also=((first, "first declared here"),)
    )


def _schemas(file: n.File, schemas: dict[str, Schema], found: list[Diagnostic]) -> None:
    for declared in file.declarations:
        if not isinstance(declared, n.SchemaDecl):
            continue
        if declared.name.text in schemas:
            found.append(_twice("schema", declared.name, schemas[declared.name.text].span))
            continue
        found += _unused("schema", declared.parameters, declared.members)
        schemas[declared.name.text] = resolve_schema(declared, found)


def _models(file: n.File, schemas: Mapping[str, Schema], models: dict[str, Model], found: list[Diagnostic]) -> None:
    for declared in file.declarations:
        if not isinstance(declared, n.ModelDecl):
            continue
        name = declared.name
        if name.text in models:
            found.append(_twice("model", name, models[name.text].span))
            continue
        schema = schemas.get(declared.schema.text)
        if schema is None:
            wanted = declared.schema
            helps, notes = did_you_mean(wanted.text, schemas), listing("schemas", schemas)
            found.append(report("GNN101", f"unknown schema `{wanted.text}`", wanted.span, helps=helps, notes=notes))
            continue
        parameters = declare(declared.parameters, found)
        models[name.text] = Model(name.text, schema, parameters, declared, name.span)
        found += _unused("model", declared.parameters, declared.body)


def _unused(what: str, declared: tuple[n.ParameterDecl, ...], body: tuple[Any, ...]) -> list[Diagnostic]:
    """Parameters that nothing reads."""
    read = references((body, tuple(item.default for item in declared if item.default is not None)))
    helps = ("remove it, or use it",)
    return [
        report("GNN108", f"parameter `{item.name.text}` of this {what} is never used", item.name.span, helps=helps)
        for item in declared
        if item.name.text not in (*read, *RESERVED, *CONSTANTS)
    ]


def _trainings(
    file: n.File, models: Mapping[str, Model], trainings: dict[str, Training], found: list[Diagnostic]
) -> None:
    base = Path(file.source.name).parent
    declared_models = {d.name.text for d in file.declarations if isinstance(d, n.ModelDecl)}
    for declared in file.declarations:
        if not isinstance(declared, n.TrainDecl):
            continue
        name = declared.model
        if name.text in trainings:
            first = trainings[name.text].span or name.span
            found.append(
                report("GNN102", f"`{name.text}` has two train blocks", name.span, also=((first, "first here"),))
            )
            continue
        if name.text not in declared_models:
            helps, notes = did_you_mean(name.text, models), listing("models", models)
            found.append(report("GNN101", f"unknown model `{name.text}`", name.span, helps=helps, notes=notes))
        trainings[name.text] = resolve_training(declared, base, found)


def resolve(file: n.File) -> tuple[ResolvedSpec, list[Diagnostic]]:
    """The meaning of a file, as far as it has one, and what is wrong with its declarations.

    Model bodies are not looked at here: they get their meaning from `Model.bind`, with values for the parameters.
    """
    found = Findings()
    schemas: dict[str, Schema] = {}
    models: dict[str, Model] = {}
    trainings: dict[str, Training] = {}
    with suppress(Enough):
        _schemas(file, schemas, found)
        _models(file, schemas, models, found)
        _trainings(file, models, trainings, found)
    return ResolvedSpec(file.source, schemas, models, trainings), found
