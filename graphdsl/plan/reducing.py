"""Aggregations of neighbours as specs write them: which are sums, which have kernels, what they make of no neighbours.

An aggregation is a name, several names side by side, or a layer of its own such as `SoftmaxAggregation(learn = true)`.
"""

from typing import Any, Final, cast

from graphdsl.plan.module_spec import ModuleSpec

_SUMS: Final = ("sum", "add", "mean")
_NAMES: Final = {
    "SumAggregation": "sum",
    "MeanAggregation": "mean",
    "MaxAggregation": "max",
    "MinAggregation": "min",
    "VarAggregation": "var",
    "StdAggregation": "std",
    "SoftmaxAggregation": "softmax",
    "PowerMeanAggregation": "powermean",
    "VariancePreservingAggregation": "vpa",
}
_WEIGHED: Final = (*_SUMS, "max", "min", "var", "std", "vpa")
"""Aggregations whose kernels take a weight for each edge."""
_SCALED: Final = "DegreeScalerAggregation"


def is_sum(aggr: Any) -> bool:
    """Whether it is a sum or mean, so that a linear map may come before it.

    >>> is_sum("mean"), is_sum("max"), is_sum(("mean",))
    (True, False, False)
    """
    return isinstance(aggr, str) and aggr in _SUMS


def why_not_reduced(aggr: Any, weighted: bool) -> str:
    """Why no kernel reduces neighbours like this; "" where one does.

    Args:
        aggr: argument of a layer.
        weighted: whether each edge has a weight.

    >>> why_not_reduced("max", True), why_not_reduced("softmax", True)
    ('', 'weights of edges stand inside of `softmax`')
    """
    names = _parts(aggr)
    if len(set(names)) < len(names):
        return "it names an aggregation twice, which PyG computes in its own way"
    for name in names:
        if name in ("mul", "MulAggregation"):
            return "torch multiplies rows along edges no faster than PyG does"
        if name not in (*_SUMS, *_NAMES.values()):
            return f"`{name}` reads edges one by one"
        if weighted and name not in _WEIGHED:
            return f"weights of edges stand inside of `{name}`"
    return ""


def is_zero_of_nothing(aggr: Any) -> bool:
    """Whether a node without neighbours gets zeros.

    >>> is_zero_of_nothing(("mean", "std"))
    True
    """
    if not isinstance(aggr, ModuleSpec):
        return True
    arguments = aggr.arguments
    powered = aggr.name == "PowerMeanAggregation" and (arguments.get("p", 1) != 1 or arguments.get("learn"))
    return not powered and arguments.get("mode") != "logsumexp"


def is_own(aggr: Any) -> bool:
    """Whether each layer has an aggregation of its own: with parameters, or what its relation's degrees tell."""
    if not isinstance(aggr, ModuleSpec):
        return False
    return bool(aggr.arguments.get("learn")) or aggr.name == _SCALED


def _parts(aggr: Any) -> tuple[str, ...]:
    """The names in it."""
    if isinstance(aggr, str):
        return ("sum" if aggr == "add" else aggr,)
    if isinstance(aggr, ModuleSpec):
        inner = aggr.arguments.get("aggrs", aggr.arguments.get("aggr"))
        return (_NAMES.get(aggr.name, aggr.name),) if inner is None else _parts(inner)
    return tuple(name for item in cast(tuple[Any, ...], aggr) for name in _parts(item))
