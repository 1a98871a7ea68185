"""Which metapaths a model goes along hop by hop on some data, and what that costs beside composing them."""

from dataclasses import dataclass
from typing import Any, Literal

from graphdsl.data.derivation import weigh_candidates
from graphdsl.data.graph_set import GraphSet
from graphdsl.data.view import open_data
from graphdsl.kernels import HopCost
from graphdsl.plan import Plan
from graphdsl.plan.hopping import PathUse, list_path_uses
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class PathChoice:
    """How a metapath is computed on some data.

    Attributes:
        edge: its key.
        by: "hops": one sum for each hop, no pair is made; "pairs": it is composed; "data": the data holds its pairs, or
            lacks what it is made from.
        cost: of both ways; None where there is no choice.
        reason: why.
    """

    edge: EdgeKey
    by: Literal["hops", "pairs", "data"]
    cost: HopCost | None
    reason: str


def list_path_choices(plan: Plan, data: Any) -> tuple[PathChoice, ...]:
    """How each metapath of a plan is computed, in the order of their names.

    Args:
        plan: the model.
        data: as of `estimate_relations`.
    """
    if isinstance(data, GraphSet):
        data = data.batch(range(len(data)))
    costs = weigh_candidates(open_data(data), plan)
    return tuple(_choose(use, costs.get(use.edge)) for use in list_path_uses(plan))


def _choose(use: PathUse, cost: HopCost | None) -> PathChoice:
    if use.reason:
        return PathChoice(use.edge, "pairs", None, use.reason)
    if cost is None:
        return PathChoice(use.edge, "data", None, "the data holds it, or lacks what it is made from")
    if cost.pays:
        share = cost.pairs / max(cost.steps, 1)
        return PathChoice(use.edge, "hops", cost, f"{share:,.3g} pairs for each edge or node on the way")
    reason = "there are few pairs" if cost.exact else "several paths join the same nodes, and each pair counts once"
    return PathChoice(use.edge, "pairs", cost, reason)
