"""A folder of tables as a graph: one table for each node type and each relation.

    airport.csv.gz              id,x.latitude,x.longitude     a node type: row order numbers the nodes
    plane-flies_to-airport.csv  source,target,w               a relation: ends by `id`, or by row number without ids

A table is `.csv.gz`, `.csv` or `.parquet`; the schema says which tables and columns to look for. Relations that it
declares by `reverse` need no table. Names are escaped by `file_stem`, columns are read by `read_attribute`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from graphdsl.data.phrases import number
from graphdsl.data.sources.columns import read_attribute
from graphdsl.data.sources.refusal import refuse, stop
from graphdsl.data.sources.table import SUFFIXES, Table, file_stem, find_table, first_cells, import_pandas, read_table
from graphdsl.model import Attribute, DataSource, EdgeType, Schema
from graphdsl.text import Diagnostic, EdgeKey, closest, did_you_mean, listing

_SMALL = 20_000
"""Up to so many ids it takes no noticeable time to look for the one that was meant."""


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Nodes that were read: how many, and their ids if they have any."""

    count: int
    ids: Any = None


def load_tables(source: DataSource, schema: Schema) -> HeteroData:
    """Read every table that the schema calls for.

    Args:
        source: its `name` is the folder.
        schema: node types, relations and attributes to look for; optional ones may be absent.

    Returns:
        Features and other attributes by their declared kinds, the ends of relations as `edge_index`. Types without `x`
        have `num_nodes`; types with an `id` column keep it as a list of strings `id`.

    Raises:
        SpecError: every missing file or column, unknown or repeated id and cell that does not fit, all at once.
    """
    folder = source.base / Path(source.name).expanduser()
    if not folder.is_dir():
        raise stop(refuse(source, f"cannot read `{folder}`: no such folder", "give a folder of tables"))
    import_pandas(source)
    found: list[Diagnostic] = []
    data = HeteroData()
    nodes: dict[str, _Nodes | None] = {}
    for node in schema.nodes.values():
        path = _find(source, folder, node.name, node.optional, found)
        if path is not None:
            nodes[node.name] = _load_nodes(source, path, node.name, node.attributes, data, found)
    absent = {node.name for node in schema.nodes.values() if node.optional} - set(nodes)
    for edge in schema.edges.values():
        if edge.source in absent or edge.target in absent:
            continue
        path = _find(source, folder, edge.key, edge.optional or edge.derived, found)
        if path is not None:
            _load_edges(source, path, edge, nodes, data, found)
    if found:
        raise stop(*found)
    return data


def _find(
    source: DataSource, folder: Path, place: str | EdgeKey, may_lack: bool, found: list[Diagnostic]
) -> Path | None:
    paths = find_table(folder, place)
    if len(paths) == 1 or (may_lack and not paths):
        return paths[0] if paths else None
    stem = file_stem(place)
    if paths:
        names = ", ".join(f"`{path.name}`" for path in paths)
        message = f"`{folder.name}` holds the same table in several files: {names}"
        found.append(refuse(source, message, "leave one of them", where=stem))
        return None
    there = sorted(path.name.removesuffix(suffix) for suffix in SUFFIXES for path in folder.glob(f"*{suffix}"))
    helps = did_you_mean(stem, there) or (f"add `{stem}.csv.gz`, or declare it `optional`",)
    message = f"`{folder.name}` holds no table `{stem}.csv.gz`, nor one ending in `.csv` or `.parquet`"
    found.append(refuse(source, message, *helps, code="GNN601", where=stem, notes=listing("tables", there)))
    return None


def _load_nodes(
    source: DataSource,
    path: Path,
    node_type: str,
    attributes: Mapping[str, Attribute],
    data: HeteroData,
    found: list[Diagnostic],
) -> _Nodes | None:
    table = read_table(source, path, ("id",), found)
    if table is None:
        return None
    count = len(table.frame)
    store = data[node_type]
    for attribute in attributes.values():
        value = read_attribute(table, attribute, attributes, found)
        if value is not None:
            store[attribute.name] = value
    if "x" not in store:
        store.num_nodes = count
    if "id" not in table.frame.columns:
        return _Nodes(count)
    ids = _index_ids(table, found)
    if ids is not None and "id" not in attributes:
        store.id = ids.tolist()
    return None if ids is None else _Nodes(count, ids)


