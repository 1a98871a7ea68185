"""Edges sampled per second, and the ratio to other ways of sampling: `python tests/bench/sampler.py`.

One thread, processor time (so that other work on the machine counts little), medians over interleaved batches after a
warm-up. Peers: the sampler that one writes with Python loops (`random.sample` for each node and relation), and PyG's
`NeighborSampler` where pyg-lib or torch-sparse is installed.
Single figures are noisy; quote ratios.
"""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import HeteroData
from torch_geometric.sampler import HeteroSamplerOutput, NodeSamplerInput

from graphdsl.data.sampling import HeteroNeighborSampler, neighbor_loader

EdgeType = tuple[str, str, str]
BATCHES = 15
MODES: dict[str, dict] = {
    "static": {},
    "disjoint": {"disjoint": True},
    "temporal": {"node_time": "time"},
    "temporal, last": {"node_time": "time", "strategy": "last"},
}


@dataclass(frozen=True)
class Shape:
    """A random graph: `nodes` of each type, relations between random types, edges spread evenly over them."""

    name: str
    nodes: tuple[int, ...]
    relations: int
    edges: int
    batch_size: int = 1024
    fanout: tuple[int, ...] = (10, 10)

    def build(self) -> HeteroData:
        rng = np.random.default_rng(0)
        data = HeteroData()
        for index, size in enumerate(self.nodes):
            data[f"t{index}"].num_nodes = size
            data[f"t{index}"].time = torch.from_numpy(rng.integers(0, 1000, size))
        for index in range(self.relations):
            ends = index % len(self.nodes), (index // len(self.nodes) + index + 1) % len(self.nodes)
            pairs = [rng.integers(0, self.nodes[end], self.edges // self.relations) for end in ends]
            data[f"t{ends[0]}", f"r{index}", f"t{ends[1]}"].edge_index = torch.from_numpy(np.stack(pairs))
        return data


SHAPES = (
    Shape("4 types, 8 relations, 1 M edges", (20_000, 20_000, 5_000, 1_000), 8, 1_000_000),
    Shape("the same, one node with 100 k edges", (20_000, 20_000, 5_000, 1), 8, 1_000_000),
    Shape("7 types, 90 relations, 58 k edges", (3_000, 2_000, 1_500, 1_000, 500, 200, 80), 90, 58_000, 128),
)


class LoopSampler:
    """Static sampling with Python loops: adjacency lists, `random.sample`, a dictionary of known nodes."""

    def __init__(self, data: HeteroData, fanout: dict[EdgeType, list[int]]) -> None:
        self.fanout = fanout
        self.sources: dict[EdgeType, list[list[int]]] = {}
        for relation in data.edge_types:
            self.sources[relation] = [[] for _ in range(data[relation[2]].num_nodes)]
            for source, destination in data[relation].edge_index.t().tolist():
                self.sources[relation][destination].append(source)

    def sample_from_nodes(self, inputs: NodeSamplerInput) -> int:
        known: dict[tuple[str, int], int] = {}
        frontier = [(inputs.input_type, node) for node in inputs.node.tolist()]
        rows: list[int] = []
        cols: list[int] = []
        for hop in range(len(next(iter(self.fanout.values())))):
            added = []
            for node_type, node in frontier:
                col = known.setdefault((node_type, node), len(known))
                for relation, counts in self.fanout.items():
                    if relation[2] != node_type:
                        continue
                    sources = self.sources[relation][node]
                    for source in sources if len(sources) <= counts[hop] else random.sample(sources, counts[hop]):
                        key = (relation[0], source)
                        if key not in known:
                            known[key] = len(known)
                            added.append(key)
                        rows.append(known[key])
                        cols.append(col)
            frontier = added
        return len(rows)


def count_edges(out: HeteroSamplerOutput | int) -> int:
    return out if isinstance(out, int) else sum(len(row) for row in out.row.values())


def measure(samplers: dict[str, Callable], batches: list[NodeSamplerInput]) -> dict[str, float]:
    """Edges per second of each sampler, by the median batch."""
    rates: dict[str, list[float]] = {name: [] for name in samplers}
    for index, batch in enumerate(batches):
        for name, sample in samplers.items():
            begin = time.process_time()
            out = sample(batch)
            if index > 1:  # The first two warm up.
                rates[name].append(count_edges(out) / (time.process_time() - begin))
    return {name: statistics.median(rate) for name, rate in rates.items()}


def collect_samplers(data: HeteroData, fanout: dict[EdgeType, list[int]], mode: str, seed_type: str) -> dict:
    samplers = {"ours": HeteroNeighborSampler(data, fanout, seed=0, **MODES[mode]).sample_from_nodes}
    pyg = neighbor_loader(data, fanout, seed_type, **MODES[mode])
    if pyg.sampling_backend != "own":
        samplers[pyg.sampling_backend] = pyg.node_sampler.sample_from_nodes
    if mode == "static":
        samplers["loops"] = LoopSampler(data, fanout).sample_from_nodes
    return samplers


def main() -> None:
    torch.set_num_threads(1)
    for shape in SHAPES:
        data = shape.build()
        fanout = {relation: list(shape.fanout) for relation in data.edge_types}
        begin = time.process_time()
        HeteroNeighborSampler(data, fanout, node_time="time")
        print(f"\n{shape.name}; batch {shape.batch_size}, fanout {list(shape.fanout)}")
        print(f"layout with times built in {time.process_time() - begin:.2f} s")
        order = torch.randperm(shape.nodes[0], generator=torch.Generator().manual_seed(0))
        starts = [i * shape.batch_size % max(1, len(order) - shape.batch_size) for i in range(BATCHES)]
        batches = [NodeSamplerInput(None, order[s : s + shape.batch_size], None, "t0") for s in starts]
        print(f"{'mode':<16}{'edges/batch':>12}{'M edges/s':>11}   ratio ours / peer")
        for mode in MODES:
            samplers = collect_samplers(data, fanout, mode, "t0")
            rates = measure(samplers, batches)
            peers = [f"{name} {rates['ours'] / rate:.1f}" for name, rate in rates.items() if name != "ours"]
            edges = count_edges(samplers["ours"](batches[0]))
            print(f"{mode:<16}{edges:>12}{rates['ours'] / 1e6:>11.1f}   {', '.join(peers) or '-'}")


if __name__ == "__main__":
    main()
