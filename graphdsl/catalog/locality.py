"""How much of a graph the row that a layer makes for a node depends on, beside the hops that it looks.

A sampled batch is computed only as far as its seeds need it. That is right for a layer that makes each row from the node
and its neighbours. `GCNConv` also reads how many edges arrive at the neighbours, one hop further, and some layers read
all nodes that are there.
"""

from typing import Final, Literal

from graphdsl.catalog.registry import find, is_own

Locality = Literal["neighbours", "degrees", "graph"]

_DEGREES: Final = frozenset(
    {
        "APPNP",
        "AntiSymmetricConv",
        "ARMAConv",
        "ChebConv",
        "ClusterGCNConv",
        "CompGCNConv",
        "DNAConv",
        "EGConv",
        "FAConv",
        "GCN",
        "GCN2Conv",
        "GCNConv",
        "LGConv",
        "MixHopConv",
        "PDNConv",
        "RECT_L",
        "SGConv",
        "SSGConv",
        "TAGConv",
    }
)
"""Weigh a message by how many edges arrive at its source."""

_GRAPH: Final = frozenset(
    {
        "DirGNNConv",  # sends against the edges, too
        "FastGTNConv",  # one soft choice of relations, whose products go on from any node
        "GPSConv",  # attention between all nodes
        "GTNConv",  # as FastGTNConv
        "GraphUNet",
        "HANConv",  # the mean over all nodes weighs the metapaths
        "HINormerConv",  # contexts go where edges lead, and against them
        "HypergraphConv",
        "LINKX",
        "LightGCN",
        "MAGNNConv",
        "NARSConv",
        "PMLP",
        "Polynormer",
        "SeHGNNConv",
        "SGFormer",
        "SuperGATConv",  # in training it draws pairs of nodes
    }
)
"""Read all nodes, or edges from any to any."""

_ALONG_EDGES: Final = frozenset({"HANConv", "MAGNNConv", "SuperGATConv"})
"""Those of them whose messages still come only along edges that end in a node."""


def locality(name: str) -> Locality:
    """How much of the graph a row depends on.

    Layers of plug-ins, of which nothing is known, count as reading the graph. Norms tell themselves, as what they read
    depends on whether they are trained.

    Args:
        name: of a catalogue entry.

    >>> locality("SAGEConv"), locality("GCNConv"), locality("HANConv")
    ('neighbours', 'degrees', 'graph')
    """
    if name in _DEGREES:
        return "degrees"
    entry = find(name)
    known = is_own(name) and entry is not None and not entry.requires and entry.scope != "walk"
    return "neighbours" if known and name not in _GRAPH else "graph"


def only_along_edges(name: str) -> bool:
    """Whether all that a layer tells a node of others comes along edges, or metapaths, that end in the node.

    Args:
        name: of a catalogue entry.

    >>> only_along_edges("SAGEConv"), only_along_edges("HANConv"), only_along_edges("DirGNNConv")
    (True, True, False)
    """
    return is_own(name) and (name not in _GRAPH or name in _ALONG_EDGES)
