"""Which layers a program uses."""

from collections.abc import Iterator

from graphdsl.model.program import EdgesStage, GraphPrediction, LayerUse, NodesStage, Program, SequenceStage


def layer_uses(program: Program) -> Iterator[LayerUse]:
    """The layers of all maps and steps, in order; those of pipes and predictions are left out: they see no edges."""
    for stage in program.stages:
        if isinstance(stage, NodesStage | EdgesStage):
            yield from (rule.layer for rule in stage.rules)
        elif isinstance(stage, SequenceStage):
            yield from (step.layer for step in stage.steps if step.layer is not None)


def wants_degrees(program: Program) -> bool:
    """Whether some layer, one among its arguments, or a readout scales by how many values it reduces."""
    readouts = [item.readout for item in program.predictions if isinstance(item, GraphPrediction)]
    return any(map(_scales, (*layer_uses(program), *(use for use in readouts if use is not None))))


def _scales(use: LayerUse) -> bool:
    inside = (value for value in use.arguments.values() if isinstance(value, LayerUse))
    return "degrees" in use.entry.derived.values() or any(map(_scales, inside))
