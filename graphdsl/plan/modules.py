"""From a layer as a spec asks for it to a module with complete constructor arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from graphdsl.catalog import OBJECTIVES, Derivation, Entry, Network, Sizes, find, is_own
from graphdsl.model import UNKNOWN, Degrees, LayerUse, MetapathHop
from graphdsl.plan.module_spec import ModuleSpec, Width
from graphdsl.text import Diagnostic, EdgeKey, Span, report


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a module's derived arguments are derived from.

    Attributes:
        width: columns of its input (source side, or all types together); None while unknown.
        pair: widths of source and target of a relation between two types.
        widths: widths by type, for joint modules.
        count: number of nodes of its type.
        edge_width: width of the bound edge attribute.
        degrees: how many edges arrive at the nodes of its relation; None while no data tells.
        inputs: columns of what is bound to forward inputs, by their names.
        relations: number of relations it sees.
        types: number of node types it sees.
        inverses: for each of them the number of its original; its own for an original, -1 where the module lacks it.
        metadata: types and relations it sees.
        paths: the hops of each metapath or relation that it walks along.
        budgets: of those of them that have one.
        groups: numbers of the relations it sees, each together with its inverse.
        classes: of the label that it reads.
        label_sizes: columns of the labels that it carries, by type.
        between_types: whether it serves a relation between two node types.
        reads_ids: whether it reads node numbers instead of features.
        origin: where its input became as wide as it is, for messages.
    """

    width: int | None = None
    pair: tuple[int | None, int | None] | None = None
    widths: Mapping[str, int | None] = field(default_factory=dict[str, int | None])
    count: int | None = None
    edge_width: int | None = None
    degrees: Degrees | None = None
    inputs: Mapping[str, int | None] = field(default_factory=dict[str, int | None])
    relations: int | None = None
    types: int | None = None
    inverses: tuple[int, ...] = ()
    metadata: tuple[tuple[str, ...], tuple[EdgeKey, ...]] | None = None
    paths: Mapping[EdgeKey, tuple[MetapathHop, ...]] | None = None
    budgets: Mapping[EdgeKey, int] | None = None
    groups: tuple[tuple[int, ...], ...] | None = None
    classes: int | None = None
    label_sizes: Mapping[str, int | None] = field(default_factory=dict[str, int | None])
    between_types: bool = False
    reads_ids: bool = False
    origin: tuple[tuple[Span, str], ...] = ()

    def binds(self, parameter: str, entry: Entry) -> bool:
        """Whether the input that decides a constructor parameter is bound, of whatever width."""
        return any(item.width_parameter == parameter and item.name in self.inputs for item in entry.inputs)


def _derive(kind: Derivation, around: Surroundings) -> Any:
    values: dict[Derivation, Any] = {
        "width": around.width,
        "pair": around.pair if around.pair is not None else around.width,
        "widths": dict(around.widths),
        "count": around.count,
        "edge_width": around.edge_width,
        "degrees": around.degrees,
        "relations": around.relations,
        "types": around.types,
        "inverses": around.inverses,
        "metadata": around.metadata,
        "paths": around.paths,
        "budgets": around.budgets,
        "groups": around.groups,
        "classes": around.classes,
        "label_sizes": dict(around.label_sizes),
    }
    return values[kind]


def _self_loops(use: LayerUse, arguments: dict[str, Any], around: Surroundings) -> None:
    """Between two types there is no edge from a node to itself: switch self-loops off."""
    if use.entry.self_loops and around.between_types:
        arguments["add_self_loops"] = False


def _sizes(around: Surroundings) -> Sizes:
    return Sizes(around.width, around.pair[1] if around.pair is not None else around.width, around.inputs)


def _nested(use: LayerUse, around: Surroundings, found: list[Diagnostic]) -> dict[str, Any]:
    """Arguments with nested layers built: they read what the outer layer's source brings, or what the catalogue says."""
    entry, built = use.entry, dict(use.arguments)
    order = [item.name for item in entry.parameters]  # one network may read what another gives
    for name, value in sorted(use.arguments.items(), key=lambda item: order.index(item[0])):
        if not isinstance(value, LayerUse):
            continue
        network = entry.networks.get(name, Network())
        filled = entry.with_defaults(built)
        wanted = None if network.gives is None else network.gives(filled, _sizes(around))
        if network.gives is not None and has_open_end(value):
            arguments = {**value.arguments, "out_channels": UNKNOWN if wanted is None else wanted}
            value = replace(value, arguments=arguments)
        inner = Surroundings(
            width=network.reads(filled, _sizes(around)),
            edge_width=around.edge_width,
            degrees=around.degrees,
            inputs=around.inputs,
        )
        built[name] = made = build_module(value, inner, found)
        told = entry.parameter(name)
        if told is not None and "aggregation" in told.type:
            _check_messages(use, value, made, inner.width, found)
        if wanted is not None and made.width_out is not None and made.width_out != wanted:
            _report_width(use, name, made, wanted, network, found)
    return built


_NARROW: Final = {
    "MultiAggregation": 'write `mode = "mean"`, or give a list where the layer takes one: `aggr = ["mean", "max"]`',
    "DegreeScalerAggregation": "give one aggregation and one scaler, or use `PNAConv`, which takes several",
}


def _check_messages(
    use: LayerUse, inner: LayerUse, made: ModuleSpec, width: int | None, found: list[Diagnostic]
) -> None:
    """An aggregation of messages keeps their width, and cannot be told which that is."""
    helps = (_NARROW[made.name],) if made.name in _NARROW else ()
    if set(inner.entry.packed) & set(made.arguments):
        message = f"`{made.name}` would learn a map of messages, and how wide these are is up to `{use.entry.name}`"
        found.append(report("GNN204", message, inner.places.get("mode", made.span), helps=helps))
    elif made.width_out not in (None, width):
        message = f"`{made.name}` gives {made.width_out} columns for {width}, and messages keep their width"
        found.append(report("GNN502", message, made.span, helps=helps))


