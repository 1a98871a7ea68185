"""Contexts of nodes: sequences that begin with the node and go on with neighbours, neighbours of these, and so on."""

import torch
from torch import Tensor

_ROWS = 1024
"""Sequences that are made at a time: at each step the neighbours of one node of each are laid out and shuffled."""


def node_contexts(
    edge_index: Tensor, num_nodes: int, nodes: Tensor, length: int, generator: torch.Generator | None = None
) -> Tensor:
    """Sequences of nodes, each in breadth-first order from its first one, neighbours in random order.

    The neighbours of the first node follow it, then those of the second, and so on until the sequence is full; a node may
    stand in it more than once. One without neighbours is repeated.

    Args:
        edge_index: pairs [2, num_edges]: the first is a neighbour of the second.
        num_nodes: how many nodes there are.
        nodes: where sequences begin [num_sequences].
        length: how long they are.
        generator: draws the order.

    Returns:
        [num_sequences, length].

    >>> path = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> node_contexts(path, 3, torch.tensor([0]), 3)[0, :2]
    tensor([0, 1])
    """
    order = torch.argsort(edge_index[1], stable=True)
    neighbour = edge_index[0].index_select(0, order).cpu()
    pointer = torch.zeros(num_nodes + 1, dtype=torch.long)
    pointer[1:] = torch.bincount(edge_index[1].cpu(), minlength=num_nodes).cumsum(0)
    made = [_contexts(neighbour, pointer, part, length, generator) for part in nodes.cpu().split(_ROWS)]
    return torch.cat([nodes.new_zeros(0, length).cpu(), *made]).to(nodes.device)


def _contexts(
    neighbour: Tensor, pointer: Tensor, nodes: Tensor, length: int, generator: torch.Generator | None
) -> Tensor:
    made = nodes.unsqueeze(1).repeat(1, length)
    filled = torch.ones_like(nodes)
    for place in range(length):
        rows = torch.nonzero((filled < length) & (filled > place)).reshape(-1)
        if not rows.numel():
            break
        begin = pointer[made[rows, place]]
        degree = pointer[made[rows, place] + 1] - begin
        owner = torch.repeat_interleave(degree)
        within = torch.arange(owner.numel()) - (degree.cumsum(0) - degree)[owner]
        # A random order within each sequence: by owner first, then by a random number.
        shuffled = torch.argsort(owner + torch.rand(owner.numel(), generator=generator, dtype=torch.float64))
        target = filled[rows][owner] + within
        kept = target < length
        found = neighbour[(begin[owner] + within)[shuffled]]
        made[rows[owner[kept]], target[kept]] = found[kept]
        filled[rows] = (filled[rows] + degree).clamp(max=length)
    return made
