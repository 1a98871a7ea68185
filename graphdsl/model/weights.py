"""`predict … weight 0.5`, `learn … weight 0.5`, `penalty … weight 0.1`: shares in the loss."""

from collections.abc import Callable, Mapping
from typing import Any

from graphdsl.model.values import UNKNOWN, Refused, evaluate, show
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, report


def read_weight(
    written: n.Expression | None, value_of: Callable[[n.Expression], Any], found: list[Diagnostic]
) -> float:
    """The weight of a prediction or objective, 1 by default and after a report.

    Args:
        written: what stands behind `weight`, if anything.
        value_of: gives values of expressions, UNKNOWN after a report.
        found: where problems go.
    """
    return 1.0 if written is None else _number(written, value_of(written), found)


def read_positive(node: n.Expression | None, values: Mapping[str, Any], found: list[Diagnostic]) -> float:
    """The weight of a penalty, 1 by default and after a report; 0 only as a parameter's value, to do without it."""
    if node is None:
        return 1.0
    try:
        value = evaluate(node, values)
    except Refused as refused:
        found.append(refused.diagnostic)
        return 1.0
    if isinstance(node, n.Literal) and str(value) in ("0", "0.0"):
        helps = ("leave the penalty out, or make the weight a parameter of the model",)
        found.append(report("GNN204", "a penalty of weight 0 changes nothing", node.span, helps=helps))
    return _number(node, value, found)


def _number(node: n.Expression, value: Any, found: list[Diagnostic]) -> float:
    if value is UNKNOWN:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float):
        found.append(report("GNN202", f"a weight is a number, not {show(value)}", node.span))
        return 1.0
    if value < 0:
        found.append(report("GNN204", f"a weight is at least 0, not {show(value)}", node.span))
        return 1.0
    return float(value)
