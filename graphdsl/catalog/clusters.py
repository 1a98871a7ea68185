"""Graphs made smaller by clusters, and what edges tell of positions: steps of `sequential` blocks."""

from typing import Any, Final

from graphdsl.catalog.entry import Entry, Parameter, Slot
from graphdsl.catalog.headers import EDGES, X
from graphdsl.catalog.parts import flag

_ONTO: Final = Slot("onto", ("nodes",), own=True)
_POS: Final = Slot("pos", ("nodes",))
_CELLS: Final = Slot("cluster", ("cells",))
_RELATIVE: Final = (flag("norm", True), Parameter("max_value", "float|none", None))


def _step(name: str, doc: str, function: str = "", **fields: Any) -> Entry:
    return Entry(name, "search", f"graphdsl.kernels.clusters.{function or name}", doc, function=True, **fields)


ENTRIES: Final = (
    _step(
        "graclus",
        "Pairs of neighbours that heavy edges join, as cells for `max_pool`; `onto`: any rows of the nodes.",
        takes=(EDGES, Slot("weight", ("edge values",), optional=True, scalar=True), _ONTO),
        gives=(_CELLS,),
        requires=("pyg-lib | torch-cluster",),
        paper="Dhillon et al., Weighted Graph Cuts without Eigenvectors: A Multilevel Approach, 2007",
    ),
    _step(
        "normalized_cut",
        "Weights of edges over the degrees of their ends, for `graclus`; `onto`: any rows of the nodes.",
        takes=(EDGES, Slot("edge_attr", ("edge values",), scalar=True), _ONTO),
        gives=(Slot("weight", ("edge values",), columns=1),),
    ),
    *(
        _step(
            name,
            f"One node of each cluster: {what} of values, the mean of positions, and edges between clusters.",
            takes=(
                _CELLS,
                X,
                EDGES,
                Slot("edge_attr", ("edge values",), optional=True),
                Slot("pos", ("nodes",), optional=True, own=True),
                Slot("batch", ("batch",), optional=True),
            ),
            gives=(
                Slot("x", ("nodes",), width="x", fresh=True),
                Slot("edge_index", ("edges",), fresh=True),
                Slot("edge_attr", ("edge values",), optional=True, width="edge_attr", fresh=True),
                Slot("pos", ("nodes",), optional=True, width="pos", fresh=True),
                Slot("batch", ("batch",), optional=True, fresh=True),
            ),
        )
        for name, what in (("max_pool", "the maximum"), ("avg_pool", "the mean"))
    ),
    *(
        _step(
            name,
            f"{what} of each node and its neighbours.",
            takes=(X, EDGES),
            gives=(Slot("x", ("nodes",), width="x"),),
        )
        for name, what in (("max_pool_neighbor_x", "The maximum"), ("avg_pool_neighbor_x", "The mean"))
    ),
    _step(
        "Cartesian",
        "Where neighbours lie, scaled into [0, 1] unless `norm = false`: PyG's transform as a step.",
        "cartesian",
        parameters=_RELATIVE,
        takes=(_POS, EDGES),
        gives=(Slot("edge_attr", ("edge values",), width="pos"),),
    ),
    _step(
        "Distance",
        "How far neighbours are, scaled into [0, 1] unless `norm = false`: PyG's transform as a step.",
        "distance",
        parameters=_RELATIVE,
        takes=(_POS, EDGES),
        gives=(Slot("edge_attr", ("edge values",), columns=1),),
    ),
)
