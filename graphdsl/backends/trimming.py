"""Sampled batches: each stage computes no more than the predictions of the seeds need.

What PyG's `trim_to_layer` does between the layers of a model that is written by hand, for any plan: two states may be
needed to different depths, and a layer that reads more than its neighbours gets all that there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch_geometric.nn import (
    GraphNorm,
    GraphSizeNorm,
    HeteroBatchNorm,
    LayerNorm,
    MeanSubtractionNorm,
    PairNorm,
)

from graphdsl.backends.graph import Graph, Values
from graphdsl.plan import AnyHead, JoinStage, Plan, Stage
from graphdsl.plan.trimming import Extent, can_trim, find_extents
from graphdsl.text import EdgeKey

NodeCounts = Mapping[str, Sequence[int]]
EdgeCounts = Mapping[EdgeKey, Sequence[int]]

_ALWAYS = (GraphNorm, GraphSizeNorm, MeanSubtractionNorm, PairNorm)


@dataclass(frozen=True, slots=True)
class Trim:
    """How many rows and edges each stage sees.

    Attributes:
        extents: of each stage, in hops.
        nodes: by node type, how many nodes are at most so many hops away.
        edges: by relation, how many edges lead into nodes at most so many hops away.
        whole_heads: names of predictions whose module sees all nodes.
    """

    extents: tuple[Extent, ...]
    nodes: Mapping[str, list[int]]
    edges: Mapping[EdgeKey, list[int]]
    whole_heads: frozenset[str]

    def narrow(self, index: int, stage: Stage, states: list[Values], graph: Graph) -> tuple[list[Values], Graph]:
        """States and graph as a stage sees them.

        Args:
            index: number of the stage.
            stage: the stage.
            states: states so far, each of at least the rows that this stage reads.
            graph: the whole batch.
        """
        extent = self.extents[index]
        rows = {name: self.nodes[name][far] for name, far in extent.reads.items()}
        kept = {edge: self._into(edge, far) for edge, far in extent.edges.items()}
        index_of = {edge: item[:, : kept[edge]] if edge in kept else item for edge, item in graph.edge_index.items()}
        makes = {name: self.nodes[name][far] for name, far in extent.makes.items()}
        seen = replace(graph, edge_index=index_of, kept={**rows, **kept}, makes=makes)
        joins = isinstance(stage, JoinStage)
        return [_first(state, rows, drop=joins) for state in states], seen

    def read(self, values: Values, head: AnyHead) -> Values:
        """What a prediction reads: the rows of the seeds, but for a module that sees all nodes."""
        whole = head.name in self.whole_heads
        return {name: values[name] if whole else values[name][: self.nodes[name][0]] for name in head.types}

    def seeds(self, made: Tensor, head: AnyHead) -> Tensor:
        """The rows of the seeds of what a module made of all nodes."""
        return made[: self.nodes[head.types[0]][0]] if head.name in self.whole_heads else made

    def _into(self, edge: EdgeKey, far: int) -> int:
        """How many edges lead into nodes at most so far away; into the last hop's nodes no edge was sampled."""
        counts = self.edges[edge]
        return counts[min(far, len(counts) - 1)] if far >= 0 and counts else 0


def _first(values: Values, rows: Mapping[str, int], drop: bool) -> Values:
    """Leading rows; types without a number as they are, or left out."""
    return {
        name: value[: rows[name]] if name in rows and value.size(0) > rows[name] else value
        for name, value in values.items()
        if name in rows or not drop
    }


def find_trim(
    plan: Plan,
    nodes: NodeCounts,
    edges: EdgeCounts,
    values: Values,
    graph: Graph,
    stages: Sequence[nn.Module | None],
    heads: Mapping[str, nn.Module],
) -> Trim | None:
    """How to trim a batch, or None where it must be computed as a whole.

    A batch whose nodes are not those that were counted is not trimmed. Relations whose edges are not (they were derived
    from others, or a transform changed them) are followed whole.

    Args:
        plan: the model.
        nodes: by node type, how many nodes each hop added, the seeds first.
        edges: by relation, how many edges each hop added.
        values: of state 0, untrimmed.
        graph: the batch, untrimmed.
        stages: the modules of the stages.
        heads: the modules of the predictions by key.
    """
    if not nodes:  # The whole graph; said first, because `torch.compile` cannot trace what follows.
        return None
    hops = max(len(counts) - 1 for counts in nodes.values())
    if hops < 1 or not can_trim(plan):
        return None
    absent = {name: [0] * (hops + 1) for name, value in values.items() if name not in nodes and value.size(0) == 0}
    counted = {**absent, **{name: list(accumulate(counts)) for name, counts in nodes.items()}}
    if any(name not in counted or counted[name][-1] != value.size(0) for name, value in values.items()):
        return None
    if any(len(counts) != hops + 1 for counts in counted.values()):
        return None
    followed = {edge: _cumulated(edges.get(edge), index) for edge, index in graph.edge_index.items()}
    known = {edge: counts for edge, counts in followed.items() if counts is not None}
    whole = [module is not None and sees_all_rows(module) for module in stages]
    # Of a link, modules see pairs.
    whole_heads = frozenset(head.name for head in plan.node_heads if sees_all_rows(heads[head.key]))
    extents = find_extents(plan, hops, whole, whole_heads, followed.keys() - known.keys())
    return Trim(extents, counted, known, whole_heads)


def _cumulated(counts: Sequence[int] | None, index: Tensor) -> list[int] | None:
    """How many edges there are up to each hop; None where the count is of other edges."""
    if index.size(1) == 0:
        return []
    found = list(accumulate(counts or ()))
    return found if found and found[-1] == index.size(1) else None


def sees_all_rows(module: nn.Module) -> bool:
    """Whether a module, as it is now, holds a norm over all rows: batch norms in training, graph norms always.

    >>> norm = nn.BatchNorm1d(3)
    >>> sees_all_rows(norm), sees_all_rows(norm.eval())
    (True, False)
    """
    return any(_is_norm_of_rows(item) for item in module.modules())


def _is_norm_of_rows(module: Any) -> bool:
    if isinstance(module, _NormBase | HeteroBatchNorm):
        return module.training or module.running_mean is None
    if isinstance(module, LayerNorm):
        return module.mode == "graph"
    return isinstance(module, _ALWAYS)
