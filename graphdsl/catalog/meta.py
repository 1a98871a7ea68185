"""Graph networks in general: edges, nodes and graphs change in turn, each by networks of its own."""

from collections.abc import Mapping
from typing import Any, Final

from graphdsl.catalog.entry import Arguments, Entry, ForwardInput, Parameter, Problem, Slot
from graphdsl.catalog.headers import BATCH, EDGES, X
from graphdsl.catalog.nested import Columns, Network, Sizes, side_by_side, source

_REDUCTIONS: Final = ("sum", "mean", "min", "max")


def _passed(name: str) -> Columns:
    """Columns of an input; none where it is not passed."""

    def columns(_arguments: Mapping[str, Any], sizes: Sizes) -> int | None:
        return sizes.inputs.get(name, 0)

    return columns


def _made(network: str, otherwise: Columns) -> Columns:
    """Columns that a network gives, or what it would have changed."""

    def columns(arguments: Mapping[str, Any], sizes: Sizes) -> int | None:
        found = arguments.get(network)
        return otherwise(arguments, sizes) if found is None else getattr(found, "width_out", None)

    return columns


_EDGE: Final = _made("edge_mlp", _passed("edge_attr"))
_MESSAGE: Final = _made("node_mlp_1", side_by_side(source, _EDGE))
_NODE: Final = _made("node_mlp_2", source)
_GRAPH: Final = _passed("u")


def _something(arguments: Arguments, _width: int | None) -> Problem | None:
    """A layer without networks would do nothing, and messages that nobody reads too."""
    if arguments["node_mlp_1"] is not None and arguments["node_mlp_2"] is None:
        message = "`node_mlp_1` makes messages, and nothing reads them without `node_mlp_2`"
        return Problem("GNN204", message, "node_mlp_1", "write `node_mlp_2 = MLP(64, 64)` beside it")
    if any(arguments[name] is not None for name in ("edge_mlp", "node_mlp_2", "global_mlp")):
        return None
    means = "write `edge_mlp = …` for edges, `node_mlp_2 = …` for nodes, `global_mlp = …` for graphs"
    return Problem("GNN203", "`MetaLayer` needs a network: without one, it changes nothing", None, means)


def _columns(arguments: Arguments, width: int | None) -> int | None:
    network = arguments["node_mlp_2"]
    return width if network is None else network.width_out


def _network(name: str) -> Parameter:
    return Parameter(name, "module|none", None)


ENTRIES: Final = (
    Entry(
        "MetaLayer",
        "pool",
        "graphdsl.layers.MetaLayer",
        "New values of edges, then of nodes, then of graphs, each by a network of what belongs to them.",
        parameters=(
            _network("edge_mlp"),
            _network("node_mlp_1"),
            _network("node_mlp_2"),
            _network("global_mlp"),
            Parameter("aggr", "string", "mean", choices=_REDUCTIONS),
            Parameter("readout", "string", "mean", choices=_REDUCTIONS),
        ),
        networks={
            "edge_mlp": Network(side_by_side(source, source, _passed("edge_attr"), _GRAPH)),
            "node_mlp_1": Network(side_by_side(source, _EDGE)),
            "node_mlp_2": Network(side_by_side(source, _MESSAGE, _GRAPH)),
            "global_mlp": Network(side_by_side(_GRAPH, _NODE)),
        },
        inputs=(ForwardInput("edge_attr", "edge"), ForwardInput("u", "node")),
        takes=(
            X,
            EDGES,
            Slot("edge_attr", ("edge values",), optional=True),
            Slot("u", ("graphs",), optional=True),
            BATCH,
        ),
        gives=(
            Slot("x", ("nodes",), width="node_mlp_2"),
            Slot("edge_attr", ("edge values",), optional=True, width="edge_mlp"),
            Slot("u", ("graphs",), optional=True, width="global_mlp"),
        ),
        width=_columns,
        rules=(_something,),
        paper="Battaglia et al., Relational Inductive Biases, Deep Learning, and Graph Networks, 2018",
    ),
)
