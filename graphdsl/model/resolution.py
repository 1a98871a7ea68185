"""From the tree of a file to its meaning: schemas, models, train settings."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphdsl.model.amending import expander
from graphdsl.model.checks import hidden_names, sparse_gradients, temporal_without_time
from graphdsl.model.parameters import CONSTANTS, RESERVED, Parameter, bind, declare
from graphdsl.model.program import Program
from graphdsl.model.programs import elaborate
from graphdsl.model.schema import Schema
from graphdsl.model.schemas import resolve_schema
from graphdsl.model.settings import resolve_training
from graphdsl.model.training import Training
from graphdsl.model.values import references
from graphdsl.syntax import nodes as n
from graphdsl.syntax.removal import removal
from graphdsl.text import (
    Diagnostic,
    Enough,
    Findings,
    SourceText,
    Span,
    did_you_mean,
    listing,
    renaming,
    report,
)


@dataclass(frozen=True, slots=True)
class Model:
    """A declared model: its parameters and its body, not yet with values; `base` is the model that it amends."""

    name: str
    schema: Schema
    parameters: tuple[Parameter, ...]
    declared: n.ModelDecl
    span: Span
    base: str | None = None

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
        sources: the texts of the file and of all that it imports.
        text: one text with the meaning of them all.
    """

    source: SourceText
    schemas: Mapping[str, Schema]
    models: Mapping[str, Model]
    trainings: Mapping[str, Training]
    sources: tuple[SourceText, ...] = ()
    text: str = ""


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
    declared: dict[str, n.ModelDecl | n.AmendedDecl] = {}
    for item in file.declarations:
        if isinstance(item, n.ModelDecl | n.AmendedDecl):
            if item.name.text in declared:
                found.append(_twice("model", item.name, declared[item.name.text].name.span))
            else:
                declared[item.name.text] = item
    expand = expander(declared, found)
    for name, item in declared.items():
        whole = expand(item)
        if whole is None:
            continue
        wanted = whole.declared.schema
        schema = schemas.get(wanted.text)
        if schema is None:
            helps, notes = did_you_mean(wanted.text, schemas), listing("schemas", schemas)
            fix, message = renaming(wanted.span, wanted.text, schemas), f"unknown schema `{wanted.text}`"
            found.append(report("GNN101", message, wanted.span, helps=helps, notes=notes, fix=fix))
            continue
        parameters = declare(whole.declared.parameters, found)
        models[name] = Model(name, schema, parameters, whole.declared, item.name.span, whole.base)
        defaults = tuple(parameter.default for parameter in whole.declared.parameters if parameter.default is not None)
        if isinstance(item, n.ModelDecl):
            found += hidden_names(item)
        found += _unused("model", whole.own, (whole.declared.body, defaults))


def _unused(what: str, declared: tuple[n.ParameterDecl, ...], body: tuple[Any, ...]) -> list[Diagnostic]:
    """Parameters that nothing reads."""
    read = references((body, tuple(item.default for item in declared if item.default is not None)))
    spans = [item.span for item in declared]
    return [
        report(
            "GNN108",
            f"parameter `{item.name.text}` of this {what} is never used",
            item.name.span,
            helps=("remove it, or use it",),
            fix=removal(spans, place, f"remove `{item.name.text}`"),
        )
        for place, item in enumerate(declared)
        if item.name.text not in (*read, *RESERVED, *CONSTANTS)
    ]


def _trainings(
    file: n.File, models: Mapping[str, Model], trainings: dict[str, Training], found: list[Diagnostic]
) -> None:
    declared_models = {item.name.text for item in file.declarations if isinstance(item, n.ModelDecl | n.AmendedDecl)}
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
            fix, message = renaming(name.span, name.text, models), f"unknown model `{name.text}`"
            found.append(report("GNN101", message, name.span, helps=helps, notes=notes, fix=fix))
        training = resolve_training(declared, Path(declared.span.file).parent, found)
        trainings[name.text] = training
        if name.text in models:
            model = models[name.text]
            found += temporal_without_time(declared, training, model.declared, model.schema)
            found += sparse_gradients(declared, training, model.declared)


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
