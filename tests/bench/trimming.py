"""Steps of sampled batches, trimmed and as a whole, on ACM (see `examples/acm/data.py`).

`PYTHONPATH=. python tests/bench/trimming.py`: processor time of one thread for forward and backward, batches sampled before;
the faster of three passes over the batches, both ways in turn.
"""

import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

import graphdsl
from graphdsl.data import batch_inputs, seed_loader
from graphdsl.model import Training

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "acm"))
from data import acm

SCHEMA = """
schema acm {
  node paper { x: float[1902], y: class[3] }
  node author(count = 7167)
  node subject(count = 60)
  edge paper -[written_by]-> author reverse writes
  edge paper -[is_about]-> subject reverse about
}
"""
LAYERS = {
    "SAGEConv": "edges { *: SAGEConv(64) } | relu",
    "GATv2Conv, 4 heads": "edges { *: GATv2Conv(16, heads = 4, add_self_loops = false) } | relu",
    "HGTConv, 4 heads": "edges { *: HGTConv(64, heads = 4) }",
    "RGCNConv": "edges { *: RGCNConv(64) } | relu",
    "SAGEConv and BatchNorm": "edges { *: SAGEConv(64) } | BatchNorm | relu",
}
FANOUT = (10, 10, 5)


def step(model: nn.Module, inputs: dict[str, Any], seeds: int) -> None:
    model.zero_grad()
    model(**inputs)[:seeds].square().mean().backward()


def seconds(model: nn.Module, batches: list[dict[str, Any]], seeds: int) -> float:
    """Processor time of a step, on average."""
    start = time.process_time()
    for inputs in batches:
        step(model, inputs, seeds)
    return (time.process_time() - start) / len(batches)


def main() -> None:
    torch.set_num_threads(1)
    data = acm()
    print(f"ACM, 256 seeds, fanout {list(FANOUT)}: seconds a step")
    for name, layer in LAYERS.items():
        for depth in (2, 3):
            text = f"{SCHEMA} model m on acm {{ nodes {{ author, subject: Embedding(64)  paper: Linear(64) }} repeat {depth} {{ {layer} }} predict paper.y }}"
            model = graphdsl.loads(text).compile("m")
            training = Training("m", batch_size=256, fanout=FANOUT, seed=0)
            loader = seed_loader(data, model.plan, ("paper", torch.arange(1024)), training)
            trimmed = [batch_inputs(batch, model.plan) for batch in loader]
            whole = [{key: item for key, item in inputs.items() if not key.startswith("num_")} for inputs in trimmed]
            seconds(model, trimmed[:1], 256), seconds(model, whole[:1], 256)
            rounds = [(seconds(model, whole, 256), seconds(model, trimmed, 256)) for _ in range(3)]
            before, after = (min(times) for times in zip(*rounds, strict=True))
            print(f"| {name} | {depth} | {before:.3f} | {after:.3f} | {before / after:.2f} |", flush=True)


if __name__ == "__main__":
    main()
