"""What a catalogue entry says about one layer, norm, activation or readout of PyG or PyTorch.

Pure data and pure functions: nothing here imports torch. The compiler reads entries, it never looks at a class.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from graphdsl.catalog.nested import Network


class _Required:
    """Marks a parameter without a default."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required()

Kind = Literal[
    "conv",
    "node",
    "norm",
    "activation",
    "dropout",
    "readout",
    "pool",
    "dense",
    "model",
    "loss",
    "search",
    "color",
    "recurrent",
    "objective",
    "label",
]
Scope = Literal["relation", "joint", "typed", "walk", "node"]
Derivation = Literal[
    "width",
    "pair",
    "widths",
    "count",
    "edge_width",
    "degrees",
    "relations",
    "types",
    "inverses",
    "metadata",
    "paths",
    "budgets",
    "groups",
    "classes",
    "label_sizes",
]

Arguments = Mapping[str, Any]
"""Arguments by parameter name, as a spec gave them: int, float, bool, str, None, tuples, or nested modules
(objects with `width_out`)."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A constructor parameter that a spec may write.

    Attributes:
        name: PyG's name.
        type: alternatives joined by `|` from: int, float, bool, string, none, module, conv, aggregation, activation, and
            lists such as list[int]. `module` takes a nested layer (`GINConv(nn = MLP(64, 64))`), `conv` a convolution within
            one type, `aggregation` one of `parts.MESSAGE_AGGREGATIONS`, `activation` the name of an activation.
        default: PyG's default, or REQUIRED.
        minimum: smallest value that makes sense, if there is one.
        above: last value that is too small (exclusive), if there is one: `eps` is more than 0.
        below: first value that is too large (exclusive), if there is one: `dropout` lies in [0, 1).
        choices: accepted strings, if they are few. Range and choices hold for the elements of a list.
        variadic: takes all further positional arguments as a list (`MLP(64, 64)`).
        keyword: can only be given by name, because PyG's parameter is keyword-only or comes through `**kwargs`
            (`GATConv(8, aggr = "max")`).
        since: the first version of PyG that has it, if that is not the oldest supported one.
    """

    name: str
    type: str
    default: Any = REQUIRED
    minimum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    variadic: bool = False
    keyword: bool = False
    since: str = ""

    @property
    def required(self) -> bool:
        """Whether a spec must give a value."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class ForwardInput:
    """An input of the forward pass that a spec binds by keyword (`edge_attr = year`).

    Attributes:
        name: the name of the forward argument in PyG.
        source: "edge" reads an attribute of the relation, "node" of the node types, "state" an earlier state; "relation" is
            the name of a relation or metapath, "label" a label that training nodes of some of the types show.
        required: whether the layer cannot run without it.
        width_parameter: constructor parameter that is derived from the attribute's width (`edge_dim`).
        scalar: one number per edge or node ([num_edges] instead of [num_edges, width]).
    """

    name: str
    source: Literal["edge", "node", "state", "relation", "label"]
    required: bool = False
    width_parameter: str | None = None
    scalar: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a layer cannot be used with these arguments: becomes a diagnostic at the layer's (or argument's) span."""

    code: str
    message: str
    argument: str | None = None
    help: str | None = None


SlotKind = Literal[
    "nodes",
    "edges",
    "edge values",
    "batch",
    "graphs",
    "dense",
    "adjacency",
    "mask",
    "count",
    "index",
    "numbers",
    "edge numbers",
    "pair",
    "links",
    "cells",
    "colors",
    "stack",
    "score",
    "loss",
    "record",
]
"""What a value of a `sequential` block is: rows of nodes, edge_index, values of edges, graph number of each node, rows of
graphs, dense rows [graphs, nodes, width], dense adjacency, which dense rows are real, and what only pooling layers give
(a number of graphs, indices, scores, losses, a record for unpooling), a whole number for each node or edge, the cell of each
point, the colour of each node, a stack of rows [nodes, number, width], rows of two sets of nodes, and edges from one set to
another."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What a layer reads or gives at one place of its header in a `sequential` block.

    Attributes:
        name: the forward argument in PyG; for what it gives, what PyG's documentation calls it.
        kinds: kinds of value that can stand here; what a layer gives has one, or none: that of its first input.
        optional: may be `none`, or left out at the end.
        scalar: one number per edge.
        width: of what a layer gives: "" = the entry's width rule for rows, an input's name = as wide as that input,
            a parameter's name = as wide as that argument says, or as the network that it is gives; without one, as wide
            as the input of the slot's name.
        own: of rows of nodes that a layer reads: they need not be as wide as its first input (positions beside features).
        fresh: it belongs to other nodes than the inputs: the layer has chosen or merged some.
            columns: how many columns there must be, if a layer reads no other number: positions have 3; of what a layer gives,
            how many there are, whatever it reads.
        side: of a layer with two sets of nodes: 1 for what belongs to the second.
        kept: of what a layer gives: the rows that stay of the input of this name, as they are, whole numbers too.
        limit: of whole numbers that a layer reads: the parameter that says below which they lie.
        ignored: why nothing may stand here, although PyG's signature has it: the layer would silently ignore it.
    """

    name: str
    kinds: tuple[SlotKind, ...] = ()
    optional: bool = False
    scalar: bool = False
    width: str = ""
    fresh: bool = False
    ignored: str = ""
    own: bool = False
    side: int = 0
    columns: int | None = None
    limit: str = ""
    kept: bool = False


