"""A graph as attention within each relation reads it."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch_geometric.utils import add_self_loops, remove_self_loops

from graphdsl.backends.fused.relations import Bucket
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.projecting import Projection, lay_out_projection, lay_out_targets


@dataclass(frozen=True, slots=True)
class AttentionLayout:
    """A graph as attention reads it.

    Attributes:
        counts: edges of each relation.
        projection: rows of the table of projected sources.
        asking: rows of the table of projected destinations, one for each pair.
        edges: from the table to pairs of a relation and a destination, each row once a head.
        bounds: where the pairs of each relation begin.
        join: from pairs to destinations.
    """

    counts: tuple[int, ...]
    projection: Projection
    asking: Projection
    edges: Layout
    bounds: tuple[int, ...]
    join: Layout

    def ask(self, bucket: Bucket, weight: Tensor | Sequence[Tensor], bias: Sequence[Tensor] | None = None) -> Tensor:
        """What the destination of each pair makes of itself [pairs, width].

        Args:
            bucket: the steps.
            weight: of each [width, columns of the destination]; stacked where destinations are equally wide.
            bias: of each [width].
        """
        return self.asking.table(bucket.target_values, weight, bias).index_select(0, self.asking.column)


def attention_layout(
    bucket: Bucket, index: Sequence[Tensor], heads: int, loops: Sequence[bool] = ()
) -> AttentionLayout:
    """The edges of a bucket as attention reads them, kept while the edges live.

    Args:
        bucket: the steps.
        index: edges [2, edges] of each.
        heads: rows that each node has in the layout.
        loops: of each, whether its self-loops are replaced by one at each node; () = of none.

    Raises:
        SpecError: GNN606 if an edge leads from or to a node that is not there.
    """
    replaced = tuple(loops) or (False,) * len(index)
    # Models that share the graph may give its types other widths, and then ask by other rows.
    alike = len({value.size(1) for value in bucket.target_values}) == 1

    def lay_out() -> AttentionLayout:
        union = bucket.union(with_loops(bucket, index, replaced))
        projection = lay_out_projection(union)
        edges = Layout.of(union.pair_of_edge, projection.column, union.pairs, projection.rows).heads(heads)
        asking = lay_out_targets(union, pick=alike)
        return AttentionLayout(union.counts, projection, asking, edges, tuple(union.pair_bounds), union.join)

    return bucket.keep(("attention", heads, replaced, alike), index, lay_out)


def with_loops(bucket: Bucket, index: Sequence[Tensor], loops: Sequence[bool]) -> list[Tensor]:
    """The edges of a bucket, self-loops replaced by one at each node where that is asked for."""
    edges: list[Tensor] = []
    for number, item in enumerate(index):
        if loops[number]:
            rows = min(bucket.source_rows[bucket.source[number]], bucket.rows[bucket.target[number]])
            item, _ = add_self_loops(remove_self_loops(item)[0], num_nodes=rows)
        edges.append(item)
    return edges
