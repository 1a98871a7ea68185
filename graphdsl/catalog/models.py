"""Whole models of `torch_geometric.nn.models`: steps of `sequential` blocks, and layers within one node type."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, cast

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, Entry, ForwardInput, Parameter, Problem, Slot
from graphdsl.catalog.headers import BATCH, BATCH_SIZE, EDGES, X
from graphdsl.catalog.parts import (
    AGGREGATIONS,
    BIAS,
    CACHED,
    DROPOUT,
    EDGE_WEIGHT,
    FILL_VALUE,
    MESSAGE_PASSING,
    NEGATIVE_SLOPE,
    NORMALIZE,
    OUT_CHANNELS,
    SCALERS,
    activation,
    aggregation,
    flag,
)

_DICTIONARY: Final = "a spec has no dictionaries"
NORMS: Final = (
    "batch_norm",
    "layer_norm",
    "graph_norm",
    "instance_norm",
    "graph_size_norm",
    "pair_norm",
    "mean_subtraction_norm",
)
_HIDDEN: Final = Parameter("hidden_channels", "int", minimum=1)
_LAYERS: Final = Parameter("num_layers", "int", minimum=1)
_GRAPHS: Final = (Slot("x", ("graphs",)),)
_WEIGHT: Final = Slot("edge_weight", ("edge values",), optional=True, scalar=True)
_WIDTH: Final = {"in_channels": "width"}
_named = partial(Parameter, keyword=True)


def _model(name: str, doc: str, parameters: Sequence[Parameter], **fields: Any) -> Entry:
    fields.setdefault("width", rules.out_channels)
    fields.setdefault("derived", _WIDTH)
    fields.setdefault("bipartite", False)
    path = fields.pop("path", f"torch_geometric.nn.models.{name}")
    return Entry(name, "model", path, doc, tuple(parameters), **fields)


# --- BasicGNN: one convolution several times ---

_BASIC: Final = (
    _HIDDEN,
    _LAYERS,
    Parameter("out_channels", "int|none", None, minimum=1),
    DROPOUT,
    activation("relu"),
    flag("act_first", False),
    Parameter("norm", "string|none", None, choices=NORMS),
    Parameter("jk", "string|none", None, choices=("last", "cat", "max", "lstm")),
)
_BASIC_LEFT_OUT: Final = {
    "act_kwargs": f"{_DICTIONARY}; write `act = leaky_relu(negative_slope = 0.1)`",
    "norm_kwargs": f"{_DICTIONARY}; for a norm with arguments, write the layers one by one",
    **MESSAGE_PASSING,
}
_AGGR: Final = partial(aggregation, keyword=True)
_EDGE_ATTR: Final = ForwardInput("edge_attr", "edge", width_parameter="edge_dim")


def _hidden_or_out(arguments: Arguments, _width: int | None) -> int | None:
    out: int | None = arguments["out_channels"]
    return arguments.get("hidden_channels") if out is None else out


def _takes(conv: str, *, weights: bool = False, attributes: bool = False) -> tuple[Slot, ...]:
    """PyG's signature is the same for all, and what a convolution does not read is silently ignored."""
    ignored = f"`{conv}` reads none, and PyG would silently ignore it"
    return (
        X,
        EDGES,
        Slot("edge_weight", ("edge values",), optional=True, scalar=True, ignored="" if weights else ignored),
        Slot("edge_attr", ("edge values",), optional=True, ignored="" if attributes else ignored),
        BATCH,
        BATCH_SIZE,
    )


def _basic(name: str, doc: str, conv: str, *more: Parameter, **fields: Any) -> Entry:
    inputs: tuple[ForwardInput, ...] = fields.get("inputs", ())
    read = {item.name for item in inputs}
    return _model(
        name,
        doc,
        (*_BASIC, *more),
        scope="relation",
        width=_hidden_or_out,
        hops=rules.hops_from("num_layers"),
        takes=_takes(conv, weights="edge_weight" in read, attributes="edge_attr" in read),
        left_out={**_BASIC_LEFT_OUT, **fields.pop("left_out", {})},
        **fields,
    )


