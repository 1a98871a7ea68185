"""Random graphs, and sampling rules spelled out with Python loops: slow, and meant to be obviously right."""

from collections import defaultdict
from dataclasses import dataclass, field

import torch
from hypothesis import strategies as st
from torch_geometric.data import HeteroData
from torch_geometric.sampler import HeteroSamplerOutput

EdgeType = tuple[str, str, str]


@dataclass
class Graph:
    num_nodes: dict[str, int]
    edges: dict[EdgeType, list[tuple[int, int]]]
    node_time: dict[str, list[int]] = field(default_factory=dict)
    edge_time: dict[EdgeType, list[int]] = field(default_factory=dict)

    def to_hetero_data(self) -> HeteroData:
        data = HeteroData()
        for name, size in self.num_nodes.items():
            data[name].num_nodes = size
            data[name].x = torch.arange(size) * 10 + len(name)
        for relation, pairs in self.edges.items():
            data[relation].edge_index = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).t().contiguous()
            data[relation].edge_attr = torch.arange(len(pairs)) * 7 + 3
        for name, times in self.node_time.items():
            data[name].time = torch.tensor(times, dtype=torch.int64)
        for relation, times in self.edge_time.items():
            data[relation].when = torch.tensor(times, dtype=torch.int64)
        return data

    def time_options(self) -> dict[str, str]:
        options = {"node_time": "time"} if self.node_time else {}
        return options | ({"edge_time": "when"} if self.edge_time else {})

    def visible_from(self, relation: EdgeType, edge: int) -> list[int]:
        """The times that a seed must have reached to see the edge."""
        source = self.edges[relation][edge][0]
        times = [self.node_time[relation[0]][source]] if relation[0] in self.node_time else []
        return times + ([self.edge_time[relation][edge]] if relation in self.edge_time else [])

    def visible_edges(self, relation: EdgeType, node: int, now: int | None, strictly_before: bool) -> list[int]:
        found = []
        for edge, (_, destination) in enumerate(self.edges[relation]):
            times = self.visible_from(relation, edge)
            hidden = now is not None and any(t > now or (strictly_before and t == now) for t in times)
            if destination == node and not hidden:
                found.append(edge)
        return found


def walk_everything(graph: Graph, follow: dict[EdgeType, list[int]], seed_type: str, seed: int, now: int | None):
    """All nodes and edges that each hop adds around one seed, where `follow` says -1 or 0 for each hop."""
    known = {(seed_type, seed)}
    frontier = {(seed_type, seed)}
    hops = []
    for hop in range(max(map(len, follow.values()), default=0)):
        nodes, edges = set(), set()
        for name, node in frontier:
            for relation, counts in follow.items():
                if relation[2] == name and hop < len(counts) and counts[hop] == -1:
                    for edge in graph.visible_edges(relation, node, now, strictly_before=False):
                        edges.add((relation, edge))
                        nodes.add((relation[0], graph.edges[relation][edge][0]))
        frontier = nodes - known
        known |= nodes
        hops.append((frontier, edges))
    return hops


def hops_of(out: HeteroSamplerOutput) -> list[tuple[set, set]]:
    """What each hop added, in the words of `walk_everything`."""
    hops = []
    for hop in range(len(next(iter(out.num_sampled_nodes.values()))) - 1):
        nodes, edges = set(), set()
        for name, counts in out.num_sampled_nodes.items():
            low = sum(counts[: hop + 1])
            nodes |= {(name, node) for node in out.node[name][low : low + counts[hop + 1]].tolist()}
        for relation, counts in out.num_sampled_edges.items():
            low = sum(counts[:hop])
            edges |= {(relation, edge) for edge in out.edge[relation][low : low + counts[hop]].tolist()}
        hops.append((nodes, edges))
    return hops


@dataclass
class Sampling:
    """What was asked of the sampler."""

    fanout: dict[EdgeType, list[int]]
    seed_type: str
    seeds: list[int]
    now: list[int] | None = None
    disjoint: bool = False
    replace: bool = False
    strategy: str = "uniform"
    strictly_before: bool = False


def check_sample(graph: Graph, asked: Sampling, out: HeteroSamplerOutput) -> None:
    """Assert everything that must hold of a sample, hop by hop."""
    assert out.node.keys() == graph.num_nodes.keys()
    assert out.row.keys() == out.col.keys() == out.edge.keys() == graph.edges.keys()
    for tensor in [*out.node.values(), *out.row.values(), *out.col.values(), *out.edge.values()]:
        assert tensor.dtype == torch.int64
        assert tensor.dim() == 1
    assert (out.batch is not None) == asked.disjoint
    assert out.node[asked.seed_type][: len(asked.seeds)].tolist() == asked.seeds
    hops = max(map(len, asked.fanout.values()), default=0)
    trees = {name: [0] * len(node) for name, node in out.node.items()}
    if asked.disjoint:
        trees = {name: batch.tolist() for name, batch in out.batch.items()}
        assert trees[asked.seed_type][: len(asked.seeds)] == list(range(len(asked.seeds)))
    levels = check_nodes(graph, asked, out, hops, trees)
    sources = defaultdict(set)
    for relation in graph.edges:
        check_relation(graph, asked, out, relation, levels, trees)
        cursor = 0
        for hop, count in enumerate(out.num_sampled_edges[relation]):
            for row in out.row[relation][cursor : cursor + count].tolist():
                sources[hop + 1].add((relation[0], row))
            cursor += count
    for name, level in levels.items():  # Nobody is added who is no source of an edge of that hop.
        for local, hop in enumerate(level):
            assert hop == 0 or (name, local) in sources[hop]


