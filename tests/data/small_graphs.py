"""Schemas and graphs that the tests of `graphdsl.data` share."""

import re
from collections.abc import Iterable

import torch
from torch_geometric.data import HeteroData
from torch_geometric.testing import MyFeatureStore, MyGraphStore

from graphdsl.model import Attribute, AttributeType, EdgeType, Metapath, MetapathHop, NodeType, Schema
from graphdsl.text import Diagnostic, EdgeKey, Span

_TYPE = re.compile(r"(\w+?)(?:\[(\d+|\*)\])?(\?)?")
_EDGE = re.compile(r"(.+?) -\[(.+?)\]-> (.+?)(?: reverse (.+))?")


def span(line: int) -> Span:
    return Span("small.gnn", line, 3, line, 9)


def make_type(text: str) -> AttributeType:
    match = _TYPE.fullmatch(text)
    assert match, text
    kind, size, optional = match.groups()
    return AttributeType(kind, size if size in (None, "*") else int(size), bool(optional))


def make_schema(
    nodes: dict[str, dict[str, str]],
    edges: dict[str, dict[str, str]],
    *,
    counts: dict[str, int] | None = None,
    optional: tuple[str, ...] = (),
    metapaths: dict[str, tuple[EdgeKey, ...]] | None = None,
) -> Schema:
    """A schema from texts: `{"author": {"x": "float[8]"}}`, `{"author -[writes]-> paper reverse written_by": {}}`."""
    line = iter(range(2, 1000))

    def attributes(given: dict[str, str]) -> dict[str, Attribute]:
        return {name: Attribute(name, make_type(text), span(next(line))) for name, text in given.items()}

    node_types = {
        name: NodeType(name, attributes(given), (counts or {}).get(name), name in optional, span(next(line)))
        for name, given in nodes.items()
    }
    edge_types: dict[EdgeKey, EdgeType] = {}
    for text, given in edges.items():
        match = _EDGE.fullmatch(text)
        assert match, text
        source, relation, target, reverse = match.groups()
        key, flipped = (source, relation, target), (target, reverse, source) if reverse else None
        where, is_optional = span(next(line)), relation in optional
        edge_types[key] = EdgeType(*key, attributes(given), flipped, False, is_optional, where)
        if flipped:
            edge_types[flipped] = EdgeType(*flipped, edge_types[key].attributes, key, True, is_optional, where)
    paths = {
        name: Metapath(name, hops[0][0], hops[-1][2], tuple(MetapathHop(h, False) for h in hops), "set", None, span(1))
        for name, hops in (metapaths or {}).items()
    }
    return Schema("small", node_types, edge_types, paths, span(1))


def library_schema() -> Schema:
    """Authors, papers, terms and a type without features; every kind of attribute once."""
    return make_schema(
        {
            "author": {"x": "float[8]", "y": "class[4]", "train_mask": "mask", "val_mask": "mask", "test_mask": "mask"},
            "paper": {"x": "float[5]", "year": "time", "topics": "multilabel[3]", "score": "real", "is_open": "bool?"},
            "term": {"x": "float[*]", "length": "int"},
            "conference": {},
        },
        {
            "author -[writes]-> paper reverse written_by": {},
            "paper -[cites]-> paper": {"w": "float", "edge_attr": "float[2]"},
            "paper -[mentions]-> term": {},
            "paper -[appears_in]-> conference": {},
        },
        metapaths={"APC": (("author", "writes", "paper"), ("paper", "appears_in", "conference"))},
    )


SIZES = {"author": 7, "paper": 12, "term": 9, "conference": 3}


def distinct_pairs(source: str, target: str, count: int, rng: torch.Generator) -> torch.Tensor:
    """Edges without repetitions and self-loops; the last source and the last target occur, so that swapped ends show."""
    sources, targets = SIZES[source], SIZES[target]
    pairs = torch.randperm(sources * targets, generator=rng)
    pairs = torch.cat([torch.tensor([sources * targets - 1]), pairs[pairs != sources * targets - 1]])
    edges = torch.stack([pairs // targets, pairs % targets])
    return edges[:, (edges[0] != edges[1]) | (source != target)][:, :count].contiguous()


def library_data(seed: int = 0) -> HeteroData:
    """A graph that fits `library_schema`."""
    rng = torch.Generator().manual_seed(seed)

    def ids(size: int, count: int) -> torch.Tensor:
        return torch.randint(size, (count,), generator=rng)

    data = HeteroData()
    data["author"].x = torch.randn(7, 8, generator=rng)
    data["author"].y = torch.tensor([0, 1, 2, 3, 0, 1, -1])
    for split, first, last in (("train", 0, 3), ("val", 4, 4), ("test", 5, 5)):
        data["author"][f"{split}_mask"] = (torch.arange(7) >= first) & (torch.arange(7) <= last)
    data["paper"].x = torch.randn(12, 5, generator=rng)
    data["paper"].year = 2000 + ids(20, 12)
    data["paper"].topics = ids(2, 36).view(12, 3)
    data["paper"].score = torch.rand(12, generator=rng)
    data["term"].x = torch.randn(9, 6, generator=rng)
    data["term"].length = ids(30, 9)
    data["conference"].num_nodes = 3
    for source, relation, target, count in (
        ("author", "writes", "paper", 20),
        ("paper", "cites", "paper", 15),
        ("paper", "mentions", "term", 30),
        ("paper", "appears_in", "conference", 12),
    ):
        data[source, relation, target].edge_index = distinct_pairs(source, target, count, rng)
    data["paper", "cites", "paper"].w = torch.rand(15, generator=rng)
    data["paper", "cites", "paper"].edge_attr = torch.rand(15, 2, generator=rng)
    return data


def to_stores(data: HeteroData) -> tuple[MyFeatureStore, MyGraphStore]:
    """The same graph in PyG's in-memory test stores."""
    features, graph = MyFeatureStore(), MyGraphStore()
    for name, store in zip(data.node_types, data.node_stores, strict=True):
        for key, value in store.items():
            if isinstance(value, torch.Tensor):
                features.put_tensor(value, group_name=name, attr_name=key, index=None)
    sizes = {name: store.num_nodes for name, store in zip(data.node_types, data.node_stores, strict=True)}
    for edge, store in zip(data.edge_types, data.edge_stores, strict=True):
        size = (sizes[edge[0]], sizes[edge[2]])
        graph.put_edge_index(tuple(store.edge_index), edge_type=edge, layout="coo", size=size)
        for key, value in store.items():
            if key != "edge_index":
                features.put_tensor(value, group_name=edge, attr_name=key, index=None)
    return features, graph


def without_notes(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Errors and warnings: what says that data is wrong."""
    return [item for item in findings if item.severity != "note"]
