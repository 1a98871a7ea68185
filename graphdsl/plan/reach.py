"""How far a prediction sees: the relations that matter at each hop from a predicted node."""

from graphdsl.plan.ir import JoinStage, Plan, RelationStage, Stage
from graphdsl.text import EdgeKey


def _live_hops(stage: RelationStage) -> dict[EdgeKey, int]:
    """How far a stage looks along each relation that matters."""
    alone = {step.edge: step.hops for step in stage.steps if step.live}
    return {edge: joint.hops for joint in stage.joints if joint.live for edge in joint.relations} | alone


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
    """How many hops the nodes of each state have looked, the input first.

    A layer of message passing is one hop, unless it propagates several times (`SGConv(K = 3)`).
    """
    result = [0]
    for stage in plan.stages:
        behind = max(result[state] for state in _sources(stage))
        hops = _live_hops(stage).values() if isinstance(stage, RelationStage) else ()
        result.append(behind + max(hops, default=0))
    return tuple(result)


def receptive_hops(plan: Plan) -> tuple[frozenset[EdgeKey], ...]:
    """The relations to follow at each hop from the predicted nodes, nearest hop first.

    A node *k* hops away still takes part in the first *L - k* layers, so hop *k + 1* follows every relation that is
    alive in one of those. Sampling exactly these relations with all neighbours gives the same numbers as the whole
    graph, but for layers that weigh a message by the degree of its source (`GCNConv`), which the outermost nodes of a
    sample do not know, as in PyG. Dead relations are never followed.
    """
    behind = depths(plan)
    longest = max((behind[head.state] for head in plan.heads), default=0)
    layers: list[set[EdgeKey]] = [set() for _ in range(longest)]
    for index, stage in plan.relation_stages():
        level = behind[index + 1]
        for edge, hops in _live_hops(stage).items():
            for hop in range(max(0, longest - level + hops) if level <= longest else 0):
                layers[hop].add(edge)
    return tuple(frozenset(layer) for layer in layers)
