"""Convolutions over points in space: kernels over coordinates, positions and normals of the nodes."""

from typing import Any, Final, cast

from graphdsl.catalog import nested, rules
from graphdsl.catalog.entry import Arguments, Entry, ForwardInput, LegalityRule, Parameter, Problem, WidthRule
from graphdsl.catalog.nested import Network
from graphdsl.catalog.parts import BIAS, OUT_CHANNELS, ROOT_WEIGHT, SELF_LOOPS, aggregation, relation_layer

POSITIONS: Final = ForwardInput("pos", "node", required=True)
NORMALS: Final = ForwardInput("normal", "node", required=True)
_PAIR_FEATURES: Final = 4
"""Numbers that PPFConv computes for a pair of points: a distance and three angles."""
_SET: Final = (
    Parameter("local_nn", "module|none", None),
    Parameter("global_nn", "module|none", None),
    SELF_LOOPS,
    aggregation("max", keyword=True),
)
"""Parameters of the layers after PointNet: a network of each message, and one of what they are aggregated to."""
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


def _network_or(columns: nested.Columns) -> nested.Columns:
    """What the network of messages gives; without one, the message as it is."""

    def given(arguments: Arguments, sizes: nested.Sizes) -> int | None:
        if arguments.get("local_nn") is None:
            return columns(arguments, sizes)
        return nested.output_of("local_nn")(arguments, sizes)

    return given


def _set_width(message: nested.Columns) -> WidthRule:
    """What the last of the two networks gives, or the message where there is none."""

    def width(arguments: Arguments, columns: int | None) -> int | None:
        if arguments.get("global_nn") is not None:
            return nested.output_of("global_nn")(arguments, nested.Sizes())
        return _network_or(message)(arguments, nested.Sizes(columns, columns, {"pos": arguments.get("pos")}))

    return width


def _in_space(*names: str, unless: str = "") -> LegalityRule:
    """Three coordinates, where PyG computes with no other number of them."""

    def rule(arguments: Arguments, _width: int | None) -> Problem | None:
        for name in names:
            columns = arguments.get(name)
            if columns not in (None, 3) and not (unless and arguments.get(unless) is not None):
                help_ = f"give it a network for them: `{unless} = Linear()`" if unless else None
                return Problem("GNN204", f"`{name}` must have three columns here, and has {columns}", name, help_)
        return None

    return rule


_MOVED: Final = nested.side_by_side(nested.source, nested.width_of("pos"))
_PAIRED: Final = nested.side_by_side(nested.source, _PAIR_FEATURES)

ENTRIES: Final = (
    relation_layer(
        "PointNetConv",
        "A network of each neighbour and its position seen from the node; the maximum, through another one.",
        parameters=_SET,
        inputs=(POSITIONS,),
        self_loops=True,
        featureless=True,
        networks={"local_nn": Network(_MOVED), "global_nn": Network(_network_or(_MOVED))},
        width=_set_width(_MOVED),
        paper="Qi et al., PointNet++: Deep Hierarchical Feature Learning on Point Sets, 2017",
    ),
    relation_layer(
        "PPFConv",
        "PointNetConv over distances and angles of points with normals: the same however the cloud is turned.",
        parameters=_SET,
        inputs=(POSITIONS, NORMALS),
        self_loops=True,
        featureless=True,
        networks={"local_nn": Network(_PAIRED), "global_nn": Network(_network_or(_PAIRED))},
        width=_set_width(_PAIRED),
        rules=(_in_space("pos", "normal"),),
        paper="Deng et al., PPFNet: Global Context Aware Local Features for Robust 3D Point Matching, 2018",
    ),
    relation_layer(
        "PointTransformerConv",
        "Neighbours weighted column by column by attention over features and relative positions.",
        parameters=(
            OUT_CHANNELS,
            Parameter("pos_nn", "module|none", None),
            Parameter("attn_nn", "module|none", None),
            SELF_LOOPS,
            aggregation("add", keyword=True),
        ),
        derived={"in_channels": "pair"},
        inputs=(POSITIONS,),
        self_loops=True,
        networks={
            "pos_nn": Network(nested.width_of("pos"), nested.argument("out_channels"), "`out_channels`"),
            "attn_nn": Network(nested.argument("out_channels"), nested.argument("out_channels"), "`out_channels`"),
        },
        rules=(_in_space("pos", unless="pos_nn"),),
        paper="Zhao et al., Point Transformer, 2021",
    ),
    relation_layer(
        "PointGNNConv",
        "The node itself plus a network of the maximum over neighbours, whose positions the node may shift.",
        parameters=(
            Parameter("mlp_h", "module"),
            Parameter("mlp_f", "module"),
            Parameter("mlp_g", "module"),
            aggregation("max", keyword=True),
        ),
        bipartite=False,
        inputs=(POSITIONS,),
        networks={
            "mlp_h": Network(nested.source, nested.width_of("pos"), "the width of `pos`"),
            "mlp_f": Network(nested.side_by_side(nested.width_of("pos"), nested.source)),
            "mlp_g": Network(nested.output_of("mlp_f"), nested.source, "the width of the nodes"),
        },
        width=rules.same_width,
        paper="Shi and Rajkumar, Point-GNN: Graph Neural Network for 3D Object Detection in a Point Cloud, 2020",
    ),
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
    Entry(
        "MeshCNNConv",
        "conv",
        "graphdsl.layers.MeshCNNConv",
        "Edges of a mesh read their four neighbours by places, 0 to 3, which `place` tells of each edge.",
        (OUT_CHANNELS,),
        derived={"in_channels": "width"},
        width=rules.out_channels,
        scope="relation",
        bipartite=False,
        inputs=(ForwardInput("place", "edge", required=True, scalar=True),),
        paper="Hanocka et al., MeshCNN: A Network with an Edge, 2019",
    ),
)
