"""The public Python face: load, check, plan, compile, validate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdsl.model import Metadata, Model, ResolvedSpec, Schema, Training, resolve
from graphdsl.plan import Plan, lower
from graphdsl.plan.sizes import missing_sizes
from graphdsl.syntax import parse
from graphdsl.text import (
    Diagnostic,
    Findings,
    Label,
    SourceText,
    SpecError,
    did_you_mean,
    listing,
    order,
    read_source,
    report,
)

if TYPE_CHECKING:
    from graphdsl.backends import CompiledModel
    from graphdsl.data import Report

_NAMES = {"GNN101", "GNN103"}
"""Codes of names that are not found: they may stand in a declaration that could not be read."""
_WHOLE = {"GNN105", "GNN106", "GNN401", "GNN505"}
"""Codes of what can only be told when nothing is lost."""
_DECLARERS = (("node", "node type"), ("edge", "relation"), ("metapath", "relation"), ("model", "model"))
"""Words that start a declaration, and what is unknown when one could not be read."""
_MAX_SHOWN = 20
_MAX_ALSO = 3


def _follows(item: Diagnostic, lost: frozenset[str], damaged: bool) -> bool:
    """Whether something is only wrong because a declaration could not be read or is refused itself."""
    if damaged and item.code in _WHOLE:
        return True
    if item.code not in _NAMES:
        return False
    declared = any(word in lost and item.message.startswith(f"unknown {what}") for word, what in _DECLARERS)
    return declared or any(f"`{word}`" in item.message for word in lost)


def _check_model(model: Model, lost: frozenset[str], damaged: bool) -> list[Diagnostic]:
    """What is wrong with a model with its defaults; `damaged`: a part of the text could not be read."""
    lost, damaged = lost | model.schema.lost, damaged or bool(model.schema.lost)
    found = _plan(model, {}, None, damaged)[1]
    return [item for item in found if not _follows(item, lost, damaged)]


def _plan(
    model: Model, values: Mapping[str, Any], metadata: Metadata | None, damaged: bool = False
) -> tuple[Plan | None, list[Diagnostic]]:
    """The plan of a model with values for its parameters, and what is wrong with it."""
    program, found = model.bind(values)
    if program is None:
        return None, found
    plan, flow = lower(program, metadata)
    if damaged or any(item.is_error for item in found):
        # Something is missing, so widths behind it would be guesses; what concerns one layer alone still holds.
        flow = [item for item in flow if item.code.startswith("GNN3")]
    return plan, [*found, *flow]


def _merge(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Names that are not found: said once, at the first place, with labels at the others."""
    groups: dict[tuple[str, str], list[Diagnostic]] = {}
    for item in order(found):
        groups.setdefault((item.code, item.message), []).append(item)
    merged: list[Diagnostic] = []
    for (code, _), items in groups.items():
        if code not in _NAMES or len(items) == 1:
            merged += items
            continue
        places = [item.primary.span for item in items[1:] if item.primary]
        labels = tuple(Label(place, "and here") for place in places[:_MAX_ALSO])
        more = (f"and in {len(places) - _MAX_ALSO} more places",) if len(places) > _MAX_ALSO else ()
        merged.append(replace(items[0], labels=items[0].labels + labels, notes=items[0].notes + more))
    return merged


def _analyse(source: SourceText) -> tuple[ResolvedSpec, list[Diagnostic]]:
    """Meaning and findings of a text: syntax, declarations, and every model with its defaults."""
    parsed = parse(source)
    unread = any(item.is_error for item in parsed.diagnostics)
    resolved, said = resolve(parsed.file)
    found = [item for item in said if not _follows(item, parsed.lost, unread)]
    for model in resolved.models.values():
        if sum(item.is_error for item in found) >= Findings.most:
            break
        found += _check_model(model, parsed.lost, bool(parsed.lost))
    meant = {help_line for item in found if item.code == "GNN101" for help_line in item.helps}
    found = [item for item in found if item.code != "GNN108" or f"did you mean {item.message.split()[1]}?" not in meant]
    if unread:
        # What is never used may be used in a statement that could not be read.
        found = [item for item in found if item.is_error]
    lines = {item.primary.span.line for item in parsed.diagnostics if item.primary}
    found = [item for item in found if item.primary is None or item.primary.span.line not in lines]
    return resolved, [*parsed.diagnostics, *_merge(found)]


def check_source(source: SourceText) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a spec given as text, ordered by place.

    >>> check_source(SourceText("a.gnn", "schema s { node a { x: flot[3] } }"))[0].helps
    ('did you mean `float`?',)
    """
    return order(_analyse(source)[1])


def check(path: str | Path) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a spec file; never raises for a bad spec, never imports torch.

    Args:
        path: a `.gnn` file.

    Returns:
        Diagnostics ordered by place; empty when the spec is clean.
    """
    source = read_source(path)
    return check_source(source) if isinstance(source, SourceText) else (source,)


