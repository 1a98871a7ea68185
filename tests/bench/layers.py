"""Layers of ours that see several relations, against a loop over the relations that computes the same.

`PYTHONPATH=. python tests/bench/layers.py`: processor time of one thread for forward and backward, the median of seven steps,
both ways in turn. 20 relations among 4 types, 10,000 edges each, 5,000 nodes a type, 64 columns.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch_geometric.utils import softmax

from graphdsl.layers import CompGCNConv, HetSANNConv

TYPES = ["a", "b", "c", "d"]
RELATIONS = [(TYPES[number % 4], f"r{number:02}", TYPES[(number // 4 + number) % 4]) for number in range(20)]
NODES, EDGES, WIDTH, HEADS = 5_000, 10_000, 64, 4


def compgcn(conv: CompGCNConv, x: Tensor, edges: list[Tensor]) -> Tensor:
    """One layer, relation by relation."""
    (layer,) = conv.layers
    arrived = [torch.zeros(x.size(0), WIDTH) for _ in range(2)]
    for number, index in enumerate(edges):
        message = x.index_select(0, index[0])
        z = conv.relation[number]
        message = message - z if layer.composition == "sub" else message * z
        side = int(conv.direction[number])
        arrived[side] = arrived[side].index_add(0, index[1], message)
    own = x - layer.loop if layer.composition == "sub" else x * layer.loop
    return arrived[0] @ layer.weight[0] + arrived[1] @ layer.weight[1] + layer.lin_loop(own) + layer.bias


def hetsann(conv: HetSANNConv, x: dict[str, Tensor], edges: dict) -> Tensor:
    """One layer by voices without loops: each relation maps its sources, and scores its edges."""
    maps = {
        (name, view): part.view(HEADS, WIDTH // HEADS, WIDTH)
        for name, views in conv.views.items()
        for view, part in zip(views, conv.lin[name].weight.split(WIDTH), strict=True)
    }
    seen, scores, targets = [], [], []
    for number, edge in enumerate(conv.edges):
        sent = torch.einsum("ni,hci->nhc", x[edge[0]], maps[edge[0], edge[2]]).index_select(0, edges[edge][0])
        own = torch.einsum("ni,hci->nhc", x[edge[2]], maps[edge[2], edge[2]]).index_select(0, edges[edge][1])
        row = conv.att[conv.voice[number]] * conv.sign[number]
        scores.append(torch.nn.functional.leaky_relu((own * (sent + row)).sum(-1), conv.negative_slope))
        seen.append(sent)
        targets.append(edges[edge][1] + TYPES.index(edge[2]) * NODES)
    target = torch.cat(targets)
    alpha = softmax(torch.cat(scores), target, num_nodes=NODES * 4)
    out = torch.zeros(NODES * 4, HEADS, WIDTH // HEADS).index_add(0, target, alpha.unsqueeze(-1) * torch.cat(seen))
    return out.flatten(1)


def compare(name: str, ours: Callable[[], Tensor], loop: Callable[[], Tensor]) -> None:
    torch.testing.assert_close(ours(), loop(), rtol=1e-3, atol=1e-3)
    times: list[list[float]] = [[], []]
    for _ in range(8):
        for place, run in enumerate((ours, loop)):
            start = time.process_time()
            run().square().mean().backward()
            times[place].append(time.process_time() - start)
    one, other = (statistics.median(item[1:]) for item in times)
    print(f"| {name} | {one * 1000:.0f} | {other * 1000:.0f} | {other / one:.2f} |", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x = torch.randn(4 * NODES, WIDTH, requires_grad=True)
    edges = [torch.randint(4 * NODES, (2, EDGES)) for _ in RELATIONS]
    index, kind = torch.cat(edges, 1), torch.arange(20).repeat_interleave(EDGES)
    inverse_of = [number - number % 2 for number in range(20)]
    for composition in ("sub", "mult"):
        conv = CompGCNConv(WIDTH, WIDTH, 20, inverse_of, composition=composition)
        compare(f"`CompGCNConv`, {composition}", lambda c=conv: c(x, index, kind), lambda c=conv: compgcn(c, x, edges))
    conv = HetSANNConv(dict.fromkeys(TYPES, WIDTH), WIDTH // HEADS, (TYPES, RELATIONS), heads=HEADS,
                       add_self_loops=False, bias=False)  # fmt: skip
    by_type = {name: torch.randn(NODES, WIDTH, requires_grad=True) for name in TYPES}
    between = {edge: torch.randint(NODES, (2, EDGES)) for edge in RELATIONS}

    def ours() -> Tensor:
        made = conv(by_type, between)
        return torch.cat([made[name] for name in TYPES])

    compare("`HetSANNConv`, voices", ours, lambda: hetsann(conv, by_type, between))


if __name__ == "__main__":
    main()
