"""Three real graphs of networkx in one shape, so that the same faults can be planted into each of them.

Women of Natchez and the events they attended (Davis, Gardner and Gardner 1941), members of a karate club and their
friendships (Zachary 1977), characters of Les Misérables and their meetings (Knuth 1993).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import networkx as nx
import numpy as np
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.text import EdgeKey

SPEC = """
schema real {{
  node {item} {{
    x: float[4], y: class[{classes}], since: time, score: real, tags: multilabel[2], size: int
    train_mask: mask, val_mask: mask, test_mask: mask
  }}
  node {other} {{ x: float[2] }}
  node {free}
  edge {item} -[{link}]-> {other} reverse {back}
  edge {item} -[{near}]-> {item} {{ w: float }}
  edge {item} -[{at}]-> {free}
}}
model m on real {{
  nodes {{ {free}: Embedding(4)  {item}: cat(Linear(2), Linear(2, x = size))  *: Linear(4) }}
  edges {{ {near}: GraphConv(4, edge_weight = w)  *: SAGEConv(4) }}
  predict {item}.y
}}
"""


@dataclass(frozen=True)
class Real:
    """A graph and the names of its types.

    Attributes:
        item: the labelled type.
        other: a second type with features.
        free: a type without features.
        link: relation from `item` to `other`; `back` is its declared inverse, which the data does not hold.
        near: relation within `item`, with weights.
        at: relation from `item` to `free`.
        data: the clean graph.
    """

    item: str
    other: str
    free: str
    link: EdgeKey
    back: EdgeKey
    near: EdgeKey
    at: EdgeKey
    classes: int
    data: HeteroData

    @property
    def spec(self) -> graphdsl.Spec:
        """A spec that fits the graph."""
        names = {name: getattr(self, name)[1] for name in ("link", "back", "near", "at")}
        text = SPEC.format(item=self.item, other=self.other, free=self.free, classes=self.classes, **names)
        return graphdsl.loads(text)


def _stack(pairs: list[tuple[int, int]]) -> torch.Tensor:
    return torch.tensor(sorted(pairs)).t().contiguous()


def _build(names: tuple[str, ...], graph: nx.Graph, pairs: list[tuple[int, int]], labels: np.ndarray) -> Real:
    """`graph` joins items, `pairs` items and others; features are its spectrum, times the order of the rows."""
    item, other, free, link, back, near, at = names
    count, others = len(graph), 1 + max(second for _, second in pairs)
    data, classes = HeteroData(), int(labels.max()) + 1
    spectrum = np.linalg.eigh(nx.to_numpy_array(graph))[1][:, -3:]
    rank = np.linspace(-1, 1, count)[:, None]
    store = data[item]
    store.x = torch.tensor(np.concatenate([spectrum, rank], axis=1), dtype=torch.float32)
    store.y = torch.from_numpy(labels)
    store.since = 1900 + torch.arange(count)
    store.score = torch.tensor(list(nx.closeness_centrality(graph).values()), dtype=torch.float32)
    degree = torch.tensor([degree for _, degree in graph.degree()])
    store.size = degree
    store.tags = torch.stack([degree > degree.float().median(), degree % 2 == 0], 1)
    turn = torch.cat([torch.arange(int((store.y == label).sum())) for label in range(classes)])
    place = torch.empty(count, dtype=torch.long)
    place[torch.argsort(store.y, stable=True)] = turn % 5
    store.train_mask, store.val_mask, store.test_mask = place < 3, place == 3, place == 4
    ends = np.array(pairs)
    data[other].x = torch.tensor(
        np.stack([np.bincount(ends[:, 1], minlength=others), np.arange(others)], 1), dtype=torch.float32
    )
    data[other].x[:, 0] += torch.linspace(0, 1, others)
    data[free].num_nodes = classes
    number = {node: row for row, node in enumerate(graph)}
    weighted = [(number[a], number[b], weight) for a, b, weight in graph.edges(data="weight")]
    data[item, link, other].edge_index = _stack(pairs)
    data[item, near, item].edge_index = torch.tensor([[a, b] for a, b, _ in weighted]).t().contiguous()
    data[item, near, item].w = torch.tensor([weight for *_, weight in weighted], dtype=torch.float32)
    data[item, at, free].edge_index = torch.stack([torch.arange(count), (torch.arange(count) * 7) % classes])
    return Real(
        item, other, free, (item, link, other), (other, back, item), (item, near, item), (item, at, free), classes, data
    )


def women() -> Real:
    """18 women, 14 events."""
    bipartite = nx.davis_southern_women_graph()
    people, events = (list(bipartite.graph[key]) for key in ("top", "bottom"))
    graph = nx.bipartite.weighted_projected_graph(bipartite, people)
    number = {event: row for row, event in enumerate(events)}
    rows = {person: row for row, person in enumerate(graph)}
    pairs = [(rows[person], number[event]) for person in people for event in bipartite[person]]
    names = ("woman", "event", "circle", "attends", "attended_by", "knows", "belongs_to")
    return _build(names, graph, pairs, (np.arange(18) >= 9).astype(np.int64))


def karate() -> Real:
    """34 members, 78 friendships."""
    graph = nx.karate_club_graph()
    pairs = [(end, number) for number, edge in enumerate(graph.edges) for end in edge]
    labels = np.array([int(club != "Mr. Hi") for _, club in graph.nodes(data="club")])
    return _build(("member", "friendship", "club", "takes_part", "joins", "meets", "pays"), graph, pairs, labels)


def miserables() -> Real:
    """77 characters, 254 meetings."""
    graph = nx.les_miserables_graph()
    number = {node: row for row, node in enumerate(graph)}
    pairs = [(number[end], row) for row, edge in enumerate(graph.edges) for end in edge]
    labels = np.zeros(77, dtype=np.int64)
    for label, members in enumerate(nx.community.greedy_modularity_communities(graph)[:3]):
        labels[[number[node] for node in members]] = label
    return _build(("character", "scene", "part", "acts_in", "shows", "meets", "lives_in"), graph, pairs, labels)


GRAPHS: tuple[Callable[[], Real], ...] = (women, karate, miserables)


def all_graphs() -> Iterator[Real]:
    """Each graph, newly made."""
    yield from (make() for make in GRAPHS)
