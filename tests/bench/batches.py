"""Steps of sampled batches: where their time goes, and kernels against the reference on the same batches.

`PYTHONPATH=. python tests/bench/batches.py [--seeds 1024]`: processor time of one thread, medians over batches that are new to the
model in each step. The reference is PyG's modules on trimmed batches; sampling is ours, as neither pyg-lib nor torch-sparse is
needed.
"""

import argparse
import statistics
import time
from typing import Any

import torch
from sampler import Shape
from torch import nn
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import batch_inputs, seed_loader
from graphdsl.model import Training

SHAPES = (
    Shape("4 types, 8 relations, 1 M edges", (20_000, 20_000, 5_000, 1_000), 8, 1_000_000),
    Shape("7 types, 90 relations, 58 k edges", (3_000, 2_000, 1_500, 1_000, 500, 200, 80), 90, 58_000),
)
LAYERS = {
    "SAGE": "SAGEConv(64)",
    "GAT": "GATConv(16, heads = 4, add_self_loops = false)",
    "GATv2": "GATv2Conv(16, heads = 4, add_self_loops = false)",
    "R-GCN": "RGCNConv(64)",
    "HGT": "HGTConv(64, heads = 4)",
}
WIDTH = 128


def spec_of(data: HeteroData, layer: str) -> graphdsl.Spec:
    """Two layers, and labels of the first type."""
    nodes = [f"node {t} {{ x: float[{WIDTH}]{', y: class[5]' if t == 't0' else ''} }}" for t in data.node_types]
    edges = [f"edge {a} -[{b}]-> {c}" for a, b, c in data.edge_types]
    model = f"model m on g {{ repeat 2 {{ edges {{ *: {layer} }} | relu }} nodes {{ t0: Linear(5) }} predict t0.y }}"
    return graphdsl.loads("\n".join(["schema g {", *nodes, *edges, "}", model]))


def anew(inputs: dict[str, Any]) -> dict[str, Any]:
    """The same batch with edges that no layout is kept of."""
    edges = {edge: index.clone() for edge, index in inputs["edge_index_dict"].items()}
    return {**inputs, "edge_index_dict": edges}


def step(model: nn.Module, inputs: dict[str, Any], seeds: int) -> tuple[float, float]:
    """Processor time of the forward and of the backward pass."""
    model.zero_grad()
    fresh = anew(inputs)
    begin = time.process_time()
    out = model(**fresh)[:seeds]
    half = time.process_time()
    out.square().mean().backward()
    return half - begin, time.process_time() - half


def median(values: list[float]) -> float:
    """In milliseconds."""
    return 1000 * statistics.median(values)


def show(data: HeteroData, name: str, layer: str, seeds: int, fanout: tuple[int, ...]) -> None:
    spec = spec_of(data, layer)
    models = {backend: spec.compile("m", backend=backend) for backend in ("pyg", "fused", "auto")}
    for model in models.values():
        model.load_state_dict(models["pyg"].state_dict())
    plan = models["pyg"].plan
    chosen = torch.randperm(data["t0"].num_nodes, generator=torch.Generator().manual_seed(0))[: 4 * seeds]
    training = Training("m", batch_size=min(seeds, len(chosen) // 2), fanout=fanout, seed=0)
    loading, batches = list[float](), list[dict[str, Any]]()
    loader, edges = iter(seed_loader(data, plan, ("t0", chosen), training)), list[float]()
    for _ in range(len(chosen) // (training.batch_size or 1)):
        begin = time.process_time()
        batch = next(loader)
        batches.append(batch_inputs(batch, plan))
        loading.append(time.process_time() - begin)
        edges.append(batch.num_edges)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    for turn in range(4):
        for inputs in batches:
            for backend, model in models.items():
                took = step(model, inputs, training.batch_size or 1)
                if turn:  # The first turn warms up.
                    times[backend].append(took)
    load, count = median(loading), statistics.median(edges)
    both = {backend: [median(list(part)) for part in zip(*took, strict=True)] for backend, took in times.items()}
    sums = {backend: sum(parts) for backend, parts in both.items()}
    print(
        f"| {name} | {training.batch_size} | {count:,.0f} | {load:.1f} | {both['pyg'][0]:.1f} + {both['pyg'][1]:.1f} "
        f"| {both['fused'][0]:.1f} + {both['fused'][1]:.1f} | {sums['pyg'] / sums['fused']:.2f} | {sums['pyg'] / sums['auto']:.2f} "
        f"| {count / (load + sums['auto']) / 1000:.2f} | {(load + sums['pyg']) / (load + sums['auto']):.2f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, nargs="+", default=[128, 1024], help="of a batch")
    parser.add_argument("--fanout", type=int, nargs="+", default=[10, 10], help="of each relation, hop by hop")
    parser.add_argument("--layers", nargs="+", choices=LAYERS, default=list(LAYERS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    for shape in SHAPES:
        data = shape.build()
        for name in data.node_types:
            data[name].x = torch.randn(data[name].num_nodes, WIDTH)
            del data[name].time
        data["t0"].y = torch.randint(5, (data["t0"].num_nodes,))
        print(f"\n{shape.name}, {WIDTH} columns, fanout {given.fanout}; milliseconds")
        print("| layers | seeds | edges | load | `pyg` | `fused` | times | `auto` | M edges/s with loading | times |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for seeds in given.seeds:
            for layer in given.layers:
                show(data, layer, LAYERS[layer], seeds, tuple(given.fanout))


if __name__ == "__main__":
    main()
