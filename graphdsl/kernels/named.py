"""Composition for relations that have a name and a place in a text: failures become findings, results are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from graphdsl.kernels.composed import compose_kept
from graphdsl.kernels.composition import BudgetExceeded, Multiplicity, Prefix
from graphdsl.kernels.hopping import HopCost, weigh_hops
from graphdsl.text import Diagnostic, Span, SpecError, report


@dataclass(frozen=True, slots=True)
class NamedWalk:
    """What is to be composed.

    Attributes:
        name: what the composite relation is called.
        span: where it is declared.
        hops: how each hop is written.
        multiplicity: "set", "count" or "mean".
        budget: most pairs that may be made.
        sample: most pairs of a destination, drawn.
        seed: of the drawing.
    """

    name: str
    span: Span
    hops: tuple[str, ...]
    multiplicity: Multiplicity
    budget: int | None = None
    sample: int | None = None
    seed: int = 0

    @classmethod
    def of(cls, path: Any) -> "NamedWalk":
        """The walk of a metapath as a schema declares it (a `graphdsl.model.Metapath`)."""
        return cls(path.name, path.span, path.written_hops, path.multiplicity, path.budget, path.sample, path.seed)


def compose_named(
    walk: NamedWalk, hops: Sequence[Tensor], sizes: Sequence[int], prefix: Prefix | None = None
) -> tuple[Tensor, Tensor | None]:
    """Compose hops as `compose` does; the same edges are composed once, as long as the result is kept.

    Args:
        walk: what it is.
        hops: edge index [2, edges] of each hop, in walking direction.
        sizes: numbers of nodes at every stop, one more than hops.
        prefix: the first hops, if they are composed already.

    Raises:
        SpecError: GNN402 when the budget is exceeded, GNN606 when an index is out of range.
    """
    try:
        return compose_kept(
            hops, sizes, walk.multiplicity, walk.budget, sample=walk.sample, seed=walk.seed, prefix=prefix
        )
    except BudgetExceeded as exceeded:
        raise SpecError([_explain(walk, exceeded)]) from exceeded
    except ValueError as error:
        raise SpecError([_misfit(walk, error)]) from error


def weigh_named(walk: NamedWalk, hops: Sequence[Tensor], sizes: Sequence[int], served: bool) -> HopCost:
    """Compare going along hops with composing them, as `weigh_hops` does.

    Args:
        walk: what it is.
        hops: as for `compose_named`.
        sizes: as for `compose_named`.
        served: whether kernels serve sums over its pairs.

    Raises:
        SpecError: GNN606 when an index is out of range.
    """
    try:
        return weigh_hops(hops, sizes, walk.multiplicity, served)
    except ValueError as error:
        raise SpecError([_misfit(walk, error)]) from error


def _misfit(walk: NamedWalk, error: ValueError) -> Diagnostic:
    """Hops that do not fit the nodes."""
    helps = ("`spec.validate(data)` tells more",)
    message = f"metapath `{walk.name}` cannot be composed: {error}"
    return report("GNN606", message, walk.span, where=walk.name, helps=helps)


def _explain(walk: NamedWalk, exceeded: BudgetExceeded) -> Diagnostic:
    """Which hop makes so many: the one that multiplies the walks most."""
    before = (1, *exceeded.walks)
    growth = [after / max(first, 1) for first, after in zip(before[1:], exceeded.walks[1:], strict=False)]
    notes = [
        f"walks after each hop: {', '.join(f'{hop} {count:,}' for hop, count in zip(walk.hops, exceeded.walks, strict=True))}"
    ]
    if growth:
        place = max(range(len(growth)), key=growth.__getitem__)
        hop, ways = f"hop {place + 2}, {walk.hops[place + 1]},", f"{growth[place]:,.3g}"
        notes.insert(0, f"{hop} makes it explode: each walk goes on in {ways} ways")
    helps = (
        f"raise the budget, up to {exceeded.instances}, or take a shorter metapath",
        f"or draw: `metapath {walk.name}(sample = 50) = …` keeps at most 50 of each node",
    )
    return report("GNN402", f"metapath `{walk.name}`: {exceeded}", walk.span, helps=helps, notes=notes)
