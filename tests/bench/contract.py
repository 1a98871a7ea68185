"""What looking at data costs: validation against a plain sweep over the same tensors, metapaths against PyG's transform.

python tests/bench/contract.py [--edges 5_000_000] [--gigabytes 4]
"""

import argparse
import resource
import time
from collections.abc import Callable
from itertools import pairwise

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


def in_turn(*runs: Callable[[], object], turns: int = 7) -> list[float]:
    """Processor time of each, the least of some turns; they take turns, so that other work on the machine hits all alike."""
    times = [[0.0] * turns for _ in runs]
    for turn in range(turns):
        for number, run in enumerate(runs):
            start = time.process_time()
            run()
            times[number][turn] = time.process_time() - start
    return [min(item) for item in times]


def relations(sizes: dict[str, int], **edges: int) -> HeteroData:
    """Random edges without repetition, where PyG's transform is right; `ab=5` are edges from a to b, and back as ba."""
    rng, data = torch.Generator().manual_seed(1), HeteroData()
    for name, size in sizes.items():
        data[name].num_nodes = size
    for (source, target), number in edges.items():
        pairs = [torch.randint(sizes[end], (number,), generator=rng) for end in (source, target)]
        index = torch.unique(torch.stack(pairs), dim=1).contiguous()
        data[source, source + target, target].edge_index = index
        data[target, target + source, source].edge_index = index.flip(0).contiguous()
    return data


def metapaths() -> tuple[tuple[str, HeteroData], ...]:
    """Small and large, thin and thick, two hops and four."""
    return (
        ("aba", relations({"a": 2_000, "b": 2_000}, ab=20_000)),
        ("aba", relations({"a": 20_000, "b": 20_000}, ab=200_000)),
        ("aba", relations({"a": 50_000, "b": 50_000}, ab=1_000_000)),
        ("aba", relations({"a": 1_000_000, "b": 1_000_000}, ab=1_000_000)),
        ("pap", relations({"p": 4_000, "a": 6_000}, pa=13_000)),
        ("psp", relations({"p": 4_000, "s": 60}, ps=4_000)),
        ("papap", relations({"p": 4_000, "a": 6_000}, pa=13_000)),
        ("papsp", relations({"p": 4_000, "a": 6_000, "s": 60}, pa=13_000, ps=4_000)),
    )


def show_metapaths() -> None:
    """Composed pairs and numbers of paths against PyG's transform."""
    print(
        "\nmetapaths, processor seconds; AddMetaPaths leaves the targets of a source in any order, compose sorts them"
    )
    print(
        f"{'path':<6} {'pairs':>11} {'count':>7} {'compose':>8} {'AddMetaPaths':>13} {'times':>6}   with paths: times"
    )
    for name, data in metapaths():
        path = [(one, one + two, two) for one, two in pairwise(name)]
        hops, sizes = [data[edge].edge_index for edge in path], [data[stop].num_nodes for stop in name]
        counted, pairs, theirs, paths, weighted = in_turn(
            lambda hops=hops, sizes=sizes: profile_walk(hops, sizes),
            lambda hops=hops, sizes=sizes: compose(hops, sizes),
            lambda data=data, path=path: AddMetaPaths([path])(data),
            lambda hops=hops, sizes=sizes: compose(hops, sizes, "count"),
            lambda data=data, path=path: AddMetaPaths([path], weighted=True)(data),
        )
        made = AddMetaPaths([path])(data)[name[0], "metapath_0", name[-1]].edge_index
        found = compose(hops, sizes)[0]
        assert torch.equal(torch.unique(made, dim=1), found), "the two disagree"
        print(
            f"{name:<6} {found.size(1):>11,} {counted:>7.3f} {pairs:>8.4f} {theirs:>13.4f} {theirs / pairs:>6.2f} "
            f"{paths:>12.4f} {weighted:>8.4f} {weighted / paths:>6.2f}"
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
