"""Columns of tables that are asked for, or say who trains: labels and masks, which are no features."""

import re
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from graphdsl.drafting.kinds import MOST_CLASSES

_LABELS: Final = re.compile(r"y|labels?|targets?", re.IGNORECASE)
_MASKS: Final = re.compile(r"(.*_)?mask")


def read_label(name: str, cells: Any) -> Tensor | None:
    """A column that is called like a label or a mask, as PyG has these; None for any other.

    Whole numbers from 0 are classes, texts are numbered in alphabetical order, and -1 is unlabelled; other numbers are
    `real`, NaN where there is none. A mask holds only true and false, or 0 and 1.

    Args:
        name: of the column: `y`, `label`, `target`, their plurals, or what ends in `mask`.
        cells: a series of pandas.

    >>> import pandas as pd
    >>> read_label("y", pd.Series(["no", "yes", None, "no"]))
    tensor([ 0,  1, -1,  0])
    >>> read_label("age", pd.Series([1, 2])) is None
    True
    """
    from pandas.api import types

    if types.is_complex_dtype(cells):
        return None
    if types.is_numeric_dtype(cells) or types.is_bool_dtype(cells):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        if _MASKS.fullmatch(name):
            return torch.from_numpy(values == 1) if np.isin(values, (0, 1)).all() else None
        return _numbers(values) if _LABELS.fullmatch(name) else None
    if _LABELS.fullmatch(name) is None or types.is_datetime64_any_dtype(cells):
        return None
    kinds = cells.where(cells.isna(), cells.astype(str)).astype("category").cat  # in alphabetical order; -1 is none
    return torch.from_numpy(kinds.codes.to_numpy(dtype=np.int64)) if len(kinds.categories) < MOST_CLASSES else None


def _numbers(values: Any) -> Tensor:
    known = values[~np.isnan(values)]
    if known.size and (known == np.floor(known)).all() and known.min() >= -1 and known.max() < MOST_CLASSES:
        return torch.from_numpy(np.nan_to_num(values, nan=-1).astype(np.int64))
    return torch.from_numpy(values.astype(np.float32))
