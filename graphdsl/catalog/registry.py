"""All entries by name."""

from types import MappingProxyType
from typing import Final

from graphdsl.catalog import (
    activations,
    aggregations,
    attention,
    autoencoders,
    clusters,
    colors,
    convolutions,
    cugraph,
    dense,
    encodings,
    geometry,
    heterogeneous,
    joint,
    meta,
    metapaths,
    models,
    molecules,
    networks,
    nodes,
    norms,
    paths,
    penalties,
    points,
    pooling,
    readouts,
    recurrent,
    search,
    spectral,
    wrapping,
)
from graphdsl.catalog.entry import Entry, Kind

_FAMILIES: Final = (
    convolutions,
    networks,
    spectral,
    attention,
    wrapping,
    geometry,
    joint,
    cugraph,
    heterogeneous,
    metapaths,
    nodes,
    encodings,
    autoencoders,
    norms,
    activations,
    readouts,
    aggregations,
    pooling,
    paths,
    meta,
    search,
    recurrent,
    clusters,
    colors,
    points,
    dense,
    models,
    penalties,
    molecules,
)
_BY_NAME: Final = MappingProxyType({entry.name: entry for family in _FAMILIES for entry in family.ENTRIES})
_ADDED: Final[dict[str, Entry]] = {}
"""Entries of plug-ins, see `catalog.plugins`; names of our own are never among them."""


def find(name: str) -> Entry | None:
    """The entry of this name, if there is one.

    >>> find("GATv2Conv").path
    'torch_geometric.nn.GATv2Conv'
    """
    return _BY_NAME.get(name) or _ADDED.get(name)


def entries(kind: Kind | None = None) -> tuple[Entry, ...]:
    """All entries, or those of one kind, family by family, then those of plug-ins that are in use.

    >>> [entry.name for entry in entries("dropout")]
    ['dropout']
    """
    known = (*_BY_NAME.values(), *_ADDED.values())
    return tuple(entry for entry in known if kind is None or entry.kind == kind)


def names(*kinds: Kind) -> tuple[str, ...]:
    """Names of these kinds (of all, if none is given), sorted.

    >>> names("node")
    ('Embedding', 'Linear', 'MLP')
    """
    return tuple(sorted(entry.name for entry in entries() if not kinds or entry.kind in kinds))


def is_own(name: str) -> bool:
    """Whether a name is of an entry of ours, which no plug-in may take.

    >>> is_own("GCNConv"), is_own("MyConv")
    (True, False)
    """
    return name in _BY_NAME


def add(entry: Entry) -> None:
    """Make an entry of a plug-in known; `catalog.plugins` has looked at it."""
    _ADDED[entry.name] = entry


def clear() -> None:
    """Forget the entries of plug-ins."""
    _ADDED.clear()
