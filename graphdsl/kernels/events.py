"""A memory of nodes that events change, in the order of time: PyG's `TGNMemory` and the network of its example around it."""

from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch_geometric.nn import GATConv, GATv2Conv, TransformerConv
from torch_geometric.nn.models.tgn import (
    IdentityMessage,
    LastAggregator,
    LastNeighborLoader,
    MeanAggregator,
    TGNMemory,
)

from graphdsl.kernels.scoring import PairScorer

_LAYERS = {"TransformerConv": TransformerConv, "GATConv": GATConv, "GATv2Conv": GATv2Conv}
_NODES_AT_ONCE = 1 << 12


@dataclass(frozen=True, slots=True)
class Events:
    """Events in the order of time, on the device of the module that reads them.

    Attributes:
        source: numbers of nodes, shape [events].
        target: the same; two types share one numbering, sources first.
        time: whole numbers, ascending, shape [events].
        message: what each event carries, shape [events, width].
    """

    source: Tensor
    target: Tensor
    time: Tensor
    message: Tensor


class MLPMessage(nn.Module):
    """The learned message function of the paper: two layers on memories, message and time.

    Args:
        raw_msg_dim: columns of messages.
        memory_dim: columns of the memory, and of what it gives.
        time_dim: columns of encoded times.
    """

    def __init__(self, raw_msg_dim: int, memory_dim: int, time_dim: int) -> None:
        super().__init__()
        width = raw_msg_dim + 2 * memory_dim + time_dim
        self.out_channels = memory_dim
        self.first, self.second = nn.Linear(width, width // 2), nn.Linear(width // 2, memory_dim)

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        self.first.reset_parameters()
        self.second.reset_parameters()

    def forward(self, z_src: Tensor, z_dst: Tensor, raw_msg: Tensor, t_enc: Tensor) -> Tensor:
        """One message for each event, shape [events, memory_dim]."""
        return self.second(self.first(torch.cat([z_src, z_dst, raw_msg, t_enc], -1)).relu())


class EventMemory(PairScorer):
    """A temporal graph network: PyG's `TGNMemory`, attention over the last neighbours, a score of pairs.

    It is the network of `examples/tgn.py`. A step scores the next events by what was known before them, then learns of
    them. Events come in the order of time: `step` says which, and the module brings its memory there. In training,
    the first events begin with an empty memory. In evaluation, events behind those of training begin with the memory
    that training left (`keep`, part of the state dict), and earlier ones with an empty memory.

    Args:
        num_nodes: nodes of both ends together.
        offset: number of the first target; 0 within one type.
        msg_dim: columns of messages.
        memory_dim: columns of the memory.
        time_dim: columns of encoded times.
        embedding_dim: columns of what is scored, a multiple of `heads`.
        num_neighbors: how many last neighbours a node attends to.
        heads: of the attention.
        dropout: share of attention coefficients that training drops.
        message: "identity" puts memories, message and time side by side, "mlp" learns from them.
        aggregator: "last" takes a node's latest message of a batch, "mean" the mean.
        conv: the layer above the memory. With "GATConv" and "GATv2Conv", a node's own memory comes by PyG's self-loops.

    Rossi et al., "Temporal Graph Networks for Deep Learning on Dynamic Graphs", 2020.

    >>> module = EventMemory(4, 2, 1, memory_dim=8, time_dim=8, embedding_dim=8)
    >>> one = torch.arange(3)
    >>> events = Events(one % 2, 2 + one % 2, one, torch.ones(3, 1))
    >>> module.step(events, 0, 3, others=2 + one.reshape(3, 1) % 2).shape
    torch.Size([6])
    """

    memory: Any
    kept_memory: Tensor
    kept_update: Tensor
    kept_events: Tensor

    def __init__(
        self,
        num_nodes: int,
        offset: int,
        msg_dim: int,
        memory_dim: int,
        time_dim: int,
        embedding_dim: int,
        num_neighbors: int = 10,
        heads: int = 2,
        dropout: float = 0.1,
        message: Literal["identity", "mlp"] = "identity",
        aggregator: Literal["last", "mean"] = "last",
        conv: Literal["TransformerConv", "GATConv", "GATv2Conv"] = "TransformerConv",
    ) -> None:
        super().__init__()
        self.offset, self.num_neighbors = offset, num_neighbors
        messages = (IdentityMessage if message == "identity" else MLPMessage)(msg_dim, memory_dim, time_dim)
        together = LastAggregator() if aggregator == "last" else MeanAggregator()
        self.memory = TGNMemory(num_nodes, msg_dim, memory_dim, time_dim, messages, together)
        held: Any = self.memory
        held._assoc.zero_()  # PyG leaves it as it finds it, and it stands in checkpoints.
        width = embedding_dim // heads
        layer = _LAYERS[conv]
        self.conv = layer(memory_dim, width, heads=heads, dropout=dropout, edge_dim=msg_dim + time_dim)
        self.lin_src, self.lin_dst = nn.Linear(embedding_dim, embedding_dim), nn.Linear(embedding_dim, embedding_dim)
        self.lin_final = nn.Linear(embedding_dim, 1)
        self.register_buffer("kept_memory", torch.zeros(num_nodes, memory_dim))
        self.register_buffer("kept_update", torch.zeros(num_nodes, dtype=torch.long))
        self.register_buffer("kept_events", torch.zeros((), dtype=torch.long))
        self._forget()
        self.register_load_state_dict_post_hook(_forget_state)

    def reset_parameters(self) -> None:
        """Draw all weights anew, and forget everything."""
        self.memory.reset_parameters()
        self.conv.reset_parameters()
        for item in (self.lin_src, self.lin_dst, self.lin_final):
            item.reset_parameters()
        self._forget()

    # --- scores ---

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Logits [pairs, 1] of embeddings [pairs, embedding_dim]."""
        return self.lin_final((self.lin_src(source) + self.lin_dst(target)).relu())

    def every(self, source: Tensor, target: Tensor) -> Tensor:
        """The same for all pairs, shape [sources, targets, 1]."""
        return self.lin_final((self.lin_src(source).unsqueeze(1) + self.lin_dst(target).unsqueeze(0)).relu())

    def step(self, events: Events, first: int, last: int, others: Tensor, size: int | None = None) -> Tensor:
        """Score some events beside other targets by what was known before them, then learn of the events.

        Args:
            events: all events.
            first: the first to score.
            last: the one behind them.
            others: targets to compare with, [last - first, negatives], in the numbering of the events.
            size: events of a batch, for those on the way to `first`; by default as many as are scored.

        Returns:
            Logits [pairs]: of the events, then of the other targets, event by event.
        """
        self.follow(events, first, size or last - first)
        self.memory.detach()
        source, target = events.source[first:last], events.target[first:last]
        nodes, z = self._embed(events, torch.cat([source, target, others.reshape(-1)]))
        rows = torch.searchsorted(nodes, torch.cat([source, source.repeat_interleave(others.size(1))]))
        columns = torch.searchsorted(nodes, torch.cat([target, others.reshape(-1)]))
        scores = self.forward(z[rows], z[columns]).squeeze(-1)
        self._learn_of(events, first, last)
        return scores

    def embed_all(self) -> Tensor:
        """What is known of every node now, [num_nodes, embedding_dim]: behind the events that were followed last."""
        parts: list[Tensor] = []
        for nodes in torch.arange(self.memory.num_nodes, device=self.memory.device).split(_NODES_AT_ONCE):
            seen, z = self._embed(self._events, nodes)
            parts.append(z[torch.searchsorted(seen, nodes)])
        return torch.cat(parts)

    def _embed(self, events: Events | None, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """The nodes and their last neighbours, sorted, and the embeddings of all; those of neighbours are not used."""
        if events is None:  # Nothing has happened.
            seen = nodes.unique()
            memory = self.memory(seen)[0]
            return seen, self.conv(memory, seen.new_zeros(2, 0), memory.new_zeros(0, self.conv.edge_dim or 0))
        seen, index, numbers = self._last(nodes.unique())
        memory, last_update = self.memory(seen)
        elapsed = (last_update[index[0]] - events.time[numbers]).to(memory.dtype)
        carried = torch.cat([self.memory.time_enc(elapsed), events.message[numbers]], -1)
        return seen, self.conv(memory, index, carried)

    # --- the state ---

    def follow(self, events: Events, count: int, size: int) -> None:
        """Bring memory and neighbours to where so many events have happened.

        Args:
            events: all events.
            count: how many of them are known.
            size: events of a batch.

        Raises:
            ValueError: in training, for events that do not follow those of the step before.
        """
        if self._events is None or self._events.time is not events.time:
            self._forget()
            self._events = events
        if self.training:
            if count == 0:
                self._begin(events, 0, size)
            elif count != self._known:
                raise ValueError(
                    f"training goes over events in the order of time (at {self._known}, asked for {count})"
                )
            return
        kept = int(self.kept_events)
        base = kept if count >= kept else 0
        within = self._known is not None and base <= self._known <= count and (self._from_kept or base == 0)
        if not within or (count == kept and kept > 0) or self._known == 0:
            self._begin(events, base, size)
        assert self._known is not None
        for first in range(self._known, count, size):
            self._learn_of(events, first, min(first + size, count))

    def train(self, mode: bool = True) -> "EventMemory":
        """Into training or evaluation; on the way into evaluation, the memory takes in the messages that wait.

        PyG's memory does so always, and would take in again what evaluation has left.
        """
        if not mode:
            self.memory.training = self.memory.training and self._waits
            self._waits = False
        return super().train(mode)

    def keep(self) -> None:
        """Remember the memory as training has left it: later events begin there."""
        with torch.no_grad():
            self.memory.detach()
            self.eval()  # PyG's memory takes in the messages that wait.
            self.kept_memory.copy_(self.memory.memory)
            self.kept_update.copy_(self.memory.last_update)
            self.kept_events.fill_(self._known or 0)
            self.train()

    def _begin(self, events: Events, base: int, size: int) -> None:
        """An empty memory, or the one that training left, with the neighbours of that time."""
        self.memory.reset_state()
        self._waits = False
        self._from_kept = base > 0
        if base > 0:
            self.memory.memory.copy_(self.kept_memory)
            self.memory.last_update.copy_(self.kept_update)
        if base == 0 or self._known != base:
            self._last = self._new_neighbors()
            for first in range(0, base, size):
                part = slice(first, min(first + size, base))
                self._last.insert(events.source[part], events.target[part])
        self._known = base

    def _learn_of(self, events: Events, first: int, last: int) -> None:
        source, target = events.source[first:last], events.target[first:last]
        self.memory.update_state(source, target, events.time[first:last], events.message[first:last])
        self._last.insert(source, target)
        self._known, self._waits = last, self.training

    def _forget(self) -> None:
        """Know of no event: the next call begins with an empty memory, or the one that is kept."""
        self._events: Events | None = None
        self._known: int | None = None
        self._from_kept = self._waits = False
        self._last = self._new_neighbors()

    def _new_neighbors(self) -> LastNeighborLoader:
        return LastNeighborLoader(self.memory.num_nodes, self.num_neighbors, device=self.memory.device)


def _forget_state(module: nn.Module, _keys: Any) -> None:
    cast("EventMemory", module)._forget()
