"""Events of PyG, in `TemporalData` or one by one, as a graph of one relation, as a schema names it."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch_geometric.data import HeteroData, TemporalData

from graphdsl.data.homogeneous import EDGE
from graphdsl.model import Schema
from graphdsl.text import EdgeKey

_ENDS = ("src", "dst")
TWO_ENDS = ("source", "to", "target")
"""What the types of events are called that join nodes of two types, where no schema names them."""


def event_relation(schema: Schema) -> EdgeKey | None:
    """The only edge type of a schema that has no further node types, inverses aside; None if there are others."""
    edges = [edge.key for edge in schema.edges.values() if not edge.derived]
    if len(edges) != 1 or set(schema.nodes) != {edges[0][0], edges[0][2]}:
        return None
    return edges[0]


def from_quadruples(parts: Mapping[str, Mapping[str, Tensor]], num_nodes: int, edge: EdgeKey) -> HeteroData:
    """Events of a knowledge graph, as PyG's `ICEWS18` and `GDELT` have them, as edges with `t` and `rel`.

    Args:
        parts: by split, `sub`, `rel`, `obj` and `t`; a split is marked by its mask, such as `train_mask`.
        num_nodes: nodes there are.
        edge: the relation that they make, within one type.

    >>> train = {"sub": torch.tensor([0]), "rel": torch.tensor([1]), "obj": torch.tensor([2]), "t": torch.tensor([3])}
    >>> made = from_quadruples({"train": train}, 4, ("actor", "acts", "actor"))
    >>> made["acts"].edge_index.tolist(), made["acts"].rel.tolist(), made["acts"].train_mask.tolist()
    ([[0], [2]], [1], [True])
    """
    made = HeteroData()
    made[edge[0]].num_nodes = num_nodes
    store = made[edge]
    found = {name: torch.cat([part[name] for part in parts.values()]) for name in ("sub", "obj", "rel", "t")}
    store.edge_index, store.rel, store.t = torch.stack([found["sub"], found["obj"]]), found["rel"], found["t"]
    for name in parts:
        sizes = [torch.full_like(part["t"], key == name, dtype=torch.bool) for key, part in parts.items()]
        store[f"{name}_mask"] = torch.cat(sizes)
    return made


def from_events(data: TemporalData, edge: EdgeKey | None = None) -> HeteroData:
    """Events as edges, their attributes under the names that they have: `t`, `msg`, `y`.

    Between two types, numbers of targets that go on behind those of sources, as in `JODIEDataset`, are counted from 0.

    Args:
        data: the events.
        edge: the relation that they make; without one it joins `source` and `target`, where targets go on behind the
            sources, or nodes of one type, `node`.

    >>> events = TemporalData(src=torch.tensor([0, 1]), dst=torch.tensor([2, 3]), t=torch.tensor([5, 7]))
    >>> made = from_events(events, ("user", "edits", "page"))
    >>> made["page"].num_nodes, made["user", "edits", "page"].edge_index.tolist(), made["user", "edits", "page"].t.tolist()
    (2, [[0, 1], [0, 1]], [5, 7])
    """
    source, target = data.src, data.dst
    assert isinstance(source, Tensor)
    assert isinstance(target, Tensor)
    sources, targets = (int(item.max()) + 1 if item.numel() else 0 for item in (source, target))
    if edge is None:
        apart = bool(source.numel()) and int(target.min()) > int(source.max())
        edge = TWO_ENDS if apart else EDGE
    made = HeteroData()
    if edge[0] == edge[2]:
        made[edge[0]].num_nodes = max(sources, targets)
    else:
        behind = sources if target.numel() and int(target.min()) >= sources else 0
        target = target - behind
        made[edge[0]].num_nodes, made[edge[2]].num_nodes = sources, targets - behind
    made[edge].edge_index = torch.stack([source, target])
    for key, value in data.to_dict().items():
        if key not in _ENDS:
            made[edge][key] = value
    return made
