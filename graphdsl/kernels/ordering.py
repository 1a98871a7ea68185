"""Order of the two linear maps of a relation: its weights, and the sum along its edges. Either may come first."""

_SUM = 6.0
"""Cost of adding one number of a row that an edge leads from, in multiplications of a matrix product."""
_MOVE = 4.0
"""Cost of writing one number."""


def transforms_first(edges: int, sources: int, pairs: int, width_in: int, width_out: int) -> bool:
    """Whether it is cheaper to transform the sources and sum along edges what came out, than to sum first.

    Args:
        edges: of the relation.
        sources: nodes that would be transformed first.
        pairs: destinations with an edge, which would be transformed afterwards.
        width_in: columns of the sources.
        width_out: columns of the result.

    >>> transforms_first(2_000_000, 3000, 3000, 1902, 64), transforms_first(1000, 100_000, 500, 64, 64)
    (True, False)
    """
    before = sources * width_out * (width_in + _MOVE) + _SUM * edges * width_out
    after = (
        pairs * width_out * (width_in + _MOVE) + (_SUM * edges + _MOVE * pairs) * width_in + _SUM * pairs * width_out
    )
    return before < after
