"""What PyG and PyTorch have that no entry describes, with the reason and what to do instead."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_BASE: Final = "the base class of others: a class of your own stands in specs by a plug-in (`--plugin my_layers`)"
_INDEX: Final = "an index over vectors; `knn_graph(8)` and `knn(16)` search among points"
_ROWS: Final = "give it those of `model.encode(…)` in Python"
_POOLED: Final = "a part of poolings: `TopKPooling`, `SAGPooling` and others select and connect"
_LANGUAGE: Final = (
    "reads texts or pictures: run it before, and declare what it makes of them as an attribute, `x: float[384]`"
)
_WITH_LANGUAGE: Final = f"a language model around a graph network; {_ROWS}"

NOT_YET: Final[Mapping[str, str]] = MappingProxyType(
    {
        "MessagePassing": f'{_BASE}; `SimpleConv("mean")` passes messages as they are',
        "FusedGATConv": "fails in PyG: it calls `lin_src`, which its constructor leaves out; `GATConv` computes the same",
        "Aggregation": f"{_BASE}; `MeanAggregation` and others are here",
        **dict.fromkeys(("KNNIndex", "L2KNNIndex", "MIPSKNNIndex", "ApproxL2KNNIndex", "ApproxMIPSKNNIndex"), _INDEX),
        "MultiheadAttention": "attends between positions of a sequence; `GPSConv(conv = none)` does between nodes of a graph",
        "Softmax2d": "for images; `softmax` works on the columns of a node",
        "PerformerAttention": 'a part of `GPSConv(conv = none, attn_type = "performer")`, on dense rows',
        "SGFormerAttention": "a part of `SGFormer`, which is a step of `sequential` blocks, on dense rows",
        "PolynormerAttention": "a part of `Polynormer`, which is a step of `sequential` blocks, on dense rows",
        "QFormer": f"turns dense rows into what a language model reads; {_ROWS}",
        **dict.fromkeys(("Select", "SelectOutput", "SelectTopK", "Connect", "ConnectOutput", "FilterEdges"), _POOLED),
        **dict.fromkeys(("SentenceTransformer", "VisionTransformer", "LLM", "LLMJudge", "TXT2KG"), _LANGUAGE),
        **dict.fromkeys(("GRetriever", "MoleculeGPT", "GITMol", "GLEM"), _WITH_LANGUAGE),
        "ProteinMPNN": "designs sequences letter by letter, in an order that it draws: no layer is, use it from Python",
    }
)
"""Reason and way out by class name; the contract test holds it against what PyG and PyTorch export, older PyG too."""
