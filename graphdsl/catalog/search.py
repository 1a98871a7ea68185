"""Layers and functions that search neighbours in space, and what merges the nodes of a cell: steps of `sequential` blocks."""

from collections.abc import Sequence
from typing import Any, Final

from graphdsl.catalog import nested, rules
from graphdsl.catalog.entry import Arguments, Entry, ForwardInput, Parameter, Problem, Slot
from graphdsl.catalog.headers import BATCH, X
from graphdsl.catalog.nested import Network
from graphdsl.catalog.parts import BIAS, OUT_CHANNELS, aggregation, count, flag

_SEARCH: Final = ("pyg-lib | torch-cluster",)
_K: Final = Parameter("k", "int", minimum=1)
_POS: Final = Slot("pos", ("nodes",), own=True)
_EDGES: Final = (Slot("edge_index", ("edges",)),)
_LOOP: Final = flag("loop", False)
_COSINE: Final = flag("cosine", False)
_LEFT: Final = {
    "num_workers": "a choice for one machine, not of the model",
    "batch_size": "follows from the graph numbers",
    "size": "would give dense rows without saying so; `to_dense_batch` does",
    "flow": "edges run from the neighbour to the node, as layers read them",
}


def _step(name: str, doc: str, parameters: Sequence[Parameter], left: Sequence[str] = (), **fields: Any) -> Entry:
    left_out = {key: _LEFT[key] for key in left}
    fields.setdefault("requires", _SEARCH)
    return Entry(name, "search", f"torch_geometric.nn.{name}", doc, tuple(parameters), left_out=left_out, **fields)


def _wide_enough(arguments: Arguments, width: int | None) -> Problem | None:
    """XConv lifts points to a quarter of its input width, unless it is told otherwise."""
    if arguments["hidden_channels"] is not None or width is None or width >= 4:
        return None
    message = f"`hidden_channels` is a quarter of the input width if left out, and that of {width} is 0"
    return Problem("GNN203", message, None, "give `hidden_channels`")


ENTRIES: Final = (
    _step(
        "DynamicEdgeConv",
        "EdgeConv over the `k` nodes of the same graph that are nearest by their features.",
        (Parameter("nn", "module"), _K, aggregation("max")),
        ("num_workers",),
        takes=(X, BATCH),
        width=rules.module_width("nn"),
        networks={"nn": Network(nested.side_by_side(nested.source, nested.source))},
        paper="Wang et al., Dynamic Graph CNN for Learning on Point Clouds, 2019",
    ),
    _step(
        "GravNetConv",
        "Nodes read their `k` nearest in a learned space, weighted by distance.",
        (
            OUT_CHANNELS,
            Parameter("space_dimensions", "int", minimum=1),
            Parameter("propagate_dimensions", "int", minimum=1),
            _K,
        ),
        ("num_workers",),
        derived={"in_channels": "width"},
        takes=(X, BATCH),
        width=rules.out_channels,
        paper="Qasim et al., Learning Representations of Irregular Particle-detector Geometry, 2019",
    ),
    _step(
        "XConv",
        "A convolution of the `kernel_size` nearest points, which a learned matrix has put in order.",
        (
            OUT_CHANNELS,
            Parameter("kernel_size", "int", minimum=1),
            count("hidden_channels"),
            Parameter("dilation", "int", 1, minimum=1),
            BIAS,
        ),
        ("num_workers",),
        derived={"in_channels": "width", "dim": "edge_width"},
        inputs=(ForwardInput("pos", "node", required=True, width_parameter="dim"),),
        takes=(X, _POS, BATCH),
        width=rules.out_channels,
        rules=(_wide_enough,),
        paper="Li et al., PointCNN: Convolution On X-Transformed Points, 2018",
    ),
    _step(
        "knn_graph",
        "Edges to each node from its `k` nearest within the graph.",
        (_K, _LOOP, _COSINE),
        ("flow", "num_workers", "batch_size"),
        takes=(X, BATCH),
        gives=_EDGES,
        function=True,
    ),
    _step(
        "radius_graph",
        "Edges to each node from all within a distance, of which at most `max_num_neighbors` are taken.",
        (Parameter("r", "float", above=0), _LOOP, Parameter("max_num_neighbors", "int", 32, minimum=1)),
        ("flow", "num_workers", "batch_size"),
        takes=(X, BATCH),
        gives=_EDGES,
        function=True,
    ),
    _step(
        "approx_knn_graph",
        "`knn_graph` by an approximate search, for many columns.",
        (_K, _LOOP),
        ("flow",),
        takes=(X, BATCH),
        gives=_EDGES,
        function=True,
        requires=("pynndescent",),
    ),
    _step(
        "voxel_grid",
        "The cell of a regular grid that each point lies in, for `max_pool_x` and `avg_pool_x`.",
        (
            Parameter("size", "float|list[float]", above=0),
            Parameter("start", "float|list[float]|none", None),
            Parameter("end", "float|list[float]|none", None),
        ),
        takes=(Slot("pos", ("nodes",)), BATCH),
        gives=(Slot("cluster", ("cells",)),),
        function=True,
    ),
    *(
        _step(
            name,
            f"Merges the nodes of each cluster: {what} of their values.",
            (),
            ("batch_size", "size"),
            takes=(Slot("cluster", ("cells",)), X, Slot("batch", ("batch",))),
            gives=(Slot("x", ("nodes",), width="x", fresh=True), Slot("batch", ("batch",), fresh=True)),
            function=True,
            requires=(),
        )
        for name, what in (("max_pool_x", "the maximum"), ("avg_pool_x", "the mean"))
    ),
)