def _shared_heads(arguments: Arguments, _width: int | None) -> Problem | None:
    """Heads side by side share the hidden columns; the layer into `out_channels` averages them."""
    columns, heads = arguments["hidden_channels"], arguments["heads"]
    to_out = arguments["out_channels"] is not None and arguments["jk"] is None
    if not arguments["concat"] or columns % heads == 0 or (to_out and arguments["num_layers"] == 1):
        return None
    lower = columns - columns % heads
    message = f"{heads} heads cannot share {columns} hidden columns: {columns} is not a multiple of {heads}"
    nearest = f"{lower} or {lower + heads}" if lower else str(heads)
    return Problem("GNN302", message, "heads", f"use another number of heads, or a width of {nearest}")


# --- rules of single models ---


def _shared_towers(arguments: Arguments, width: int | None) -> Problem | None:
    """Towers share the output of every layer, and with `divide_input` the input too."""
    towers, out = arguments["towers"], arguments["out_channels"]
    to_out = out is not None and arguments["jk"] is None
    wide = {"`hidden_channels`": arguments["hidden_channels"]} if not to_out or arguments["num_layers"] > 1 else {}
    if to_out:
        wide["`out_channels`"] = out
    if arguments["divide_input"] and width is not None:
        wide["the input width"] = width
    other = next(((name, columns) for name, columns in wide.items() if columns % towers), None)
    if other is None:
        return None
    message = f"{towers} towers cannot share {other[0]} ({other[1]})"
    return Problem("GNN302", message, "towers", f"use a divisor of {other[1]}")


def _ratios(arguments: Arguments, _width: int | None) -> Problem | None:
    ratios, depth = arguments["pool_ratios"], arguments["depth"]
    if not isinstance(ratios, tuple) or len(cast(Sequence[float], ratios)) == depth:
        return None
    message = f"`pool_ratios` lists {len(cast(Sequence[float], ratios))} ratios for a depth of {depth}"
    return Problem("GNN204", message, "pool_ratios", "give one ratio for each pooling, or one for all")


