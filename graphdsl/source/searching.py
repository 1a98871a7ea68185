"""Functions that search neighbours: PyG's arguments stand between their inputs, so these are passed by name."""

from collections.abc import Mapping, Sequence
from typing import Final

from graphdsl.plan import ModuleSpec
from graphdsl.source.expressions import Expression, call, flat
from graphdsl.source.imports import Imports

POINTS: Final = "graphdsl.kernels.points."
"""Functions of two sets of points, each a line of Python or of PyG."""


def write_search(
    module: ModuleSpec, names: Sequence[str], inputs: Sequence[str], named: Mapping[str, Expression], imports: Imports
) -> Expression:
    """The call of a function that searches.

    Args:
        module: the function and its arguments.
        names: what it calls its inputs.
        inputs: what is passed to them.
        named: its arguments.
        imports: of the program.
    """
    if module.path == f"{POINTS}take":
        return f"{inputs[0]}[{inputs[1]}]"
    if module.path == f"{POINTS}pair":
        return f"({inputs[0]}, {inputs[1]})"
    own = module.path.startswith(POINTS)
    function = imports.use(f"torch_geometric.nn.{module.name}" if own else module.path)
    given = {name: value for name, value in zip(names[1:], inputs[1:], strict=False) if value != "None"}
    written = call(function, inputs[0], **given, **named)
    return f"{flat(written)}.flip(0)" if own else written
