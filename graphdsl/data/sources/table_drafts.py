"""A folder of tables as a draft of its schema: file names tell types and relations, columns the attributes."""

import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import numpy as np

from graphdsl.data.phrases import number
from graphdsl.data.places import Place, show_place
from graphdsl.data.sources.refusal import refuse, stop
from graphdsl.data.sources.table import SUFFIXES, import_pandas, read_table
from graphdsl.drafting import Draft, DraftAttribute, DraftEdges, DraftNodes, Remark, guess_type
from graphdsl.drafting.kinds import Numbers, is_label_name, promote_label
from graphdsl.model import DataSource, TensorInfo
from graphdsl.text import Diagnostic

_KEYS: Final = ("id", "source", "target")


def draw_tables(source: DataSource, name: str) -> Draft:
    """Draw a schema from tables as `tables("folder")` reads them.

    A column is an attribute, and columns `x.part` are the columns of one attribute `x`. Whole numbers in several columns, or
    called `x`, are features; of labels, empty cells are unlabelled rows.

    Args:
        source: its `name` is the folder.
        name: of the schema.

    Raises:
        SpecError: GNN611 for a folder or table that cannot be read, or a folder without tables.
    """
    folder = source.base / Path(source.name).expanduser()
    if not folder.is_dir():
        raise stop(refuse(source, f"cannot read `{folder}`: no such folder", "give a folder of tables"))
    import_pandas(source)
    found: list[Diagnostic] = []
    nodes: list[DraftNodes] = []
    edges: list[DraftEdges] = []
    remarks: list[Remark] = []
    for path in sorted(path for suffix in SUFFIXES for path in folder.glob(f"*{suffix}")):
        names = [unquote(part) for part in _stem(path).split("-")]
        table = read_table(source, path, _KEYS, found) if len(names) in (1, 3) else None
        if len(names) == 1 and table is not None:
            nodes.append(DraftNodes(names[0], _attributes(names[0], table.frame), count=len(table.frame)))
        elif table is not None:
            key = (names[0], names[1], names[2])
            edges.append(DraftEdges(key, _attributes(key, table.frame)))
        elif len(names) not in (1, 3):
            remarks.append(Remark(path.name, "is named like neither a node type nor a relation (`a-r-b`)"))
    if found:
        raise stop(*found)
    if not nodes and not edges:
        help_line = "a node type is `NAME.csv`, a relation `SOURCE-NAME-TARGET.csv`"
        raise stop(refuse(source, f"`{folder}` holds no table", help_line))
    known = {node.name for node in nodes}
    ends = dict.fromkeys(end for edge in edges for end in (edge.key[0], edge.key[2]))
    absent = [end for end in ends if end not in known]
    nodes += [DraftNodes(end, remark=Remark(show_place(end), "has no table", f"add `{end}.csv`")) for end in absent]
    return Draft(name, tuple(nodes), tuple(edges), remarks=tuple(remarks))


def _stem(path: Path) -> str:
    return re.sub(r"(\.csv\.gz|\.csv|\.parquet)$", "", path.name)


def _attributes(place: Place, frame: Any) -> tuple[DraftAttribute, ...]:
    groups: dict[str, list[str]] = {}
    for column in map(str, frame.columns):
        if column not in _KEYS:
            groups.setdefault(column.partition(".")[0], []).append(column)
    return promote_label(
        [_attribute(place, name, frame[columns], columns != [name]) for name, columns in groups.items()]
    )


def _attribute(place: Place, name: str, frame: Any, is_wide: bool) -> tuple[DraftAttribute, Numbers]:
    where = show_place(place, name)
    try:
        values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError):
        return DraftAttribute(
            name, None, Remark(where, "holds text", "encode it as numbers, or leave it out")
        ), Numbers()
    known = values[~np.isnan(values)]
    whole = bool((known == np.floor(known)).all())
    label = is_label_name(name)
    is_whole = whole and (label or (known.size == values.size and name != "x" and not is_wide))
    shape = (len(values), values.shape[1]) if is_wide else (len(values),)
    numbers = Numbers()
    if known.size:
        numbers = Numbers(float(known.min()), float(known.max()), bool(np.isin(known, (0, 1, -1)).all()))
    made = guess_type(name, TensorInfo(shape, "int64" if is_whole else "float32"), numbers, where)
    if known.size < values.size and not label and made.remark is None:
        empty = int(values.size - known.size)
        made = DraftAttribute(name, made.type, Remark(where, f"has {number(empty, 'empty cell')}", "fill them"))
    return made, numbers
