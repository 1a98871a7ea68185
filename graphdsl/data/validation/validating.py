"""All checks of a graph against a schema, tier by tier."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic
from typing import Any, TypeAlias

from torch_geometric.data import Batch

from graphdsl.data.graph_set import GraphSet, read_data
from graphdsl.data.survey import Survey
from graphdsl.data.validation.connectivity import check_connectivity
from graphdsl.data.validation.direction import check_direction
from graphdsl.data.validation.edges import check_edges
from graphdsl.data.validation.graph_lists import check_graphs
from graphdsl.data.validation.inverses import check_inverses
from graphdsl.data.validation.isolation import check_isolation
from graphdsl.data.validation.labels import check_labels
from graphdsl.data.validation.leaks import check_leaks
from graphdsl.data.validation.mirrors import check_mirrors
from graphdsl.data.validation.splits import check_splits
from graphdsl.data.validation.stored import METADATA_CHECKS
from graphdsl.data.validation.targets import check_targets
from graphdsl.data.validation.tiers import TIERS, Tier
from graphdsl.data.validation.times import check_times
from graphdsl.data.validation.values import check_values
from graphdsl.data.view import open_data
from graphdsl.model import HiddenLinks, Schema
from graphdsl.plan import PredictedLabel
from graphdsl.text import Diagnostic, SpecError, order, report

Check: TypeAlias = Callable[[Schema, Survey], Iterator[Diagnostic]]

CHECKS: Mapping[Tier, tuple[Check, ...]] = {
    "metadata": METADATA_CHECKS,
    "structure": (check_connectivity, check_edges, check_direction, check_inverses, check_isolation),
    "values": (check_values, check_splits, check_labels, check_times, check_leaks),
}


def validate(
    schema: Schema,
    data: Any,
    links: Iterable[HiddenLinks] = (),
    targets: Iterable[PredictedLabel] = (),
    tier: Tier = "values",
    seconds: float | None = None,
) -> tuple[Diagnostic, ...]:
    """Compare data with the schema that it is to serve.

    Args:
        schema: what a spec declares.
        data: a `HeteroData`, or a pair of a PyG `FeatureStore` and `GraphStore`, whose tensors are read one by one; a
            list or dataset of graphs; a homogeneous `Data`, if the schema has one node type and one edge type. A
            mini-batch is a graph too: what only the whole can tell is not asked of it.
        links: predicted relations, of which no other relation may tell.
        targets: predicted labels, whose nodes messages should reach.
        tier: how deep to look: "metadata" = types, attributes, widths, dtypes, numbers of rows; "structure" = the edges too;
            "values" = the numbers too.
        seconds: no check is begun after so long; which are left out is a finding (GNN672).

    Returns:
        All findings, ordered by their places in the spec; none for data that fits. Errors mean that a model would fail
        or compute nonsense; warnings that something may not be meant so; notes are worth knowing.
    """
    try:
        read = read_data(_whole_graphs(data, schema), schema)
        if isinstance(read, GraphSet):
            return order(check_graphs(read, lambda of, view: _run(of, Survey(view, part=True), _checks(tier), None)))
        view = Survey(open_data(read))
    except SpecError as error:
        return error.diagnostics
    deadline = None if seconds is None else monotonic() + seconds
    checks = _checks(tier)
    if tier != "metadata":
        checks["mirrors"] = lambda schema, view: check_mirrors(schema, view, links)
        checks["targets"] = lambda schema, view: check_targets(schema, view, targets)
    return order(_run(schema, view, checks, deadline))


def _whole_graphs(data: Any, schema: Schema) -> Any:
    """The graphs of a batch that carry labels of their own, of which the batch holds a row for each graph."""
    if schema.graph and isinstance(data, Batch) and getattr(data, "_slice_dict", None):
        return data.to_data_list()
    return data


def _checks(tier: Tier) -> dict[str, Check]:
    """All checks of a tier and those before it, by name."""
    if tier not in TIERS:
        raise ValueError(f"`tier` is one of {', '.join(map(repr, TIERS))} (got {tier!r})")
    names = TIERS[: TIERS.index(tier) + 1]
    return {check.__name__.removeprefix("check_"): check for name in names for check in CHECKS[name]}


def _run(schema: Schema, view: Survey, checks: Mapping[str, Check], deadline: float | None) -> Iterator[Diagnostic]:
    for number, check in enumerate(checks.values()):
        if deadline is not None and number and monotonic() >= deadline:
            left = ", ".join(f"`{name}`" for name in [*checks][number:])
            message = f"time is up: {len(checks) - number} of {len(checks)} checks were not made: {left}"
            helps = ("`--seconds` gives them time, `--tier` says how deep to look at all",)
            yield report("GNN672", message, where="data", helps=helps)
            return
        yield from check(schema, view)
