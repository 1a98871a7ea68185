"""Layers on NVIDIA's cuGraph kernels: as PyG's classes without `CuGraph`, on a GPU, with fewer options."""

from typing import Any, Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Entry, Parameter
from graphdsl.catalog.parts import BIAS, CONCAT, HEADS, NEGATIVE_SLOPE, OUT_CHANNELS, ROOT_WEIGHT, count, flag

_NEEDS: Final = ("pylibcugraphops",)


def _kernel(name: str, doc: str, parameters: tuple[Parameter, ...], **fields: Any) -> Entry:
    path = f"graphdsl.layers.{name}"
    return Entry(name, "conv", path, doc, parameters, bipartite=False, requires=_NEEDS, **fields)


ENTRIES: Final = (
    _kernel(
        "CuGraphSAGEConv",
        "`SAGEConv` within one type, on a GPU by cuGraph's kernel.",
        (
            OUT_CHANNELS,
            Parameter("aggr", "string", "mean", choices=("mean", "sum", "min", "max")),
            flag("normalize", False),
            ROOT_WEIGHT,
            flag("project", False),
            BIAS,
        ),
        derived={"in_channels": "width"},
        width=rules.out_channels,
        scope="relation",
        paper="Hamilton et al., Inductive Representation Learning on Large Graphs, 2017",
    ),
    _kernel(
        "CuGraphGATConv",
        "`GATConv` within one type, without self-loops and dropout, on a GPU by cuGraph's kernel.",
        (OUT_CHANNELS, HEADS, CONCAT, NEGATIVE_SLOPE, BIAS),
        derived={"in_channels": "width"},
        width=rules.heads_width,
        scope="relation",
        paper="Veličković et al., Graph Attention Networks, 2018",
    ),
    _kernel(
        "CuGraphRGCNConv",
        "`RGCNConv` on a GPU by cuGraph's kernel.",
        (
            OUT_CHANNELS,
            count("num_bases"),
            Parameter("aggr", "string", "mean", choices=("mean", "sum", "add")),
            ROOT_WEIGHT,
            BIAS,
        ),
        derived={"in_channels": "width", "num_relations": "relations"},
        width=rules.out_channels,
        scope="typed",
        paper="Schlichtkrull et al., Modeling Relational Data with Graph Convolutional Networks, 2018",
    ),
)
