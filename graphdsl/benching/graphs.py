"""Graphs of a shape: drawn with a seed, or read from an example."""

from pathlib import Path

import torch
from torch import Generator, Tensor
from torch_geometric.data import HeteroData

from graphdsl.benching.shapes import Links, Shape

_PACKAGE = Path(__file__).resolve().parents[1]
_PLACES = (_PACKAGE / "examples", _PACKAGE.parent / "examples")


def draw_graph(shape: Shape, seed: int = 0) -> HeteroData:
    """A graph of a shape, the same for the same seed: features from a normal distribution, labels at random.

    Shapes:
        - `x` [count, width] of types with features; `y` [count] of the target.
        - `edge_index` [2, count] of the stored relations, in no order; an edge may come twice.
    """
    generator = Generator().manual_seed(seed)
    data = HeteroData()
    for name, nodes in shape.nodes.items():
        data[name].num_nodes = nodes.count
        if nodes.width is not None:
            data[name].x = torch.randn(nodes.count, nodes.width, generator=generator)
    data[shape.target][shape.label] = torch.randint(
        shape.classes, (shape.nodes[shape.target].count,), generator=generator
    )
    for links in shape.links:
        counts = shape.nodes[links.edge[0]].count, shape.nodes[links.edge[2]].count
        data[links.edge].edge_index = _draw_edges(links, counts, generator)
    return data


def _draw_edges(links: Links, counts: tuple[int, int], generator: Generator) -> Tensor:
    sources = _draw_ends(counts[0], links.count, links.skew[0], generator)
    if links.once:
        sources = torch.randperm(counts[0], generator=generator)[: links.count]
    return torch.stack([sources, _draw_ends(counts[1], links.count, links.skew[1], generator)])


def _draw_ends(nodes: int, edges: int, skew: float, generator: Generator) -> Tensor:
    """Ends of edges [edges]. At skew g a node's share falls with its rank r as r ** (1 / g - 1), a power law.

    >>> ends = _draw_ends(1000, 10_000, 3.0, Generator().manual_seed(0))
    >>> int(ends.bincount().max()) > 500, int(_draw_ends(1000, 10_000, 1.0, Generator()).bincount().max()) < 50
    (True, True)
    """
    ranks = torch.rand(edges, generator=generator, dtype=torch.float64).pow(skew).mul(nodes).long().clamp(max=nodes - 1)
    return torch.randperm(nodes, generator=generator)[ranks]  # The busy ones stand anywhere.


def example_folder(name: str) -> Path:
    """Where an example is: inside the installed package, or beside it in a checkout.

    Raises:
        FileNotFoundError: when it is in neither.
    """
    for place in _PLACES:
        if (place / name / "data").is_dir():
            return place / name
    looked = " or ".join(str(place / name) for place in _PLACES)
    raise FileNotFoundError(f"the installation is incomplete: no example in {looked}")


__all__ = ["draw_graph", "example_folder"]