ENTRIES: Final = (
    _basic(
        "GCN",
        "`GCNConv` several times, with norms, activations and dropout between.",
        "GCNConv",
        _named("improved", "bool", False),
        _named("add_self_loops", "bool|none", None),
        _named("normalize", "bool", True),
        _named("bias", "bool", True),
        _AGGR("add"),
        left_out=CACHED,
        inputs=(EDGE_WEIGHT,),
        rules=(
            rules.needs(
                "add_self_loops",
                "self-loops are only added by the normalization",
                "leave `add_self_loops` out, or `normalize` on",
                lambda arguments: arguments["add_self_loops"] is True and not arguments["normalize"],
            ),
        ),
        paper="Kipf and Welling, Semi-Supervised Classification with Graph Convolutional Networks, ICLR 2017",
    ),
    _basic(
        "GraphSAGE",
        "`SAGEConv` several times, with norms, activations and dropout between.",
        "SAGEConv",
        _named(
            "aggr", "string|list[string]", "mean", choices=("sum", "add", "mean", "max", "min", "mul", "var", "std")
        ),
        _named("normalize", "bool", False),
        _named("root_weight", "bool", True),
        _named("project", "bool", False),
        _named("bias", "bool", True),
        paper="Hamilton et al., Inductive Representation Learning on Large Graphs, NeurIPS 2017",
    ),
    _basic(
        "GIN",
        "`GINConv` with a network of two layers, several times, with norms and activations between.",
        "GINConv",
        _named("eps", "float", 0.0),
        _named("train_eps", "bool", False),
        _AGGR("add"),
        left_out={"nn": "an `MLP` of two layers, as wide as the output"},
        paper="Xu et al., How Powerful are Graph Neural Networks?, ICLR 2019",
    ),
    _basic(
        "GAT",
        "`GATConv` several times; heads share the hidden columns and are averaged into `out_channels`.",
        "GATConv",
        _named("v2", "bool", False),
        _named("heads", "int", 1, minimum=1),
        _named("concat", "bool", True),
        Parameter("negative_slope", "float", NEGATIVE_SLOPE.default, keyword=True),
        _named("add_self_loops", "bool", True),
        Parameter("fill_value", FILL_VALUE.type, "mean", choices=FILL_VALUE.choices, keyword=True),
        _named("bias", "bool", True),
        _named("residual", "bool", False),
        _AGGR("add"),
        derived={**_WIDTH, "edge_dim": "edge_width"},
        left_out={"share_weights": "only `GATv2Conv` has it; write the layers one by one"},
        inputs=(_EDGE_ATTR,),
        rules=(_shared_heads,),
        paper="Veličković et al., Graph Attention Networks, ICLR 2018; Brody et al., How Attentive are GATs?, ICLR 2022",
    ),
    _basic(
        "PNA",
        "`PNAConv` several times: several aggregations, each scaled by the node's degree.",
        "PNAConv",
        Parameter("aggregators", "list[string]", choices=AGGREGATIONS, keyword=True),
        Parameter("scalers", "list[string]", choices=SCALERS, keyword=True),
        _named("towers", "int", 1, minimum=1),
        _named("pre_layers", "int", 1, minimum=1),
        _named("post_layers", "int", 1, minimum=1),
        _named("divide_input", "bool", False),
        _named("train_norm", "bool", False),
        derived={**_WIDTH, "deg": "degrees", "edge_dim": "edge_width"},
        left_out={"aggr": "the layer sets it itself"},
        inputs=(_EDGE_ATTR,),
        rules=(_shared_towers,),
        paper="Corso et al., Principal Neighbourhood Aggregation for Graph Nets, NeurIPS 2020",
    ),
    _basic(
        "EdgeCNN",
        "`EdgeConv` with a network of two layers, several times: messages read both ends.",
        "EdgeConv",
        _AGGR("max"),
        left_out={"nn": "an `MLP` of two layers, as wide as the output"},
        paper="Wang et al., Dynamic Graph CNN for Learning on Point Clouds, 2019",
    ),
    _model(
        "RECT_L",
        "`GCNConv`, then a linear map back to the width of the input.",
        (_HIDDEN, NORMALIZE, DROPOUT),
        scope="relation",
        width=rules.same_width,
        inputs=(EDGE_WEIGHT,),
        takes=(X, EDGES, _WEIGHT),
        paper="Wang et al., Network Embedding with Completely-imbalanced Labels, 2020",
    ),
    _model(
        "PMLP",
        "An MLP in training; in evaluation each of its layers also takes the mean of the neighbours.",
        (
            _HIDDEN,
            OUT_CHANNELS,
            # With one layer PyG gives `hidden_channels` columns, whatever `out_channels` says.
            Parameter("num_layers", "int", minimum=2),
            DROPOUT,
            flag("norm", True),
            BIAS,
        ),
        scope="relation",
        hops=rules.hops_from("num_layers"),
        takes=(X, EDGES),
        paper="Yang et al., Graph Neural Networks are Inherently Good Generalizers, ICLR 2023",
    ),
    _model(
        "GraphUNet",
        "Top-k pooling and back again, with connections across; one row for each node.",
        (
            _HIDDEN,
            OUT_CHANNELS,
            Parameter("depth", "int", minimum=1),
            Parameter("pool_ratios", "float|list[float]", 0.5, above=0),
            flag("sum_res", True),
            activation("relu"),
        ),
        takes=(X, EDGES, BATCH, _WEIGHT),
        rules=(_ratios,),
        paper="Gao and Ji, Graph U-Nets, ICML 2019",
    ),
    _model(
        "LINKX",
        "An MLP of the features and one of the rows of the adjacency matrix, added: no message passing.",
        (
            _HIDDEN,
            OUT_CHANNELS,
            _LAYERS,
            Parameter("num_edge_layers", "int", 1, minimum=1),
            Parameter("num_node_layers", "int", 1, minimum=1),
            DROPOUT,
        ),
        derived={"num_nodes": "count", "in_channels": "width"},
        takes=(X, EDGES, _WEIGHT),
        paper="Lim et al., Large Scale Learning on Non-Homophilous Graphs, NeurIPS 2021",
    ),
    _model(
        "SGFormer",
        "Linear attention between all nodes of a graph beside a GCN; gives log-probabilities.",
        (
            _HIDDEN,
            OUT_CHANNELS,
            Parameter("trans_num_layers", "int", 2, minimum=0),
            Parameter("trans_num_heads", "int", 1, minimum=1),
            Parameter("trans_dropout", "float", 0.5, minimum=0, below=1),
            Parameter("gnn_num_layers", "int", 3, minimum=0),
            Parameter("gnn_dropout", "float", 0.5, minimum=0, below=1),
            Parameter("graph_weight", "float", 0.5),
            Parameter("aggregate", "string", "add", choices=("add", "cat")),
        ),
        takes=(X, EDGES, Slot("batch", ("batch",))),
        requires=("torch-geometric >= 2.7",),
        paper="Wu et al., SGFormer: Simplifying and Empowering Transformers for Large-Graph Representations, NeurIPS 2023",
    ),
    _model(
        "Polynormer",
        "Polynomials of local messages, then linear attention in each graph; gives log-probabilities.",
        (
            _HIDDEN,
            OUT_CHANNELS,
            Parameter("local_layers", "int", 7, minimum=1),
            Parameter("global_layers", "int", 2, minimum=1),
            Parameter("in_dropout", "float", 0.15, minimum=0, below=1),
            Parameter("dropout", "float", 0.5, minimum=0, below=1),
            Parameter("global_dropout", "float", 0.5, minimum=0, below=1),
            Parameter("heads", "int", 1, minimum=1),
            Parameter("beta", "float", 0.9),
            flag("qk_shared", False),
            flag("pre_ln", False),
            flag("post_bn", True),
            flag("local_attn", False),
            _named("global_attention", "bool", True),
        ),
        path="graphdsl.layers.polynormer.Polynormer",
        rules=(
            rules.needs(
                "heads",
                "PyG's global attention reads one head of `hidden_channels` columns",
                "leave `heads` out, or switch `global_attention` off",
                lambda arguments: arguments["heads"] > 1 and arguments["global_attention"],
            ),
        ),
        takes=(X, EDGES, Slot("batch", ("batch",))),
        paper="Deng et al., Polynormer: Polynomial-Expressive Graph Transformer in Linear Time, ICLR 2024",
    ),
    _model(
        "AttentiveFP",
        "Attention over atoms and bonds, then between each molecule and its atoms; one row a graph.",
        (
            _HIDDEN,
            OUT_CHANNELS,
            _LAYERS,
            Parameter("num_timesteps", "int", minimum=0),
            DROPOUT,
        ),
        derived={**_WIDTH, "edge_dim": "edge_width"},
        inputs=(ForwardInput("edge_attr", "edge", required=True, width_parameter="edge_dim"),),
        takes=(X, EDGES, Slot("edge_attr", ("edge values",)), Slot("batch", ("batch",))),
        gives=_GRAPHS,
        paper="Xiong et al., Pushing the Boundaries of Molecular Representation for Drug Discovery, 2020",
    ),
    _model(
        "NeuralFingerprint",
        "`MFConv` several times; each layer adds a softmax of every node to the graph's fingerprint.",
        (
            _HIDDEN,
            OUT_CHANNELS,
            _LAYERS,
            _named("max_degree", "int", 10, minimum=0),
            _named("bias", "bool", True),
            _AGGR("add"),
        ),
        left_out=MESSAGE_PASSING,
        takes=(X, EDGES, BATCH, BATCH_SIZE),
        gives=_GRAPHS,
        paper="Duvenaud et al., Convolutional Networks on Graphs for Learning Molecular Fingerprints, NeurIPS 2015",
    ),
)
