"""A small multigraph with isolated nodes, and walks along its metapaths by definition."""

import torch
from torch import Tensor

from graphdsl.layers.walking import Hop, stops_of
from graphdsl.text import EdgeKey

COUNTS = {"author": 5, "paper": 6, "venue": 3}
WIDTHS = {"author": 3, "paper": 4, "venue": 2}
WRITES, IN, CITES = ("author", "writes", "paper"), ("paper", "in", "venue"), ("paper", "cites", "paper")
APA = ("author", "APA", "author")
APVPA = ("author", "APVPA", "author")
VPA = ("venue", "VPA", "author")
PAP = ("paper", "PAP", "paper")
PATHS: dict[EdgeKey, list[Hop]] = {
    APA: [(WRITES, False), (WRITES, True)],
    APVPA: [(WRITES, False), (IN, False), (IN, True), (WRITES, True)],
    VPA: [(IN, True), (WRITES, True)],
    PAP: [(WRITES, True), (WRITES, False)],
    CITES: [(CITES, False)],
}


def features(widths: dict[str, int] | None = None) -> dict[str, Tensor]:
    """Random features of all types, float64."""
    torch.manual_seed(1)
    return {name: torch.randn(COUNTS[name], width, dtype=torch.float64) for name, width in (widths or WIDTHS).items()}


def relations(edges: int = 8) -> dict[EdgeKey, Tensor]:
    """Random edges, some parallel; the last node of each type has none."""
    torch.manual_seed(2)
    return {
        key: torch.stack([torch.randint(COUNTS[key[0]] - 1, (edges,)), torch.randint(COUNTS[key[2]] - 1, (edges,))])
        for key in (WRITES, IN, CITES)
    }


def instances(hops: list[Hop], edges: dict[EdgeKey, Tensor]) -> list[tuple[int, ...]]:
    """All walks along a metapath, node by node; parallel edges make several."""
    walks = [(start,) for start in range(COUNTS[stops_of(hops)[0]])]
    for edge, back in hops:
        pairs = [(b, a) if back else (a, b) for a, b in edges[edge].t().tolist()]
        walks = [(*walk, there) for walk in walks for here, there in pairs if walk[-1] == here]
    return walks


def averaged(hops: list[Hop], x: dict[str, Tensor], edges: dict[EdgeKey, Tensor]) -> list[list[float]]:
    """Row-normalised matrices of each hop, multiplied entry by entry."""
    stops = stops_of(hops)
    rows = x[stops[0]].tolist()
    for (edge, back), target in zip(hops, stops[1:], strict=True):
        pairs = [(b, a) if back else (a, b) for a, b in edges[edge].t().tolist()]
        following = []
        for node in range(COUNTS[target]):
            came = [rows[here] for here, there in pairs if there == node]
            following.append(
                [sum(column) / len(came) for column in zip(*came, strict=True)] if came else [0.0] * len(rows[0])
            )
        rows = following
    return rows
