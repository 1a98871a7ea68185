"""Composition for relations that have a name and a place in a text: failures become findings."""

from collections.abc import Sequence

from torch import Tensor

from graphdsl.kernels.composition import BudgetExceeded, Multiplicity, compose
from graphdsl.text import Span, SpecError, report


def compose_named(
    name: str, span: Span, hops: Sequence[Tensor], sizes: Sequence[int], multiplicity: Multiplicity, budget: int | None
) -> tuple[Tensor, Tensor | None]:
    """Compose hops as `compose` does.

    Args:
        name: what the composite relation is called.
        span: where it is declared.
        hops: edge index [2, edges] of each hop, in walking direction.
        sizes: numbers of nodes at every stop, one more than hops.
        multiplicity: "set", "count" or "mean".
        budget: most pairs that may be made.

    Raises:
        SpecError: GNN402 when the budget is exceeded, GNN606 when an index is out of range.
    """
    try:
        return compose(hops, sizes, multiplicity, budget)
    except BudgetExceeded as exceeded:
        helps = (f"raise the budget, up to {exceeded.instances}, or take a shorter metapath",)
        raise SpecError([report("GNN402", f"metapath `{name}`: {exceeded}", span, helps=helps)]) from exceeded
    except ValueError as error:
        helps = ("`spec.validate(data)` tells more",)
        message = f"metapath `{name}` cannot be composed: {error}"
        raise SpecError([report("GNN606", message, span, where=name, helps=helps)]) from error
