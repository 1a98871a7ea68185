"""Layers that see several relations at once."""

from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, Entry, Parameter, Problem
from graphdsl.catalog.parts import (
    BIAS,
    CONCAT,
    DROPOUT,
    EDGE_ATTR,
    EDGE_WEIGHT,
    FIXED_AGGR,
    HEADS,
    MESSAGE_PASSING,
    NEEDED_EDGE_ATTR,
    NEGATIVE_SLOPE,
    NORMALIZE,
    OUT_CHANNELS,
    ROOT_WEIGHT,
    aggregation,
    count,
)
from graphdsl.catalog.typed_edges import of_one_graph

_SORTED: Final = {"is_sorted": "the runtime numbers the edges, so only it can know"}
_ONE_DECOMPOSITION: Final = rules.not_both("num_bases", "num_blocks")
_BLOCKS: Final = rules.divides("num_blocks", "out_channels", width=True)
_SCHLICHTKRULL: Final = "Schlichtkrull et al., Modeling Relational Data with Graph Convolutional Networks, 2018"

_RGAT_MODES: Final = ("additive-self-attention", "multiplicative-self-attention")
_RGAT_DIM: Final = rules.needs(
    "dim",
    "additive attention has one query and key dimension",
    'leave out `dim`, or use `attention_mode = "multiplicative-self-attention"`',
    lambda arguments: arguments["dim"] > 1 and arguments["attention_mode"] == _RGAT_MODES[0],
)
_RGAT_MOD: Final = rules.needs(
    "mod",
    "`mod` preserves the number of neighbours, which `dropout` changes",
    "leave out `mod` or `dropout`",
    lambda arguments: arguments["mod"] is not None and arguments["dropout"] > 0,
)

_HALVES: Final = "write `first_aggr = true` for plain features; later layers read the halves of the one before"


def _two_within_one(arguments: Arguments, width: int | None) -> Problem | None:
    """The relations of a `SignedConv`, its positive one, and halves of its input."""
    types, relations = arguments.get("metadata") or ((), ())
    names = [edge[1] for edge in relations]
    if relations and (len(types) != 1 or len(relations) != 2):
        helps = "one rule per node type: `trusts, distrusts: SignedConv(…)`"
        return Problem("GNN204", "`SignedConv` joins two relations within one node type", "positive", helps)
    if relations and arguments["positive"] not in names:
        message = f"`positive` is no relation of the rule: {' and '.join(f'`{name}`' for name in names)}"
        return Problem("GNN204", message, "positive", f'write `positive = "{names[0]}"` or `positive = "{names[1]}"`')
    if not arguments["first_aggr"] and width is not None and width % 2:
        return Problem("GNN204", f"an input of {width} columns has no two halves", "first_aggr", _HALVES)
    return None


