"""Two sets of points: choosing some, edges between two sets, values from one to the other; steps of `sequential` blocks."""

from collections.abc import Sequence
from typing import Any, Final

from graphdsl.catalog.entry import Entry, Parameter, Slot
from graphdsl.catalog.headers import BATCH, X
from graphdsl.catalog.parts import flag

_SEARCH: Final = ("pyg-lib | torch-cluster",)
_K: Final = Parameter("k", "int", minimum=1)
_ENDS: Final = (
    X,
    Slot("y", ("nodes",), own=True, side=1),
    Slot("batch_x", ("batch",), optional=True),
    Slot("batch_y", ("batch",), optional=True, side=1),
)
_LINKS: Final = (Slot("links", ("links",)),)
_LEFT: Final = {
    "num_workers": "a choice for one machine, not of the model",
    "batch_size": "follows from the graph numbers",
}


def _step(name: str, doc: str, parameters: Sequence[Parameter] = (), **fields: Any) -> Entry:
    fields = {"path": f"torch_geometric.nn.{name}", "requires": _SEARCH, **fields}
    path = fields.pop("path")
    return Entry(name, "search", path, doc, tuple(parameters), function=True, **fields)


def _own(name: str) -> str:
    return f"graphdsl.kernels.points.{name}"


ENTRIES: Final = (
    _step(
        "fps",
        "Points of each graph that lie far from each other: a share of them.",
        (Parameter("ratio", "float", 0.5, above=0), flag("random_start", True)),
        left_out={"batch_size": _LEFT["batch_size"]},
        takes=(X, BATCH),
        gives=(Slot("index", ("index",), fresh=True),),
        paper="Qi et al., PointNet++: Deep Hierarchical Feature Learning on Point Sets, 2017",
    ),
    _step(
        "take",
        "Values of chosen nodes: rows, or graph numbers, at an index that `fps` or a pooling gives.",
        path=_own("take"),
        requires=(),
        takes=(Slot("x", ("nodes", "batch")), Slot("index", ("index",), side=1)),
        gives=(Slot("x", (), width="x", side=1),),
        chooses=True,
    ),
    _step(
        "pair",
        "Values of two sets of nodes together, the senders first: what a convolution between two sets reads.",
        path=_own("pair"),
        requires=(),
        takes=(X, Slot("y", ("nodes",), own=True, side=1)),
        gives=(Slot("pair", ("pair",), width="x"),),
    ),
    _step(
        "radius",
        "Edges from points of the first set to those of the second within a distance (PyG: receivers first).",
        (Parameter("r", "float", above=0), Parameter("max_num_neighbors", "int", 32, minimum=1)),
        path=_own("radius"),
        takes=_ENDS,
        gives=_LINKS,
    ),
    _step(
        "knn",
        "Edges to each point of the second set from its `k` nearest in the first (PyG: receivers first).",
        (_K, flag("cosine", False)),
        path=_own("knn"),
        takes=_ENDS,
        gives=_LINKS,
    ),
    _step(
        "approx_knn",
        "`knn` by an approximate search, for many columns.",
        (_K,),
        path=_own("approx_knn"),
        requires=("pynndescent",),
        takes=_ENDS,
        gives=_LINKS,
    ),
    _step(
        "nearest",
        "For each point of the first set the nearest of the second: cells for `max_pool_x`, `avg_pool_x`.",
        takes=_ENDS,
        gives=(Slot("cluster", ("cells",)),),
    ),
    _step(
        "knn_interpolate",
        "Values of the first set at the points of the second: means of the `k` nearest, by closeness.",
        (Parameter("k", "int", 3, minimum=1),),
        left_out={"num_workers": _LEFT["num_workers"]},
        takes=(
            X,
            Slot("pos_x", ("nodes",), own=True),
            Slot("pos_y", ("nodes",), own=True, side=1),
            Slot("batch_x", ("batch",), optional=True),
            Slot("batch_y", ("batch",), optional=True, side=1),
        ),
        gives=(Slot("x", ("nodes",), width="x", side=1),),
        paper="Qi et al., PointNet++: Deep Hierarchical Feature Learning on Point Sets, 2017",
    ),
)
