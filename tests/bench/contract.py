"""What looking at data costs: validation against a plain sweep over the same tensors, metapaths against PyG's transform.

python tests/bench/contract.py [--edges 5_000_000] [--gigabytes 4]
"""

import argparse
import resource
import time
from collections.abc import Callable

import torch
from torch_geometric.data import HeteroData
from torch_geometric.transforms import AddMetaPaths

import graphdsl
from graphdsl.kernels import compose, profile_walk

TYPES, RELATIONS, WIDTH = 4, 10, 100


def make_graph(edges: int, gigabytes: float) -> HeteroData:
    """Four node types that share the features, ten relations with so many edges each, labels and a split on one type."""
    rng, data = torch.Generator().manual_seed(0), HeteroData()
    nodes = max(1000, int(gigabytes * 1e9 / 4 / WIDTH / TYPES))
    names = [f"t{number}" for number in range(TYPES)]
    for name in names:
        data[name].x = torch.randn(nodes, WIDTH, generator=rng)
    data["t0"].y, draw = torch.randint(5, (nodes,), generator=rng), torch.rand(nodes, generator=rng)
    data["t0"].train_mask, data["t0"].val_mask, data["t0"].test_mask = (
        draw < 0.6,
        (draw >= 0.6) & (draw < 0.8),
        draw >= 0.8,
    )
    for number in range(RELATIONS):
        ends = names[number % TYPES], f"r{number}", names[(number * 3 + 1) % TYPES]
        data[ends].edge_index = torch.randint(nodes, (2, edges), generator=rng)
    return data


def spec_of(data: HeteroData) -> graphdsl.Spec:
    """The schema that the graph was made for."""
    masks = "y: class[5], train_mask: mask, val_mask: mask, test_mask: mask"
    nodes = [f"node {name} {{ x: float[{WIDTH}]{', ' + masks if name == 't0' else ''} }}" for name in data.node_types]
    edges = [f"edge {a} -[{b}]-> {c}" for a, b, c in data.edge_types]
    return graphdsl.loads("\n".join(["schema big {", *nodes, *edges, "}"]))


def sweep(data: HeteroData) -> None:
    """The least that anybody would look at: smallest, largest, finite."""
    for store in data.node_stores:
        assert torch.isfinite(store.x).all()
        store.x.min(), store.x.max()
    for store in data.edge_stores:
        store.edge_index.min(), store.edge_index.max()


def best(run: Callable[[], object], runs: int = 2) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def peak() -> float:
    """Largest resident memory so far, in gigabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def show_validation(edges: int, gigabytes: float) -> None:
    data = make_graph(edges, gigabytes)
    spec, plain = spec_of(data), best(lambda: sweep(data))
    before = peak()
    print(f"\n{RELATIONS} relations with {edges:,} edges each, {gigabytes:g} GB of features; sweep: {plain:.2f} s")
    print(f"{'tier':<10} {'seconds':>8} {'x sweep':>8} {'extra GB':>9}")
    for tier in ("metadata", "structure", "values"):
        seconds = best(lambda tier=tier: spec.validate(data, tier=tier))
        print(f"{tier:<10} {seconds:>8.2f} {seconds / plain:>8.2f} {max(0.0, peak() - before):>9.2f}")


def show_metapaths() -> None:
    """Distinct pairs along paper-author-paper-like paths, on coalesced edges, where PyG's transform is right."""
    print("\nmetapath a-b-a, distinct pairs; seconds")
    print(f"{'nodes':>8} {'edges':>9} {'pairs':>11} {'count':>7} {'compose':>8} {'AddMetaPaths':>13} {'times':>6}")
    for nodes, edges in ((2_000, 20_000), (20_000, 200_000), (50_000, 1_000_000)):
        rng = torch.Generator().manual_seed(1)
        index = torch.unique(torch.randint(nodes, (2, edges), generator=rng), dim=1).contiguous()
        data = HeteroData()
        data["a"].num_nodes = data["b"].num_nodes = nodes
        data["a", "to", "b"].edge_index, data["b", "fro", "a"].edge_index = index, index.flip(0).contiguous()
        path = [("a", "to", "b"), ("b", "fro", "a")]
        hops, sizes = [index, index.flip(0)], [nodes] * 3
        counted = best(lambda hops=hops, sizes=sizes: profile_walk(hops, sizes))
        ours = best(lambda hops=hops, sizes=sizes: compose(hops, sizes))
        theirs = best(lambda data=data, path=path: AddMetaPaths([path])(data))
        made = AddMetaPaths([path])(data)["a", "metapath_0", "a"].edge_index
        pairs = compose(hops, sizes)[0]
        assert torch.equal(torch.unique(made, dim=1), pairs), "the two disagree"
        print(
            f"{nodes:>8,} {index.size(1):>9,} {pairs.size(1):>11,} {counted:>7.3f} {ours:>8.3f} {theirs:>13.3f} "
            f"{theirs / ours:>6.1f}"
        )
    index = torch.randint(2_000_000, (2, 10_000_000))
    seconds = best(lambda: profile_walk([index, index.flip(0), index], [2_000_000] * 4), 1)
    print(f"counting the walks of three hops with 10,000,000 edges each: {seconds:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--edges", type=int, default=5_000_000, help="of each relation")
    parser.add_argument("--gigabytes", type=float, default=4.0, help="of features")
    given = parser.parse_args()
    torch.set_num_threads(1)
    show_validation(given.edges, given.gigabytes)
    show_metapaths()


if __name__ == "__main__":
    main()
