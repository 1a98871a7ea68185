"""Steps of sampled batches: where their time goes, and kernels against the reference on the same batches.

`PYTHONPATH=. python tests/bench/batches.py [--seeds 1024]`: processor time of one thread, medians over batches that are new to the
model in each step. The reference is PyG's modules on trimmed batches; sampling is ours. Where pyg-lib or torch-sparse is installed,
PyG's `NeighborLoader` samples beside it, and the same modules compute its batches, as PyG's users do it.
"""

import argparse
import statistics
import time
from typing import Any

import torch
from sampler import Shape
from torch import nn
from torch_geometric.data import HeteroData
from torch_geometric.loader import NeighborLoader
from torch_geometric.typing import WITH_PYG_LIB, WITH_TORCH_SPARSE

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


def by_pyg(
    data: HeteroData, plan: Any, chosen: Any, training: Training, model: nn.Module
) -> tuple[float, float, float] | None:
    """Milliseconds of loading and of a step, and edges of a batch, by PyG's own loader; None where it cannot sample."""
    if not (WITH_PYG_LIB or WITH_TORCH_SPARSE):
        return None
    size = training.batch_size or 1
    fanout = {edge: list(training.fanout) for edge in data.edge_types}
    loader = iter(NeighborLoader(data, fanout, input_nodes=("t0", chosen), batch_size=size))
    loading, batches, edges = list[float](), list[dict[str, Any]](), list[float]()
    for _ in range(len(chosen) // size):
        begin = time.process_time()
        batch = next(loader)
        batches.append(batch_inputs(batch, plan))
        loading.append(time.process_time() - begin)
        edges.append(batch.num_edges)
    steps = [sum(step(model, inputs, size)) for _ in range(3) for inputs in batches]
    return median(loading), median(steps[len(batches) :]), statistics.median(edges)


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
    theirs = by_pyg(data, plan, chosen, training, models["pyg"])
    both = {backend: [median(list(part)) for part in zip(*took, strict=True)] for backend, took in times.items()}
    sums = {backend: sum(parts) for backend, parts in both.items()}
    print(
        f"| {name} | {training.batch_size} | {count:,.0f} | {load:.1f} | {both['pyg'][0]:.1f} + {both['pyg'][1]:.1f} "
        f"| {both['fused'][0]:.1f} + {both['fused'][1]:.1f} | {sums['pyg'] / sums['fused']:.2f} | {sums['pyg'] / sums['auto']:.2f} "
        f"| {count / (load + sums['auto']) / 1000:.2f} | {(load + sums['pyg']) / (load + sums['auto']):.2f} |"
        + _against(theirs, load + sums["auto"]),
        flush=True,
    )


def _against(theirs: tuple[float, float, float] | None, ours: float) -> str:
    """Cells of PyG's path from its loader on: its loading and step, M edges/s, and how many times as fast ours is."""
    if theirs is None:
        return " – | – | – |"
    loading, steps, edges = theirs
    return f" {loading:.1f} + {steps:.1f} | {edges / (loading + steps) / 1000:.2f} | {(loading + steps) / ours:.2f} |"


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
        print(
            "| layers | seeds | edges | load | `pyg` | `fused` | times | `auto` | M edges/s with loading | times "
            "| `NeighborLoader` + step | M edges/s | times |"
        )
        print("|" + "---|" * 13)
        for seeds in given.seeds:
            for layer in given.layers:
                show(data, layer, LAYERS[layer], seeds, tuple(given.fanout))


if __name__ == "__main__":
    main()