_JOINT: Final = (
    Entry(
        "HANConv",
        "conv",
        "torch_geometric.nn.HANConv",
        "Attention within each relation (usually a metapath), then attention over the relations.",
        parameters=(OUT_CHANNELS, HEADS, NEGATIVE_SLOPE, DROPOUT),
        derived={"in_channels": "widths", "metadata": "metadata"},
        left_out={**MESSAGE_PASSING, **FIXED_AGGR},
        width=rules.out_channels,
        scope="joint",
        rules=(rules.heads_divide(),),
        paper="Wang et al., Heterogeneous Graph Attention Network, 2019",
    ),
    Entry(
        "HGTConv",
        "conv",
        "torch_geometric.nn.HGTConv",
        "A transformer with keys, queries and values per node type and a map per relation.",
        parameters=(OUT_CHANNELS, HEADS),
        derived={"in_channels": "widths", "metadata": "metadata"},
        left_out={**MESSAGE_PASSING, **FIXED_AGGR},
        width=rules.out_channels,
        scope="joint",
        rules=(rules.heads_divide(),),
        paper="Hu et al., Heterogeneous Graph Transformer, 2020",
    ),
    Entry(
        "RGCNConv",
        "conv",
        "torch_geometric.nn.RGCNConv",
        "A linear map per relation, mean over the neighbours of each, sum over the relations.",
        parameters=(OUT_CHANNELS, count("num_bases"), count("num_blocks"), aggregation("mean"), ROOT_WEIGHT, BIAS),
        derived={"in_channels": "width", "num_relations": "relations"},
        left_out={**MESSAGE_PASSING, **_SORTED},
        width=rules.out_channels,
        scope="typed",
        accepts_ids=True,
        rules=(_ONE_DECOMPOSITION, _BLOCKS),
        id_rules=(rules.not_for_ids("num_blocks"),),
        paper=_SCHLICHTKRULL,
    ),
    Entry(
        "FastRGCNConv",
        "conv",
        "torch_geometric.nn.FastRGCNConv",
        "RGCNConv that computes all relations at once: faster, with more memory.",
        parameters=(
            OUT_CHANNELS,
            count("num_bases"),
            count("num_blocks"),
            aggregation("mean", "mean", "sum", "add"),
            ROOT_WEIGHT,
            BIAS,
        ),
        derived={"in_channels": "width", "num_relations": "relations"},
        left_out={**MESSAGE_PASSING, **_SORTED},
        width=rules.out_channels,
        scope="typed",
        accepts_ids=True,
        rules=(_ONE_DECOMPOSITION, _BLOCKS),
        id_rules=(rules.not_for_ids("num_blocks"),),
        paper=_SCHLICHTKRULL,
    ),
    Entry(
        "LightGCN",
        "conv",
        "graphdsl.layers.LightGCN",
        "A learned vector per node, propagated several times, averaged over the layers.",
        parameters=(
            Parameter("embedding_dim", "int", minimum=1),
            Parameter("num_layers", "int", minimum=0),
            Parameter("alpha", "float|none", None),
            NORMALIZE,
        ),
        derived={"num_nodes": "count"},
        width=rules.width_from("embedding_dim"),
        scope="typed",
        inputs=(EDGE_WEIGHT,),
        accepts_ids=True,
        hops=rules.hops_from("num_layers"),
        paper="He et al., LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation, SIGIR 2020",
    ),
    Entry(
        "RGATConv",
        "conv",
        "torch_geometric.nn.RGATConv",
        "A linear map per relation, neighbours weighted by attention within or across relations.",
        parameters=(
            OUT_CHANNELS,
            count("num_bases"),
            count("num_blocks"),
            Parameter("mod", "string|none", None, choices=("additive", "scaled", "f-additive", "f-scaled")),
            Parameter(
                "attention_mechanism", "string", "across-relation", choices=("within-relation", "across-relation")
            ),
            Parameter("attention_mode", "string", _RGAT_MODES[0], choices=_RGAT_MODES),
            HEADS,
            Parameter("dim", "int", 1, minimum=1),
            CONCAT,
            NEGATIVE_SLOPE,
            DROPOUT,
            BIAS,
            aggregation("add", keyword=True),
        ),
        derived={"in_channels": "width", "num_relations": "relations", "edge_dim": "edge_width"},
        left_out=MESSAGE_PASSING,
        width=rules.rgat_width,
        scope="typed",
        inputs=(EDGE_ATTR,),
        rules=(_ONE_DECOMPOSITION, _BLOCKS, _RGAT_DIM, _RGAT_MOD),
        paper="Busbridge et al., Relational Graph Attention Networks, 2019",
    ),
    Entry(
        "HEATConv",
        "conv",
        "torch_geometric.nn.HEATConv",
        "A map per node type; attention and messages read a vector per relation and the attributes of edges.",
        parameters=(
            OUT_CHANNELS,
            Parameter("edge_type_emb_dim", "int", minimum=1),
            Parameter("edge_attr_emb_dim", "int", minimum=1),
            HEADS,
            CONCAT,
            NEGATIVE_SLOPE,
            DROPOUT,
            ROOT_WEIGHT,
            BIAS,
            aggregation("add", keyword=True),
        ),
        derived={
            "in_channels": "width",
            "num_node_types": "types",
            "num_edge_types": "relations",
            "edge_dim": "edge_width",
        },
        left_out=MESSAGE_PASSING,
        width=rules.heads_width,
        scope="typed",
        inputs=(NEEDED_EDGE_ATTR,),
        paper="Mo et al., Heterogeneous Edge-Enhanced Graph Attention Network For Multi-Agent Trajectory Prediction, 2021",
    ),
    Entry(
        "SignedConv",
        "conv",
        "graphdsl.layers.SignedConv",
        "A positive and a negative relation within one type; gives two halves, which later layers read.",
        parameters=(
            OUT_CHANNELS,
            Parameter("first_aggr", "bool"),
            Parameter("positive", "string"),
            BIAS,
            aggregation("mean", keyword=True),
        ),
        derived={"in_channels": "widths", "metadata": "metadata"},
        left_out=MESSAGE_PASSING,
        width=lambda arguments, _width: 2 * arguments["out_channels"],
        scope="joint",
        rules=(_two_within_one,),
        paper="Derr et al., Signed Graph Convolutional Network, 2018",
    ),
)

ENTRIES: Final = tuple(map(of_one_graph, _JOINT))
