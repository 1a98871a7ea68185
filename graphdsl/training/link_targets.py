"""Which edges train, validate and test, which of them pass messages meanwhile, and what they carry.

As in PyG's `RandomLinkSplit`: messages of the training and validation splits run over training edges, those of the test
split over training and validation edges. An inverse relation is split along. Parallel edges fall into one split, and
within one node type so do an edge and its reverse. Edges of a split are the same at each call, whatever the seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphdsl.data.hiding import kept_inverse, pair_numbers, stored_relation
from graphdsl.data.places import show_place
from graphdsl.data.roles import SPLITS, UNSPLIT, EdgeRoles, roles_at_random, roles_by_time, set_apart
from graphdsl.data.view import GraphView
from graphdsl.kernels import NonNeighbors
from graphdsl.kernels.signs import NEGATIVE, POSITIVE, SignedPairs
from graphdsl.model import Schema, Training
from graphdsl.plan import LinkHead
from graphdsl.text import Diagnostic, EdgeKey, report, show_edge
from graphdsl.training.task import HeadTask


@dataclass(frozen=True, slots=True)
class LinkTargets:
    """Edges that a prediction learns from and is tested on.

    Attributes:
        edge_index: all edges of the predicted relation, source first, shape `[2, num_edges]`.
        labels: what they carry, conformed to the task; None where their existence is predicted.
        edges: by split, positions of the edges that are predicted.
        time: when each edge happens; None unless sampling is temporal.
        others: draws targets that a source has no edge to; None where labels are predicted.
        signs: draws what signs are compared with, where those are predicted: labels are then `POSITIVE` and `NEGATIVE`.
    """

    edge_index: Tensor
    labels: Tensor | None
    edges: Mapping[str, Tensor]
    time: Tensor | None
    others: NonNeighbors | None
    signs: SignedPairs | None = None


class LinkReader:
    """Reads the targets of link predictions of one graph; predictions of one relation share its split.

    Args:
        view: the graph.
        schema: says which relations are inverses, and which attributes are times.
        training: `split`, `disjoint` and `temporal`.
        found: where problems go.
    """

    def __init__(self, view: GraphView, schema: Schema, training: Training, found: list[Diagnostic]) -> None:
        self._view, self._schema, self._training, self._found = view, schema, training, found
        self._roles: dict[EdgeKey, EdgeRoles] = {}
        self._hidden: set[EdgeKey] = set()

    def read(self, head: LinkHead, task: HeadTask) -> LinkTargets | None:
        """The targets of a prediction, or None after a report."""
        if head.negative is not None:
            return self._read_signed(head, head.negative, task)
        stored = stored_relation(self._view, head.edge, self._schema)
        if stored is None or not self._view.count(stored[0]):
            said = "has no" if stored is None else "has no edges in"
            message = f"the data {said} `{show_edge(head.edge)}`, which is predicted"
            where = show_place(head.edge)
            self._found.append(report("GNN601", message, head.span, "predicted here", where=where))
            return None
        edge, backward = stored
        index = _as_tensor(self._view.connectivity(edge)).long()
        time = self._read_time(head, edge) if self._training.temporal or head.events is not None else None
        roles = self._split(head, edge, index, time)
        labels = self._read_labels(head, edge)
        if roles is None or (labels is None and head.attribute is not None):
            return None
        if not head.keep_target:
            self._hidden.add(edge)
        edges = self._choose(head, task, roles, labels)
        index = index.flip(0) if backward else index
        conformed = None if labels is None else task.conform(labels)
        return LinkTargets(index, conformed, edges, time, self._others(head, index))

    def kept(self, split: str) -> dict[EdgeKey, Tensor]:
        """By stored relation, which edges pass messages while a split is predicted; whole relations are left out."""
        found: dict[EdgeKey, Tensor] = {}
        for edge in sorted(self._hidden & set(self._roles)):
            found[edge] = self._roles[edge].passing(split)
            inverse = self._schema.edges[edge].inverse
            if inverse is not None and inverse in self._view.edge_types:
                index, flipped = (_as_tensor(self._view.connectivity(item)).long() for item in (edge, inverse))
                found[inverse] = kept_inverse(index, flipped, found[edge])
        return found

    # --- parts ---

    def _read_signed(self, head: LinkHead, negative: EdgeKey, task: HeadTask) -> LinkTargets | None:
        """Edges of both signs, the positive ones first, each relation split by itself."""
        read = [self.read(replace(head, negative=None, edge=edge), task) for edge in (head.edge, negative)]
        size = self._view.count(head.edge[0])
        if size is None:
            message = f"the number of nodes of `{head.edge[0]}` is unknown, so no pair without an edge can be drawn"
            self._found.append(report("GNN610", message, head.span, "predicted here"))
        both = [item for item in read if item is not None]
        if len(both) < 2 or size is None:
            return None
        index = torch.cat([item.edge_index for item in both], 1)
        first = both[0].edge_index.size(1)
        labels = torch.full((index.size(1),), NEGATIVE)
        labels[:first] = POSITIVE
        edges = {
            split: torch.cat([both[0].edges[split], first + both[1].edges[split]])
            for split in both[0].edges
            if split in both[1].edges
        }
        times = [item.time for item in both if item.time is not None]
        others = [NonNeighbors(item.edge_index, size, size) for item in both]
        signs = SignedPairs(index, size, others[0], others[1])
        return LinkTargets(index, labels, edges, torch.cat(times) if len(times) == 2 else None, None, signs)

    def _others(self, head: LinkHead, index: Tensor) -> NonNeighbors | None:
        if head.kind != "link":
            return None
        sizes = [self._view.count(name) for name in (head.edge[0], head.edge[2])]
        for name, size in zip((head.edge[0], head.edge[2]), sizes, strict=True):
            if size is None:
                message = f"the number of nodes of `{name}` is unknown, so no pair without an edge can be drawn"
                self._found.append(report("GNN610", message, head.span, "predicted here"))
                return None
        return NonNeighbors(index, sizes[0] or 0, sizes[1] or 0, loops=head.edge[0] != head.edge[2])

    def _read_labels(self, head: LinkHead, edge: EdgeKey) -> Tensor | None:
        if head.attribute is None:
            return None
        if head.attribute not in self._view.keys(edge):
            message = f"the data has no labels `{head.attribute}` on `{show_edge(edge)}`"
            where = show_place(edge, head.attribute)
            self._found.append(report("GNN603", message, head.span, "predicted here", where=where))
            return None
        return _as_tensor(self._view.read(edge, head.attribute))

    def _read_time(self, head: LinkHead, edge: EdgeKey) -> Tensor | None:
        declared = self._schema.edges[edge].attributes.values()
        times = [item.name for item in declared if item.type.kind == "time" and item.name in self._view.keys(edge)]
        if times:
            return _as_tensor(self._view.read(edge, times[0])).reshape(-1)
        message = f"`temporal` asks what each edge of `{show_edge(edge)}` may see, but they have no `time`"
        also = ((self._schema.edges[edge].span, "declared here"),)
        helps = ("declare `{ when: time }` for the relation and give it to the data, or train without `temporal`",)
        self._found.append(report("GNN624", message, head.span, "predicted here", also=also, helps=helps))
        return None

    def _choose(self, head: LinkHead, task: HeadTask, roles: EdgeRoles, labels: Tensor | None) -> dict[str, Tensor]:
        """Positions of each split's predicted edges; a split that is asked for may not be empty."""
        found: dict[str, Tensor] = {}
        for number, split in enumerate(SPLITS):
            chosen = roles.predicted(split)
            wanted = split == "train" or bool((roles.split == number).any())
            if labels is not None:
                chosen = chosen & task.is_labelled(labels)
            if bool(chosen.any()):
                found[split] = chosen.nonzero().reshape(-1)
            elif wanted:
                message = f"no edge of `{show_edge(head.edge)}` is left to {_DOES[split]} with"
                helps = ("`split: [0.8, 0.1, 0.1]` says which share of the edges each split gets",)
                self._found.append(report("GNN613", message, head.span, "predicted here", helps=helps))
        return found

    def _split(self, head: LinkHead, edge: EdgeKey, index: Tensor, time: Tensor | None) -> EdgeRoles | None:
        """The split of a stored relation: by its masks, by time, or at random."""
        if edge not in self._roles:
            roles = self._read_masks(edge, index.size(1))
            if roles is None:
                within = edge[0] == edge[2]
                numbers = pair_numbers(index, 1 + int(index.max()), ordered=not within)
                roles = roles_by_time(time, self._training.split) if time is not None else None
                roles = roles_at_random(numbers, self._training.split) if roles is None else roles
            apart = set_apart(roles == 0, index, edge[0] == edge[2], self._training.disjoint)
            self._roles[edge] = EdgeRoles(roles, apart)
        return self._roles[edge]

    def _read_masks(self, edge: EdgeKey, count: int) -> Tensor | None:
        """The roles that masks give; None without a `train_mask`."""
        if "train_mask" not in self._view.keys(edge):
            return None
        roles = torch.full((count,), UNSPLIT)
        for number in (2, 1, 0):
            key = f"{SPLITS[number]}_mask"
            if key not in self._view.keys(edge):
                continue
            mask = _as_tensor(self._view.read(edge, key)).reshape(-1)
            if len(mask) != count:
                message = f"`{show_place(edge, key)}` has {len(mask)} entries for {count} edges"
                self._found.append(report("GNN607", message, where=show_place(edge, key)))
                continue
            roles[mask.bool()] = number
        return roles


_DOES = {"train": "train", "val": "validate", "test": "test"}


def _as_tensor(value: Any) -> Tensor:
    return value.detach().cpu() if isinstance(value, Tensor) else torch.from_numpy(np.asarray(value))
