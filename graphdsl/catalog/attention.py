"""Convolutions that weigh neighbours by attention."""

from typing import Any, Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Entry, Parameter
from graphdsl.catalog.parameters import (
    BIAS,
    CONCAT,
    DROPOUT,
    EDGE_ATTR,
    FILL_VALUE,
    HEADS,
    MESSAGE_PASSING,
    NEGATIVE_SLOPE,
    OUT_CHANNELS,
    ROOT_WEIGHT,
    SELF_LOOPS,
    aggregation,
)


def _attention(name: str, doc: str, *, left_out: dict[str, str] | None = None, **fields: Any) -> Entry:
    fields.setdefault("width", rules.heads_width)
    path = f"torch_geometric.nn.{name}"
    return Entry(name, "conv", path, doc, scope="relation", left_out={**MESSAGE_PASSING, **(left_out or {})}, **fields)


ENTRIES: Final = (
    _attention(
        "GATConv",
        "Neighbours weighted by additive attention; heads side by side.",
        parameters=(
            OUT_CHANNELS,
            HEADS,
            CONCAT,
            NEGATIVE_SLOPE,
            DROPOUT,
            SELF_LOOPS,
            FILL_VALUE,
            BIAS,
            Parameter("residual", "bool", False),
            aggregation("add", keyword=True),
        ),
        derived={"in_channels": "pair", "edge_dim": "edge_width"},
        self_loops=True,
        inputs=(EDGE_ATTR,),
        paper="Veličković et al., Graph Attention Networks, 2018",
    ),
    _attention(
        "GATv2Conv",
        "GATConv whose attention depends on both ends jointly (dynamic attention).",
        parameters=(
            OUT_CHANNELS,
            HEADS,
            CONCAT,
            NEGATIVE_SLOPE,
            DROPOUT,
            SELF_LOOPS,
            FILL_VALUE,
            BIAS,
            Parameter("share_weights", "bool", False),
            Parameter("residual", "bool", False),
            aggregation("sum", keyword=True),
        ),
        derived={"in_channels": "pair", "edge_dim": "edge_width"},
        self_loops=True,
        equal_pair_if=("share_weights",),
        inputs=(EDGE_ATTR,),
        paper="Brody et al., How Attentive are Graph Attention Networks?, 2022",
    ),
    _attention(
        "TransformerConv",
        "Neighbours weighted by scaled dot-product attention, plus the node itself.",
        parameters=(
            OUT_CHANNELS,
            HEADS,
            CONCAT,
            Parameter("beta", "bool", False),
            DROPOUT,
            BIAS,
            ROOT_WEIGHT,
            aggregation("add", keyword=True),
        ),
        derived={"in_channels": "pair", "edge_dim": "edge_width"},
        inputs=(EDGE_ATTR,),
        paper="Shi et al., Masked Label Prediction, 2021",
    ),
)
