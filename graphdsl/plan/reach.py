"""How far a prediction sees: the relations that matter at each hop from a predicted node."""

from graphdsl.plan.ir import JoinStage, Plan, RelationStage, Stage
from graphdsl.text import EdgeKey


def _live_edges(stage: RelationStage) -> frozenset[EdgeKey]:
    alone = {step.edge for step in stage.steps if step.live}
    return frozenset(alone | {edge for joint in stage.joints if joint.live for edge in joint.edges})


def _sources(stage: Stage) -> set[int]:
    """States that a stage reads."""
    states = {stage.reads}
    if isinstance(stage, JoinStage):
        states |= set(stage.states)
    if isinstance(stage, RelationStage):
        bound = (item for step in (*stage.steps, *stage.joints) for item in step.inputs)
        states |= {item.state for item in bound if item.source == "state"}
    return states


def depths(plan: Plan) -> tuple[int, ...]:
    """Message passing layers behind each state, the input first."""
    result = [0]
    for stage in plan.stages:
        behind = max(result[state] for state in _sources(stage))
        alive = isinstance(stage, RelationStage) and bool(_live_edges(stage))
        result.append(behind + alive)
    return tuple(result)


def receptive_hops(plan: Plan) -> tuple[frozenset[EdgeKey], ...]:
    """The relations to follow at each hop from the predicted nodes, nearest hop first.

    A node *k* hops away still takes part in the first *L - k* layers, so hop *k + 1* follows every relation that is
    alive in one of those. Sampling exactly these relations with all neighbours gives the same numbers as the whole
    graph; dead relations are never followed.
    """
    behind = depths(plan)
    longest = max((behind[head.state] for head in plan.heads), default=0)
    layers: list[set[EdgeKey]] = [set() for _ in range(longest)]
    for index, stage in plan.relation_stages():
        level = behind[index + 1]
        for hop in range(max(0, longest - level + 1)):
            if level >= 1:
                layers[hop] |= _live_edges(stage)
    return tuple(frozenset(layer) for layer in layers)
