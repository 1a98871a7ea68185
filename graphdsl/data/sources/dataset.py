"""A dataset that PyG knows by name."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch_geometric.datasets
from torch_geometric.data import Data, Dataset, HeteroData, TemporalData
from torch_geometric.datasets.icews import EventDataset

from graphdsl.data.graph_set import GraphSet, read_data
from graphdsl.data.homogeneous import only_types
from graphdsl.data.sources.refusal import one_line, refuse, stop
from graphdsl.data.temporal import event_relation, from_quadruples
from graphdsl.model import DataSource, Schema
from graphdsl.text import EdgeKey, did_you_mean, listing

_TU = ("MUTAG", "ENZYMES", "PROTEINS", "COLLAB", "IMDB-BINARY", "REDDIT-BINARY", "NCI1", "DD")
"""Datasets of `TUDataset` that may be named without it."""


def load_dataset(source: DataSource, schema: Schema) -> HeteroData | GraphSet:
    """Make a dataset of `torch_geometric.datasets`; it downloads what is not there yet.

    Several graphs come as a list. Homogeneous graphs get the types of a schema that has one of each.

    Args:
        source: `name` of the class, or of a dataset of `TUDataset` such as "MUTAG"; `arguments` for the constructor, of
            which `root` starts from `base`.
        schema: what the data is to serve.

    Raises:
        SpecError: GNN612 for an unknown name, GNN611 for arguments that it does not take, a failed download or a
            homogeneous graph, GNN617 for a package that the dataset needs.
    """
    made = make_dataset(source)
    single = only_types(schema)
    if isinstance(made, EventDataset) and single is not None:
        return _quadruples(source, made, single[1])
    graph = _first(source, made)
    fits = isinstance(graph, HeteroData) or (isinstance(graph, Data) and only_types(schema) is not None)
    fits = fits or (isinstance(graph, TemporalData) and event_relation(schema) is not None)
    if fits:
        several = schema.graph or (len(made) > 1 and isinstance(graph, Data | HeteroData))
        return GraphSet(list(made), schema) if several else read_data(graph, schema)
    found = "homogeneous graphs" if isinstance(graph, Data) else f"a `{type(graph).__name__}`"
    message = f"the dataset `{source.name}` holds {found}, and a heterogeneous graph is needed"
    raise stop(refuse(source, message, 'such as `pyg("DBLP", root=…)`'))


def _quadruples(source: DataSource, made: EventDataset, edge: EdgeKey) -> HeteroData:
    """The events of a dataset: those of the split that is named, otherwise all, with masks of PyG's splits."""
    parts: dict[str, Any] = {"train": made}
    if "split" not in source.arguments:
        parts |= {
            name: make_dataset(replace(source, arguments={**source.arguments, "split": name}))
            for name in ("val", "test")
        }
    values = {name: part._data.to_dict() for name, part in parts.items()}
    graph = from_quadruples(values, made.num_nodes, edge)
    if "split" in source.arguments:
        del graph[edge].train_mask
    return graph


def make_dataset(source: DataSource) -> Any:
    """Make a dataset of `torch_geometric.datasets`, as it is.

    Raises:
        SpecError: GNN612 for an unknown name, GNN611 for arguments that it does not take or a failed download, GNN617 for
            a package that the dataset needs.
    """
    if source.name in _TU:
        source = replace(source, name="TUDataset", arguments={**source.arguments, "name": source.name})
    known = {name: item for name in torch_geometric.datasets.__all__ if _is_dataset(item := _look_up(name))}
    if source.name not in known:
        helps = did_you_mean(source.name, known)
        message = f"PyG has no dataset `{source.name}`"
        raise stop(refuse(source, message, *helps, code="GNN612", notes=() if helps else listing("datasets", known)))
    return _make(source, known[source.name])


def _look_up(name: str) -> Any:
    return getattr(torch_geometric.datasets, name, None)


def _is_dataset(item: Any) -> bool:
    return isinstance(item, type) and issubclass(item, Dataset)


def _make(source: DataSource, cls: Any) -> Any:
    arguments = dict(source.arguments)
    if isinstance(arguments.get("root"), str):
        arguments["root"] = str(source.base / Path(arguments["root"]).expanduser())
    signature = inspect.signature(cls)
    try:
        signature.bind(**arguments)
    except TypeError as error:
        unknown = next((name for name in arguments if name not in signature.parameters), None)
        helps = did_you_mean(unknown, signature.parameters) if unknown else ()
        notes = listing(f"arguments of `{source.name}`", signature.parameters)
        raise stop(refuse(source, f"the dataset `{source.name}`: {error}", *helps, notes=notes)) from None
    try:
        return cls(**arguments)
    except ImportError as error:
        message = f"the dataset `{source.name}` needs a package that is not installed ({one_line(error)})"
        raise stop(refuse(source, message, code="GNN617")) from error
    except OSError as error:
        message = f"the dataset `{source.name}` cannot be downloaded or stored ({one_line(error)})"
        help_line = "check the network, or put its files where `root` says"
        raise stop(refuse(source, message, help_line)) from error
    except Exception as error:  # Whatever a dataset's own processing raises on what it was given.
        raise stop(refuse(source, f"the dataset `{source.name}` cannot be made ({one_line(error)})")) from error


def _first(source: DataSource, dataset: Any) -> Any:
    try:
        return dataset[0]
    except Exception as error:
        message = f"the dataset `{source.name}` has no first graph ({one_line(error)})"
        raise stop(refuse(source, message)) from error
