"""What a plan reads from a graph, and which line of the spec reads it first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphdsl.plan import JoinStage, JointStep, NodeStage, Plan, RelationStage, RelationStep, Stage, graph_scorers
from graphdsl.text import EdgeKey, Span

Read = tuple[int, str, Span]
"""State, node type, and the line that reads its value."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a run of a plan cannot do without.

    Attributes:
        types: node types whose input is read, with the place that reads it first.
        relations: relations that carry messages, with the place that uses them first.
    """

    types: Mapping[str, Span]
    relations: Mapping[EdgeKey, Span]


def find_requirements(plan: Plan, live: bool) -> Requirements:
    """Find what a run reads.

    Args:
        plan: the model.
        live: only what the predictions depend on, or everything up to the last state.
    """
    reads = _reads(plan, live)
    raw = [set(plan.inputs)]
    for stage in plan.stages:
        raw.append(raw[stage.reads].intersection(stage.carried))
    types: dict[str, Span] = {}
    for state, name, span in reads:
        if name in raw[state]:
            types.setdefault(name, span)
    relations: dict[EdgeKey, Span] = {}
    for _, stage in plan.relation_stages():
        for step in running(stage, live):
            for edge in (step.edge,) if isinstance(step, RelationStep) else step.relations:
                relations.setdefault(edge, step.rule)
    for head in plan.node_heads:
        if head.spread is not None:
            relations.setdefault(head.spread.edge, head.spread.span)
    for link in graph_scorers(plan):
        relations.setdefault(link.edge, link.span)
    return Requirements(types, relations)


def running(stage: RelationStage, live: bool) -> Iterator[RelationStep | JointStep]:
    """The steps of a stage that a run computes."""
    return (step for step in (*stage.steps, *stage.joints) if step.live or not live)


def _reads(plan: Plan, live: bool) -> list[Read]:
    """All values that a run reads, in the order of the stages."""
    by_stage: list[list[Read]] = [[(head.state, name, head.span) for head in plan.heads for name in head.types]]
    needed = {(state, name) for state, name, _ in by_stage[0]}
    for index in reversed(range(len(plan.stages))):
        stage = plan.stages[index]
        wanted = {name for name in stage.widths if not live or (index + 1, name) in needed}
        found = list(_stage_reads(stage, wanted, live))
        by_stage.append(found)
        needed |= {(state, name) for state, name, _ in found}
        needed |= {(stage.reads, name) for name in wanted.intersection(stage.carried)}
    return [item for found in reversed(by_stage) for item in found]


def _stage_reads(stage: Stage, wanted: set[str], live: bool) -> Iterator[Read]:
    """What a stage reads to make the types in `wanted`."""
    if isinstance(stage, NodeStage):
        yield from (
            (stage.reads, step.type, step.rule) for step in stage.steps if step.type in wanted and step.reads_value
        )
    elif isinstance(stage, RelationStage):
        for step in running(stage, live):
            types = (step.edge[0], step.edge[2]) if isinstance(step, RelationStep) else step.types
            states = {stage.reads, *(item.state for item in step.inputs if item.source == "state")}
            yield from ((state, name, step.rule) for state in sorted(states) for name in types)
    elif isinstance(stage, JoinStage):
        made = sorted(wanted.intersection(stage.produced))
        yield from ((state, name, stage.span) for state in stage.states for name in made)
    for item in stage.pipe:
        if item.kind == "residual":
            yield from ((stage.reads, name, item.span) for name in sorted(wanted.intersection(stage.produced)))
