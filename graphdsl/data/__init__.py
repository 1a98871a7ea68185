"""Graphs as data: metadata, validation against a schema, sources, mini-batches.

`import graphdsl.data` imports neither torch nor PyG; each name brings what it needs when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphdsl.data.inspection import inspect
    from graphdsl.data.validation import Report, validate
    from graphdsl.data.view import GraphData
    from graphdsl.model.metadata_file import metadata_from_json, metadata_to_json, read_metadata, write_metadata

__all__ = [
    "GraphData",
    "Report",
    "inspect",
    "metadata_from_json",
    "metadata_to_json",
    "read_metadata",
    "validate",
    "write_metadata",
]

_HOMES = {
    "GraphData": "graphdsl.data.view",
    "Report": "graphdsl.data.validation",
    "inspect": "graphdsl.data.inspection",
    "metadata_from_json": "graphdsl.model.metadata_file",
    "metadata_to_json": "graphdsl.model.metadata_file",
    "read_metadata": "graphdsl.model.metadata_file",
    "validate": "graphdsl.data.validation",
    "write_metadata": "graphdsl.model.metadata_file",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
