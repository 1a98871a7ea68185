"""The graphs that `gnn bench` draws: how many nodes, relations and edges, how wide, how skewed. Torch-free.

Each stands for a kind of graph that people have: few relations and many edges, many relations and few edges, both, dense
metapaths with wide features, and one that fits on a page. Sizes are those of the datasets, or of a part of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from graphdsl.text import EdgeKey

INVERSE: Final = "rev_"


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of a type.

    Attributes:
        count: how many.
        width: columns of their features; None = they have none, and are given an embedding.
    """

    count: int
    width: int | None


@dataclass(frozen=True, slots=True)
class Links:
    """The edges of a relation.

    Attributes:
        edge: source type, name, target type.
        count: how many.
        skew: of sources and of targets: 1 = all nodes alike; at g, the share of the first p nodes is p ** (1 / g).
        once: whether each source has exactly one edge.
    """

    edge: EdgeKey
    count: int
    skew: tuple[float, float] = (1.0, 1.0)
    once: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A graph to measure on.

    Attributes:
        name: as `--shape` takes it.
        about: what it stands for, in a line.
        nodes: by type.
        links: relations as they are stored; each has an inverse, too, unless there are metapaths.
        target: the type whose label is predicted.
        label: the name of the label.
        classes: how many there are.
        hidden: width of the layers.
        metapaths: by name, as a spec writes them; layers then serve these alone.
        stored: the example whose data it is; empty where it is drawn.
    """

    name: str
    about: str
    nodes: Mapping[str, Nodes]
    links: tuple[Links, ...]
    target: str
    classes: int
    hidden: int
    label: str = "y"
    metapaths: Mapping[str, str] = field(default_factory=dict[str, str])
    stored: str = ""

    @property
    def edges(self) -> tuple[EdgeKey, ...]:
        """The relations that layers serve, inverses included, sorted."""
        if self.metapaths:
            return tuple(sorted((self.target, name, self.target) for name in self.metapaths))
        both = [key for links in self.links for key in (links.edge, inverse(links.edge))]
        return tuple(sorted(both))

    @property
    def types(self) -> tuple[str, ...]:
        """The types that layers serve, sorted."""
        return tuple(sorted({name for edge in self.edges for name in (edge[0], edge[2])}))


def inverse(edge: EdgeKey) -> EdgeKey:
    """The inverse of a relation, named as PyG's `ToUndirected` does.

    >>> inverse(("author", "writes", "paper"))
    ('paper', 'rev_writes', 'author')
    """
    return edge[2], f"{INVERSE}{edge[1]}", edge[0]


def many_relations(
    name: str, about: str, relations: int, nodes: int, edges: int, classes: int, width: int = 64
) -> Shape:
    """A graph of seven types, as a knowledge base has: few large relations and many small ones.

    Args:
        name: of the shape.
        about: what it stands for.
        relations: how many are stored; with inverses there are twice as many.
        nodes: of all types.
        edges: of all relations with their inverses, about.
        classes: of the label.
        width: of the features and layers.
    """
    shares = (0.42, 0.22, 0.13, 0.1, 0.06, 0.04, 0.03)
    types = {f"t{place}": Nodes(max(int(nodes * share), 2), width) for place, share in enumerate(shares)}
    whole = sum(1 / rank for rank in range(1, relations + 1))  # Zipf's law
    links = [
        Links(
            (f"t{_spread(rank, 3)}", f"r{rank:0{len(str(relations - 1))}}", f"t{_spread(rank, 5)}"),
            max(int(edges / 2 / whole / (rank + 1)), 1),
            (1.3, 2.5),
        )
        for rank in range(relations)
    ]
    return Shape(name, about, types, tuple(links), "t0", classes, width)


def _spread(rank: int, step: int) -> int:
    """Which of seven types an end of a relation is of; the first types take part in more relations than the last."""
    bounds = list(accumulate((3, 2, 2, 2, 1, 1, 1)))
    place = (rank * step + rank // 12) % bounds[-1]
    return next(index for index, bound in enumerate(bounds) if place < bound)


def _mag(name: str, about: str, part: float, width: int) -> Shape:
    """A part of ogbn-mag (Hu et al., Open Graph Benchmark, 2020): 1.9 M nodes, 21.1 M edges."""

    def some(count: int) -> int:
        return max(int(count * part), 4)

    nodes = {"author": 1_134_649, "field": 59_965, "institution": 8_740, "paper": 736_389}
    return Shape(
        name,
        about,
        {key: Nodes(some(count), width) for key, count in nodes.items()},
        (
            Links(("author", "affiliated", "institution"), some(1_043_998), (1.5, 3.0)),
            Links(("author", "writes", "paper"), some(7_145_660), (2.0, 1.5)),
            Links(("paper", "cites", "paper"), some(5_416_271), (1.5, 2.5)),
            Links(("paper", "has_topic", "field"), some(7_505_078), (1.2, 2.5)),
        ),
        "paper",
        349 if part > 0.01 else 5,
        width,
    )


def _acm(name: str, about: str, part: float, width: int, hidden: int) -> Shape:
    """ACM as HAN reads it (Wang et al., 2019): few papers, wide, joined by common authors and subjects."""
    papers, authors, subjects = (max(int(count * part), 4) for count in (3_025, 5_912, 57))
    return Shape(
        name,
        about,
        {"paper": Nodes(papers, width), "author": Nodes(authors, None), "subject": Nodes(subjects, None)},
        (
            Links(("paper", "by", "author"), int(9_936 * part), (1.2, 1.65)),
            Links(("paper", "about", "subject"), papers, (1.0, 5.4), once=True),
        ),
        "paper",
        3,
        hidden,
        metapaths={
            "PAP": "paper -[by]-> author <-[by]- paper",
            "PSP": "paper -[about]-> subject <-[about]- paper",
        },
    )


def _flights(name: str, about: str) -> Shape:
    return Shape(
        name,
        about,
        {"airline": Nodes(16, None), "airport": Nodes(106, 5), "plane": Nodes(3_264, None)},
        (
            Links(("airline", "serves", "airport"), 288),
            Links(("plane", "flies_to", "airport"), 38_674),
            Links(("plane", "operated_by", "airline"), 3_281),
        ),
        "plane",
        5,
        64,
        label="manufacturer",
        stored="planes",
    )


_MAG_PART = 1 / 42.2

SHAPES: Final[tuple[Shape, ...]] = (
    _mag("mag", "few relations, many edges: 1/42 of ogbn-mag", _MAG_PART, 128),
    many_relations("aifb", "many relations, few edges: as AIFB", 45, 8_285, 58_086, 4),
    many_relations("am", "many relations, many edges: a part of AM", 133, 140_000, 1_000_000, 11),
    _acm("acm", "wide features, dense metapaths: as ACM", 1.0, 1_902, 64),
    _flights("flights", "what a newcomer runs: examples/planes"),
)
TINY: Final = (
    _mag("tiny", "seconds: to try the command", 1 / 20_000, 16),
    _acm("tiny-metapaths", "seconds: metapaths", 1 / 30, 24, 16),
    many_relations("tiny-relations", "seconds: relations", 6, 60, 120, 3, 16),
)
NAMES: Final[Mapping[str, Shape]] = {shape.name: shape for shape in (*SHAPES, *TINY)}


SCALES: Final[Mapping[str, tuple[int, ...]]] = {
    "edges": (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
    "relations": (10, 30, 100, 300, 1_000, 2_000),
}
"""What grows, and its sizes, inverses included."""


def scaled(what: str, size: int) -> Shape:
    """A graph of a size.

    Args:
        what: "edges": a part of ogbn-mag, nodes grow alike; "relations": always 200,000 edges between 20,000 nodes.
        size: how many.

    >>> len(scaled("relations", 30).edges), len(scaled("edges", 10_000).edges)
    (30, 8)
    """
    name = f"{size:,}"
    if what == "edges":
        return _mag(name, "a part of ogbn-mag", size / 42_221_000, 64)
    return many_relations(name, "many relations", max(size // 2, 1), 20_000, 200_000, 4)


__all__ = [
    "NAMES", "SCALES", "SHAPES", "TINY", "Links", "Nodes", "Shape", "inverse", "many_relations", "scaled",
]  # fmt: skip
