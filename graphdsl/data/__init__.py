"""Graphs as data: metadata, validation against a schema, sources, mini-batches.

`import graphdsl.data` imports neither torch nor PyG; each name brings what it needs when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphdsl.data.estimates import estimate_relations
    from graphdsl.data.graph_set import GraphSet
    from graphdsl.data.inputs import batch_inputs
    from graphdsl.data.inspection import inspect
    from graphdsl.data.loading import seed_loader
    from graphdsl.data.networks import from_networkx
    from graphdsl.data.relational import from_tables
    from graphdsl.data.sampling import HeteroNeighborSampler, neighbor_loader
    from graphdsl.data.sources import load_raw, load_source, parse_source
    from graphdsl.data.splitting import split_links
    from graphdsl.data.validation import TIERS, Report, Tier, validate, validate_metadata
    from graphdsl.data.view import GraphData
    from graphdsl.model.metadata_file import metadata_from_json, metadata_to_json, read_metadata, write_metadata

__all__ = [
    "TIERS",
    "GraphData",
    "GraphSet",
    "HeteroNeighborSampler",
    "Report",
    "Tier",
    "batch_inputs",
    "estimate_relations",
    "from_networkx",
    "from_tables",
    "inspect",
    "load_raw",
    "load_source",
    "metadata_from_json",
    "metadata_to_json",
    "neighbor_loader",
    "parse_source",
    "read_metadata",
    "seed_loader",
    "split_links",
    "validate",
    "validate_metadata",
    "write_metadata",
]

_HOMES = {
    "GraphData": "graphdsl.data.view",
    "GraphSet": "graphdsl.data.graph_set",
    "HeteroNeighborSampler": "graphdsl.data.sampling",
    "Report": "graphdsl.data.validation",
    "TIERS": "graphdsl.data.validation",
    "Tier": "graphdsl.data.validation",
    "batch_inputs": "graphdsl.data.inputs",
    "estimate_relations": "graphdsl.data.estimates",
    "from_tables": "graphdsl.data.relational",
    "from_networkx": "graphdsl.data.networks",
    "inspect": "graphdsl.data.inspection",
    "load_raw": "graphdsl.data.sources",
    "load_source": "graphdsl.data.sources",
    "metadata_from_json": "graphdsl.model.metadata_file",
    "metadata_to_json": "graphdsl.model.metadata_file",
    "neighbor_loader": "graphdsl.data.sampling",
    "parse_source": "graphdsl.data.sources",
    "read_metadata": "graphdsl.model.metadata_file",
    "split_links": "graphdsl.data.splitting",
    "seed_loader": "graphdsl.data.loading",
    "validate": "graphdsl.data.validation",
    "validate_metadata": "graphdsl.data.validation",
    "write_metadata": "graphdsl.model.metadata_file",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
