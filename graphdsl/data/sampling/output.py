"""From the hops of a walk to PyG's `HeteroSamplerOutput`."""

from itertools import pairwise
from typing import TypeAlias

import numpy as np
import torch
from torch_geometric.sampler import HeteroSamplerOutput

from graphdsl.data.sampling.hops import Edges, Int64s, Nodes
from graphdsl.data.sampling.layout import Layout

Blocks: TypeAlias = list[tuple[int, slice]]


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
    types, relations = layout.node_types, layout.relations
    num_nodes = _count([part.bounds for part in nodes], len(types))
    num_edges = _count([part.bounds for part in edges], len(relations))
    node_blocks = _order_blocks([part.bounds for part in nodes])
    edge_blocks = _order_blocks([part.bounds for part in edges])
    number = _regroup([part.number for part in nodes], node_blocks)
    number -= np.repeat(layout.first_node[:-1], num_nodes.sum(axis=1))
    tree = _regroup([part.tree for part in nodes], node_blocks) if disjoint else None
    return HeteroSamplerOutput(
        node=_split(types, number, num_nodes),
        row=_split(relations, _regroup([part.source for part in edges], edge_blocks), num_edges),
        col=_split(relations, _regroup([part.destination for part in edges], edge_blocks), num_edges),
        edge=_split(relations, _regroup([part.edge for part in edges], edge_blocks), num_edges),
        batch=None if tree is None else _split(types, tree, num_nodes),
        num_sampled_nodes=dict(zip(types, num_nodes.tolist(), strict=True)),
        num_sampled_edges=dict(zip(relations, num_edges.tolist(), strict=True)),
    )


def _count(bounds: list[Int64s], groups: int) -> Int64s:
    """Sizes of shape `[groups, hops]`."""
    return np.array([np.diff(bound) for bound in bounds], dtype=np.int64).reshape(len(bounds), groups).T


def _order_blocks(bounds: list[Int64s]) -> Blocks:
    """What lies by (hop, group), in the order (group, hop): the hop and the part of it."""
    parts = [[slice(low, high) for low, high in pairwise(bound.tolist())] for bound in bounds]
    return [block for group in zip(*parts, strict=True) for block in enumerate(group)]


def _regroup(parts: list[Int64s], blocks: Blocks) -> Int64s:
    return np.concatenate([np.empty(0, np.int64), *[parts[hop][part] for hop, part in blocks]])


def _split(names: tuple, values: Int64s, sizes: Int64s) -> dict:
    return dict(zip(names, torch.from_numpy(values).split(sizes.sum(axis=1).tolist()), strict=True))
