"""Splits of a relation's edges for link prediction, from which no relation tells what is to be predicted.

What the schema knows is used: a declared inverse is split along with its original, whichever of them the data holds;
relations that the data holds for metapaths over the predicted one are composed anew from the edges that are left;
parallel edges, and an edge and its reverse within one type, fall into one split. A relation that holds the same pairs
and is not declared as an inverse is refused. (PyG's transform knows of an inverse only what `rev_edge_types` tells
it, and of metapaths nothing.)
"""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from graphdsl.data.graph_set import read_data
from graphdsl.data.hiding import kept_inverse, pair_numbers, stored_relation
from graphdsl.data.places import show_place
from graphdsl.data.roles import SPLITS, EdgeRoles, roles_at_random, roles_by_time, set_apart
from graphdsl.data.survey import Survey
from graphdsl.data.validation.mirrors import check_mirrors
from graphdsl.data.view import open_data
from graphdsl.kernels import NonNeighbors, compose
from graphdsl.model import HiddenLinks, Schema
from graphdsl.plan.bindings import METAPATH_WEIGHT
from graphdsl.text import EdgeKey, SpecError, did_you_mean, listing, report, show_edge


def split_links(
    schema: Schema,
    data: HeteroData,
    relation: str | EdgeKey,
    *,
    split: tuple[float, ...] = (0.8, 0.1, 0.1),
    disjoint: float = 0.0,
    negatives: int = 1,
    time: str | None = None,
    seed: int = 0,
    harmless: Iterable[EdgeKey] = (),
) -> tuple[HeteroData, HeteroData, HeteroData]:
    """Split the edges of a relation as PyG's `RandomLinkSplit` does, but so that nothing gives the answers away.

    Args:
        schema: declares relations, inverses and metapaths.
        data: the graph; it is not changed, and tensors that stay the same are shared.
        relation: the predicted relation, by its name where that is unambiguous, or as a triple.
        split: shares of training, validation and test.
        disjoint: share of the training edges that are predicted and pass no messages; 0: all of them do both.
        negatives: for each predicted edge, so many pairs of its source and a target that it has no edge to in any split.
        time: an attribute of the relation by which to split, oldest first, instead of at random.
        seed: of the drawing.
        harmless: relations that hold the same pairs and may stay, because they will be known; or that the schema does
            not declare.

    Returns:
        Three graphs: for training, validation and test. In each, `edge_label_index` of the predicted relation has the pairs
        to predict, shape `[2, pairs]`, positives first, and `edge_label` has 1 for edges and 0 for others, shape `[pairs]`.
        Messages of training and validation run over training edges, those of test over training and validation edges.
        Relations that the schema does not declare are not in them: nobody can tell what they give away.

    Raises:
        SpecError: GNN101 and GNN603 for unknown names, GNN601 and GNN606 without sound edges, GNN625 for a mirror.
        ValueError: shares that are negative or do not make 1 together; a negative number of negatives.

    >>> import graphdsl
    >>> spec = graphdsl.loads("schema shop { node user node film edge user -[saw]-> film reverse seen_by }")
    >>> data = HeteroData()
    >>> data["user"].num_nodes, data["film"].num_nodes = 10, 10
    >>> data["user", "saw", "film"].edge_index = torch.stack([torch.arange(10), torch.arange(10)])
    >>> train, val, test = split_links(spec.schema(), data, "saw")
    >>> train["user", "saw", "film"].edge_index.shape, test["user", "saw", "film"].edge_label
    (torch.Size([2, 8]), tensor([1., 0.]))
    """
    _check_numbers(split, disjoint, negatives)
    read = read_data(data, schema)
    view, edge = Survey(open_data(read)), _find_relation(schema, relation)
    stored, index = _stored_edges(schema, view, edge)
    _refuse_mirrors(schema, view, edge, harmless := frozenset(harmless))
    roles = _assign(view, stored[0], index, split, disjoint, time, seed)
    forward = index.flip(0) if stored[1] else index
    others = NonNeighbors(forward, *_sizes(view, edge), loops=edge[0] != edge[2])
    generator = torch.Generator().manual_seed(seed)
    train, val, test = (_without(read, set(view.edge_types) - set(schema.relations()) - harmless) for _ in SPLITS)
    for name, graph in zip(SPLITS, (train, val, test), strict=True):
        _hide(graph, schema, view, stored[0], roles.passing(name))
        _ask(graph, edge, forward, roles.predicted(name), others, negatives, generator)
    return train, val, test


