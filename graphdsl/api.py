"""The public Python face: load, check, plan, compile, validate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdsl.catalog import Plugin, register
from graphdsl.checking import analyse, find_demands, plan_model, silence
from graphdsl.model import (
    Metadata,
    Model,
    ResolvedSpec,
    Schema,
    Training,
    wants_degrees,
)
from graphdsl.plan import Plan
from graphdsl.plan.checks.packages import unmet_requirements
from graphdsl.plan.sizes import missing_sizes
from graphdsl.text import (
    Diagnostic,
    SourceText,
    SpecError,
    did_you_mean,
    listing,
    order,
    read_source,
    report,
)

if TYPE_CHECKING:
    from torch import Tensor
    from torch.export import ExportedProgram

    from graphdsl.backends import AnyModel
    from graphdsl.data import Report, Tier

_MAX_SHOWN = 20


def check_source(source: SourceText, pedantic: bool = False) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a spec given as text, ordered by place; `pedantic` as in `check`.

    >>> check_source(SourceText("a.gnn", "schema s { node a { x: flot[3] } }"))[0].helps
    ('did you mean `float`?',)
    """
    return order(analyse(source, pedantic)[1])


def use_plugins(plugins: Iterable[Plugin]) -> tuple[Diagnostic, ...]:
    """Make the layers of plug-ins known in this process; what is wrong with them is returned (GNN112, GNN113, GNN114).

    >>> [item.code for item in use_plugins(["no_such_module"])]
    ['GNN112']
    """
    problems = [problem for plugin in plugins for problem in register(plugin)]
    helps = [(item.help,) if item.help else () for item in problems]
    return tuple(
        report(item.code, item.message, where="plug-in", helps=help_)
        for item, help_ in zip(problems, helps, strict=True)
    )