def has_open_end(use: LayerUse) -> bool:
    """Whether a spec leaves the output width of a layer to the compiler."""
    listed = any(item.variadic and use.arguments.get(item.name) for item in use.entry.parameters)
    return use.entry.parameter("out_channels") is not None and "out_channels" not in use.arguments and not listed


def _report_width(
    use: LayerUse, name: str, made: ModuleSpec, wanted: int, network: Network, found: list[Diagnostic]
) -> None:
    """A network of another width than its layer needs; once, whatever the number of relations."""
    if any(item.code == "GNN502" and item.primary and item.primary.span == made.span for item in found):
        return
    why = f" ({network.why})" if network.why else ""
    message = f"`{name}` of `{use.entry.name}` must give {wanted} columns{why}, and gives {made.width_out}"
    helps: tuple[str, ...] = ()
    if made.name == "MLP":
        open_end = "`MLP(num_layers = 2, hidden_channels = 64)`"
        helps = (f"make its last width {wanted}, or leave that to the compiler: {open_end}",)
    elif made.name == "Linear":
        helps = ("leave the width to the compiler: `Linear()`",)
    found.append(report("GNN502", message, made.span, helps=helps))


def build_module(use: LayerUse, around: Surroundings, found: list[Diagnostic]) -> ModuleSpec:
    """The module of a layer, derived arguments filled in, the catalogue's rules checked."""
    entry = use.entry
    arguments = _nested(use, around, found)
    _self_loops(use, arguments, around)
    unknown = any(_unknown(value) for value in arguments.values())
    complete = _with_derived(use, arguments, around)
    derived = {name: value for name, value in complete.items() if entry.parameter(name) is None}
    filled = {**around.inputs, **entry.with_defaults(arguments), **derived}
    width = None if unknown else _width(use, filled, around, found)
    if not unknown:
        _check_rules(use, filled, around, found)
    return ModuleSpec(entry.name, entry.path, entry.pack(complete), width, use.span)


def _width(use: LayerUse, filled: Mapping[str, Any], around: Surroundings, found: list[Diagnostic]) -> int | None:
    """What the catalogue's width rule says."""
    try:
        return use.entry.width(filled, around.width)
    except Exception as error:
        found.append(_failed(use, error))
        return None


def _failed(use: LayerUse, error: Exception) -> Diagnostic:
    """A rule of a plug-in's layer that fails; one of ours is a defect of ours."""
    if is_own(use.entry.name):
        raise error
    message = f"a rule of the plug-in's layer `{use.entry.name}` fails: {type(error).__name__}: {error}"
    return report("GNN113", message, use.span)


def _unknown(value: Any) -> bool:
    """Whether a value, or a part of it, is a parameter that nobody has given."""
    if isinstance(value, tuple):
        return any(map(_unknown, cast(tuple[Any, ...], value)))
    return value is UNKNOWN or (isinstance(value, ModuleSpec) and any(map(_unknown, value.arguments.values())))


def _check_rules(use: LayerUse, filled: Mapping[str, Any], around: Surroundings, found: list[Diagnostic]) -> None:
    rules = (*use.entry.rules, *(use.entry.id_rules if around.reads_ids else ()))
    for rule in rules:
        try:
            problem = rule(filled, around.width)
        except Exception as error:
            found.append(_failed(use, error))
            return
        if problem is not None:
            span = use.places.get(problem.argument or "", use.span)
            helps = (problem.help,) if problem.help else ()
            also = around.origin if problem.code == "GNN502" else ()
            found.append(report(problem.code, problem.message, span, also=also, helps=helps))


def _with_derived(use: LayerUse, arguments: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """Derived arguments first, then the written ones; a variadic list gets the input width in front.

    The width of an edge attribute stays PyG's default while none is bound.
    """
    entry = use.entry
    variadic = {item.name for item in entry.parameters if item.variadic}
    result: dict[str, Any] = {}
    for name, kind in entry.derived.items():
        value = _derive(kind, around)
        if kind == "label_sizes" and not value:
            continue
        if name in variadic:
            written = arguments.get(name, ())
            result[name] = (value, *written) if written else value
        elif kind != "edge_width" or value is not None or around.binds(name, entry):
            result[name] = value
    return {**result, **{name: value for name, value in arguments.items() if name not in result}, **entry.fixed}


def plain(width: Width) -> int | None:
    """Columns, where a value has some; None for node numbers, stacks and unknown widths."""
    return width if isinstance(width, int) else None


_DERIVED = frozenset({"channels", "num_classes", "num_nodes", "msg_dim", "num_rels"})
"""What the compiler derives for modules that are not in the catalogue: heads and scorers."""


def unresolved(module: ModuleSpec) -> bool:
    """Whether a width or count is still missing among the arguments that the compiler derives or the spec computes."""

    def missing(value: Any) -> bool:
        if isinstance(value, ModuleSpec):
            return unresolved(value)
        if isinstance(value, Mapping):
            return any(item is None or missing(item) for item in cast(Mapping[Any, Any], value).values())
        if isinstance(value, tuple):
            return any(item is None or missing(item) for item in cast(tuple[Any, ...], value))
        return value is UNKNOWN

    entry = find(module.name) or OBJECTIVES.get(module.name)
    derived = _DERIVED if entry is None else {*entry.derived} - {item.name for item in entry.parameters}
    return any(missing(value) or (name in derived and value is None) for name, value in module.arguments.items())


def show_width(width: Width) -> str:
    """A width in words: `64`, `ids`, `?`."""
    return "?" if width is None else str(width)
