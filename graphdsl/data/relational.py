"""Tables with keys as a graph: rows are nodes, foreign keys relations (Fey et al., Relational Deep Learning, ICML 2024)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_geometric.data import HeteroData

from graphdsl.data.label_columns import read_label
from graphdsl.data.phrases import SHOWN, number
from graphdsl.data.sources.refusal import refuse
from graphdsl.data.sources.table import SUFFIXES, import_pandas
from graphdsl.model import TAKEN_NAMES, DataSource
from graphdsl.text import Diagnostic, SpecError, did_you_mean, listing, report

CATEGORIES = 50
"""Up to so many different texts in a column are categories; more are names or prose."""


def from_tables(
    tables: Mapping[str, Any],
    keys: Mapping[str, str],
    links: Mapping[tuple[str, str], str],
    times: Mapping[str, str] | None = None,
) -> HeteroData:
    """A graph of pandas data frames with primary and foreign keys.

    Numbers and booleans become columns of `x`, each with mean 0 and deviation 1, a missing one being 0; texts with at most
    `CATEGORIES` different values become one column of `x` each; dates become seconds since 1970 under their column's name,
    or a column of `x` where some are missing. Cells that hold equally many numbers each are rows of a tensor with the
    column's name. Columns called `y`, `label` or `target` are labels, and `…_mask` masks, no features (`read_label`).
    Other texts stay lists. A table's time is called `time`.

    Args:
        tables: data frames by the name of their node type, or paths of CSV and Parquet files (`.csv`, `.csv.gz`, `.parquet`).
        keys: the column of each table that others refer to; a table without one is referred to by nobody.
        links: which table a column of a table refers to, by (table, column) or `"table.column"`. The relation is called as
            the column. Rows without a value have no edge.
        times: the column of each table that says when its row came to be: dates, also as text, or whole numbers.

    Raises:
        SpecError: GNN101 for a table or column that is not there, GNN611 for a key that is not unique or a time that is
            none, GNN606 for a foreign key that is no row's, and GNN611 or GNN617 for a file that cannot be read.

    >>> import pandas as pd
    >>> users, buys = pd.DataFrame({"id": [7, 9], "age": [20, 40]}), pd.DataFrame({"user": [9, 9]})
    >>> data = from_tables({"users": users, "buys": buys}, {"users": "id"}, {("buys", "user"): "users"})
    >>> data["buys", "user", "users"].edge_index.tolist(), data["users"].x.tolist()
    ([[0, 1], [1, 1]], [[-1.0], [1.0]])
    """
    keys, times = ({name: str(column) for name, column in (given or {}).items()} for given in (keys, times))
    tables = {name: _named(name, _open(name, table)) for name, table in tables.items()}
    links = _read_links(links or {})
    found = _check_names(tables, keys, links, times)
    if found:
        raise SpecError(found)
    indices = {name: _index(name, tables[name][column], found) for name, column in keys.items()}
    data = HeteroData()
    for name, frame in tables.items():
        special = {keys.get(name), times.get(name), *(column for table, column in links if table == name)}
        columns = [column for column in frame.columns if column not in special]
        made, features = _read_columns(frame, columns)
        found += _refuse_taken(name, made, bool(features), times)
        data[name].num_nodes = len(frame)
        for key, value in made.items():
            data[name][key] = value
        if features:
            data[name].x = torch.from_numpy(np.stack(features, axis=1).astype(np.float32))
        if name in times:
            _put_time(data[name], f"{name}.{times[name]}", frame[times[name]], found)
    for (name, column), parent in links.items():
        _put_edges(data, name, column, parent, tables[name][column], indices.get(parent), found)
    if found:
        raise SpecError(found)
    return data


def _open(name: str, table: Any) -> Any:
    """A data frame, or what a file of one holds."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if not isinstance(table, str | Path):
        message = f"the table `{name}` is a `{type(table).__name__}`, not a data frame of pandas or the path of a file"
        helps = (f"`pandas.DataFrame(tables[{name!r}])`",)
        raise SpecError([report("GNN611", message, where=name, helps=helps)])

    try:
        return pd.read_parquet(table) if Path(table).suffix == ".parquet" else pd.read_csv(table)
    except ImportError as error:
        message = f"reading `{table}` needs a package: {' '.join(str(error).split()[:12])} …"
        raise SpecError([report("GNN617", message, where=name, helps=("`pip install pyarrow`",))]) from error
    except Exception as error:  # Whatever a parser raises, the table cannot be had.
        message = f"cannot read `{table}`: {type(error).__name__}: {' '.join(str(error).split())}"
        raise SpecError([report("GNN611", message, where=name)]) from error


