"""What many entries share: parameters, forward inputs, reasons, and the frame of a layer on one relation."""

from collections.abc import Mapping
from typing import Any, Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Entry, ForwardInput, Parameter

OUT_CHANNELS: Final = Parameter("out_channels", "int", minimum=1)
HEADS: Final = Parameter("heads", "int", 1, minimum=1)
CONCAT: Final = Parameter("concat", "bool", True)
NEGATIVE_SLOPE: Final = Parameter("negative_slope", "float", 0.2)
DROPOUT: Final = Parameter("dropout", "float", 0.0, minimum=0, below=1)
SELF_LOOPS: Final = Parameter("add_self_loops", "bool", True)
BIAS: Final = Parameter("bias", "bool", True)
ROOT_WEIGHT: Final = Parameter("root_weight", "bool", True)
NORMALIZE: Final = Parameter("normalize", "bool", True)
EPS: Final = Parameter("eps", "float", 1e-5, above=0)

FILL_VALUE: Final = Parameter("fill_value", "float|string", "mean", choices=("mean", "add", "min", "max", "mul"))
"""Edge features of self-loops: a number, or how to reduce those of the node's other edges."""

AGGREGATIONS: Final = ("sum", "add", "mean", "max", "min", "mul", "var", "std", "softmax", "powermean")
"""Aggregations that PyG resolves from a name alone, for edges in any order.

"lstm" wants edges sorted by target; "median" fails in PyG 2.8 on a relation without edges.
"""

SCALERS: Final = ("identity", "amplification", "attenuation", "linear", "inverse_linear")
"""How an aggregation is scaled by how many values it reduces, over how many that is on average."""

EDGE_WEIGHT: Final = ForwardInput("edge_weight", "edge", scalar=True)
EDGE_ATTR: Final = ForwardInput("edge_attr", "edge", width_parameter="edge_dim")
NEEDED_EDGE_ATTR: Final = ForwardInput("edge_attr", "edge", required=True, width_parameter="edge_dim")

CACHED: Final = {"cached": "a cache would silently be wrong on another graph or a sampled batch"}
DEVICE: Final = {"device": "the compiled model moves as a whole"}
INPLACE: Final = {"inplace": "would overwrite a value that another state may still read"}
FIXED_AGGR: Final = {"aggr": "the layer sets it itself"}

MESSAGE_PASSING: Final[Mapping[str, str]] = {
    "aggr_kwargs": "a spec has no dictionaries; layers that need some list them as parameters",
    "flow": "the direction of a relation is in the schema; `reverse` declares the other one",
    "node_dim": "nodes are always the first dimension",
    "decomposed_layers": "a CPU tuning option for some layers, wrong for attention",
}
"""What every message passing class takes through `**kwargs` and a spec does not offer."""


MESSAGE_AGGREGATIONS: Final = frozenset(
    {
        "SumAggregation",
        "MeanAggregation",
        "MaxAggregation",
        "MinAggregation",
        "MulAggregation",
        "VarAggregation",
        "StdAggregation",
        "SoftmaxAggregation",
        "PowerMeanAggregation",
        "VariancePreservingAggregation",
        "MultiAggregation",
        "DegreeScalerAggregation",
    }
)
"""Readouts that can reduce messages too: they take edges in any order, messages of any shape, and nodes without any.

The others sort, pad or pack the messages of each node, which PyG does for sorted edges only, or fail on a relation without
edges (median, quantile).
"""


def aggregation(default: str, *choices: str, keyword: bool = False) -> Parameter:
    """`aggr`: how messages into a node are reduced; `keyword` where PyG takes it through `**kwargs`.

    Without `choices` it may be a layer too: `aggr = SoftmaxAggregation(learn = true)`.
    """
    kind = "string" if choices else "string|aggregation"
    return Parameter("aggr", kind, default, choices=choices or AGGREGATIONS, keyword=keyword)


def count(name: str, default: Any = None, minimum: float = 1) -> Parameter:
    """A whole number from 1 that may be left out (None)."""
    return Parameter(name, "int|none", default, minimum=minimum)


def activation(default: str, *, optional: bool = True) -> Parameter:
    """`act`: the activation inside a layer; `none` leaves it out."""
    return Parameter("act", "activation|none" if optional else "activation", default)


def flag(name: str, default: bool) -> Parameter:
    """A switch."""
    return Parameter(name, "bool", default)


def relation_layer(
    name: str, doc: str, *, left_out: Mapping[str, str] | None = None, path: str = "", **fields: Any
) -> Entry:
    """A message passing class of PyG with one instance per relation; by default as wide as `out_channels`."""
    fields.setdefault("width", rules.out_channels)
    reasons = {**MESSAGE_PASSING, **(left_out or {})}
    path = path or f"torch_geometric.nn.{name}"
    return Entry(name, "conv", path, doc, scope="relation", left_out=reasons, **fields)
