"""From the hops of a walk to PyG's `HeteroSamplerOutput`."""

from itertools import pairwise

import numpy as np
import torch
from torch_geometric.sampler import HeteroSamplerOutput

from graphdsl.data.sampling.hops import Edges, Int64s, Nodes
from graphdsl.data.sampling.layout import Layout


def assemble_output(layout: Layout, nodes: list[Nodes], edges: list[Edges], disjoint: bool) -> HeteroSamplerOutput:
    """Group what the hops added by node type and by relation, hop after hop.

    Every node type and every relation has its entry, empty where nothing was reached. All tensors of one kind are
    parts of a single piece of memory, which crosses from a worker process as one file however many relations there are.

    Args:
        layout: the graph that was walked.
        nodes: what the seeds and each hop added.
        edges: what each hop added.
        disjoint: whether to give each node the tree that it belongs to, as `batch`.
    """
    num_nodes = np.stack([np.diff(part.bounds) for part in nodes], axis=1)
    num_edges = np.stack([np.diff(part.bounds) for part in edges], axis=1) if edges else None
    node_bounds = [part.bounds for part in nodes]
    edge_bounds = [part.bounds for part in edges]
    number = _regroup([part.number for part in nodes], node_bounds)
    number -= np.repeat(layout.first_node[:-1], num_nodes.sum(axis=1))
    types, relations = layout.node_types, layout.relations
    batch = _split(types, _regroup([part.tree for part in nodes], node_bounds), num_nodes) if disjoint else None
    if num_edges is None:
        num_edges = np.zeros((len(relations), 0), np.int64)
    return HeteroSamplerOutput(
        node=_split(types, number, num_nodes),
        row=_split(relations, _regroup([part.source for part in edges], edge_bounds), num_edges),
        col=_split(relations, _regroup([part.destination for part in edges], edge_bounds), num_edges),
        edge=_split(relations, _regroup([part.edge for part in edges], edge_bounds), num_edges),
        batch=batch,
        num_sampled_nodes=dict(zip(types, num_nodes.tolist(), strict=True)),
        num_sampled_edges=dict(zip(relations, num_edges.tolist(), strict=True)),
    )


def _regroup(parts: list[Int64s], bounds: list[Int64s]) -> Int64s:
    """Order by (group, hop) what lies by (hop, group)."""
    cuts = [list(pairwise(bound.tolist())) for bound in bounds]
    groups = zip(*cuts, strict=True)
    pieces = [part[low:high] for group in groups for part, (low, high) in zip(parts, group, strict=True)]
    return np.concatenate([np.empty(0, np.int64), *pieces])


def _split(names: tuple, values: Int64s, sizes: Int64s) -> dict:
    return dict(zip(names, torch.from_numpy(values).split(sizes.sum(axis=1).tolist()), strict=True))
