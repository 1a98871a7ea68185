"""How many edges each relation of a plan has, and what a metapath would cost, before anything is composed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphdsl.data.derivation import along_hops, hops_and_sizes, walk_and_sizes, with_derived
from graphdsl.data.graph_set import GraphSet
from graphdsl.data.view import GraphView, open_data
from graphdsl.kernels import count_paths, profile_walk
from graphdsl.model import Metapath
from graphdsl.plan import Plan
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class RelationSize:
    """The size of a relation.

    Attributes:
        edge: the relation.
        origin: "data", "inverse" (made from its original), "metapath" (composed) or "walk" (a metapath that layers go
            along, so that no relation is made).
        edges: edges of a relation that is stored or flipped; the most pairs that a metapath can have: no source has more
            than its instances, or than there are destinations, and no destination more than are drawn.
        instances: paths of a metapath, each counted; None for other relations.
        budget: the metapath's budget, if it has one; of a walk, only if the layer makes its instances.
        walks: of a metapath, how many walks there are after each hop; the last number is `instances`.
        busiest: of a metapath, how many paths lead to the destination that most lead to.
    """

    edge: EdgeKey
    origin: str
    edges: int | None
    instances: int | None = None
    budget: int | None = None
    walks: tuple[int, ...] = ()
    busiest: int | None = None

    @property
    def exceeded(self) -> bool:
        """Whether more pairs are possible than the budget allows, or a walk has more instances."""
        most = self.instances if self.origin == "walk" else self.edges
        return self.budget is not None and most is not None and most > self.budget


def estimate_relations(plan: Plan, data: Any) -> tuple[RelationSize, ...]:
    """Sizes of all relations that a plan reads, in the order of their names.

    Counting the paths of a metapath takes one sum over the edges of each hop: nothing is composed.

    Args:
        plan: the model.
        data: a `HeteroData`, a `(FeatureStore, GraphStore)` pair, or graphs, which count together.
    """
    if isinstance(data, GraphSet):
        data = data.batch(range(len(data)))
    given = open_data(data)
    view, stored = with_derived(given, plan), set(given.edge_types)
    paths = {item.edge: item.metapath for item in plan.derived if item.metapath is not None}
    unmade = along_hops(given, plan)
    found: list[RelationSize] = []
    for edge in plan.relations:
        if edge in stored:
            found.append(RelationSize(edge, "data", view.connectivity(edge).shape[1]))
        elif edge in paths:
            size = _of_path(paths[edge], view)
            found.append(replace(size, origin="walk", edges=None, budget=None) if edge in unmade else size)
        else:
            present = edge in view.edge_types
            found.append(RelationSize(edge, "inverse", view.connectivity(edge).shape[1] if present else None))
    return (*found, *_of_walks(plan, view))


def _of_walks(plan: Plan, view: GraphView) -> tuple[RelationSize, ...]:
    """Metapaths that layers go along, each once, in the order of their names."""
    found: dict[EdgeKey, RelationSize] = {}
    for _, stage in plan.relation_stages():
        for joint in stage.joints:
            budgets: Mapping[EdgeKey, int] = joint.module.arguments.get("budgets", {})
            for key, hops in joint.paths.items():
                if len(hops) > 1 and (key not in found or key in budgets):
                    there = all(hop.edge in view.edge_types for hop in hops)
                    paths = count_paths(*walk_and_sizes(key[0], hops, view)) if there else None
                    found[key] = RelationSize(key, "walk", None, paths, budgets.get(key))
    return tuple(found[key] for key in sorted(found))


def _of_path(path: Metapath, view: GraphView) -> RelationSize:
    """Count the paths, hop by hop."""
    if any(hop.edge not in view.edge_types for hop in path.hops):
        return RelationSize(path.key, "metapath", None, None, path.budget)
    hops, sizes = hops_and_sizes(path, view)
    made = profile_walk(hops, sizes)
    pairs = made.pairs if path.sample is None else min(made.pairs, path.sample * made.reached)
    return RelationSize(path.key, "metapath", pairs, made.walks[-1], path.budget, made.walks, made.busiest)