def _without(data: HeteroData, relations: set[EdgeKey]) -> HeteroData:
    """A copy without some relations, that shares its tensors."""
    made = copy.copy(data)
    for key in relations:
        del made[key]
    return made


def _check_numbers(split: tuple[float, ...], disjoint: float, negatives: int) -> None:
    if len(split) not in (2, 3) or min(split) < 0 or abs(sum(split) - 1) > 1e-6 or not 0 <= disjoint < 1:
        raise ValueError(f"two or three shares that make 1, and `disjoint` from 0 to 1 (got {split} and {disjoint})")
    if negatives < 0:
        raise ValueError(f"`negatives` is how many pairs without an edge each edge gets: 0 or more (got {negatives})")


def _find_relation(schema: Schema, relation: str | EdgeKey) -> EdgeKey:
    if isinstance(relation, tuple) and len(relation) == 3:
        if relation in schema.edges:
            return relation
        named, shown = relation[1], show_edge(relation)
    else:
        relation = str(relation)
        found = [key for key, edge in schema.edges.items() if key[1] == relation]
        declared = [key for key in found if not schema.edges[key].derived] or found
        if len(declared) == 1:
            return declared[0]
        if declared:
            helps = (f"give the triple: {', '.join(map(repr, declared))}",)
            raise SpecError(
                [report("GNN101", f"several relations are called `{relation}`", where="relation", helps=helps)]
            )
        named, shown = relation, relation
    helps = did_you_mean(named, [key[1] for key in schema.edges])
    if named in schema.metapaths:
        helps = ("a metapath cannot be split: its edges follow from other relations",)
    notes = listing("relations", [show_edge(key) for key in schema.edges])
    raise SpecError(
        [report("GNN101", f"the schema has no relation `{shown}`", where="relation", helps=helps, notes=notes)]
    )


def _stored_edges(schema: Schema, view: Survey, edge: EdgeKey) -> tuple[tuple[EdgeKey, bool], Tensor]:
    """The stored relation, whether it runs the other way, and its edges."""
    stored = stored_relation(view, edge, schema)
    index = None if stored is None else view.edges(stored[0])
    if stored is None or index is None or not index.size(1):
        raise SpecError([_explain_absence(schema, view, edge, stored)])
    return stored, index


def _explain_absence(schema: Schema, view: Survey, edge: EdgeKey, stored: tuple[EdgeKey, bool] | None) -> Any:
    span, where = schema.edges[edge].span, show_place(edge)
    if stored is not None and view.count(stored[0]):
        helps = ("`spec.validate(data)` tells more",)
        return report(
            "GNN606", f"the edges of `{where}` are not sound", span, "declared here", where=where, helps=helps
        )
    return report("GNN601", f"the data has no edges of `{where}` to split", span, "declared here", where=where)


def _refuse_mirrors(schema: Schema, view: Survey, edge: EdgeKey, harmless: frozenset[EdgeKey]) -> None:
    """Other relations that hold the same pairs, in either direction."""
    read = frozenset(schema.edges) - harmless
    found = tuple(check_mirrors(schema, view, [HiddenLinks(edge, read, schema.edges[edge].span)]))
    if found:
        raise SpecError(found)


