"""Which layers a program uses."""

from collections.abc import Iterator

from graphdsl.model.program import EdgesStage, LayerUse, NodesStage, Program, SequenceStage


def layer_uses(program: Program) -> Iterator[LayerUse]:
    """The layers of all maps and steps, in order; those of pipes and predictions are left out: they see no edges."""
    for stage in program.stages:
        if isinstance(stage, NodesStage | EdgesStage):
            yield from (rule.layer for rule in stage.rules)
        elif isinstance(stage, SequenceStage):
            yield from (step.layer for step in stage.steps if step.layer is not None)


def wants_degrees(program: Program) -> bool:
    """Whether some layer scales by how many edges arrive at a node."""
    return any("degrees" in use.entry.derived.values() for use in layer_uses(program))
