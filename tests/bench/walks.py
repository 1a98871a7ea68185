"""Walks along metapaths against composed metapaths and gathered instances, on ACM (see `examples/acm/data.py`).

`PYTHONPATH=. python tests/bench/walks.py`: processor time of one thread, the faster of two runs behind one that warms up.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch_geometric.data import HeteroData
from torch_geometric.utils import softmax

import graphdsl
from graphdsl.data import batch_inputs
from graphdsl.kernels import averaging, compose, enumerate_walks
from graphdsl.layers import FastGTNConv, MAGNNConv
from graphdsl.layers.walking import Walker

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "acm"))
from data import acm

BY, ABOUT = ("paper", "written_by", "author"), ("paper", "is_about", "subject")
PAP, PSP = ("paper", "PAP", "paper"), ("paper", "PSP", "paper")
HOPS = {PAP: [(BY, False), (BY, True)], PSP: [(ABOUT, False), (ABOUT, True)]}


def seconds(run: Callable[[], object]) -> float:
    """Processor time of the faster of two runs."""
    run()
    times = []
    for _ in range(2):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def propagation(edges: dict, sizes: dict[str, int], width: int) -> None:
    """Averages along PAP and PSP: hop by hop, and over composed pairs."""
    x = torch.randn(sizes["paper"], width, requires_grad=True)

    def composed() -> list:
        pairs = [compose([edges[r], edges[r].flip(0)], [sizes["paper"], sizes[r[2]], sizes["paper"]])[0] for r in edges]
        return [averaging(index, sizes["paper"], sizes["paper"], x.dtype) for index in pairs]

    matrices, walk = composed(), Walker(HOPS)
    hops = seconds(lambda: Walker(HOPS)({"paper": x.detach()}, edges, sizes))
    pairs = seconds(lambda: [matrix @ x.detach() for matrix in composed()])
    print(
        f"{width} columns, from the graph: {hops:.3f} s hop by hop, {pairs:.2f} s composed ({pairs / hops:.0f} times)"
    )
    kept = seconds(lambda: sum(v.sum() for v in walk({"paper": x}, edges, sizes).values()).backward())
    pairs = seconds(lambda: sum((matrix @ x).sum() for matrix in matrices).backward())
    print(f"{width} columns, step with gradient: {kept:.4f} s, {pairs:.3f} s composed ({pairs / kept:.0f} times)")


def instances(edges: dict, sizes: dict[str, int]) -> None:
    """MAGNN on PAP: sparse sums, and instances gathered as [instances, heads, width]."""
    x = {name: torch.randn(size, 64, requires_grad=True) for name, size in sizes.items()}
    conv = MAGNNConv(64, 64, {PAP: HOPS[PAP]}, heads=8, encoder="mean")
    nodes = enumerate_walks([edges[BY], edges[BY].flip(0)], [sizes["paper"], sizes["author"], sizes["paper"]])
    part = conv.targets["paper"]

    def gathered() -> Tensor:
        h = (x["paper"][nodes[0]] + x["author"][nodes[1]] + x["paper"][nodes[2]]) / 3
        h = h.unsqueeze(1).expand(-1, 8, -1)
        score = (x["paper"] @ part.center[0].t())[nodes[2]] + (h * part.instance[0]).sum(-1)
        share = softmax(conv.act(score), nodes[2], num_nodes=sizes["paper"])
        summed = torch.zeros(sizes["paper"], 8, 64).index_add(0, nodes[2], share.unsqueeze(-1) * h)
        return part([torch.nn.functional.elu(summed).flatten(1)])

    torch.testing.assert_close(gathered(), conv(x, edges)["paper"], atol=1e-4, rtol=1e-4)
    ours, theirs = (
        seconds(lambda f=f: f().square().mean().backward()) for f in (lambda: conv(x, edges)["paper"], gathered)
    )
    print(f"MAGNN, {nodes.size(1):,} instances: {ours:.3f} s, {theirs:.3f} s gathered ({theirs / ours:.1f} times)")


def soft_choice(edges: dict, sizes: dict[str, int]) -> None:
    """FastGTN: one product a hop, and a weighted, coalesced adjacency for each channel and hop."""
    both = {**edges, ("author", "w", "paper"): edges[BY].flip(0), ("subject", "c", "paper"): edges[ABOUT].flip(0)}
    names, starts, total = [*sizes], {}, 0
    for name in names:
        starts[name], total = total, total + sizes[name]
    x = {name: torch.randn(size, 64, requires_grad=True) for name, size in sizes.items()}
    conv = FastGTNConv(64, 64, (names, [*both]), num_layers=3)
    parts = [torch.arange(total).repeat(2, 1)]
    weights = [torch.ones(total)]
    for key, index in reversed(both.items()):
        target = index[1] + starts[key[2]]
        parts.insert(0, torch.stack([target, index[0] + starts[key[0]]]))
        weights.insert(0, 1 / torch.bincount(target, minlength=total)[target].float())

    def adjacency() -> Tensor:
        z = [torch.cat([x[name] for name in names]) @ weight for weight in conv.weight]
        for hop in conv.choice.softmax(-1):
            for channel, share in enumerate(hop):
                value = torch.cat([weight * part for weight, part in zip(weights, share, strict=True)])
                matrix = torch.sparse_coo_tensor(torch.cat(parts, 1), value, (total, total), is_coalesced=False)
                z[channel] = torch.sparse.mm(matrix.coalesce(), z[channel])
        return (z[0].relu() + z[1].relu())[starts["paper"] : starts["paper"] + sizes["paper"]] / 2

    torch.testing.assert_close(adjacency(), conv(x, both)["paper"], atol=1e-4, rtol=1e-4)
    ours, theirs = (
        seconds(lambda f=f: f().square().mean().backward()) for f in (lambda: conv(x, both)["paper"], adjacency)
    )
    print(f"FastGTN: {ours:.3f} s, {theirs:.2f} s with an adjacency for each channel ({theirs / ours:.0f} times)")


LAYERS = {
    "HPNConv(64, K = 3)": "count",
    "GraphConv(64)": "count",
    "GCNConv(64)": "count",
    "SAGEConv(64)": "set",
}


def layers(data: HeteroData) -> None:
    """A training step along PSP: hop by hop, on composed pairs with our kernels, and on composed pairs in PyG."""
    hops = "paper -[is_about]-> subject <-[is_about]- paper"
    for layer, kind in LAYERS.items():
        nodes = "node paper { x: float[1902], y: class[3] } node author node subject"
        edges = f"edge paper -[is_about]-> subject metapath PSP({kind}) = {hops}"
        body = f"nodes {{ paper: Linear(64) }} edges {{ PSP: {layer} }} predict paper.y"
        spec = graphdsl.loads(f"schema s {{ {nodes} {edges} }} model m on s {{ {body} }}")
        ours, pyg = (spec.compile(data=data, backend=backend) for backend in ("fused", "pyg"))
        pyg.load_state_dict(ours.state_dict())
        short, long = (batch_inputs(data, ours.plan, composed=composed) for composed in (False, True))
        assert PSP not in short["edge_index_dict"]
        torch.testing.assert_close(ours(**short), pyg(**long), rtol=1e-4, atol=1e-4)
        cases = ((ours, short), (ours, long), (pyg, long))
        by_hop, pairs, other = (
            seconds(lambda model=model, given=given: model(**given).square().mean().backward())
            for model, given in cases
        )
        print(
            f"{layer} along PSP: {by_hop:.4f} s hop by hop, {pairs:.3f} s with pairs ({pairs / by_hop:.0f} times), "
            f"{other:.2f} s in PyG ({other / by_hop:.0f} times)"
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = acm()
    graph = {BY: data[BY].edge_index, ABOUT: data[ABOUT].edge_index}
    counts = {name: data[name].num_nodes for name in ("paper", "author", "subject")}
    for columns in (64, 1902):
        propagation(graph, counts, columns)
    instances(graph, counts)
    soft_choice(graph, counts)
    layers(data)
