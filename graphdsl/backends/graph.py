"""The graph of one call: what the plan reads, checked, completed and in one place.

PyG's dictionaries come in; missing inverses and metapaths are derived, optional types and relations that are absent
become empty ones, and what is missing without being optional is reported with the line of the spec that reads it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from graphdsl.backends.derivation import (
    DerivationCache,
    Made,
    Pending,
    make_relations,
    needed_derivations,
    origins_of,
    pending_paths,
)
from graphdsl.backends.encoders import encode
from graphdsl.plan import Ids, InputBinding, Plan, Stacked
from graphdsl.plan.bindings import METAPATH_WEIGHT
from graphdsl.plan.hopping import PathUse
from graphdsl.plan.requirements import Requirements
from graphdsl.text import EdgeKey, Span, SpecError, did_you_mean, listing, report, show_edge, show_name

Place = str | EdgeKey
Values = dict[str, Tensor]
"""A typed map: one tensor per node type."""


@dataclass(frozen=True, slots=True)
class Graph:
    """What a run reads besides node values.

    Attributes:
        edge_index: [2, edges] of every relation that carries messages.
        attributes: tables as they were given, by attribute, then by relation or node type.
        derived: relations that were made here, and their path weights.
        encoders: the modules through which attributes go on their way into a layer, by argument and relation.
        inverses: the original of each relation that was flipped here.
        absent: optional types and relations that the graph lacks.
        batch: the graph [num_nodes] of each node by type, where several graphs are given.
        kept: of a trimmed batch, how many leading nodes or edges of a type or relation are seen.
        makes: of a trimmed batch, how many leading nodes of each type get a value.
        pending: metapaths that are not composed; `composed` gives a graph in which they are.
    """

    edge_index: Mapping[EdgeKey, Tensor]
    attributes: Mapping[str, Mapping[Place, Tensor]]
    derived: Mapping[EdgeKey, Made]
    inverses: Mapping[EdgeKey, EdgeKey]
    absent: frozenset[Place]
    batch: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    kept: Mapping[Place, int] = field(default_factory=dict[Place, int])
    makes: Mapping[str, int] = field(default_factory=dict[str, int])
    encoders: Mapping[tuple[str, EdgeKey], nn.Module] = field(default_factory=dict[tuple[str, EdgeKey], nn.Module])
    pending: Mapping[EdgeKey, Pending] = field(default_factory=dict[EdgeKey, Pending])

    def composed(self, edges: Iterable[EdgeKey]) -> "Graph":
        """The graph with the pairs of those of some relations that are metapaths and pending."""
        made = {edge: self.pending[edge].compose() for edge in edges if edge in self.pending}
        if not made:
            return self
        index = {edge: item.edge_index for edge, item in made.items()}
        rest = {edge: item for edge, item in self.pending.items() if edge not in made}
        return replace(self, edge_index={**self.edge_index, **index}, derived={**self.derived, **made}, pending=rest)

    def attribute(self, binding: InputBinding, place: Place, rows: int | None, span: Span, like: Tensor) -> Tensor:
        """An attribute as the forward argument that it is bound to.

        Args:
            binding: the argument and the attribute.
            place: relation or node type.
            rows: number of edges or nodes; None for as many as there are.
            span: the line of the spec that reads it.
            like: has the dtype and device of the result.

        Returns:
            [rows] for a scalar binding, [rows, width] otherwise; [rows] of int64 for numbers.
        """
        if binding.encoder is not None and not isinstance(place, str):
            values = [self.attribute(part, place, rows, span, like) for part in binding.parts]
            made = encode(self.encoders[binding.argument, place], binding.encoder, values, span)
            return made.reshape(-1) if binding.scalar else made
        found = self._find(binding, place)
        if found is None and place in self.absent:
            found = like.new_zeros(0, *(() if binding.scalar else (binding.width or 1,)))
        if found is None:
            raise SpecError([self._missing(binding, place, span)])
        if place in self.kept:
            found = found[: self.kept[place]]
        rows = found.size(0) if rows is None else rows
        flat, single = found.dim() == 1, binding.scalar or binding.numbers
        if found.size(0) != rows or found.dim() > 2 or (single and not flat and found.size(1) != 1):
            wanted = f"[{rows}]" if single else f"[{rows}, width]"
            message = f"`{binding.attribute}` of {_show(place)} is {list(found.shape)}, not {wanted}"
            raise SpecError([report("GNN607", message, span, "read here")])
        if binding.numbers:
            return found.reshape(rows).long()
        value = found.to(like.dtype if like.is_floating_point() else torch.get_default_dtype())
        return value.reshape(-1) if binding.scalar else value.unsqueeze(1) if flat else value

    def _find(self, binding: InputBinding, place: Place) -> Tensor | None:
        table = self.attributes.get(binding.attribute, {})
        if place in table or isinstance(place, str):
            return table.get(place)
        made = self.derived.get(place)
        if made is not None and made.weight is not None and binding.attribute == METAPATH_WEIGHT:
            return made.weight
        # Flipping keeps the order of edges, so the original's attributes fit.
        return table.get(self.inverses[place]) if place in self.inverses else None

    def _missing(self, binding: InputBinding, place: Place, span: Span) -> Any:
        keyword = f"{binding.attribute}_dict"
        table = self.attributes.get(binding.attribute, {})
        message = f"`{keyword}` holds nothing for {_show(place)}"
        helps = (f"pass `{keyword} = {{{place!r}: …}}`; see `graphdsl.data.batch_inputs`",)
        return report("GNN618", message, span, "read here", helps=helps, notes=_holds(keyword, table))


def read_graph(
    plan: Plan,
    requirements: Requirements,
    x_dict: Mapping[str, Tensor],
    edge_index_dict: Mapping[EdgeKey, Tensor],
    inputs: Mapping[str, Mapping[Any, Tensor]],
    cache: DerivationCache,
    left: Mapping[EdgeKey, PathUse],
) -> tuple[Values, Graph]:
    """Read PyG's dictionaries as a plan's input.

    Args:
        plan: the model.
        requirements: what the run reads.
        x_dict: features [nodes, width] by node type.
        edge_index_dict: [2, edges] by relation.
        inputs: further dictionaries by keyword: `<attribute>_dict` and `n_id_dict`.
        cache: keeps derived relations between calls.
        left: metapaths that are composed only when a layer asks for their pairs.

    Returns:
        The values of state 0 (node numbers for types without features) and the graph.

    Raises:
        SpecError: GNN618 for something missing, GNN604 and GNN607 for a wrong width or shape.
    """
    numbers = inputs.get("n_id_dict")
    device = _device(x_dict, edge_index_dict, numbers or {})
    values = _read_values(plan, requirements, x_dict, numbers, device)
    absent: set[Place] = {name for name in plan.optional_types if _is_absent(name, plan, x_dict, numbers)}
    edges = {edge: _checked(edge, index, requirements) for edge, index in edge_index_dict.items()}
    needed = needed_derivations(plan.derived, requirements.relations, edges)
    made_here = {item.edge for item in needed}
    origins = {edge for item in needed for edge in origins_of(item)}
    for edge in sorted({*requirements.relations, *origins} - {*edges, *made_here}):
        if edge in plan.optional_relations or not absent.isdisjoint((edge[0], edge[2])):
            edges[edge] = torch.zeros(2, 0, dtype=torch.long, device=device)
            absent.add(edge)
    sizes = {name: value.size(0) for name, value in {**x_dict, **values}.items()}
    given = {edge for table in inputs.values() for edge in table}
    late = {edge: use for edge, use in left.items() if edge in made_here and edge not in given}
    made = make_relations([item for item in needed if item.edge not in late], edges, sizes, cache)
    edges |= {edge: item.edge_index for edge, item in made.items()}
    pending = pending_paths(needed, late, edges, sizes, cache)
    for edge, span in requirements.relations.items():
        if edge not in edges and edge not in pending:
            raise SpecError([_missing_relation(edge, span, plan, edge_index_dict)])
    inverses = {item.edge: item.inverse_of for item in needed if item.inverse_of is not None}
    absent |= {edge for edge, origin in inverses.items() if origin in absent}
    attributes = {"x": x_dict, **{name.removesuffix("_dict"): table for name, table in inputs.items()}}
    kept = {edge: edges[edge] for edge in requirements.relations if edge in edges}
    batch = inputs.get("batch_dict", {})
    # All fields are given: `torch.compile` cannot trace the defaults.
    return values, Graph(kept, attributes, made, inverses, frozenset(absent), batch, {}, {}, {}, pending)


def _device(*tables: Mapping[Any, Tensor]) -> torch.device:
    return next((tensor.device for table in tables for tensor in table.values()), torch.device("cpu"))


def _is_absent(name: str, plan: Plan, x_dict: Mapping[str, Tensor], numbers: Mapping[str, Tensor] | None) -> bool:
    if isinstance(plan.inputs.get(name), Ids):
        return numbers is not None and name not in numbers
    return name not in x_dict


def _read_values(
    plan: Plan,
    requirements: Requirements,
    x_dict: Mapping[str, Tensor],
    numbers: Mapping[str, Tensor] | None,
    device: torch.device,
) -> Values:
    values: Values = {}
    for name, width in plan.inputs.items():
        assert not isinstance(width, Stacked)  # data holds no stacks
        span = requirements.types.get(name)
        optional = name in plan.optional_types
        if isinstance(width, Ids):
            rows = x_dict[name].size(0) if name in x_dict else None
            value = _read_numbers(name, width, numbers, optional, rows, device)
        elif name in x_dict:
            value = x_dict[name]
            if span is not None:
                _check_width(name, value, width, span)
        else:
            value = _no_rows(width, x_dict, device) if optional and width is not None else None
        if value is not None:
            values[name] = value
        elif span is not None:
            raise SpecError([_missing_value(name, width, span, x_dict, numbers or {})])
    return values


def _no_rows(width: int, x_dict: Mapping[str, Tensor], device: torch.device) -> Tensor:
    dtype = next((x.dtype for x in x_dict.values() if x.is_floating_point()), torch.get_default_dtype())
    return torch.zeros(0, width, dtype=dtype, device=device)


def _read_numbers(
    name: str,
    width: Ids,
    numbers: Mapping[str, Tensor] | None,
    optional: bool,
    rows: int | None,
    device: torch.device,
) -> Tensor | None:
    """Node numbers: as given; all of them in a whole graph; none of an optional type that a batch lacks."""
    if numbers is not None and name in numbers:
        return numbers[name]
    if numbers is not None and optional:
        return torch.zeros(0, dtype=torch.long, device=device)
    if width.count is None or (rows is not None and rows != width.count):
        return None  # In a sampled batch, only numbers tell which nodes these are.
    return torch.arange(width.count, device=device)


def _check_width(name: str, x: Tensor, width: int | None, span: Span) -> None:
    if x.dim() != 2:
        message = f"`x` of `{show_name(name)}` has the shape {list(x.shape)}, not [nodes, width]"
        raise SpecError([report("GNN607", message, span, "read here")])
    if width is not None and x.size(1) != width:
        message = f"`x` of `{show_name(name)}` has {x.size(1)} columns, the model reads {width}"
        helps = ("compile the spec with this data, or state the width in the schema",)
        raise SpecError([report("GNN604", message, span, "read here", helps=helps)])


def _checked(edge: EdgeKey, index: Tensor, requirements: Requirements) -> Tensor:
    span = requirements.relations.get(edge)
    if span is not None and (index.dim() != 2 or index.size(0) != 2 or index.is_floating_point()):
        found = f"{index.dtype} {list(index.shape)}"
        message = f"`edge_index` of `{show_edge(edge)}` is {found}, not whole numbers [2, edges]"
        raise SpecError([report("GNN607", message, span, "used here")])
    return index


def _missing_value(
    name: str, width: int | Ids | None, span: Span, x_dict: Mapping[str, Tensor], numbers: Mapping[str, Tensor]
) -> Any:
    keyword, table = ("n_id_dict", numbers) if isinstance(width, Ids) else ("x_dict", x_dict)
    kind = "node numbers" if isinstance(width, Ids) else "features"
    message = f"`{keyword}` has no {kind} of `{show_name(name)}`"
    shown = show_name(name)
    helps = (*did_you_mean(name, table), f"pass `{keyword}[{name!r}]`, or declare `optional node {shown}`")
    return report("GNN618", message, span, "read here", helps=helps, notes=_holds(keyword, table))


def _missing_relation(edge: EdgeKey, span: Span, plan: Plan, given: Mapping[EdgeKey, Tensor]) -> Any:
    item = next((item for item in plan.derived if item.edge == edge), None)
    origins = [origin for origin in origins_of(item) if origin not in given] if item else []
    message = f"`edge_index_dict` has no `{show_edge(edge)}`"
    if origins:
        message += ", nor what it is made from: " + ", ".join(f"`{show_edge(origin)}`" for origin in origins)
    also = [(item.metapath.span, "made along this")] if item and item.metapath else []
    key = (origins or [edge])[0]
    helps = (f"pass `edge_index_dict[{key!r}]`, or declare `optional edge {show_edge(key)}`",)
    notes = _holds("edge_index_dict", given)
    return report("GNN618", message, span, "used here", also=also, helps=helps, notes=notes)


def _holds(keyword: str, table: Iterable[Place]) -> tuple[str, ...]:
    return listing(f"entries of `{keyword}`", [_plain(place) for place in table])


def _plain(place: Place) -> str:
    return show_name(place) if isinstance(place, str) else show_edge(place)


def _show(place: Place) -> str:
    return f"`{_plain(place)}`"