def check_nodes(graph, asked, out, hops, trees) -> dict[str, list[int]]:
    """Nodes are distinct within a tree, except for seeds; returns the hop that added each."""
    levels = {}
    for name, node in out.node.items():
        counts = out.num_sampled_nodes[name]
        assert len(counts) == hops + 1
        assert counts[0] == (len(asked.seeds) if name == asked.seed_type else 0)
        levels[name] = [hop for hop, count in enumerate(counts) for _ in range(count)]
        assert len(levels[name]) == len(node)
        added = list(zip(node.tolist(), trees[name], strict=True))
        later = added[counts[0] :]
        assert len(set(later)) == len(later)
        assert not set(later) & set(added[: counts[0]])
        assert all(0 <= n < graph.num_nodes[name] for n in node.tolist())
    return levels


def check_relation(graph, asked, out, relation, levels, trees) -> None:
    source_type, _, destination_type = relation
    rows, cols, edges = (part[relation].tolist() for part in (out.row, out.col, out.edge))
    assert len(rows) == len(cols) == len(edges) == sum(out.num_sampled_edges[relation])
    assert cols == sorted(cols)
    chosen = defaultdict(list)
    for row, col, edge in zip(rows, cols, edges, strict=True):
        ends = out.node[source_type][row].item(), out.node[destination_type][col].item()
        assert ends == graph.edges[relation][edge]
        assert trees[source_type][row] == trees[destination_type][col]
        chosen[col].append(edge)
    per_hop = [0] * len(out.num_sampled_edges[relation])
    for col, level in enumerate(levels[destination_type]):
        if level == len(per_hop):
            assert not chosen[col]
            continue
        per_hop[level] += len(chosen[col])
        counts = asked.fanout.get(relation, [])
        wanted = counts[level] if level < len(counts) else 0
        now = None if asked.now is None else asked.now[trees[destination_type][col]]
        node = out.node[destination_type][col].item()
        check_choice(graph, asked, relation, chosen[col], wanted, (node, now))
    assert per_hop == out.num_sampled_edges[relation]


def check_choice(graph, asked, relation, chosen, wanted, node_and_now) -> None:
    allowed = graph.visible_edges(relation, *node_and_now, asked.strictly_before)
    assert set(chosen) <= set(allowed)
    if wanted == -1:
        assert sorted(chosen) == sorted(allowed)
    elif asked.replace:
        assert len(chosen) == (wanted if allowed else 0)
    else:
        assert len(chosen) == len(set(chosen)) == min(wanted, len(allowed))
    if asked.strategy == "last" and allowed and graph.visible_from(relation, allowed[0]):
        latest, taken = (
            sorted((max(graph.visible_from(relation, edge)) for edge in edges), reverse=True)
            for edges in (allowed, chosen)
        )
        assert taken == latest[: len(taken)]


@st.composite
def graphs(draw: st.DrawFn, timed: bool = False) -> Graph:
    """Small graphs with empty types and relations, self-loops, parallel edges and parallel relations."""
    sizes = draw(st.lists(st.integers(0, 6), min_size=1, max_size=3))
    num_nodes = {f"t{index}": size for index, size in enumerate(sizes)}
    names = st.sampled_from(sorted(num_nodes))
    relations = draw(st.lists(st.tuples(names, st.sampled_from("pqr"), names), min_size=1, max_size=6, unique=True))
    edges = {}
    for relation in relations:
        n, m = num_nodes[relation[0]], num_nodes[relation[2]]
        pair = st.tuples(st.integers(0, max(n - 1, 0)), st.integers(0, max(m - 1, 0)))
        edges[relation] = draw(st.lists(pair, max_size=14 if n and m else 0))
    if not timed:
        return Graph(num_nodes, edges)
    time = st.integers(0, 4)
    node_time = {t: draw(st.lists(time, min_size=n, max_size=n)) for t, n in num_nodes.items() if draw(st.booleans())}
    edge_time = {
        r: draw(st.lists(time, min_size=len(pairs), max_size=len(pairs)))
        for r, pairs in edges.items()
        if draw(st.booleans())
    }
    return Graph(num_nodes, edges, node_time, edge_time)


@st.composite
def samplings(draw: st.DrawFn, graph: Graph, counts: st.SearchStrategy[int], disjoint: bool) -> Sampling:
    """What to ask of a graph that has at least one node."""
    fanout = {relation: draw(st.lists(counts, max_size=3)) for relation in graph.edges if draw(st.integers(0, 5)) > 0}
    seed_type = draw(st.sampled_from(sorted(name for name, size in graph.num_nodes.items() if size)))
    seeds = draw(st.lists(st.integers(0, graph.num_nodes[seed_type] - 1), max_size=5))
    return Sampling(fanout, seed_type, seeds, disjoint=disjoint)