def check(path: str | Path, pedantic: bool = False, plugins: Iterable[Plugin] = ()) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a spec file; never raises for a bad spec, never imports torch.

    Args:
        path: a `.gnn` file, or a spec in YAML or JSON (`.yaml`, `.yml`, `.json`).
        pedantic: report also what is right and could be better (7xx).
        plugins: as in `load`.

    Returns:
        Diagnostics ordered by place; empty when the spec is clean.
    """
    if found := use_plugins(plugins):
        return found
    source = read_source(path)
    return check_source(source, pedantic) if isinstance(source, SourceText) else (source,)


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
        """The text that it was read from; with imports, one text with the meaning of all of them."""
        return self.resolved.text

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
            own = [item.name for item in models.values() if item.span.file == self.name] or list(models)
            trained = [item for item in self.resolved.trainings if item in own]
            candidates = trained if len(trained) == 1 else own
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
        """Train settings of a model: its train block over the defaults; without one, that of the model it amends."""
        chosen = base = self.model(model)
        while base.base is not None and base.name not in self.resolved.trainings:
            base = self.resolved.models[base.base]
        return replace(self.resolved.trainings.get(base.name, Training(chosen.name)), model=chosen.name)

    def metadata(self, data: Any, model: str | None = None, **parameters: Any) -> Metadata:
        """What planning and compiling a model read from data: counts, widths, and degrees where a layer needs them.

        Args:
            data: as in `plan`.
            model: name of the model; may be left out where there is one.
            **parameters: values over the model's defaults.

        Raises:
            SpecError: GNN611 for data that cannot be read.
        """
        metadata = _metadata(data, self.model(model), parameters)
        assert metadata is not None
        return metadata

    def plan(self, model: str | None = None, *, data: Any = None, **parameters: Any) -> Plan:
        """What a model computes: stages, layers, widths.

        Args:
            model: name of the model; may be left out where there is one.
            data: a `HeteroData`, a list of graphs, a `(FeatureStore, GraphStore)` pair, a `Metadata`, or the path of a
                stored metadata file: sizes that the schema leaves open come from it.
            **parameters: values over the model's defaults.

        Raises:
            SpecError: with every finding, if the model is wrong with these values or this data.
        """
        chosen = self.model(model)
        plan, found = plan_model(chosen, parameters, _metadata(data, chosen, parameters))
        errors = [item for item in found if item.is_error]
        if plan is None or errors:
            raise SpecError(errors, self.resolved.sources)
        return plan

    def compile(
        self, model: str | None = None, *, data: Any = None, backend: str = "auto", **parameters: Any
    ) -> "AnyModel":
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
            SpecError: if the model is wrong, a width or count is still unknown, or a layer needs a package that is not
                installed.
        """
        from graphdsl.backends import compile_plan

        plan = self.plan(model, data=data, **parameters)
        require_sizes(plan, *self.resolved.sources)
        if lacking := unmet_requirements(plan):
            raise SpecError(lacking, self.resolved.sources)
        return compile_plan(plan, backend=backend)

    def to_python(self, model: str | None = None, *, data: Any = None, **parameters: Any) -> str:
        """A model as one readable, formatted Python program on PyTorch and PyG; made without torch.

        Args:
            model: name of the model; may be left out where there is one.
            data: as in `plan`; may be left out where the schema fixes every size.
            **parameters: values over the model's defaults.

        Returns:
            The text of a program that defines one class. Its state dict has the keys of the compiled module, so each
            loads the checkpoints of the other, and both give the same outputs.

        Raises:
            SpecError: if the model is wrong, or a width or count is still unknown.

        >>> spec = loads("schema s { node a { x: float[3], y: class[2] } } model m on s { predict a.y }")
        >>> print(spec.to_python("m").splitlines()[-1].strip())
        return self.heads["a__y"](x_dict["a"])
        """
        from graphdsl.source import write_program

        plan = self.plan(model, data=data, **parameters)
        require_sizes(plan, *self.resolved.sources)
        return write_program(plan)

    def to_script(self, model: str | None = None, *, data: Any = None, **parameters: Any) -> str:
        """`to_python` with a loop: `python program.py data.pt` trains. GNN373 for what a loop cannot train."""
        from graphdsl.source import write_program

        plan = self.plan(model, data=data, **parameters)
        require_sizes(plan, *self.resolved.sources)
        return write_program(plan, self.training(model))

    def export(
        self,
        model: str | None = None,
        *,
        data: Any = None,
        state_dict: "Mapping[str, Tensor] | None" = None,
        **parameters: Any,
    ) -> "ExportedProgram":
        """A model in eval mode as a `torch.export` program, which runs where only torch is installed, on any graph.

        Args:
            model: name of the model; may be left out where there is one.
            data: as in `plan`; may be left out where the schema fixes every size.
            state_dict: weights of the compiled module; without it, they are newly drawn.
            **parameters: values over the model's defaults.

        Returns:
            `spec.export(…).module()(x={"paper": …}, edge_index={"author__writes__paper": …})`. Metapaths are inputs;
            inverses are made inside unless the data brings them; `n_id` numbers nodes without features.

        Raises:
            SpecError: as `compile`; GNN370 for what a program cannot say, GNN371 for what torch cannot export.
        """
        from graphdsl.backends.exporting import export_plan

        metadata = None if data is None else self.metadata(data, model, **parameters)
        plan = self.plan(model, data=metadata, **parameters)
        require_sizes(plan, *self.resolved.sources)
        if lacking := unmet_requirements(plan):
            raise SpecError(lacking, self.resolved.sources)
        try:
            return export_plan(plan, self.schema(model), metadata, state_dict)
        except SpecError as error:
            raise SpecError(error.diagnostics, self.resolved.sources) from error

    def validate(
        self, data: Any, model: str | None = None, *, tier: "Tier" = "values", seconds: float | None = None
    ) -> "Report":
        """Compare data with the schema.

        Args:
            data: a `HeteroData` or a `(FeatureStore, GraphStore)` pair, or a list or dataset of graphs; a `Data` for a
                schema with one node type and one edge type; a mini-batch; or `Metadata`, or the path of a metadata
                file, of which the tier "metadata" is checked, without torch.
            model: whose schema, where the spec has several; predicted links and labels are looked at of this model alone.
            tier: how deep to look: "metadata" = types, attributes, widths, dtypes, numbers of rows; "structure" = the edges
                too; "values" = the numbers too.
            seconds: no check is begun after so long; which are left out is said (GNN672).

        Returns:
            A report: `.ok`, `.findings`, `.to_json()`, `str(report)`. Warnings that a comment at the declaration allows
            (`# gnn: allow GNN621 -- reason`) are not in it.
        """
        from graphdsl.data.validation import Report

        schema = self.schema(model)
        wanted = find_demands(self.resolved, schema, model)
        if isinstance(data, Metadata | str | Path):
            from graphdsl.data.validation import validate_metadata
            from graphdsl.model.metadata_file import read_metadata

            found = validate_metadata(schema, data if isinstance(data, Metadata) else read_metadata(data))
        else:
            from graphdsl.data.validation import validate

            found = validate(schema, data, wanted.links, wanted.targets, tier, seconds)
            if not any(item.is_error for item in found):
                found += tuple(item for name in wanted.models for item in self._unmet(name, data))
        return Report(silence(self.resolved.sources, (*found, *wanted.unused)), self.resolved.sources)

    def _unmet(self, model: str, data: Any) -> tuple[Diagnostic, ...]:
        """What keeps a model from data that fits its schema: features that may be absent, and are."""
        from graphdsl.data.validation import check_needed

        try:
            plan = self.plan(model, data=data)
        except SpecError as error:
            return tuple(item for item in error.diagnostics if item.is_error)
        return tuple(check_needed(self.schema(model), data, plan))


