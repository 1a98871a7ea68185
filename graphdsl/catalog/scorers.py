"""How two node values become the score of a link: what a link prediction may name besides layers."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from graphdsl.catalog.entry import Parameter

ScorerName = Literal[
    "dot", "distmult", "bilinear", "transe", "complex", "rotate", "attract_repel", "signed", "lpformer", "tgn", "renet"
]


@dataclass(frozen=True, slots=True)
class Scorer:
    """A function of the values of both ends of a pair.

    Attributes:
        name: the name in specs.
        path: where its class is.
        doc: one line for people.
        equal_ends: whether both ends must be equally wide.
        single: whether it gives one number for each pair, and never more.
        parameters: what a spec may write behind the name.
        halves: whether it takes the first half of the columns for real parts and the second for imaginary ones.
        one_network: whether it gives one number, and is told how wide its ends are: one network reads both.
        paper: where it comes from.
    """

    name: ScorerName
    path: str
    doc: str
    equal_ends: bool
    single: bool
    paper: str = ""
    parameters: tuple[Parameter, ...] = ()
    halves: bool = False
    one_network: bool = False


SCORERS: Final = MappingProxyType(
    {
        item.name: item
        for item in (
            Scorer("dot", "graphdsl.kernels.scoring.Dot", "The dot product of both ends.", True, True),
            Scorer(
                "distmult",
                "graphdsl.kernels.scoring.DistMult",
                "A dot product in which each column has a learned weight.",
                True,
                False,
                "Yang et al., Embedding entities and relations for learning and inference in knowledge bases, ICLR 2015",
            ),
            Scorer(
                "bilinear",
                "graphdsl.kernels.scoring.Bilinear",
                "A learned bilinear form: any widths, and it tells the ends apart.",
                False,
                False,
                "Nickel et al., A three-way model for collective learning on multi-relational data, ICML 2011",
            ),
            Scorer(
                "transe",
                "graphdsl.kernels.translation.TransE",
                "The negative distance between source plus a learned vector and target, both normalized; never above 0.",
                True,
                False,
                "Bordes et al., Translating Embeddings for Modeling Multi-Relational Data, NeurIPS 2013",
                (Parameter("p_norm", "float", 1.0, above=0),),
            ),
            Scorer(
                "complex",
                "graphdsl.kernels.translation.ComplEx",
                "The Hermitian product of both ends with learned complex weights; halves are real and imaginary parts.",
                True,
                False,
                "Trouillon et al., Complex Embeddings for Simple Link Prediction, ICML 2016",
                halves=True,
            ),
            Scorer(
                "rotate",
                "graphdsl.kernels.translation.RotatE",
                "`margin` less the distance between the rotated source and the target; halves are real and imaginary parts.",
                True,
                False,
                "Sun et al., RotatE: Knowledge Graph Embedding by Relational Rotation in Complex Space, ICLR 2019",
                (Parameter("margin", "float", 1.0),),
                halves=True,
            ),
            Scorer(
                "attract_repel",
                "graphdsl.kernels.attraction.AttractRepel",
                "How alike both ends attract less how alike they repel: embeddings that one network makes of each end.",
                True,
                True,
                "Peysakhovich et al., Pseudo-Euclidean Attract-Repel Embeddings for Undirected Graphs, 2021",
                (
                    Parameter("hidden_channels", "int", minimum=1),
                    Parameter("out_channels", "int|none", None, minimum=2),
                    Parameter("num_layers", "int", 2, minimum=1),
                    Parameter("dropout", "float", 0.0, minimum=0, below=1),
                    Parameter("attract_ratio", "float", 0.5, above=0, below=1),
                ),
                one_network=True,
            ),
            Scorer(
                "signed",
                "graphdsl.kernels.signs.SignScore",
                "Whether an edge is positive or negative, as `SignedGCN` learns it: two relations, three classes, triplets.",
                True,
                True,
                "Derr et al., Signed Graph Convolutional Network, ICDM 2018",
                (Parameter("negative", "string"), Parameter("lamb", "float", 5.0, minimum=0)),
                one_network=True,
            ),
            Scorer(
                "lpformer",
                "graphdsl.kernels.pair_transformer.PairTransformer",
                "Attention of a pair over the nodes near its ends, which PageRank tells: PyG's `LPFormer`.",
                True,
                True,
                "Shomer et al., LPFormer: An Adaptive Graph Transformer for Link Prediction, KDD 2024",
                (
                    Parameter("hidden_channels", "int", minimum=1),
                    Parameter("num_gnn_layers", "int", 2, minimum=1),
                    Parameter("gnn_dropout", "float", 0.1, minimum=0, below=1),
                    Parameter("transformer_dropout", "float", 0.1, minimum=0, below=1),
                    Parameter("ppr_thresholds", "list[float]", (0.0, 1e-4, 1e-2), minimum=0, below=1),
                    Parameter("alpha", "float", 0.15, above=0, below=1),
                    Parameter("eps", "float", 5e-5, above=0),
                ),
                one_network=True,
            ),
            Scorer(
                "tgn",
                "graphdsl.kernels.events.EventMemory",
                "The next events, by a memory of nodes that earlier ones change: `TGNMemory` and the network of its example.",
                False,
                True,
                "Rossi et al., Temporal Graph Networks for Deep Learning on Dynamic Graphs, 2020",
                (
                    Parameter("memory_dim", "int", minimum=1),
                    Parameter("time_dim", "int", minimum=1),
                    Parameter("embedding_dim", "int", minimum=1),
                    Parameter("msg", "string|none", None),
                    Parameter("num_neighbors", "int", 10, minimum=1),
                    Parameter("heads", "int", 2, minimum=1),
                    Parameter("dropout", "float", 0.1, minimum=0, below=1),
                    Parameter("message", "string", "identity", choices=("identity", "mlp")),
                    Parameter("aggregator", "string", "last", choices=("last", "mean")),
                    Parameter("conv", "string", "TransformerConv", choices=("TransformerConv", "GATConv", "GATv2Conv")),
                ),
            ),
            Scorer(
                "renet",
                "torch_geometric.nn.RENet",
                "Which of all nodes an event joins, by what its other end met before: PyG's `RENet`.",
                False,
                True,
                "Jin et al., Recurrent Event Network: Autoregressive Structure Inference over Temporal Knowledge Graphs, "
                "EMNLP 2020",
                (
                    Parameter("hidden_channels", "int", minimum=1),
                    Parameter("rel", "string"),
                    Parameter("seq_len", "int", 10, minimum=1),
                    Parameter("dropout", "float", 0.0, minimum=0, below=1),
                    Parameter("bias", "bool", True),
                ),
            ),
        )
    }
)
"""Scorers by name; every layer of a node map can stand in their place, on the concatenation of both ends."""


def find_scorer(name: str) -> Scorer | None:
    """The scorer of this name, if there is one.

    >>> find_scorer("dot").equal_ends
    True
    """
    return next((item for item in SCORERS.values() if item.name == name), None)
