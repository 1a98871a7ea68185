"""What all parts of a written program share: names, imports, constants and helpers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from graphdsl.plan import Derived, Plan
from graphdsl.plan.passes.mark_live import needed_types
from graphdsl.plan.requirements import Requirements, find_requirements
from graphdsl.source.expressions import Expression, flat, listing, literal, pair, quote
from graphdsl.source.imports import Imports
from graphdsl.source.naming import Names, identifier
from graphdsl.text import EdgeKey, Span, container_key, encode

_FEW = 3


@dataclass
class Context:
    """The program in the making.

    Attributes:
        plan: what it computes.
        imports: what it imports.
        helpers: names of helpers that it needs, see `graphdsl.source.definitions`.
        constants: values by name, in order of first use.
        names: variables of the forward pass.
        needed: node types that are read, state by state.
        requirements: what the data must bring.
        like: whether the forward pass reads dtype and device of a parameter.
        penalized: penalties that have a value already.
        variables: of a `sequential` block, its names as arguments of the forward pass.
        named: the class of the model, once it is written.
        sampled: whether a written loop trains on sampled neighbourhoods.
    """

    plan: Plan
    imports: Imports = field(default_factory=Imports)
    helpers: set[str] = field(default_factory=set[str])
    constants: dict[str, Expression] = field(default_factory=dict[str, Expression])
    names: Names = field(default_factory=Names)
    like: bool = False
    penalized: set[str] = field(default_factory=set[str])
    variables: dict[str, str] = field(default_factory=dict[str, str])
    named: str = ""
    sampled: bool = False

    def __post_init__(self) -> None:
        needed = needed_types(self.plan)
        self.needed = tuple(frozenset(needed[state]) for state in range(len(self.plan.stages) + 1))
        self.requirements: Requirements = find_requirements(self.plan, live=True)
        self.states = ["x_dict"]

    def name(self, name: str) -> str:
        """A node type as an expression, as the containers take it."""
        return quote(container_key(name))

    def edge(self, edge: EdgeKey) -> str:
        """An edge type as an expression: `("author", "writes", "paper")`."""
        return f"({self.index(edge)})"

    def index(self, edge: EdgeKey) -> str:
        """An edge type inside brackets: `"author", "writes", "paper"`."""
        return ", ".join(map(quote, encoded(edge)))

    def types(self, names: Sequence[str]) -> Expression:
        """Several node types: the constant for all of them, or as they are."""
        every = tuple(sorted(self.plan.inputs))
        if len(names) > 1 and tuple(names) == every:
            self.constants.setdefault("NODE_TYPES", listing(self.name(name) for name in every))
            return "NODE_TYPES"
        return pair(self.name(name) for name in names)

    def relations(self, edges: Sequence[EdgeKey], key: str) -> Expression:
        """Several edge types: a constant, or where they are few, as they are.

        Args:
            edges: the edge types.
            key: of the stage that reads them.
        """
        found = listing(self.edge(edge) for edge in edges)
        if len(edges) > 1 and tuple(edges) == self.plan.relations:
            self.constants.setdefault("EDGE_TYPES", found)
            return "EDGE_TYPES"
        if len(edges) <= _FEW:
            return found
        for name, value in self.constants.items():
            if flat(value) == flat(found):
                return name
        name, number = f"{identifier(key).upper()}_EDGE_TYPES", 2
        while name in self.constants:
            name, number = f"{identifier(key).upper()}_EDGE_TYPES_{number}", number + 1
        self.constants[name] = found
        return name

    def known(self) -> str:
        """The name of a parameter, whose dtype and device other tensors take."""
        self.like = True
        return "like"

    @property
    def odd_types(self) -> dict[str, str]:
        """Node types whose names the containers refuse, with their encoded names."""
        types = {*self.plan.inputs, *(end for edge in self.plan.relations for end in (edge[0], edge[2]))}
        return {name: container_key(name) for name in sorted(types) if container_key(name) != name}

    @property
    def odd_edges(self) -> dict[EdgeKey, EdgeKey]:
        """Edge types that hold such names, with their encoded names."""
        derived = {edge for item in self.plan.derived for edge in origins(item)}
        edges = sorted({*self.plan.relations, *self.requirements.relations, *derived})
        return {edge: encoded(edge) for edge in edges if encoded(edge) != edge}


def encoded(edge: EdgeKey) -> EdgeKey:
    """An edge type as PyG's containers take it."""
    return container_key(edge[0]), encode(edge[1]), container_key(edge[2])


def origins(item: Derived) -> Iterable[EdgeKey]:
    """The relations that a derived one is made from."""
    if item.inverse_of is not None:
        return (item.inverse_of,)
    return tuple(dict.fromkeys(hop.edge for hop in item.metapath.hops)) if item.metapath else ()


def place(span: Span) -> str:
    """A place in a spec for a comment: `dblp.gnn:30`, or `dblp.gnn:35-41`."""
    name = span.file.rpartition("/")[2]
    lines = f"{span.line}" if span.end_line <= span.line else f"{span.line}-{span.end_line}"
    return f"{name}:{lines}"


def table(values: dict[str, str] | dict[EdgeKey, EdgeKey]) -> Expression:
    """A dictionary of names as an expression."""
    return literal(values)