def _assign(
    view: Survey, edge: EdgeKey, index: Tensor, split: tuple[float, ...], disjoint: float, time: str | None, seed: int
) -> EdgeRoles:
    within = edge[0] == edge[2]
    if time is None:
        numbers = pair_numbers(index, 1 + int(index.max()), ordered=not within)
        roles = roles_at_random(numbers, split, seed)
    else:
        if time not in view.keys(edge):
            helps = did_you_mean(time, view.keys(edge))
            message = f"the data has no `{show_place(edge, time)}` to split by"
            raise SpecError([report("GNN603", message, where=show_place(edge, time), helps=helps)])
        roles = roles_by_time(view.read(edge, time).reshape(-1), split)
    return EdgeRoles(roles, set_apart(roles == 0, index, within, disjoint, seed + 1))


def _sizes(view: Survey, edge: EdgeKey) -> tuple[int, int]:
    sizes = view.sizes(edge)
    assert sizes is not None
    return sizes


def _hide(graph: HeteroData, schema: Schema, view: Survey, edge: EdgeKey, keep: Tensor) -> None:
    """Leave some edges of a relation, the same of its inverse, and metapaths of these alone."""
    inverse = schema.edges[edge].inverse
    kept: dict[EdgeKey, Tensor] = {edge: keep}
    if inverse is not None and inverse in view.edge_types:
        kept[inverse] = kept_inverse(view.connectivity(edge), view.connectivity(inverse), keep)
    for key, chosen in kept.items():
        _slice(graph, key, chosen)
    for path in schema.metapaths.values():
        if path.key in view.edge_types and any(hop.edge in {edge, inverse} for hop in path.hops):
            _compose_anew(graph, schema, view, path.key, kept)


def _slice(graph: HeteroData, edge: EdgeKey, keep: Tensor) -> None:
    store, count = graph[edge], len(keep)
    for key, value in list(store.items()):
        if key == "edge_index":
            store[key] = value.as_subclass(Tensor)[:, keep]
        elif isinstance(value, Tensor) and value.dim() and value.size(0) == count:
            store[key] = value[keep]


def _compose_anew(
    graph: HeteroData, schema: Schema, view: Survey, path: EdgeKey, kept: Mapping[EdgeKey, Tensor]
) -> None:
    """The stored relation of a metapath, from the edges that are left; hops that the data lacks are flipped inverses."""
    declared = schema.metapaths[path[1]]
    hops: list[Tensor] = []
    for hop in declared.hops:
        found = stored_relation(view, hop.edge, schema)
        if found is None:  # Nobody can tell which of its edges go: none stays.
            hops.append(torch.zeros(2, 0, dtype=torch.long))
            continue
        index = view.connectivity(found[0])
        index = index[:, kept[found[0]]] if found[0] in kept else index
        hops.append(index.flip(0) if hop.backward != found[1] else index)
    stops = [declared.source, *(hop.edge[0] if hop.backward else hop.edge[2] for hop in declared.hops)]
    sizes = [view.count(stop) or 0 for stop in stops]
    pairs, weight = compose(hops, sizes, declared.multiplicity, sample=declared.sample, seed=declared.seed)
    store = graph[path]
    for key in list(store.keys()):
        del store[key]
    store.edge_index = pairs
    if weight is not None:
        store[METAPATH_WEIGHT] = weight


def _ask(
    graph: HeteroData,
    edge: EdgeKey,
    index: Tensor,
    chosen: Tensor,
    others: NonNeighbors,
    negatives: int,
    generator: torch.Generator,
) -> None:
    """The pairs to predict: edges, then pairs without one."""
    positives = index[:, chosen].long()
    targets, exists = others.draw(positives[0].cpu(), negatives, generator)
    sources = positives[0].cpu().unsqueeze(1).expand(-1, negatives)
    drawn = torch.stack([sources[exists], targets[exists]]).to(index.device)
    store = graph[edge]
    store.edge_label_index = torch.cat([positives, drawn], 1)
    store.edge_label = torch.cat([torch.ones(positives.size(1)), torch.zeros(drawn.size(1))]).to(index.device)
