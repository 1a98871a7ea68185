"""Norms: node values in, node values of the same width out."""

from typing import Any, Final

from graphdsl.catalog.entry import Entry, Parameter
from graphdsl.catalog.parts import DEVICE, EPS, flag

_MOMENTUM: Final = Parameter("momentum", "float", 0.1, minimum=0)
_WIDTH: Final = {"in_channels": "width"}


def _norm(name: str, doc: str, *parameters: Parameter, **fields: Any) -> Entry:
    return Entry(name, "norm", f"torch_geometric.nn.{name}", doc, parameters, **fields)


ENTRIES: Final = (
    _norm(
        "BatchNorm",
        "Each column to mean 0 and variance 1 over the nodes of the batch.",
        EPS,
        Parameter("momentum", "float|none", 0.1, minimum=0),
        flag("affine", True),
        flag("track_running_stats", True),
        flag("allow_single_element", False),
        derived=_WIDTH,
        left_out=DEVICE,
        paper="Ioffe and Szegedy, Batch Normalization, 2015",
    ),
    _norm(
        "LayerNorm",
        'All values of the graph (`mode = "graph"`) or of each node (`"node"`) to mean 0 and variance 1.',
        EPS,
        flag("affine", True),
        Parameter("mode", "string", "graph", choices=("graph", "node")),
        derived=_WIDTH,
        left_out=DEVICE,
        paper="Ba et al., Layer Normalization, 2016",
    ),
    _norm(
        "GraphNorm",
        "Columns normalised over the graph, with a learned share of the mean.",
        EPS,
        derived=_WIDTH,
        left_out=DEVICE,
        paper="Cai et al., GraphNorm, 2021",
    ),
    _norm(
        "InstanceNorm",
        "Each column to mean 0 and variance 1 over the nodes of each graph.",
        EPS,
        _MOMENTUM,
        flag("affine", False),
        flag("track_running_stats", False),
        derived=_WIDTH,
        left_out=DEVICE,
        paper="Ulyanov et al., Instance Normalization, 2016",
    ),
    _norm(
        "PairNorm",
        "Centres the nodes and keeps their mean pairwise distance.",
        Parameter("scale", "float", 1.0, minimum=0),
        flag("scale_individually", False),
        EPS,
        paper="Zhao and Akoglu, PairNorm: Tackling Oversmoothing in GNNs, 2020",
    ),
    _norm(
        "GraphSizeNorm",
        "Divides by the square root of the number of nodes.",
        paper="Dwivedi et al., Benchmarking Graph Neural Networks, 2020",
    ),
    _norm(
        "MeanSubtractionNorm",
        "Subtracts the mean over the nodes.",
        paper="Yang et al., Revisiting Over-smoothing in Deep GCNs, 2020",
    ),
    _norm(
        "DiffGroupNorm",
        "Normalises within learned soft groups of nodes.",
        Parameter("groups", "int", minimum=1),
        Parameter("lamda", "float", 0.01),
        EPS,
        _MOMENTUM,
        flag("affine", True),
        flag("track_running_stats", True),
        derived=_WIDTH,
        left_out=DEVICE,
        paper="Zhou et al., Towards Deeper Graph Neural Networks with Differentiable Group Normalization, 2020",
    ),
)
