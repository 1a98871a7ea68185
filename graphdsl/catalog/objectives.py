"""What a model can learn without labels: what stands behind `learn TARGET:`."""

from types import MappingProxyType
from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import REQUIRED, Arguments, Entry, LegalityRule, Parameter, Problem


def _count(name: str, default: object = REQUIRED, minimum: int = 1) -> Parameter:
    return Parameter(name, "int", default, minimum=minimum)


_WALKS: Final = (_count("walk_length"), _count("context_size", minimum=2), _count("walks_per_node", 1))
_SPARSE: Final = Parameter("sparse", "bool", False)
_HELD: Final = "the compiler hands the edges over when it trains"


def _fits(extra: int) -> LegalityRule:
    """A window is no longer than a walk, which has `walk_length + extra` nodes."""

    def rule(arguments: Arguments, _width: int | None) -> Problem | None:
        length, size = arguments["walk_length"] + extra, arguments["context_size"]
        if size <= length:
            return None
        message = f"`context_size` is {size}, but a walk has {length} nodes: no window fits"
        return Problem("GNN204", message, "context_size", f"let `context_size` be at most {length}, or walk further")

    return rule


OBJECTIVES: Final = MappingProxyType(
    {
        item.name: item
        for item in (
            Entry(
                "MetaPath2Vec",
                "objective",
                "torch_geometric.nn.MetaPath2Vec",
                "A vector for each node, alike for nodes that walks along a metapath bring together.",
                parameters=(_count("embedding_dim"), *_WALKS, _count("num_negative_samples", 1), _SPARSE),
                derived={"metapath": "metadata", "num_nodes_dict": "count"},
                left_out={"edge_index_dict": _HELD},
                width=rules.width_from("embedding_dim"),
                rules=(_fits(1),),
                paper="Dong et al., metapath2vec: Scalable Representation Learning for Heterogeneous Networks, KDD 2017",
            ),
            Entry(
                "Node2Vec",
                "objective",
                "graphdsl.kernels.node2vec.Node2Vec",
                "A vector for each node, alike for nodes that second-order random walks bring together.",
                parameters=(
                    _count("embedding_dim"),
                    *_WALKS,
                    Parameter("p", "float", 1.0, above=0),
                    Parameter("q", "float", 1.0, above=0),
                    _count("num_negative_samples", 1),
                    _SPARSE,
                ),
                derived={"num_nodes": "count"},
                left_out={"edge_index": _HELD},
                width=rules.width_from("embedding_dim"),
                rules=(_fits(0),),
                paper="Grover and Leskovec, node2vec: Scalable Feature Learning for Networks, KDD 2016",
            ),
            Entry(
                "DeepGraphInfomax",
                "objective",
                "torch_geometric.nn.DeepGraphInfomax",
                "Tells the nodes of the graph from those of a graph with permuted features, by a summary of all nodes.",
                derived={"hidden_channels": "width"},
                left_out={
                    "encoder": "the stages before `learn`",
                    "summary": "the sigmoid of the mean, as in the paper",
                    "corruption": "the rows of each type's features are permuted, as in the paper",
                },
                paper="Veličković et al., Deep Graph Infomax, ICLR 2019",
            ),
        )
    }
)
"""Objectives by PyG's class name."""