def _named(name: str, frame: Any) -> Any:
    """A data frame whose columns are told apart by texts."""
    names = [str(column) for column in frame.columns]
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        message = f"the table `{name}` has the column `{twice[0]}` twice"
        raise SpecError([report("GNN611", message, where=f"{name}.{twice[0]}", helps=("rename one of them",))])
    return frame.set_axis(names, axis=1) if names != [*frame.columns] else frame


def _read_links(links: Mapping[Any, str]) -> dict[tuple[str, str], str]:
    """Links by table and column; `"table.column"` is as good as the pair."""
    found: dict[tuple[str, str], str] = {}
    for link, parent in links.items():
        pair = tuple(link.partition(".")[::2]) if isinstance(link, str) else link
        if not isinstance(pair, tuple) or len(pair) != 2 or not all(map(str, pair)):
            helps = ('a column that refers to rows: `{("views", "user"): "users"}`',)
            raise SpecError([report("GNN611", f"`{link}` names no column of a table", where="links", helps=helps)])
        found[str(pair[0]), str(pair[1])] = parent
    return found


def find_tables(source: DataSource) -> dict[str, Path]:
    """The tables of a folder by their names: those of its files.

    Args:
        source: its `name` is the folder.

    Raises:
        SpecError: GNN611 for a folder without tables, or one that holds a table twice; GNN617 without pandas.
    """
    folder = source.base / Path(source.name).expanduser()
    import_pandas(source)
    tables, found = dict[str, Path](), list[Diagnostic]()
    for suffix in SUFFIXES:
        for path in sorted(folder.glob(f"*{suffix}")):
            name = path.name.removesuffix(suffix)
            if name in tables:
                message = f"`{folder.name}` holds the same table in several files: `{tables[name].name}`, `{path.name}`"
                found.append(refuse(source, message, "leave one of them", where=name))
            tables[name] = path
    if not tables:
        found.append(refuse(source, f"`{folder}` holds no table", "a table is a `.csv`, `.csv.gz` or `.parquet` file"))
    if found:
        raise SpecError(found)
    return dict(sorted(tables.items()))


def from_database(database: Any) -> HeteroData:
    """A graph of a database as RelBench has it.

    Args:
        database: has `table_dict`, tables with `df`, `pkey_col`, `fkey_col_to_pkey_table` and `time_col`.

    Raises:
        SpecError: as `from_tables`.
    """
    tables = database.table_dict
    return from_tables(
        {name: table.df for name, table in tables.items()},
        {name: table.pkey_col for name, table in tables.items() if table.pkey_col is not None},
        {
            (name, column): parent
            for name, table in tables.items()
            for column, parent in table.fkey_col_to_pkey_table.items()
        },
        {name: table.time_col for name, table in tables.items() if table.time_col is not None},
    )


def _check_names(
    tables: Mapping[str, Any], keys: Mapping[str, str], links: Mapping[tuple[str, str], str], times: Mapping[str, str]
) -> list[Diagnostic]:
    asked = [*keys.items(), *times.items(), *links]
    found = [item for name, column in asked if (item := _missing(tables, name, column)) is not None]
    for (name, column), parent in links.items():
        where = f"{name}.{column}"
        if parent not in tables:
            helps = did_you_mean(parent, tables)
            found.append(
                report("GNN101", f"`{where}` refers to `{parent}`, which is no table", where=where, helps=helps)
            )
        elif parent not in keys:
            message = f"`{where}` refers to `{parent}`, of which no key is given"
            helps = (f'name it: `keys={{"{parent}": COLUMN}}` in Python, `--key {parent}=COLUMN` on the command line',)
            found.append(report("GNN101", message, where=where, helps=helps))
    return found


