"""`predict … weight 0.5`: the share of a prediction in the loss."""

from collections.abc import Callable
from typing import Any

from graphdsl.model.values import UNKNOWN, show
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, report


def read_weight(
    statement: n.PredictStatement, value_of: Callable[[n.Expression], Any], found: list[Diagnostic]
) -> float:
    """The weight of a prediction, 1 by default and after a report.

    Args:
        statement: the prediction as written.
        value_of: gives values of expressions, UNKNOWN after a report.
        found: where problems go.
    """
    if statement.weight is None:
        return 1.0
    value = value_of(statement.weight)
    if value is UNKNOWN:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float):
        found.append(report("GNN202", f"a weight is a number, not {show(value)}", statement.weight.span))
        return 1.0
    if value < 0:
        found.append(report("GNN204", f"a weight is at least 0, not {show(value)}", statement.weight.span))
        return 1.0
    return float(value)