WidthRule = Callable[[Arguments, int | None], int | None]
"""Output width from the arguments (defaults filled in, with the columns of bound inputs by their names) and the input
width; None stands for not known yet."""

HopsRule = Callable[[Arguments], int]
"""How many edges a value travels in one forward pass, from the arguments (defaults filled in)."""

LegalityRule = Callable[[Arguments, int | None], Problem | None]
"""A check of arguments (defaults filled in, with the derived ones and the columns of bound inputs by their names) against
the input width."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One class of PyG or PyTorch that a spec may name.

    Attributes:
        name: the name in specs (PyG's class name; activations in lower case: `relu`).
        kind: "conv" serves relations; "model" is a whole model: with scope "relation" it serves relations within one
            type, too, otherwise it is a step of `sequential` blocks; the others serve node types one by one.
        path: where the class is, e.g. "torch_geometric.nn.SAGEConv".
        doc: one line for people.
        parameters: what a spec may write, in PyG's order: positional arguments bind in this order.
        derived: constructor parameters that the compiler fills in, by what they are derived from:
            width (of the one input), pair ((source, target) widths between two types, one int within a type),
            widths (dict by type), count (number of nodes), edge_width, degrees (how many edges arrive at the nodes),
            relations (their number), types (the number of node types; the forward pass is then told `node_type`, the
            number of each node's type, beside `edge_type`), metadata, paths (the hops of each metapath), budgets (of
            metapaths that have one), classes (of the label that is read), label_sizes (columns of
            a label that is read by type; left to the default where none is),
            groups (numbers of relations, each together with its inverse), inverses (for each
            relation the number of its original: its own for an original, -1 for the inverse of a relation that the layer
            does not serve).
            For a variadic parameter `width` is put in front of the list; if the list is empty or not given, the
            width stands alone as an int (`MLP(num_layers = 2, ...)` is PyG's `MLP(16, num_layers=2, ...)`).
            `width` of node numbers (see `accepts_ids`) is how many nodes there are. `edge_width` is left to PyG's
            default while its forward input is not bound.
        fixed: constructor arguments that are always passed with this value (`softmax` works on the last dimension).
        packed: dictionaries that the constructor takes, with the parameters above that stand in them; one is only passed
            where a spec gives one of its parameters.
        left_out: constructor parameters that a spec cannot write, with the reason.
        width: output width rule.
        scope: relation = one instance per relation; joint = one instance that takes x_dict and edge_index_dict;
            typed = one instance over all types numbered together, with an edge_type vector; walk = one instance that
            goes along the metapaths and relations of its rule hop by hop, so that no metapath is composed; node = a
            node map.
        bipartite: whether it can serve a relation between two node types.
        equal_pair: whether source and target must be equally wide there.
        equal_pair_if: parameters that demand it when they are true (`GATv2Conv(share_weights = true)`).
        equal_pair_when: says from the arguments (defaults filled in) whether they demand it.
        networks: of parameters that take a layer: what it reads, and how wide it must be; without one it reads what the
            layer reads. Where its width follows, a spec may leave `out_channels` out.
        inputs: forward inputs that can be bound by keyword.
        self_loops: whether it has `add_self_loops` that must be off between two types.
        accepts_ids: whether it can read types without features (their node numbers, i.e. one-hot features).
        hops: how far one pass looks: 1, but for layers that propagate several times (`SGConv(K = 3)`).
        reads_stops: whether a walk reads the nodes on the way, not only those at the two ends.
        reads_stops_if: parameters with which it does when they are true.
        partial: whether its forward pass can be told which types to make (`targets`).
        chooses: whether it reads values of the nodes that a pooling had, at those that it left.
        unpools: whether it goes back behind a pooling, to the nodes that this had.
        featureless: whether it can do without values of the nodes, where it stands as a step.
        stacked: whether it reads a stack of states, [num_nodes, num_layers, width], within one node type.
        takes: what its forward pass reads in a `sequential` block, in PyG's order; see `catalog.headers` for the rest.
        as_step: what the name means in a `sequential` block, if that is something else.
        gives: what it returns there, if it is not one value like the first that it reads.
        loss: the method that gives a loss of the layer's own behind its forward pass, if it has one.
        batch: its forward pass takes `batch`, the graph of each node, which the compiler binds where graphs are predicted.
        against: it sends messages against the direction of the edges too.
        hands_on: inputs bound in the call of a convolution among its arguments are passed on to it.
        function: it is a function of PyG, called with its arguments behind its inputs.
        rules: legality rules; they read complete arguments whose values `accepts` has let through.
        id_rules: further rules for reading node numbers.
        requires: packages that it needs beside PyTorch and PyG, by their names in `catalog.packages`; alternatives in one
            string: "pyg-lib | torch-cluster". A layer that came with a later PyG asks for it: "torch-geometric >= 2.7".
        paper: where it comes from.
    """

    name: str
    kind: Kind
    path: str
    doc: str
    parameters: tuple[Parameter, ...] = ()
    derived: Mapping[str, Derivation] = field(default_factory=dict[str, Derivation])
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    packed: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    width: WidthRule = lambda _arguments, width: width
    scope: Scope = "node"
    bipartite: bool = True
    equal_pair: bool = False
    equal_pair_if: tuple[str, ...] = ()
    equal_pair_when: Callable[[Arguments], bool] = lambda _arguments: False
    networks: Mapping[str, Network] = field(default_factory=dict[str, Network])
    inputs: tuple[ForwardInput, ...] = ()
    self_loops: bool = False
    accepts_ids: bool = False
    hops: HopsRule = lambda _arguments: 1
    reads_stops: bool = False
    reads_stops_if: tuple[str, ...] = ()
    partial: bool = False
    stacked: bool = False
    featureless: bool = False
    chooses: bool = False
    unpools: bool = False
    rules: tuple[LegalityRule, ...] = ()
    id_rules: tuple[LegalityRule, ...] = ()
    takes: tuple[Slot, ...] = ()
    gives: tuple[Slot, ...] = ()
    as_step: "Entry | None" = None
    loss: str = ""
    batch: bool = False
    against: bool = False
    hands_on: bool = False
    function: bool = False
    requires: tuple[str, ...] = ()
    paper: str = ""

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of this name, if a spec may write it."""
        return next((item for item in self.parameters if item.name == name), None)

    def input(self, name: str) -> ForwardInput | None:
        """The forward input of this name."""
        return next((item for item in self.inputs if item.name == name), None)

    @property
    def embeds(self) -> bool:
        """Whether it reads nothing but node numbers, of which it learns vectors."""
        return self.accepts_ids and "count" in self.derived.values()

    def needs_equal_pair(self, arguments: Arguments) -> bool:
        """Whether these arguments demand that source and target are equally wide."""
        named = any(arguments.get(name) is True for name in self.equal_pair_if)
        return self.equal_pair or named or self.equal_pair_when(arguments)

    def with_defaults(self, arguments: Arguments) -> dict[str, Any]:
        """Arguments as given, PyG's defaults for the rest."""
        filled = {item.name: item.default for item in self.parameters if not item.required}
        return {**filled, **arguments}

    def pack(self, arguments: Arguments) -> dict[str, Any]:
        """Complete arguments as the constructor takes them: some stand in dictionaries."""
        rest = dict(arguments)
        for name, members in self.packed.items():
            inside = {member: rest.pop(member) for member in members if member in rest}
            if any(self.parameter(member) and value is not None for member, value in inside.items()):
                rest[name] = inside
        return rest