def _metadata(data: Any, model: Model, parameters: Mapping[str, Any]) -> Metadata | None:
    if data is None or isinstance(data, Metadata):
        return data
    if isinstance(data, str | Path):
        from graphdsl.model.metadata_file import read_metadata

        return read_metadata(data)
    from graphdsl.data import inspect

    program, _ = model.bind(parameters)
    return inspect(data, model.schema, degrees=program is not None and wants_degrees(program))


def require_sizes(plan: Plan, *sources: SourceText) -> None:
    """Raise `SpecError` when a width, a count or a parameter is still unknown, naming each place once."""
    if found := missing_sizes(plan):
        raise SpecError(found[:_MAX_SHOWN], sources)


def _load(source: SourceText | Diagnostic, plugins: Iterable[Plugin]) -> Spec:
    if wrong := use_plugins(plugins):
        raise SpecError(wrong)
    if not isinstance(source, SourceText):
        raise SpecError([source])
    resolved, found = analyse(source)
    if any(item.is_error for item in found):
        raise SpecError(found, resolved.sources)
    return Spec(resolved, order(found))


def load(path: str | Path, plugins: Iterable[Plugin] = ()) -> Spec:
    """Read and check a spec file.

    Args:
        path: a `.gnn` file, or a spec in YAML or JSON (`.yaml`, `.yml`, `.json`).
        plugins: what holds further layers: modules with `ENTRIES`, by name or themselves, or entries of the catalogue
            (see `graphdsl.catalog.plugins`). They stay known in this process. Layers that installed packages offer need
            not be named.

    Raises:
        SpecError: with every finding, if there is an error among them.
    """
    return _load(read_source(path), plugins)


def loads(text: str, name: str = "<string>", plugins: Iterable[Plugin] = ()) -> Spec:
    """Read and check a spec given as text.

    Args:
        text: the spec.
        name: what it is called in messages; with the ending of YAML or JSON, the text is read as such.
        plugins: as in `load`.

    Raises:
        SpecError: with every finding, if there is an error among them.
    """
    return _load(SourceText(name, text), plugins)


def compile_text(
    text: str, parameters: Mapping[str, Any], metadata: Metadata | None, model: str, name: str
) -> "AnyModel":
    """Compile a model from the text of its spec: what loading a checkpoint needs."""
    return loads(text, name).compile(model, data=metadata, **parameters)
