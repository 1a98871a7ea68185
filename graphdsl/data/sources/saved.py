"""A graph in a `.pt` file, opened so that no code in it can run."""

import pickle
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Data, HeteroData, TemporalData
from torch_geometric.data.data import DataEdgeAttr, DataTensorAttr
from torch_geometric.data.storage import BaseStorage, EdgeStorage, GlobalStorage, NodeStorage

from graphdsl.data.graph_set import GraphSet, read_data
from graphdsl.data.homogeneous import as_hetero, only_types
from graphdsl.data.sources.refusal import one_line, refuse, stop
from graphdsl.data.temporal import event_relation, from_events
from graphdsl.model import DataSource, Schema
from graphdsl.text import Diagnostic

_PLAIN = [BaseStorage, NodeStorage, EdgeStorage, GlobalStorage, DataEdgeAttr, DataTensorAttr, TemporalData]
"""PyG lets torch open its containers, but not what lies in them, which is just as harmless: mappings and records."""


def load_saved(source: DataSource, schema: Schema) -> HeteroData | GraphSet:
    """Open a graph saved by `torch.save`, the dictionary that its `to_dict()` gives, or a list of such.

    A homogeneous `Data` is accepted where the schema has one node type and one edge type, a `TemporalData` where it has one
    relation.

    The file is read with `weights_only`: tensors, plain Python values and PyG's own containers; anything else is
    refused before it can run.

    Raises:
        SpecError: GNN611: the file is missing, broken, holds something else, or would need to run code.
    """
    path = source.base / source.name
    content = _read(source, path)
    kinds = Data | HeteroData | dict
    if isinstance(content, list | tuple) and content and all(isinstance(item, kinds) for item in content):
        return GraphSet([_graph(source, path, item, schema) for item in content], schema)
    return read_data(_graph(source, path, content, schema), schema)


def read_saved(source: DataSource) -> Any:
    """What a file holds: a `HeteroData`, a `Data`, a `TemporalData`, or a list of graphs.

    It is read with `weights_only`, as `load_saved` does.

    Raises:
        SpecError: GNN611: the file is missing, broken, holds something else, or would need to run code.
    """
    path = source.base / source.name
    content = _read(source, path)
    if isinstance(content, list | tuple) and content:
        return [_as_stored(source, path, item) for item in content]
    return _as_stored(source, path, content)


def _as_stored(source: DataSource, path: Path, content: Any) -> HeteroData | Data | TemporalData:
    return content if isinstance(content, Data | TemporalData) else _hetero(source, path, content)


def _told(content: Any) -> Any:
    """What `to_dict()` of a graph gave, as the graph; anything else as it is.

    Dictionaries of a `HeteroData` hold dictionaries, those of a `Data` or a `TemporalData` what lies in these.
    """
    if isinstance(content, list | tuple):
        return [_told(item) for item in content]
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        return content
    if all(isinstance(content.get(name), Tensor) for name in ("src", "dst")):
        return TemporalData.from_dict(content)
    return Data.from_dict(content) if isinstance(content.get("edge_index"), Tensor) else content


def _graph(source: DataSource, path: Path, content: Any, schema: Schema) -> HeteroData:
    """A graph that a file holds, alone or in a list."""
    if isinstance(content, TemporalData):
        if (relation := event_relation(schema)) is not None:
            return from_events(content, relation)
        message = f"`{path}` holds a `TemporalData`, the events of one relation, and `{schema.name}` has more"
        raise stop(refuse(source, message, "give it a schema of one relation and its ends; `gnn pull` draws one"))
    if isinstance(content, Data):
        if only_types(schema) is not None:
            return as_hetero(content, schema)
        help_line = "save `data.to_heterogeneous()`, with the names of its types"
        raise stop(
            refuse(source, f"`{path}` holds a homogeneous `Data`, and a heterogeneous graph is needed", help_line)
        )
    return _hetero(source, path, content)


def _hetero(source: DataSource, path: Path, content: Any) -> HeteroData:
    if isinstance(content, HeteroData):
        return _rebuild(source, path, content)
    if isinstance(content, dict) and content and all(_is_store(key, value) for key, value in content.items()):
        return HeteroData.from_dict(content)
    message = f"`{path}` holds a `{type(content).__name__}` that is no graph"
    raise stop(
        refuse(source, message, "save a graph, what its `to_dict()` gives, or a list of such, with `torch.save`")
    )


def _read(source: DataSource, path: Path) -> Any:
    torch.serialization.add_safe_globals(_PLAIN)
    try:
        return _told(torch.load(path, map_location="cpu", weights_only=True))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise stop(refuse(source, f"cannot read `{path}`: {reason}", "give the path of a `.pt` file")) from None
    except pickle.UnpicklingError as error:
        raise stop(_explain_refused(source, path, error)) from None
    except Exception as error:  # torch raises RuntimeError, EOFError, KeyError and more for broken files.
        message = f"`{path}` is no file that `torch.save` wrote, or it is broken ({one_line(error)})"
        raise stop(refuse(source, message, "save the graph anew with `torch.save`")) from None


def _explain_refused(source: DataSource, path: Path, error: Exception) -> Diagnostic:
    """Say which class the file asks for, and how to get the graph out of it."""
    needed = re.search(r"\bGLOBAL ([\w.]+)", str(error))
    if needed is None:
        message = f"`{path}` is no file that `torch.save` wrote, or it is broken"
        return refuse(source, message, "save the graph anew with `torch.save`")
    return refuse(
        source,
        f"`{path}` needs `{needed.group(1)}`, which is no tensor or plain value: opening it could run any code",
        "if you trust the file, save what is in it: `torch.save(torch.load(path, weights_only=False).to_dict(), path)`",
        "or let a function of your own make the graph: `--data file.py:function`",
    )


def _is_store(key: Any, value: Any) -> bool:
    if key == "_global_store":
        return isinstance(value, dict)
    is_type = isinstance(key, str)
    is_relation = isinstance(key, tuple) and len(key) == 3 and all(isinstance(name, str) for name in key)
    return (is_type or is_relation) and isinstance(value, dict) and all(isinstance(name, str) for name in value)


def _rebuild(source: DataSource, path: Path, data: HeteroData) -> HeteroData:
    """The same graph in containers of the installed PyG: a file may hold those of another version, or half of one."""
    try:
        content = data.to_dict()
    except Exception as error:
        message = f"`{path}` holds a `HeteroData` that is broken ({one_line(error)})"
        raise stop(refuse(source, message, "save the graph anew with `torch.save`")) from None
    return HeteroData.from_dict(content)
