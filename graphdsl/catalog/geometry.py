"""Convolutions over points in space: kernels over coordinates, positions and normals of the nodes."""

from typing import Any, Final, cast

from graphdsl.catalog.entry import Arguments, ForwardInput, Parameter, Problem
from graphdsl.catalog.parts import BIAS, OUT_CHANNELS, ROOT_WEIGHT, aggregation, relation_layer

_SPLINES: Final = ("pyg-lib | torch-spline-conv",)


def _one_per_dimension(arguments: Arguments, _width: int | None) -> Problem | None:
    """Lists have one element for each coordinate: PyG cuts longer ones and repeats the end of shorter ones."""
    dimensions = arguments.get("dim")
    for name in ("kernel_size", "is_open_spline"):
        value = arguments[name]
        listed = len(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else dimensions
        if dimensions is not None and listed != dimensions:
            message = f"`{name}` lists {listed} values for {dimensions} coordinates"
            return Problem("GNN204", message, name, "give one value per coordinate, or one for all")
    return None


ENTRIES: Final = (
    relation_layer(
        "SplineConv",
        "Neighbours through a matrix that is a B-spline of the edge's coordinates, all within [0, 1].",
        parameters=(
            OUT_CHANNELS,
            Parameter("kernel_size", "int|list[int]", minimum=1),
            Parameter("is_open_spline", "bool|list[bool]", True),
            Parameter("degree", "int", 1, minimum=1, below=4),
            aggregation("mean"),
            ROOT_WEIGHT,
            BIAS,
        ),
        derived={"in_channels": "pair", "dim": "edge_width"},
        inputs=(ForwardInput("edge_attr", "edge", required=True, width_parameter="dim"),),
        rules=(_one_per_dimension,),
        requires=_SPLINES,
        paper="Fey et al., SplineCNN: Fast Geometric Deep Learning with Continuous B-Spline Kernels, 2018",
    ),
)
