"""How many neighbours a relation contributes at each hop.

A *fanout* gives each relation a list, one number a hop: at most that many edges into each node that the hop before
added; -1 means all, 0 means that the relation is not followed at that hop.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

EdgeType: TypeAlias = tuple[str, str, str]
Fanout: TypeAlias = Mapping[EdgeType, Sequence[int]]

TAKE_ALL = -1


def tabulate_fanout(fanout: Fanout, relations: Sequence[EdgeType]) -> npt.NDArray[np.int64]:
    """Return the fanout as a table of shape `[hops, relations]`.

    A relation that `fanout` leaves out is not followed; a list shorter than the longest one ends with zeros.

    Args:
        fanout: numbers of neighbours, one list for each relation.
        relations: all relations of the graph, in the order of the columns.

    Raises:
        ValueError: a relation that the graph does not have, or a number that is neither -1 nor a whole number >= 0.

    Example:
        >>> tabulate_fanout({("a", "to", "b"): [5, 3], ("b", "to", "a"): [-1]}, [("a", "to", "b"), ("b", "to", "a")])
        array([[ 5, -1],
               [ 3,  0]])
    """
    if not isinstance(fanout, Mapping):
        raise ValueError(f"fanout is a {type(fanout).__name__}; accepted: a mapping from relation to numbers per hop")
    column = {relation: index for index, relation in enumerate(relations)}
    counts = {relation: _check_counts(relation, per_hop, relations) for relation, per_hop in fanout.items()}
    table = np.zeros((max(map(len, counts.values()), default=0), len(relations)), dtype=np.int64)
    for relation, per_hop in counts.items():
        table[: len(per_hop), column[relation]] = per_hop
    return table


def _check_counts(relation: EdgeType, per_hop: Sequence[int], relations: Sequence[EdgeType]) -> list[int]:
    if relation not in relations:
        names = {"->".join(known): known for known in relations}
        close = get_close_matches("->".join(map(str, relation)), names, n=1)
        hint = f"did you mean {names[close[0]]}?" if close else f"known: {list(relations)}"
        raise ValueError(f"fanout names the relation {relation}, which the graph does not have; {hint}")
    if isinstance(per_hop, str) or not isinstance(per_hop, Sequence):
        raise ValueError(f"relation {relation}: fanout {per_hop!r}; accepted: a list with one number per hop")
    for count in per_hop:
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < TAKE_ALL:
            raise ValueError(
                f"relation {relation}: fanout {count!r}; accepted: whole numbers, -1 for all, 0 for not followed"
            )
    return [int(count) for count in per_hop]
