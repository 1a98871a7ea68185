"""Layers, norms, aggregations and pools of PyG, and activations of PyTorch, that no entry describes, with the reason."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

NOT_YET: Final[Mapping[str, str]] = MappingProxyType(
    {
        "MessagePassing": "the base class, not a layer",
        "FusedGATConv": "fails in PyG: it calls `lin_src`, which its constructor leaves out; `GATConv` computes the same",
        "Aggregation": "the base class, not a layer",
        "KNNIndex": "an index over vectors, not a layer",
        "L2KNNIndex": "an index over vectors, not a layer",
        "MIPSKNNIndex": "an index over vectors, not a layer",
        "ApproxL2KNNIndex": "an index over vectors, not a layer",
        "ApproxMIPSKNNIndex": "an index over vectors, not a layer",
        "MultiheadAttention": "attends between positions of a sequence; `GPSConv(conv = none)` does between nodes of a graph",
        "Softmax2d": "for images; `softmax` works on the columns of a node",
        "PerformerAttention": 'a part of `GPSConv(conv = none, attn_type = "performer")`, on dense rows',
        "SGFormerAttention": "a part of `SGFormer`, which is a step of `sequential` blocks, on dense rows",
        "PolynormerAttention": "a part of `Polynormer`, which is a step of `sequential` blocks, on dense rows",
        "QFormer": "turns dense rows of a graph into what a language model reads, which no schema describes",
    }
)
"""Reason by class name; the contract test holds it against what PyG and PyTorch export."""
