"""Columns of a table as the tensor of a declared attribute; every cell that does not fit is found and named."""

from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphdsl.data.phrases import number
from graphdsl.data.sources.table import Table, first_cells
from graphdsl.model import Attribute, AttributeType
from graphdsl.text import Diagnostic, did_you_mean, listing

_WHOLE = ("int", "time", "class", "mask", "bool", "multilabel")
_LARGEST = 2.0**63


def read_attribute(
    table: Table, attribute: Attribute, others: Collection[str], found: list[Diagnostic]
) -> Tensor | None:
    """The tensor of an attribute; problems are appended to `found`.

    Its values stand in the column of its name, [rows], or in columns `name.part`, which are stacked in the order of the
    file, [rows, parts]. Empty cells mean -1 for `class` and `multilabel`, NaN for `real`, and are refused elsewhere.

    Args:
        table: the table of its node type or relation.
        attribute: what is declared.
        others: names of all attributes of the type, so that `a.b` is not mistaken for a part of `a`.
        found: where problems go.
    """
    names = _find_columns(table, attribute, others, found)
    if names is None:
        return None
    columns = [_read_column(table, name, attribute.type, found) for name in names]
    if any(column is None for column in columns):
        return None
    is_vector = attribute.type.size is None or attribute.type.kind == "class"
    values = columns[0] if is_vector else np.stack([column for column in columns if column is not None], axis=1)
    return torch.from_numpy(values)


def _find_columns(
    table: Table, attribute: Attribute, others: Collection[str], found: list[Diagnostic]
) -> list[str] | None:
    """Names of the columns, or None if they are missing, ambiguous or of the wrong number."""
    name, type_ = attribute.name, attribute.type
    columns = [str(column) for column in table.frame.columns]
    parts = [item for item in columns if item.startswith(f"{name}.") and _owner(item, others) == name]
    whole = [name] if name in columns else []
    names = whole or parts
    if whole and parts:
        message = f"holds `{name}` twice: in one column and in `{parts[0]}`"
        found.append(table.say("GNN611", message, name, "leave one of them out"))
        return None
    if not names:
        if not type_.optional:
            shape = f"a column `{name}`" if type_.width == 1 else f"columns `{name}.…`"
            helps = did_you_mean(name, columns) or (f"`{type_}` is {shape}",)
            message = f"has no column `{name}`"
            found.append(table.say("GNN603", message, name, *helps, notes=listing("columns", columns)))
        return None
    if type_.width is not None and len(names) != type_.width:
        message = f"has {number(len(names), 'column')} for `{name}: {type_}`, expected {type_.width}"
        found.append(table.say("GNN604", message, name, notes=listing("columns", names)))
        return None
    return names


def _owner(column: str, attributes: Collection[str]) -> str | None:
    """The attribute that a column belongs to: the longest name that it starts with."""
    if column in attributes:
        return column
    return max((name for name in attributes if column.startswith(f"{name}.")), key=len, default=None)


def _read_column(table: Table, name: str, type_: AttributeType, found: list[Diagnostic]) -> Any:
    """One column as an array of the kind's dtype."""
    values = _read_numbers(table, name, found)
    if values is None:
        return None
    values = _fill_empty(table, name, type_, values, found)
    if values is None:
        return None
    if type_.kind in ("float", "real"):
        with np.errstate(over="ignore"):  # Too large for float32 becomes infinite, which validation reports.
            return values.astype(np.float32)
    return _as_whole(table, name, type_, values, found)


def _read_numbers(table: Table, name: str, found: list[Diagnostic]) -> Any:
    """The column as numbers, NaN where cells are empty; integers stay integers where none is."""
    import pandas as pd

    cells = table.frame[name]
    if isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "iufb":
        return cells.to_numpy()
    try:
        numbers: Any = pd.to_numeric(cells, errors="coerce")
    except TypeError:  # Lists, say, which Parquet can hold.
        found.append(table.say("GNN605", f"holds no numbers in `{name}`", name, "write one column for each number"))
        return None
    bad = np.flatnonzero((numbers.isna() & cells.notna()).to_numpy())
    if len(bad):
        where = first_cells(bad.tolist(), cells.iloc[bad[:3]].tolist())
        found.append(table.say("GNN605", f"has {number(len(bad), 'cell')} without a number in `{name}`: {where}", name))
        return None
    if isinstance(numbers.dtype, np.dtype):
        return numbers.to_numpy()
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _fill_empty(table: Table, name: str, type_: AttributeType, values: Any, found: list[Diagnostic]) -> Any:
    if values.dtype.kind != "f" or type_.kind == "real":
        return values
    empty = np.isnan(values)
    if not empty.any():
        return values
    if type_.kind in ("class", "multilabel"):
        return np.where(empty, -1.0, values)
    rows = np.flatnonzero(empty)
    count = number(len(rows), "empty cell")
    message = f"has {count} in `{name}`, and a `{type_.kind}` is needed: {first_cells(rows.tolist())}"
    found.append(table.say("GNN605", message, name))
    return None


def _as_whole(table: Table, name: str, type_: AttributeType, values: Any, found: list[Diagnostic]) -> Any:
    """Whole numbers as int64; booleans for `mask` and `bool`; float32 for `multilabel`, which its loss takes."""
    if type_.kind in ("mask", "bool"):
        bad = (values != 0) & (values != 1)
    elif values.dtype.kind == "f":
        bad = (values != np.floor(values)) | (np.abs(values) >= _LARGEST)
    else:
        bad = values.astype(np.float64) >= _LARGEST
    rows = np.flatnonzero(bad)
    if len(rows):
        wanted = "0 or 1" if type_.kind in ("mask", "bool") else "a whole number"
        where = first_cells(rows.tolist(), values[rows[:3]].tolist())
        count = number(len(rows), "cell")
        found.append(table.say("GNN605", f"has {count} in `{name}` other than {wanted}: {where}", name))
        return None
    dtype = {"mask": np.bool_, "bool": np.bool_, "multilabel": np.float32}.get(type_.kind, np.int64)
    return values.astype(dtype)
