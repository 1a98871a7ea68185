"""Names that PyG no longer has, and what other frameworks call the same thing: each with what to write instead.

Sources: PyG's aliases (`nn/conv/__init__.py`) and deprecated arguments, and the signatures of DGL's `dgl.nn`,
`torch.nn` and Keras.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from graphdsl.catalog.entry import Entry


@dataclass(frozen=True, slots=True)
class Renamed:
    """What to write instead of a name.

    Attributes:
        name: the name here; empty where nothing is written instead.
        said: why, or what to do.
        origin: whose name it is.
    """

    name: str
    said: str
    origin: str


def _dgl(name: str, said: str = "") -> Renamed:
    return Renamed(name, said, "DGL")


def _torch(name: str, said: str = "") -> Renamed:
    return Renamed(name, said, "PyTorch")


LAYERS: Final[Mapping[str, Renamed]] = MappingProxyType(
    {
        "RelGraphConv": _dgl("RGCNConv"),
        "EdgeGATConv": _dgl("GATConv", "bind the attributes: `GATConv(64, edge_attr = NAME)`"),
        "EGATConv": _dgl("GATConv", "bind the attributes: `GATConv(64, edge_attr = NAME)`"),
        "DotGatConv": _dgl("TransformerConv"),
        "GMMConvolution": _dgl("GMMConv"),
        "APPNPConv": _dgl("APPNP"),
        "HeteroGraphConv": _dgl("", "it is a relation map: `edges { a: SAGEConv(64)  b: GATConv(64) } combine mean`"),
        "HeteroLinear": Renamed("Linear", "a node map has a layer for each type: `nodes { *: Linear(64) }`", "PyG and DGL"),
        "HeteroDictLinear": Renamed("Linear", "a node map has a layer for each type: `nodes { *: Linear(64) }`", "PyG"),
        "HeteroEmbedding": _dgl("Embedding", "a node map has a layer for each type: `nodes { *: Embedding(64) }`"),
        "to_hetero": Renamed("", "leave it out: a relation map is heterogeneous already, and `share` ties weights", "PyG"),
        "Sequential": Renamed("", "layers follow each other behind `|`: `edges { *: SAGEConv(64) } | relu`", "PyTorch"),
        "ModuleDict": _torch("", "a map has a layer for each type or relation: `nodes { paper: Linear(64)  *: Linear(32) }`"),
        "ModuleList": _torch("", "layers are repeated with `repeat 3 { … }`"),
        "BatchNorm1d": _torch("BatchNorm"),
        "InstanceNorm1d": _torch("InstanceNorm"),
        "AlphaDropout": _torch("dropout"),
        "Identity": _torch("identity"),
        "JumpingKnowledge": Renamed("", "states are joined: `jump(h0, h1, mode = \"lstm\")`", "PyG"),
        "SAGEConvolution": Renamed("SAGEConv", "", "other frameworks"),
        "GraphSageConv": Renamed("SAGEConv", "", "Spektral"),
        "GraphConvolution": Renamed("GCNConv", "", "StellarGraph"),
        "GraphAttention": Renamed("GATConv", "", "StellarGraph"),
    }
)  # fmt: skip
"""Layers by the name that other versions and frameworks give them."""

_ARGUMENTS: Final[Mapping[str, Renamed]] = MappingProxyType(
    {
        **dict.fromkeys(("num_heads", "n_heads", "n_head", "nhead", "num_attention_heads", "attn_heads"), _dgl("heads")),
        **dict.fromkeys(("attn_drop", "attention_dropout", "dropout_rate", "drop_rate"), _dgl("dropout")),
        "feat_drop": _dgl("", "write it before the layer, in the pipe of the map that it reads: `| dropout(0.5)`"),
        **dict.fromkeys(("out_feats", "out_feat", "out_size", "num_hidden"), _dgl("out_channels")),
        **dict.fromkeys(("out_features", "output_dim", "out_dim", "units", "hidden_dim", "hidden_size", "hidden_channels",
                         "hidden", "size", "width", "out"),
                        _torch("out_channels")),
        **dict.fromkeys(("in_feats", "in_feat", "in_size", "in_features", "input_dim", "in_dim", "in_edge_feats",
                         "edge_in_channels", "in_channels"),
                        _torch("", "leave it out: the compiler fills it in from the schema")),
        **dict.fromkeys(("num_rels", "num_etypes", "num_ntypes"), _dgl("", "leave it out: the schema tells")),
        **dict.fromkeys(("aggregator_type", "aggregator", "aggregate", "reduce", "pooling"), _dgl("aggr")),
        "apply_func": _dgl("nn"),
        "k": _dgl("K"),
        "num_layers": _dgl("", "layers are repeated with `repeat n { … }`"),
        "allow_zero_in_degree": _dgl("", "leave it out: nodes without messages are allowed"),
        "activation": _dgl("", "write it behind the map: `edges { … } | relu`"),
        "act": _dgl("", "write it behind the map: `edges { … } | relu`"),
        "norm": _dgl("", "write `edges { … } | LayerNorm`; DGL's `GraphConv(norm = \"both\")` is `GCNConv`"),
        "residual": _dgl("", "write it behind the map: `edges { … } | residual`"),
        "dropout": Renamed("", "write it behind the map: `edges { … } | dropout(0.5)`", "PyG's whole models"),
        "use_bias": Renamed("bias", "", "Keras"),
        "concat_heads": Renamed("concat", "", "Spektral"),
        "rate": Renamed("p", "", "Keras"),
        **dict.fromkeys(("self_loop", "add_self_loop", "self_loops"), _dgl("add_self_loops")),
        **dict.fromkeys(("edge_feats", "edge_feat", "efeat", "e_feat", "edge_features"), _dgl("edge_attr")),
        **dict.fromkeys(("edge_weights", "weights", "efweight"), _dgl("edge_weight")),
        **dict.fromkeys(("embed_dim", "embedding_size", "output_size"), _torch("embedding_dim")),
        "num_embeddings": _torch("", "leave it out: the number of nodes tells"),
        "inplace": _torch("", "leave it out"),
        "relu_first": Renamed("act_first", "", "older PyG"),
        "batch_norm": Renamed("norm", "`norm = \"batch_norm\"`, or `norm = none` for none", "older PyG"),
    }
)  # fmt: skip


def renamed_argument(entry: Entry, name: str) -> Renamed | None:
    """What an argument of another version or framework is called here, if the layer has it.

    >>> from graphdsl.catalog import find
    >>> renamed_argument(find("GATConv"), "num_heads").name
    'heads'
    """
    item = _ARGUMENTS.get(name)
    if item is None:
        return None
    known = {*(parameter.name for parameter in entry.parameters), *(forward.name for forward in entry.inputs)}
    if not item.name:
        return (
            item
            if entry.kind == "conv" or name in ("in_features", "num_embeddings", "inplace", "in_channels")
            else None
        )
    return item if item.name in known else None
