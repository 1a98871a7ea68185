"""Resolving a `schema` block: types, attributes, inverse relations, metapaths."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from graphdsl.model.parameters import Parameter, declare
from graphdsl.model.schema import (
    KINDS,
    TAKEN_NAMES,
    Attribute,
    AttributeType,
    EdgeType,
    Kind,
    Metapath,
    MetapathHop,
    Multiplicity,
    NodeType,
    Schema,
)
from graphdsl.model.values import UNKNOWN, Refused, evaluate, show
from graphdsl.syntax import nodes as n
from graphdsl.text import (
    Diagnostic,
    EdgeKey,
    Edit,
    Fix,
    Span,
    did_you_mean,
    listing,
    renaming,
    report,
    show_edge,
    show_name,
)

_SIZED = ("float", "int", "class", "multilabel", "real")
_NEEDS_SIZE = ("class", "multilabel")

_SAMPLING = {"sample": 1, "seed": 0}
"""Options of a metapath beside its multiplicity, with the least value of each."""


class _SchemaBuilder:
    """Collects the members of one schema; every problem is a diagnostic, none stops the rest.

    Names whose declaration is refused are kept in `lost`: that they are missing is said once, not at every use.
    """

    def __init__(self, declared: n.SchemaDecl, found: list[Diagnostic]) -> None:
        self.declared = declared
        self.found = found
        self.parameters: tuple[Parameter, ...] = declare(declared.parameters, found)
        self.values = {item.name: item.default for item in self.parameters}
        self.nodes: dict[str, NodeType] = {}
        self.edges: dict[EdgeKey, EdgeType] = {}
        self.relations: dict[str, EdgeType] = {}
        self.metapaths: dict[str, Metapath] = {}
        self.graph: dict[str, Attribute] = {}
        self.lost: set[str] = set()

    def build(self) -> Schema:
        members = self.declared.members
        for member in members:
            if isinstance(member, n.NodeDecl):
                self.add_node(member)
        for member in members:
            if isinstance(member, n.EdgeDecl):
                self.add_edge(member)
        for member in members:
            if isinstance(member, n.MetapathDecl):
                self.add_metapath(member)
        self.add_graph([member for member in members if isinstance(member, n.GraphDecl)])
        name = self.declared.name
        lost = frozenset(self.lost)
        return Schema(name.text, self.nodes, self.edges, self.metapaths, name.span, lost, self.graph)

    def add_graph(self, declared: list[n.GraphDecl]) -> None:
        for again in declared[1:]:
            also = ((declared[0].span, "first declared here"),)
            helps = ("put all attributes of the graph into one block",)
            self.found.append(report("GNN102", "`graph` is declared twice", again.span, also=also, helps=helps))
        self.graph = self.attributes(declared[0].attributes) if declared else {}

    def nameless(self, what: str, name: n.Name) -> bool:
        """Report an empty name."""
        if not name.text:
            self.found.append(report("GNN204", f"{what} needs a name that is not empty", name.span))
        return not name.text

    def twice(self, what: str, name: n.Name, first: Span) -> None:
        """Report a second declaration."""
        also = ((first, "first declared here"),)
        self.found.append(report("GNN102", f"{what} `{name.text}` is declared twice", name.span, also=also))

    # --- nodes and attributes ---

    def add_node(self, declared: n.NodeDecl) -> None:
        name = declared.name.text
        if self.nameless("a node type", declared.name):
            return
        if name in self.nodes:
            self.twice("node type", declared.name, self.nodes[name].span)
            self.lost |= {item.name.text for item in declared.attributes}
            return
        attributes = self.attributes(declared.attributes)
        self.nodes[name] = NodeType(name, attributes, self.count(declared), declared.optional, declared.name.span)

    def count(self, declared: n.NodeDecl) -> int | None:
        count, place = None, None
        for option in declared.options:
            if option.name is None or option.name.text != "count":
                helps = ("the only option of a node type is `count = N`",)
                self.found.append(report("GNN201", "unknown option of a node type", option.span, helps=helps))
                continue
            if place is not None:
                also = ((place, "first given here"),)
                self.found.append(report("GNN209", "`count` is given twice", option.span, also=also))
            count, place = self.whole(option.value, 0, "`count`"), option.span
        return count

    def whole(self, expression: n.Expression, minimum: int, what: str) -> int | None:
        """A whole number; `what` it is, for the message."""
        try:
            value = evaluate(expression, self.values)
        except Refused as refused:
            self.found.append(refused.diagnostic)
            return None
        if value is UNKNOWN:
            return None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not isinstance(value, int) or value < minimum:
            message = f"{what} is a whole number ≥ {minimum}; found {show(value)}"
            self.found.append(report("GNN204" if number else "GNN202", message, expression.span))
            return None
        return value

    def attributes(self, declared: tuple[n.AttributeDecl, ...]) -> dict[str, Attribute]:
        attributes: dict[str, Attribute] = {}
        for item in declared:
            name = item.name.text
            if self.nameless("an attribute", item.name):
                continue
            if name in attributes:
                self.twice("attribute", item.name, attributes[name].span)
                continue
            if name in TAKEN_NAMES:
                self.taken(item.name)
            kind = self.attribute_type(item.type)
            if kind is not None:
                attributes[name] = Attribute(name, kind, item.span)
            else:
                self.lost.add(name)
        return attributes

    def taken(self, name: n.Name) -> None:
        """Report an attribute that PyG would take for the structure of the graph."""
        message = f"no attribute can be called `{name.text}`: PyG keeps the structure of a graph under this name"
        helps = ["give it another name here and in the data"]
        if name.text == "num_nodes":
            helps.insert(0, "a number of nodes stands behind the type: `node paper(count = 9)`")
        self.found.append(report("GNN116", message, name.span, helps=tuple(helps)))

    def attribute_type(self, declared: n.TypeExpression) -> AttributeType | None:
        kind: Kind | None = next((known for known in KINDS if known == declared.name.text), None)
        if kind is None:
            helps = did_you_mean(declared.name.text, KINDS)
            notes = listing("attribute types", KINDS)
            message = f"unknown attribute type `{declared.name.text}`"
            fix = renaming(declared.name.span, declared.name.text, KINDS)
            self.found.append(report("GNN101", message, declared.name.span, helps=helps, notes=notes, fix=fix))
            return None
        if declared.size is None:
            if kind in _NEEDS_SIZE:
                helps = (f"write `{kind}[4]`, or `{kind}[*]` to take the number from the data",)
                self.found.append(report("GNN203", f"`{kind}` needs a size", declared.span, helps=helps))
            return AttributeType(kind, "*" if kind in _NEEDS_SIZE else None, declared.optional)
        if kind not in _SIZED:
            message = f"`{kind}` is one value per row and takes no size"
            self.found.append(report("GNN201", message, declared.size.span, helps=(f"write `{kind}`",)))
            return AttributeType(kind, None, declared.optional)
        if isinstance(declared.size, n.Wildcard):
            return AttributeType(kind, "*", declared.optional)
        size = self.whole(
            declared.size, *((2, "the number of classes") if kind == "class" else (1, f"the size of `{kind}`"))
        )
        return AttributeType(kind, "*" if size is None else size, declared.optional)

    # --- edges ---

    def known_node(self, name: n.Name) -> bool:
        if name.text in self.nodes:
            return True
        self.found.append(unknown_type(name, self.nodes))
        return False

    def add_edge(self, declared: n.EdgeDecl) -> None:
        relation, reverse = declared.relation, declared.reverse
        names = [relation] if reverse is None else [relation, reverse]
        ends = [self.known_node(name) for name in (declared.source, declared.target)]
        nameless = [self.nameless("a relation", name) for name in names]
        if not all(ends) or any(nameless):
            self.lost |= {name.text for name in names}
            return
        key = (declared.source.text, relation.text, declared.target.text)
        span = declared.source.span.to(declared.target.span)
        inverse = None
        if reverse is not None:
            inverse = (declared.target.text, reverse.text, declared.source.text)
            if inverse == key:
                helps = ("leave `reverse` out, or give the inverse another name",)
                message = f"`{reverse.text}` cannot be its own inverse"
                self.found.append(report("GNN102", message, reverse.span, helps=helps))
                inverse = None
        attributes = self.attributes(declared.attributes)
        self.put_edge(EdgeType(*key, attributes, inverse, False, declared.optional, span))
        if inverse is not None and reverse is not None:
            self.put_edge(EdgeType(*inverse, attributes, key, True, declared.optional, reverse.span))

    def put_edge(self, edge: EdgeType) -> None:
        earlier = self.edges.get(edge.key)
        if earlier is not None:
            also = ((earlier.span, "declared as an inverse here" if earlier.derived else "first declared here"),)
            by_reverse = earlier.derived or edge.derived
            helps = ("`reverse` declares the inverse: it needs no `edge` of its own",) if by_reverse else ()
            message = f"`{show_edge(edge.key)}` is declared twice"
            self.found.append(report("GNN102", message, edge.span, also=also, helps=helps))
            return
        self.edges[edge.key] = edge
        self.relations.setdefault(edge.relation, edge)

    # --- metapaths ---

    def add_metapath(self, declared: n.MetapathDecl) -> None:
        name = declared.name.text
        if self.nameless("a metapath", declared.name):
            return
        if name in self.metapaths:
            self.twice("metapath", declared.name, self.metapaths[name].span)
            return
        same = self.relations.get(name)
        if same is not None:
            also = ((same.span, "a relation of this name"),)
            self.found.append(report("GNN102", f"`{name}` is a relation already", declared.name.span, also=also))
            return
        options = [item for item in declared.options if item.name is None]
        multiplicity = self.multiplicity(declared, options)
        sample, seed = self.sampling(declared)
        hops = self.hops(declared) if self.known_node(declared.start) else None
        if hops is None:
            self.lost.add(name)
            return
        budget = self.whole(declared.budget, 1, "the budget") if declared.budget else None
        target = declared.hops[-1].target.text
        self.metapaths[name] = Metapath(
            name, declared.start.text, target, hops, multiplicity, budget, declared.name.span, sample, seed
        )

    def sampling(self, declared: n.MetapathDecl) -> tuple[int | None, int]:
        """`metapath APA(sample = 50, seed = 1) = …`: how many pairs of each destination to draw, if not all."""
        values: dict[str, int | None] = {}
        for option in declared.options:
            if option.name is None:
                continue
            word = option.name.text
            if word not in _SAMPLING or word in values:
                problem = "is given twice" if word in values else "is no option of a metapath"
                helps = () if word in values else did_you_mean(word, _SAMPLING)
                if word == "budget":
                    helps = ("it stands behind the path: `metapath APA = … budget 20M`",)
                notes = listing("options", [*get_args(Multiplicity), *_SAMPLING])
                message = f"metapath `{declared.name.text}`: `{word}` {problem}"
                self.found.append(report("GNN201", message, option.span, helps=helps, notes=notes))
                continue
            values[word] = self.whole(option.value, _SAMPLING[word], f"`{word}`")
        if "seed" in values and "sample" not in values:
            option = next(item for item in declared.options if item.name is not None and item.name.text == "seed")
            helps = ("write `sample = N` beside it, or leave it out",)
            message = f"metapath `{declared.name.text}`: `seed` decides nothing without `sample`"
            self.found.append(report("GNN201", message, option.span, helps=helps))
        return values.get("sample"), values.get("seed") or 0

    def multiplicity(self, declared: n.MetapathDecl, options: Sequence[n.Argument]) -> Multiplicity:
        """`metapath APA(count) = …`: one word in parentheses, `set` without it."""
        known = get_args(Multiplicity)
        chosen: Multiplicity = "set"
        for option in options:
            word = option.value.name.text if isinstance(option.value, n.Reference) else ""
            if word in known and len(options) == 1:
                chosen = next(item for item in known if item == word)
                continue
            helps = did_you_mean(word, known) or ("write one of them: `metapath NAME(count) = …`",)
            notes = listing("multiplicities", known)
            message = f"metapath `{declared.name.text}`: unknown multiplicity"
            if word in known:
                message, helps = f"metapath `{declared.name.text}` takes one multiplicity", ()
            fix = renaming(option.span, word, known) if word and word not in known else None
            self.found.append(report("GNN201", message, option.span, helps=helps, notes=notes, fix=fix))
        return chosen

    def hops(self, declared: n.MetapathDecl) -> tuple[MetapathHop, ...] | None:
        hops: list[MetapathHop] = []
        here, place = declared.start.text, declared.start.span
        for hop in declared.hops:
            there = hop.target.text
            if not self.known_node(hop.target):
                return None
            key = (there, hop.relation.text, here) if hop.backward else (here, hop.relation.text, there)
            if key not in self.edges:
                if hop.relation.text not in self.lost:
                    self.found.append(self.broken(declared, hop, key, place))
                return None
            hops.append(MetapathHop(key, hop.backward))
            here, place = there, hop.target.span
        return tuple(hops)

    def broken(self, declared: n.MetapathDecl, hop: n.Hop, key: EdgeKey, here: Span) -> Diagnostic:
        """Why there is no such hop, and which there are."""
        start = key[2] if hop.backward else key[0]
        leaving = [show_edge(edge) for edge in self.edges if start in (edge[0], edge[2])]
        return report(
            "GNN401",
            f"metapath `{declared.name.text}`: there is no `{show_edge(key)}`",
            hop.span,
            also=((here, f"the path stands at `{start}`"),),
            helps=self.other_hop(hop, key, start),
            notes=listing(f"relations at `{start}`", leaving),
            fix=self.mended_hop(hop, key, start),
        )

    def mended_hop(self, hop: n.Hop, key: EdgeKey, start: str) -> Fix | None:
        """The hop with the one name that can be meant: of the type that it leads to, or of the relation."""
        target, name = hop.target, hop.relation
        if (key[2], key[1], key[0]) in self.edges:
            written = f"{_arrow(hop)} {show_name(target.text)}"
            return Fix(f"write `{written}`", (Edit(hop.span, written),))
        ends = (target.text, start) if hop.backward else (start, target.text)
        fitting = sorted({edge[1] for edge in self.edges if (edge[0], edge[2]) == ends})
        return renaming(name.span, name.text, fitting)

    def other_hop(self, hop: n.Hop, key: EdgeKey, start: str) -> tuple[str, ...]:
        """What was probably meant by a hop that does not exist."""
        name = hop.relation.text
        alike = [edge for edge in self.edges if edge[1] == name]
        if (key[2], key[1], key[0]) in self.edges:
            return (f"walk it the other way: `{_arrow(hop)} {show_name(hop.target.text)}`",)
        if alike:
            return (f"`{name}` runs `{show_edge(alike[0])}`",)
        near = sorted({edge[1] for edge in self.edges if start in (edge[0], edge[2])})
        between = [edge for edge in self.edges if {edge[0], edge[2]} == {start, hop.target.text}]
        meant = did_you_mean(name, near) or did_you_mean(name, sorted({edge[1] for edge in self.edges}))
        return meant or tuple(f"between the two there is `{show_edge(edge)}`" for edge in between[:2])


def _arrow(hop: n.Hop) -> str:
    """The arrow of a hop the other way round."""
    name = show_name(hop.relation.text)
    return f"-[{name}]->" if hop.backward else f"<-[{name}]-"


def resolve_schema(declared: n.SchemaDecl, found: list[Diagnostic]) -> Schema:
    """The meaning of a schema block; problems are appended to `found`."""
    return _SchemaBuilder(declared, found).build()


def unknown_type(name: n.Name, known: Mapping[str, Any]) -> Diagnostic:
    """A node type is named that the schema does not declare."""
    helps = did_you_mean(name.text, known)
    notes, fix = listing("node types", known), renaming(name.span, name.text, known)
    return report("GNN101", f"unknown node type `{name.text}`", name.span, helps=helps, notes=notes, fix=fix)
