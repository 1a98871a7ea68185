"""All entries by name."""

from types import MappingProxyType
from typing import Final

from graphdsl.catalog import (
    activations,
    attention,
    convolutions,
    dense,
    geometry,
    heterogeneous,
    joint,
    metapaths,
    models,
    nodes,
    norms,
    pooling,
    readouts,
    spectral,
)
from graphdsl.catalog.entry import Entry, Kind

_FAMILIES: Final = (
    convolutions,
    spectral,
    attention,
    geometry,
    joint,
    heterogeneous,
    metapaths,
    nodes,
    norms,
    activations,
    readouts,
    pooling,
    dense,
    models,
)
_BY_NAME: Final = MappingProxyType({entry.name: entry for family in _FAMILIES for entry in family.ENTRIES})


def find(name: str) -> Entry | None:
    """The entry of this name, if there is one.

    >>> find("GATv2Conv").path
    'torch_geometric.nn.GATv2Conv'
    """
    return _BY_NAME.get(name)


def entries(kind: Kind | None = None) -> tuple[Entry, ...]:
    """All entries, or those of one kind, family by family.

    >>> [entry.name for entry in entries("dropout")]
    ['dropout']
    """
    return tuple(entry for entry in _BY_NAME.values() if kind is None or entry.kind == kind)


def names(*kinds: Kind) -> tuple[str, ...]:
    """Names of these kinds (of all, if none is given), sorted.

    >>> names("node")
    ('Embedding', 'Linear', 'MLP')
    """
    return tuple(sorted(entry.name for entry in _BY_NAME.values() if not kinds or entry.kind in kinds))
