"""Layers, norms, aggregations and pools of PyG, and activations of PyTorch, that no entry describes, with the reason."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_PART: Final = "attention between dense rows, a part of other models"

NOT_YET: Final[Mapping[str, str]] = MappingProxyType(
    {
        "MessagePassing": "the base class, not a layer",
        "FusedGATConv": "fails in PyG: it calls a linear map (`lin_src`) that its constructor leaves out",
        "MeshCNNConv": "reads four neighbours of each node in a fixed order, which no schema or batch can promise",
        "Aggregation": "the base class, not a layer",
        "KNNIndex": "an index over vectors, not a layer",
        "L2KNNIndex": "an index over vectors, not a layer",
        "MIPSKNNIndex": "an index over vectors, not a layer",
        "ApproxL2KNNIndex": "an index over vectors, not a layer",
        "ApproxMIPSKNNIndex": "an index over vectors, not a layer",
        "MultiheadAttention": "attends between positions of a sequence; `GPSConv(conv = none)` does between nodes of a graph",
        "Softmax2d": "for images; `softmax` works on the columns of a node",
        "PerformerAttention": _PART,
        "SGFormerAttention": _PART,
        "PolynormerAttention": _PART,
        "QFormer": "attention between texts and graphs, a part of language models",
        "RENet": "reads histories of events that its own data set class collects, and returns ranks of entities",
        "GPSE": "an encoder to be pre-trained on encodings of its own; it takes and returns a whole `Data` object",
        "GPSENodeEncoder": "reads encodings that a pre-trained `GPSE` has stored in the data",
        "TGNMemory": "keeps a memory of events between batches, in the order of time",
        "LPFormer": "reads PageRank scores and counts of common neighbours of each pair, from sparse matrices",
    }
)
"""Reason by class name; the contract test holds it against what PyG and PyTorch export."""