def _refuse_taken(name: str, made: Mapping[str, Any], is_wide: bool, times: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Columns that would be stored under a name that means something else."""
    for column in made:
        message = ""
        if column in TAKEN_NAMES:
            message = "has a name under which PyG keeps the structure of a graph"
        elif column == "time" and name in times:
            message = f"stands beside the time of the table, `{times[name]}`, which is called so in the graph"
        elif column == "x" and is_wide:
            message = "stands beside numbers of other columns, which are called so in the graph"
        if message:
            where = f"{name}.{column}"
            helps = (f"rename it: `frame.rename(columns={{{column!r}: {column + '_'!r}}})`",)
            yield report("GNN611", f"`{where}` {message}", where=where, helps=helps)


def _missing(tables: Mapping[str, Any], name: str, column: str) -> Diagnostic | None:
    if name not in tables:
        helps = did_you_mean(name, tables)
        return report("GNN101", f"there is no table `{name}`", where=name, helps=helps, notes=listing("tables", tables))
    columns = [str(item) for item in tables[name].columns]
    if column in columns:
        return None
    message = f"the table `{name}` has no column `{column}`"
    helps = did_you_mean(column, columns)
    return report("GNN101", message, where=f"{name}.{column}", helps=helps, notes=listing("columns", columns))


def _index(name: str, cells: Any, found: list[Diagnostic]) -> Any:
    import pandas as pd

    index = pd.Index(cells)
    again = index[index.duplicated()]
    if len(again) or index.hasnans:
        shown = ", ".join(f"`{item}`" for item in again.unique()[:SHOWN].tolist()) or "empty cells"
        found.append(report("GNN611", f"the key of `{name}` does not tell its rows apart: {shown}", where=name))
        return None
    return index


def _put_edges(
    data: HeteroData, name: str, column: str, parent: str, cells: Any, index: Any, found: list[Diagnostic]
) -> None:
    if index is None:
        return
    given = np.flatnonzero(cells.notna().to_numpy())
    rows = index.get_indexer(cells.iloc[given])
    bad = given[rows < 0]
    if len(bad):
        shown = ", ".join(f"row {row} (`{cells.iloc[row]}`)" for row in bad[:SHOWN].tolist())
        more = ", …" if len(bad) > SHOWN else ""
        message = f"`{name}.{column}` refers to no row of `{parent}` in {number(len(bad), 'row')}: {shown}{more}"
        helps = ["drop the rows, or empty the cells"]
        if len(bad) == len(given) and (kinds := _kinds_that_differ(index, cells)):
            helps.insert(
                0, f"the key holds {kinds[0]}, the column {kinds[1]}: `.astype(…)` makes one what the other is"
            )
        found.append(report("GNN606", message, where=f"{name}.{column}", helps=tuple(helps)))
        return
    data[name, column, parent].edge_index = torch.from_numpy(np.stack([given, rows]).astype(np.int64))


def _kinds_that_differ(index: Any, cells: Any) -> tuple[str, str] | None:
    """What a key and a column that refers to it hold, where the one is numbers and the other not."""
    from pandas.api import types

    one, two = types.is_numeric_dtype(index.dtype), types.is_numeric_dtype(cells.dtype)
    words = {True: "numbers", False: "texts"}
    return None if one == two else (words[one], words[two])


def _read_columns(frame: Any, columns: list[Any]) -> tuple[dict[str, Any], list[Any]]:
    """What stands for itself under the name of its column, and features, one by one."""
    made, features = dict[str, Any](), list[Any]()
    for column in columns:
        cells = frame[column]
        if (rows := _rows(cells)) is None:
            rows = read_label(column, cells)
        if column == "x" and isinstance(rows, torch.Tensor) and rows.dim() == 2:
            features += list(rows.numpy().T)  # Beside those of other columns.
            continue
        if rows is None:
            rows, more = _read_cells(cells)
            features += more
        if rows is not None:
            made[column] = rows
    return made, features


def _read_cells(cells: Any) -> tuple[Any, list[Any]]:
    """The column of a table as itself, or else as columns of features."""
    import pandas as pd
    from pandas.api import types

    if types.is_datetime64_any_dtype(cells):
        seconds, known = _seconds(cells)
        return (torch.from_numpy(seconds), []) if known.all() else (None, [_standard(np.where(known, seconds, np.nan))])
    if types.is_complex_dtype(cells):
        return torch.from_numpy(cells.to_numpy(copy=True)), []
    if types.is_timedelta64_dtype(cells):
        return None, [_standard(cells.dt.total_seconds().to_numpy())]
    if types.is_numeric_dtype(cells) or types.is_bool_dtype(cells):
        return None, [_standard(cells.to_numpy(dtype=np.float64, na_value=np.nan))]
    if cells.nunique() <= CATEGORIES:
        return None, list(pd.get_dummies(cells).to_numpy(dtype=np.float32).T)
    return cells.astype(object).where(cells.notna(), None).tolist(), []


def _rows(cells: Any) -> Any:
    """Cells that hold lists, as Parquet has them: equally many numbers in each as a tensor; None where there are no lists."""
    if cells.dtype != object:
        return None
    listed = cells.map(lambda cell: isinstance(cell, list | tuple | dict | set | np.ndarray))
    if not listed.any():
        return None
    if listed.all():
        try:
            table = np.stack([np.asarray(cell, dtype=np.float32) for cell in cells])
        except (ValueError, TypeError):  # Texts, or rows of different lengths.
            return cells.tolist()
        return torch.from_numpy(table)
    return [cell if there else None for cell, there in zip(cells, cells.notna(), strict=True)]


def _standard(values: Any) -> Any:
    """With mean 0 and deviation 1, 0 where there is none; what is infinite stays so, for validation to find."""
    known = values[np.isfinite(values)]
    spread = known.std() if len(known) else 0.0
    made = (values - (known.mean() if len(known) else 0.0)) / (spread or 1.0)
    return np.where(np.isnan(values), 0.0, made)


def _put_time(store: Any, where: str, cells: Any, found: list[Diagnostic]) -> None:
    """When each row came to be: that must be known of all."""
    seconds, known = _seconds(cells)
    bad = np.flatnonzero(~known)
    if not len(bad):
        store.time = torch.from_numpy(seconds)
        return
    empty = cells.isna().to_numpy()
    said = ("empty" if empty[row] else f"`{cells.iloc[row]}`" for row in bad[:SHOWN])
    shown = ", ".join(f"row {row} ({text})" for row, text in zip(bad[:SHOWN].tolist(), said, strict=True))
    more = ", …" if len(bad) > SHOWN else ""
    message = f"`{where}` is no time in {number(len(bad), 'row')}: {shown}{more}"
    helps = ("a time is a date or a whole number: drop the other rows, or name another column",)
    found.append(report("GNN611", message, where=where, helps=helps))


def _seconds(cells: Any) -> tuple[Any, Any]:
    """Dates as seconds since 1970, whole numbers as they are, 0 for the rest; and which rows are one of these."""
    import pandas as pd
    from pandas.api import types

    if types.is_numeric_dtype(cells):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        known = np.isfinite(values) & (values == np.floor(values))
        return cells.where(known, 0).astype(np.int64).to_numpy(copy=True), known
    if not types.is_datetime64_any_dtype(cells):
        cells = cells.astype("str").where(cells.notna())
    dates = pd.to_datetime(cells, errors="coerce", utc=True, format="mixed").dt.tz_localize(None)
    known = dates.notna().to_numpy()
    return dates.where(known, pd.Timestamp(0)).astype("datetime64[s]").astype(np.int64).to_numpy(copy=True), known
