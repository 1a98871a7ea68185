"""Readouts: the nodes of each graph become one row."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, Entry, Parameter, Problem, Slot, WidthRule
from graphdsl.catalog.headers import BATCH, BATCH_SIZE, X
from graphdsl.catalog.parts import DEVICE, DROPOUT, OUT_CHANNELS, flag

_GRAPHS: Final = (Slot("x", ("graphs",)),)
_INDEX: Final = Slot("index", ("batch",), optional=True)
_WIDTH: Final = {"in_channels": "width"}
_HEADS: Final = Parameter("heads", "int", 1, minimum=1)
_SEMI: Final = flag("semi_grad", False)
_FILL: Final = Parameter("fill_value", "float", 0.0)
_LEARNED: Final = {"channels": "one learned number serves all columns"}
_QUANTILES: Final = ("linear", "lower", "higher", "nearest", "midpoint")


def aggregation(name: str, doc: str, *parameters: Parameter, path: str = "", **fields: Any) -> Entry:
    """An aggregation of PyG: rows of nodes and the graph of each to rows of graphs."""
    path = path or f"torch_geometric.nn.aggr.{name}"
    fields.setdefault("takes", (X, _INDEX))
    return Entry(name, "readout", path, doc, parameters, gives=_GRAPHS, **fields)


def _pool(name: str, doc: str) -> Entry:
    takes = (X, BATCH, Slot("size", BATCH_SIZE.kinds, optional=True))
    path = f"torch_geometric.nn.{name}"
    return Entry(name, "readout", path, doc, takes=takes, gives=_GRAPHS, function=True)


def _times(name: str) -> WidthRule:
    def rule(arguments: Arguments, width: int | None) -> int | None:
        return None if width is None else width * arguments[name]

    return rule


def _twice(_arguments: Arguments, width: int | None) -> int | None:
    return None if width is None else 2 * width


def _quantiles(arguments: Arguments, width: int | None) -> int | None:
    asked: float | Sequence[float] = arguments["q"]
    return width if width is None or not isinstance(asked, Sequence) else width * len(asked)


def _seeds(arguments: Arguments, width: int | None) -> int | None:
    return None if width is None else width * (arguments["num_seed_points"] if arguments["concat"] else 1)


def _own_or(name: str) -> WidthRule:
    """As wide as a nested module if one is given."""

    def rule(arguments: Arguments, width: int | None) -> int | None:
        return width if arguments.get(name) is None else arguments[name].width_out

    return rule


def _one_gate(arguments: Arguments, width: int | None) -> Problem | None:
    gate = arguments["gate_nn"].width_out
    inner = arguments.get("nn")
    columns = width if inner is None else inner.width_out
    if gate in (1, columns) or gate is None or columns is None:
        return None
    message = f"`gate_nn` gives {gate} columns: one score per node is wanted, or one per column ({columns})"
    return Problem("GNN502", message, "gate_nn", "end it with one column: `gate_nn = MLP(64, 1)`")


def _projected(arguments: Arguments, width: int | None) -> Problem | None:
    if arguments["project"] or width is None or width == arguments["out_channels"]:
        return None
    message = f"without `project` the layer keeps its width: `out_channels` is {arguments['out_channels']}, not {width}"
    return Problem("GNN502", message, "out_channels", f"write {width}, or leave `project` out")


def _whole_heads(arguments: Arguments, width: int | None) -> Problem | None:
    if width is None or width % arguments["heads"] == 0:
        return None
    message = f"{arguments['heads']} heads cannot share {width} columns"
    return Problem("GNN302", message, "heads", f"use a divisor of {width}")


_recurrent = partial(
    aggregation,
    derived=_WIDTH,
    width=rules.out_channels,
)

ENTRIES: Final = (
    _pool("global_add_pool", "Sum over the nodes of each graph."),
    _pool("global_mean_pool", "Mean over the nodes of each graph."),
    _pool("global_max_pool", "Maximum over the nodes of each graph."),
    aggregation("SumAggregation", "Sum over the nodes of each graph."),
    aggregation("MeanAggregation", "Mean over the nodes of each graph."),
    aggregation("MaxAggregation", "Maximum over the nodes of each graph."),
    aggregation("MinAggregation", "Minimum over the nodes of each graph."),
    aggregation("MulAggregation", "Product over the nodes of each graph."),
    aggregation("VarAggregation", "Variance over the nodes of each graph.", _SEMI),
    aggregation("StdAggregation", "Standard deviation over the nodes of each graph.", _SEMI),
    aggregation(
        "SoftmaxAggregation",
        "Mean weighted by the softmax of each column.",
        Parameter("t", "float", 1.0),
        flag("learn", False),
        _SEMI,
        left_out=_LEARNED,
        rules=(
            rules.needs(
                "semi_grad",
                "`semi_grad` leaves no gradient for `t` to learn from",
                "leave out `learn` or `semi_grad`",
                lambda arguments: arguments["learn"] and arguments["semi_grad"],
            ),
        ),
        paper="Li et al., DeeperGCN: All You Need to Train Deeper GCNs, 2020",
    ),
    aggregation(
        "PowerMeanAggregation",
        "Power mean over the nodes of each graph.",
        Parameter("p", "float", 1.0),
        flag("learn", False),
        Parameter("clamp_min", "float|none", 1e-4, since="2.8"),
        Parameter("clamp_max", "float|none", 100.0, since="2.8"),
        left_out=_LEARNED,
        paper="Li et al., DeeperGCN: All You Need to Train Deeper GCNs, 2020",
    ),
    aggregation("MedianAggregation", "Median over the nodes of each graph, column by column.", _FILL),
    aggregation(
        "QuantileAggregation",
        "Quantiles over the nodes of each graph, side by side.",
        Parameter("q", "float|list[float]", minimum=0, below=1.0000001),
        Parameter("interpolation", "string", "linear", choices=_QUANTILES),
        _FILL,
        width=_quantiles,
    ),
    _recurrent(
        "LSTMAggregation",
        "An LSTM over the nodes of each graph, in their order.",
        OUT_CHANNELS,
        paper="Hamilton et al., Inductive Representation Learning on Large Graphs, 2017",
    ),
    _recurrent(
        "GRUAggregation",
        "A GRU over the nodes of each graph, in their order.",
        OUT_CHANNELS,
        paper="Xu et al., Graph Neural Networks with a GRU aggregation, 2021",
    ),
    aggregation(
        "Set2Set",
        "Attention over the nodes of each graph, several times; twice as wide as its input.",
        Parameter("processing_steps", "int", minimum=1),
        derived=_WIDTH,
        width=_twice,
        paper="Vinyals et al., Order Matters: Sequence to sequence for sets, 2016",
    ),
    aggregation(
        "SortAggregation",
        "The first `k` nodes of each graph, sorted by their last column, side by side.",
        Parameter("k", "int", minimum=1),
        width=_times("k"),
        paper="Zhang et al., An End-to-End Deep Learning Architecture for Graph Classification, 2018",
    ),
    aggregation(
        "GraphMultisetTransformer",
        "Attention from `k` learned seeds to the nodes of each graph.",
        Parameter("k", "int", minimum=1),
        Parameter("num_encoder_blocks", "int", 1, minimum=0),
        _HEADS,
        flag("layer_norm", False),
        DROPOUT,
        derived={"channels": "width"},
        rules=(_whole_heads,),
        paper="Baek et al., Accurate Learning of Graph Representations with Graph Multiset Pooling, 2021",
    ),
    aggregation(
        "AttentionalAggregation",
        "Sum over the nodes of each graph, weighted by a softmax over the scores of `gate_nn`.",
        Parameter("gate_nn", "module"),
        Parameter("nn", "module|none", None),
        width=_own_or("nn"),
        rules=(_one_gate,),
        paper="Li et al., Graph Matching Networks, 2019",
    ),
    aggregation(
        "MLPAggregation",
        "An MLP over the nodes of each graph side by side, at most `max_num_elements` of them.",
        OUT_CHANNELS,
        Parameter("max_num_elements", "int", minimum=1),
        fixed={"num_layers": 1},
        derived=_WIDTH,
        width=rules.out_channels,
    ),
    aggregation(
        "DeepSetsAggregation",
        "Sum over the nodes of each graph, each through `local_nn`.",
        Parameter("local_nn", "module|none", None),
        left_out={"global_nn": "write the layers behind the readout"},
        width=_own_or("local_nn"),
        paper="Buterez et al., Graph Neural Networks with Adaptive Readouts, 2022",
    ),
    aggregation(
        "SetTransformerAggregation",
        "Attention from learned seeds to the nodes of each graph, the seeds side by side.",
        Parameter("num_seed_points", "int", 1, minimum=1),
        Parameter("num_encoder_blocks", "int", 1, minimum=0),
        Parameter("num_decoder_blocks", "int", 1, minimum=0),
        _HEADS,
        flag("concat", True),
        flag("layer_norm", False),
        DROPOUT,
        derived={"channels": "width"},
        width=_seeds,
        rules=(_whole_heads,),
        paper="Buterez et al., Graph Neural Networks with Adaptive Readouts, 2022",
    ),
    aggregation(
        "LCMAggregation",
        "A learned commutative monoid: pairs of nodes reduced by a GRU, as a tree.",
        OUT_CHANNELS,
        flag("project", True),
        derived=_WIDTH,
        width=rules.out_channels,
        rules=(_projected,),
        paper="Ong and Veličković, Learnable Commutative Monoids for Graph Neural Networks, 2022",
    ),
    aggregation(
        "VariancePreservingAggregation",
        "Sum over the nodes of each graph, divided by the square root of their number.",
        paper="Schneckenreiter et al., GNN-VPA: A Variance-Preserving Aggregation Strategy for GNNs, 2024",
    ),
    aggregation(
        "PatchTransformerAggregation",
        "The nodes of each graph in patches, through a transformer.",
        OUT_CHANNELS,
        Parameter("patch_size", "int", minimum=1),
        Parameter("hidden_channels", "int", minimum=1),
        Parameter("num_transformer_blocks", "int", 1, minimum=0),
        _HEADS,
        DROPOUT,
        Parameter("aggr", "string|list[string]", "mean", choices=("sum", "mean", "min", "max", "var", "std")),
        derived=_WIDTH,
        left_out=DEVICE,
        takes=(X, Slot("index", ("batch",))),
        width=rules.out_channels,
        rules=(rules.divides("heads", "hidden_channels"),),
    ),
)
