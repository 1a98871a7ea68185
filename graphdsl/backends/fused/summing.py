"""Aggregations of neighbours without a matrix: `SimpleConv`, `LGConv` and `GINConv`, all relations at once."""

from collections.abc import Hashable
from typing import Any

import torch
from torch import Tensor, nn

from graphdsl.backends.fused.aggregating import lay_out_reduction, weights_of_edges
from graphdsl.backends.fused.linear import lay_out_sum, sum_part
from graphdsl.backends.fused.normalization import factors_of_call, gcn_kind, lay_out_factors
from graphdsl.backends.fused.reducing import reduce_rows
from graphdsl.backends.fused.relations import Bucket
from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.pyg.relation_map import bound_input
from graphdsl.kernels.gathering import gather_sum
from graphdsl.plan import RelationStage
from graphdsl.plan.reducing import is_sum, is_zero_of_nothing


def send_summing(bucket: Bucket, stage: RelationStage, states: list[Values], graph: Graph) -> dict[int, Tensor]:
    """Messages by slot, of a bucket with one aggregation."""
    index = [graph.edge_index[step.edge] for step in bucket.steps]
    given = [
        next((bound_input(item, step, states, bucket.values, graph) for item in step.inputs), None)
        for step in bucket.steps
    ]
    x = [bucket.values[name] for name in bucket.sources]
    if is_sum(bucket.steps[0].module.arguments.get("aggr", "sum")):
        kinds = tuple(_kind(module, item is not None) for module, item in zip(bucket.modules, given, strict=True))

        def make() -> Any:
            edges, factors = lay_out_factors(bucket, kinds, index)
            return lay_out_sum(bucket.union(edges), factors)

        part = bucket.keep(("sum", kinds), index, make)
        total = sum_part(part, x, factors_of_call(bucket, kinds, index, given))
    else:
        total = _reduced(bucket, index, given, x)
    return dict(zip(bucket.slots, total.split(bucket.rows), strict=True))


def _kind(module: nn.Module, weighted: bool) -> Hashable:
    layer: Any = module
    if type(layer).__name__ == "LGConv":
        return gcn_kind(improved=False, loops=False, weighted=weighted) if layer.normalize else None
    return "mean" if layer.aggr == "mean" else None


def _reduced(bucket: Bucket, index: list[Tensor], given: list[Tensor | None], x: list[Tensor]) -> Tensor:
    """Other aggregations than sums [rows of all slots, width]."""
    every = not is_zero_of_nothing(bucket.steps[0].module.arguments["aggr"])
    layout = bucket.keep(("reduction", every, False), index, lambda: lay_out_reduction(bucket.union(index), every))
    table = x[0] if len(x) == 1 else torch.cat(x)
    weight = weights_of_edges(given, index, table)
    weight = None if weight is None else weight.index_select(0, layout.edges.order)
    layer: Any = bucket.modules[0]
    made = reduce_rows(layer.aggr_module, layout.edges, table, weight)
    return made if layout.join is None else gather_sum(layout.join, made)