@dataclass(frozen=True)
class Spec:
    """A checked spec.

    >>> spec = loads("schema s { node a { x: float[3], y: class[2] } } model m on s { predict a.y }")
    >>> spec.plan("m").heads[0].size
    2
    """

    resolved: ResolvedSpec
    findings: tuple[Diagnostic, ...] = ()

    @property
    def text(self) -> str:
        """The text that it was read from."""
        return self.resolved.source.text

    @property
    def name(self) -> str:
        """The file that it was read from."""
        return self.resolved.source.name

    @property
    def models(self) -> tuple[str, ...]:
        """Names of its models, in the order of the file."""
        return tuple(self.resolved.models)

    @property
    def schemas(self) -> tuple[str, ...]:
        """Names of its schemas, in the order of the file."""
        return tuple(self.resolved.schemas)

    def model(self, name: str | None = None) -> Model:
        """A declared model; without a name the one with a train block, or the only one.

        Raises:
            SpecError: if there is no such model, or several to choose from.
        """
        models = self.resolved.models
        if name is None:
            trained = [item for item in self.resolved.trainings if item in models]
            candidates = trained if len(trained) == 1 else list(models)
            if len(candidates) == 1:
                return models[candidates[0]]
            problem = "several models" if candidates else "no model"
            helps = ("name one of them",) if candidates else ()
            found = report(
                "GNN101", f"the spec has {problem}", where=self.name, helps=helps, notes=listing("models", models)
            )
            raise SpecError([found])
        if name not in models:
            helps, notes = did_you_mean(name, models), listing("models", models)
            raise SpecError([report("GNN101", f"unknown model `{name}`", where=self.name, helps=helps, notes=notes)])
        return models[name]

    def schema(self, model: str | None = None) -> Schema:
        """The schema that a model is for; without a name the only schema, or that of the default model."""
        if model is None and len(self.resolved.schemas) == 1:
            return next(iter(self.resolved.schemas.values()))
        return self.model(model).schema

    def training(self, model: str | None = None) -> Training:
        """Train settings of a model: its train block over the defaults."""
        name = self.model(model).name
        return self.resolved.trainings.get(name, Training(name))

    def plan(self, model: str | None = None, *, data: Any = None, **parameters: Any) -> Plan:
        """What a model computes: stages, layers, widths.

        Args:
            model: name of the model; may be left out where there is one.
            data: a `HeteroData`, a `(FeatureStore, GraphStore)` pair, a `Metadata`, or the path of a stored metadata
                file: sizes that the schema leaves open come from it.
            **parameters: values over the model's defaults.

        Raises:
            SpecError: with every finding, if the model is wrong with these values or this data.
        """
        chosen = self.model(model)
        plan, found = _plan(chosen, parameters, _metadata(data, chosen.schema))
        errors = [item for item in found if item.is_error]
        if plan is None or errors:
            raise SpecError(errors, [self.resolved.source])
        return plan

    def compile(
        self, model: str | None = None, *, data: Any = None, backend: str = "auto", **parameters: Any
    ) -> "CompiledModel":
        """Compile a model to a `torch.nn.Module` with PyG's calling convention; no lazy parameter is left.

        Args:
            model: name of the model; may be left out where there is one.
            data: as in `plan`; may be left out where the schema fixes every size.
            backend: "pyg" (the reference) or "auto".
            **parameters: values over the model's defaults.

        Returns:
            A module: `module(x_dict, edge_index_dict)` gives a tensor of shape [num_nodes, size] for one prediction, a
            dictionary by prediction name for several.

        Raises:
            SpecError: if the model is wrong, or a width or count is still unknown.
        """
        from graphdsl.backends import compile_plan

        plan = self.plan(model, data=data, **parameters)
        require_sizes(plan, self.resolved.source)
        return compile_plan(plan, backend=backend)

    def validate(self, data: Any, model: str | None = None) -> "Report":
        """Compare data with the schema.

        Args:
            data: a `HeteroData` or a `(FeatureStore, GraphStore)` pair.
            model: whose schema, where the spec has several.

        Returns:
            A report: `.ok`, `.findings`, `.to_json()`, `str(report)`.
        """
        from graphdsl.data import Report, validate

        return Report(validate(self.schema(model), data))


def _metadata(data: Any, schema: Schema) -> Metadata | None:
    if data is None or isinstance(data, Metadata):
        return data
    if isinstance(data, str | Path):
        from graphdsl.model.metadata_file import read_metadata

        return read_metadata(data)
    from graphdsl.data import inspect

    return inspect(data, schema)


def require_sizes(plan: Plan, *sources: SourceText) -> None:
    """Raise `SpecError` when a width, a count or a parameter is still unknown, naming each place once."""
    if found := missing_sizes(plan):
        raise SpecError(found[:_MAX_SHOWN], sources)


def _load(source: SourceText | Diagnostic) -> Spec:
    if not isinstance(source, SourceText):
        raise SpecError([source])
    resolved, found = _analyse(source)
    if any(item.is_error for item in found):
        raise SpecError(found, [source])
    return Spec(resolved, order(found))


def load(path: str | Path) -> Spec:
    """Read and check a spec file.

    Args:
        path: a `.gnn` file.

    Raises:
        SpecError: with every finding, if there is an error among them.
    """
    return _load(read_source(path))


def loads(text: str, name: str = "<string>") -> Spec:
    """Read and check a spec given as text.

    Args:
        text: the spec.
        name: what it is called in messages.

    Raises:
        SpecError: with every finding, if there is an error among them.
    """
    return _load(SourceText(name, text))


def compile_text(
    text: str, parameters: Mapping[str, Any], metadata: Metadata | None, model: str, name: str
) -> "CompiledModel":
    """Compile a model from the text of its spec: what loading a checkpoint needs."""
    return loads(text, name).compile(model, data=metadata, **parameters)
