"""How fast layers with other aggregations than a sum are beside the reference: `PYTHONPATH=. python tests/bench/aggregations.py`.

Two layers of 64 columns on 200,000 random edges among 20,000 nodes of one type, or those that are named; processor time on one thread,
forward without gradients and forward and backward, the median of five.
"""

import sys
import time
from statistics import median
from typing import Any

import torch

import graphdsl

NODES, EDGES, WIDTH = 20_000, 200_000, 64
LAYERS = (
    'SAGEConv(64, aggr = "max")',
    'SAGEConv(64, aggr = "std")',
    'SAGEConv(64, aggr = "softmax")',
    'SAGEConv(64, aggr = ["mean", "max", "std"])',
    "SAGEConv(64, normalize = true)",
    "SAGEConv(64, project = true)",
    'GraphConv(64, aggr = "max", edge_weight = w)',
    "GCNConv(64, edge_weight = w)",
    "GINConv(nn = MLP(64, 64, norm = none))",
    "ResGatedGraphConv(64)",
    "SimpleConv",
    "LGConv(edge_weight = w)",
)


def seconds(model: Any, inputs: dict[str, Any]) -> tuple[float, float]:
    """Processor time of a forward pass without gradients, and of a step."""
    start = time.process_time()
    with torch.no_grad():
        model(**inputs)
    between = time.process_time()
    model(**inputs).square().sum().backward()
    return between - start, time.process_time() - between


def measure(layer: str) -> str:
    """A row of the table."""
    rule = f"edges {{ *: {layer} }}"
    spec = graphdsl.loads(
        f"schema s {{ node a(count = {NODES}) {{ x: float[{WIDTH}], y: class[3] }} edge a -[to]-> a {{ w: float[1] }} }} "
        f"model m on s {{ {rule} | relu {rule} predict a.y }}"
    )
    draw = torch.Generator().manual_seed(0)
    edge = ("a", "to", "a")
    graph = {
        "x_dict": {"a": torch.randn(NODES, WIDTH, generator=draw)},
        "edge_index_dict": {edge: torch.randint(0, NODES, (2, EDGES), generator=draw)},
        "w_dict": {edge: torch.rand(EDGES, 1, generator=draw)},
    }
    models = {name: spec.compile("m", backend=name) for name in ("fused", "pyg")}
    models["fused"].load_state_dict(models["pyg"].state_dict())
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    for turn in range(6):
        for name, model in models.items():
            taken = seconds(model, {key: value for key, value in graph.items() if key != "w_dict" or "= w" in layer})
            if turn:
                found[name].append(taken)
    ours, other = ([median(item) for item in zip(*found[name], strict=True)] for name in ("fused", "pyg"))
    forward, step = (second / first for first, second in zip(ours, other, strict=True))
    return f"| `{layer}` | {ours[0] * 1e3:.0f} ms | {ours[1] * 1e3:.0f} ms | {forward:.1f} / {step:.1f} |"


if __name__ == "__main__":
    torch.set_num_threads(1)
    for chosen in sys.argv[1:] or LAYERS:
        print(measure(chosen), flush=True)
