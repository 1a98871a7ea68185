"""Layers of single relations, all relations of a stage together."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from graphdsl.backends.fused.additive import send_additive
from graphdsl.backends.fused.aggregating import send_aggregating
from graphdsl.backends.fused.dotted import send_dotted
from graphdsl.backends.fused.dynamic import send_dynamic
from graphdsl.backends.fused.finishing import finish
from graphdsl.backends.fused.gated import send_gated
from graphdsl.backends.fused.linear import LinearLayout, lay_out_linear, sum_linear
from graphdsl.backends.fused.normalization import factors_of_call, lay_out_factors
from graphdsl.backends.fused.relations import Bucket, Slots
from graphdsl.backends.fused.roots import with_roots
from graphdsl.backends.fused.similar import send_similar
from graphdsl.backends.fused.summing import send_summing
from graphdsl.backends.fused.terms import linear_term
from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.pyg.relation_map import made_rows
from graphdsl.plan import RelationStage, RelationStep
from graphdsl.plan.fusing import Family
from graphdsl.plan.grouping import Group, stays_apart, width_pair


@dataclass(frozen=True, slots=True)
class Served:
    """What a stage's kernels are given.

    Attributes:
        modules: the layer of each step.
        steps: the steps, in canonical order.
        stage: the stage.
        states: states so far.
        graph: edges and attributes.
        together: whether messages of several relations into a type are added up.
        groups: steps that one kernel serves.
    """

    modules: list[nn.Module]
    steps: list[RelationStep]
    stage: RelationStage
    states: list[Values]
    graph: Graph
    together: bool
    groups: tuple[Group, ...]


def serve_steps(served: Served) -> dict[str, list[Tensor]]:
    """Messages [num_nodes, width] by destination: their sum, or those of each relation in order."""
    values = served.states[served.stage.reads]
    own = made_rows(values, served.graph)
    slots, each = (Slots.of(served.steps, together, own) for together in (served.together, False))
    made: dict[int, Tensor] = {}
    for group in served.groups:
        apart = stays_apart(served.steps[group.members[0]])
        bucket = Bucket.of(group.members, served.steps, served.modules, each if apart else slots, values, own)
        messages = _SENDERS[group.family](bucket, served.stage, served.states, served.graph)
        for slot, message in messages.items():
            if apart:
                step = served.steps[slot]
                message = finish(step, served.modules[slot], message, own[step.edge[2]])
                slot = slots.of_step[slot]
            made[slot] = made[slot] + message if slot in made else message
    found: dict[str, list[Tensor]] = defaultdict(list)
    for slot in sorted(made):
        found[slots.types[slot]].append(made[slot])
    return found


_Sender = Callable[[Bucket, RelationStage, list[Values], Graph], dict[int, Tensor]]


def fits(served: Served) -> bool:
    """Whether the values that layers read are as wide as the layers are."""
    values = served.states[served.stage.reads]
    for step in served.steps:
        ends = (step.edge[0], step.edge[2])
        if any(values[name].shape[1:] != (width,) for name, width in zip(ends, width_pair(step), strict=True)):
            return False
    return True


def _send_linear(bucket: Bucket, stage: RelationStage, states: list[Values], graph: Graph) -> dict[int, Tensor]:
    terms = [linear_term(step, module, stage, states, graph) for step, module in bucket.items()]
    kinds = tuple(term.kind for term in terms)
    index = [graph.edge_index[step.edge] for step in bucket.steps]
    width_out, width_in = terms[0].weight.shape

    def make() -> LinearLayout:
        edges, factors = lay_out_factors(bucket, kinds, index)
        return lay_out_linear(bucket.union(edges), factors, (width_in, width_out))

    layout = bucket.keep(("linear", kinds, width_in, width_out), index, make)
    weight = torch.stack([term.weight for term in terms])
    given = factors_of_call(bucket, kinds, index, [term.given for term in terms])
    x = [bucket.values[name] for name in bucket.sources]
    total = sum_linear(layout, x, weight, given)
    return with_roots(bucket, total, [term.root for term in terms], [term.bias for term in terms])


_SENDERS: Final[Mapping[Family, _Sender]] = {
    "linear": _send_linear,
    "aggregating": send_aggregating,
    "summing": send_summing,
    "gated": send_gated,
    "attention": send_additive,
    "dot-attention": send_dotted,
    "dot-attention-attributes": send_dotted,
    "dynamic": send_dynamic,
    "similarity": send_similar,
}
