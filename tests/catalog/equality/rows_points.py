"""Steps of two sets of points, with a stand-in for the package that they need."""

from typing import Any

from equal_rows import WIDTH, Graph, Row, Steps, modules
from torch import Tensor
from torch_geometric import nn as pyg

CHOSEN = """
      fps(ratio = 0.4): p, batch -> chosen
      take: p, chosen -> q
      take: batch, chosen -> b"""


def _links(layer: str, search: Any) -> Steps:
    """Chosen points receive from all, by a convolution between two sets."""

    def call(m: Any, graph: Graph) -> Tensor:
        p, batch = graph.inputs["p"], graph.batch
        chosen = pyg.fps(p, batch, ratio=0.4)
        row, col = search(p, p[chosen], batch, batch[chosen])
        links = row.new_empty(2, len(row))
        links[0], links[1] = col, row
        x = m[0]((graph.x, graph.x[chosen]), (p, p[chosen]), links)
        return pyg.global_add_pool(m[1]((graph.x, x), links), batch[chosen])

    block = f"""{CHOSEN}
      take: x, chosen -> x1
      LAYER: p, q, batch, b -> links
      pair: x, x1 -> both
      pair: p, q -> places
      PointNetConv(local_nn = Linear(4)): both, places, links -> x1
      pair: x, x1 -> both
      SAGEConv(5): both, links -> x
      global_add_pool: x, b -> x"""
    made = modules(pyg.PointNetConv(pyg.Linear(WIDTH + 3, 4), add_self_loops=False), pyg.SAGEConv((WIDTH, 4), 5))
    return Steps(layer, lambda _: made, block=block, call=call)


def _choice(layer: str, ratio: float) -> Steps:
    """Positions alone, without values of the nodes."""

    def call(m: Any, graph: Graph) -> Tensor:
        p, batch = graph.inputs["p"], graph.batch
        chosen = pyg.fps(p, batch, ratio=ratio, random_start=False)
        links = pyg.radius(p, p[chosen], 1.5, batch, batch[chosen]).flip(0)
        return pyg.global_max_pool(m[0](None, (p, p[chosen]), links), batch[chosen])

    block = """
      LAYER: p, batch -> chosen
      take: p, chosen -> q
      take: batch, chosen -> b
      radius(1.5): p, q, batch, b -> links
      pair: p, q -> places
      PointNetConv(local_nn = MLP(5, 4, norm = none)): none, places, links -> x
      global_max_pool: x, b -> x"""
    hand = lambda _: modules(pyg.PointNetConv(pyg.MLP([3, 5, 4], norm=None), add_self_loops=False))  # noqa: E731
    return Steps(layer, hand, block=block, call=call)


def _interpolated(m: Any, graph: Graph) -> Tensor:
    p, batch = graph.inputs["p"], graph.batch
    chosen = pyg.fps(p, batch, ratio=0.4)
    return m[0](pyg.knn_interpolate(graph.x[chosen], p[chosen], p, batch[chosen], batch, k=2), graph.edge_index)


def _cells(m: Any, graph: Graph) -> Tensor:
    p, batch = graph.inputs["p"], graph.batch
    chosen = pyg.fps(p, batch, ratio=0.4)
    cell = pyg.nearest(p, p[chosen], batch, batch[chosen])
    x, b = pyg.max_pool_x(cell, graph.x, batch)
    return m[0](pyg.global_add_pool(x, b))


TAKEN = _choice("fps(ratio = 0.5, random_start = false)", 0.5)
PAIRED = _links("knn(2)", lambda *ends: pyg.knn(*ends[:2], 2, *ends[2:]))


ROWS: tuple[Row, ...] = (
    _choice("fps(ratio = 0.5, random_start = false)", 0.5),
    _links(
        "radius(2.0, max_num_neighbors = 5)", lambda *ends: pyg.radius(*ends[:2], 2.0, *ends[2:], max_num_neighbors=5)
    ),
    _links("knn(3)", lambda *ends: pyg.knn(*ends[:2], 3, *ends[2:])),
    _links("approx_knn(3)", lambda *ends: pyg.approx_knn(*ends[:2], 3, *ends[2:])),
    Steps(
        "take()",
        TAKEN.hand,
        block=TAKEN.block.replace("LAYER", TAKEN.layer).replace("take:", "LAYER:"),
        call=TAKEN.call,
    ),
    Steps(
        "pair()",
        PAIRED.hand,
        block=PAIRED.block.replace("LAYER", PAIRED.layer).replace("pair:", "LAYER:"),
        call=PAIRED.call,
    ),
    Steps(
        "knn_interpolate(k = 2)",
        lambda _: modules(pyg.GraphConv(WIDTH, 5)),
        block=f"""{CHOSEN}
      take: x, chosen -> x
      LAYER: x, q, p, b, batch -> x
      GraphConv(5): x, edge_index -> x""",
        call=_interpolated,
        rows="item",
    ),
    Steps(
        "nearest()",
        lambda _: modules(pyg.Linear(WIDTH, 5)),
        block=f"""{CHOSEN}
      LAYER: p, q, batch, b -> cell
      max_pool_x: cell, x, batch -> x, b
      global_add_pool: x, b -> x
      Linear(5)""",
        call=_cells,
    ),
)
