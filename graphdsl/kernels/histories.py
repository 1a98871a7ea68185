"""Histories of events: what nodes met before, kind by kind and time by time, as PyG's `RENet` reads it."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class _Side:
    """The events of each node and kind, one below the other in the order of time.

    Attributes:
        order: numbers of events in that order, shape [events].
        first: of each event, where its history begins there, shape [events].
        last: where it ends, shape [events].
        partner: the node at the other end of each event, shape [events].
    """

    order: Tensor
    first: Tensor
    last: Tensor
    partner: Tensor


class EventHistories:
    """What happened before each event, at the latest `seq_len` times at which anything did.

    A history of an event's source are the targets that it met in events of the same kind, and the other way round. What
    happens at one time knows nothing of each other. It is what PyG's `RENet.pre_transform(seq_len)` makes event by event,
    found here by a search among sorted events, so nothing is stored but their order. (PyG's fails for a node whose number is
    more than 5000 behind all that it has seen.)

    Source: Jin et al., Recurrent Event Network: Autoregressive Structure Inference over Temporal Knowledge Graphs, 2020.

    Args:
        edge_index: sources and targets, nodes of one type, in any order of time, shape [2, events].
        kind: which kind of event it is, whole numbers from 0, shape [events].
        time: when it happens, whole numbers, shape [events].
        seq_len: how many times back.

    >>> seen = EventHistories(torch.tensor([[0, 0, 0], [1, 2, 3]]), torch.zeros(3), torch.tensor([5, 5, 9]), 2)
    >>> batch = seen.batch(torch.tensor([2]))
    >>> batch["h_sub"].tolist(), batch["h_sub_t"].tolist(), batch["h_obj"].tolist()
    ([1, 2], [1, 1], [])
    """

    def __init__(self, edge_index: Tensor, kind: Tensor, time: Tensor, seq_len: int) -> None:
        self.source, self.target = edge_index[0], edge_index[1]
        self.kind, self.seq_len = kind.reshape(-1).long(), seq_len
        self.turn = torch.unique(time.reshape(-1), return_inverse=True)[1]
        self._sides = {"sub": self._side(self.source, self.target), "obj": self._side(self.target, self.source)}

    def __len__(self) -> int:
        return self.kind.numel()

    def _side(self, node: Tensor, partner: Tensor) -> _Side:
        if not len(self):
            return _Side(node, node, node, partner)
        kinds, turns = int(self.kind.max()) + 1, int(self.turn.max()) + 1 + self.seq_len
        key = (node * kinds + self.kind) * turns + self.turn + self.seq_len  # no history reaches into another one
        ordered, order = key.sort(stable=True)
        first, last = torch.searchsorted(ordered, key - self.seq_len), torch.searchsorted(ordered, key)
        return _Side(order, first, last, partner)

    def batch(self, events: Tensor) -> dict[str, Tensor]:
        """Some events with their histories, by the names that PyG's `RENet` reads.

        Args:
            events: their numbers, shape [batch].
        """
        found = {"sub": self.source[events], "rel": self.kind[events], "obj": self.target[events]}
        for name, side in self._sides.items():
            many = side.last[events] - side.first[events]
            owner = torch.arange(len(events), device=events.device).repeat_interleave(many)
            place = torch.arange(len(owner), device=events.device) - (many.cumsum(0) - many)[owner]
            past = side.order[side.first[events][owner] + place]
            found[f"h_{name}"] = side.partner[past]
            found[f"h_{name}_t"] = self.seq_len - (self.turn[events[owner]] - self.turn[past])
            found[f"h_{name}_batch"] = owner
        return found