def _index_ids(table: Table, found: list[Diagnostic]) -> Any:
    """The `id` column as a pandas index; None if an id is empty or not unique."""
    import pandas as pd

    ids: Any = pd.Index(table.frame["id"])
    empty, again = np.flatnonzero(ids == ""), np.flatnonzero(ids.duplicated())
    if len(empty):
        message = f"has {number(len(empty), 'empty cell')} in `id`: {first_cells(empty.tolist())}"
        found.append(table.say("GNN611", message, "id"))
    repeated = again[ids[again] != ""]
    if len(repeated):
        rows = first_cells(repeated.tolist(), ids[repeated[:3]].tolist())
        message = f"has {number(len(repeated), 'row')} whose `id` stands above already: {rows}"
        found.append(table.say("GNN611", message, "id", "an id names one node: make them unique"))
    return None if len(empty) or len(repeated) else ids


def _load_edges(
    source: DataSource,
    path: Path,
    edge: EdgeType,
    nodes: Mapping[str, _Nodes | None],
    data: HeteroData,
    found: list[Diagnostic],
) -> None:
    ends = (("source", edge.source), ("target", edge.target))
    table = read_table(source, path, [column for column, end in ends if _has_ids(nodes.get(end))], found)
    if table is None:
        return
    store = data[edge.key]
    rows = [_number_ends(table, column, end, nodes.get(end), found) for column, end in ends]
    if rows[0] is not None and rows[1] is not None:
        store.edge_index = torch.stack([rows[0], rows[1]])
    for attribute in edge.attributes.values():
        value = read_attribute(table, attribute, edge.attributes, found)
        if value is not None:
            store[attribute.name] = value


def _has_ids(nodes: _Nodes | None) -> bool:
    return nodes is not None and nodes.ids is not None


def _number_ends(
    table: Table, column: str, node_type: str, nodes: _Nodes | None, found: list[Diagnostic]
) -> Tensor | None:
    """Node numbers of one end of each edge, shape [E]; None if the column or the nodes cannot be read."""
    columns = [str(name) for name in table.frame.columns]
    if column not in columns:
        helps = did_you_mean(column, columns) or ("a relation's table has the columns `source` and `target`",)
        found.append(
            table.say("GNN603", f"has no column `{column}`", column, *helps, notes=listing("columns", columns))
        )
        return None
    if nodes is None:
        return None
    cells = table.frame[column]
    numbers = _as_row_numbers(cells, nodes.count) if nodes.ids is None else nodes.ids.get_indexer(cells)
    bad = np.flatnonzero(numbers < 0)
    if len(bad):
        found.append(_explain_unknown(table, column, node_type, nodes, bad))
        return None
    return torch.from_numpy(np.ascontiguousarray(numbers, dtype=np.int64))


def _as_row_numbers(cells: Any, count: int) -> Any:
    """Cells as numbers 0 … count - 1, and -1 for anything else."""
    import pandas as pd

    column: Any = pd.to_numeric(cells, errors="coerce")
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    fits = (numbers >= 0) & (numbers < count) & (numbers == np.floor(numbers))
    return np.where(fits, numbers, -1).astype(np.int64)


def _explain_unknown(table: Table, column: str, node_type: str, nodes: _Nodes, bad: Any) -> Diagnostic:
    cells = table.frame[column].iloc[bad[:3]].tolist()
    count = number(len(bad), "row")
    if nodes.ids is None:
        message = f"has {count} whose `{column}` is no row number of `{node_type}` (0 … {nodes.count - 1:,})"
        helps = (f"number the rows of `{node_type}` from 0, or give its table a column `id`",)
    else:
        message = f"has {count} whose `{column}` is no `id` of `{node_type}`"
        meant = closest(str(cells[0]), nodes.ids) if len(nodes.ids) <= _SMALL else None
        helps = (
            (f"did you mean `{meant}`?",) if meant else (f"add the missing nodes to `{node_type}`, or drop the rows",)
        )
    return table.say("GNN606", f"{message}: {first_cells(bad.tolist(), cells)}", column, *helps)
