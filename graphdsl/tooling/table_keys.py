"""`--key`, `--link`, `--time`: which columns of a folder's tables tell rows apart, refer to rows and say when."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphdsl.model import DataSource
from graphdsl.text import Diagnostic, SpecError, report

_FORMS: Mapping[str, tuple[str, str]] = {
    "key": ("TABLE=COLUMN", "users=id"),
    "link": ("TABLE.COLUMN=TABLE", "orders.user=users"),
    "time": ("TABLE=COLUMN", "orders=at"),
}


@dataclass(frozen=True, slots=True)
class TableKeys:
    """What the options say, as `graphdsl.data.from_tables` takes it."""

    keys: Mapping[str, str]
    links: Mapping[tuple[str, str], str]
    times: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.keys or self.links or self.times)


def add_table_keys(parser: argparse.ArgumentParser) -> None:
    """`--key`, `--link`, `--time` and `--graph`."""
    group = parser.add_argument_group("tables with keys", "each option as often as needed; rows become nodes")
    said = {
        "key": "the column that others refer to a table's rows by",
        "link": "a column that refers to rows of a table: a relation",
        "time": "the column that says when a row came to be",
    }
    for name, (form, _) in _FORMS.items():
        group.add_argument(f"--{name}", metavar=form, action="append", default=[], help=said[name])
    said_graph = "save the graph, too: what a train block names as its data"
    group.add_argument("--graph", metavar="FILE.pt", type=_graph_file, help=said_graph)


def _graph_file(text: str) -> str:
    if not text.endswith((".pt", ".pth")):
        raise argparse.ArgumentTypeError(f"`{text}` does not end in `.pt`, so no spec could name it as its data")
    return text


def read_table_keys(arguments: argparse.Namespace) -> TableKeys:
    """What was given.

    Raises:
        SpecError: GNN210 for what is not of the form, GNN209 for what is given twice.
    """
    found: list[Diagnostic] = []
    keys, links, times = (_read(name, getattr(arguments, name), found) for name in _FORMS)
    columns = dict[tuple[str, str], str]()
    for column, parent in links.items():
        table, dot, name = column.partition(".")
        if dot and table and name:
            columns[table, name] = parent
        else:
            found.append(_misshapen("link", f"{column}={parent}"))
    if found:
        raise SpecError(found)
    return TableKeys(keys, columns, times)


def load_keyed(source: DataSource, keys: TableKeys) -> Any:
    """The graph of a folder's tables.

    Raises:
        SpecError: GNN612 if the data is no folder; otherwise as `from_tables`.
    """
    if source.kind != "tables":
        message = f"`--key`, `--link` and `--time` are about tables, and `{source.name}` is no folder of them"
        raise SpecError([report("GNN612", message, where="gnn pull", helps=("give the folder of the tables",))])
    from graphdsl.data import from_tables
    from graphdsl.data.relational import find_tables

    return from_tables(find_tables(source), keys.keys, keys.links, keys.times)


def _read(option: str, given: list[str], found: list[Diagnostic]) -> dict[str, str]:
    read = dict[str, str]()
    for text in given:
        name, _, value = (part.strip() for part in text.rpartition("="))
        if not name or not value:
            found.append(_misshapen(option, text))
        elif name in read:
            message = f"`{name}` is given twice: `{read[name]}` and `{value}`"
            found.append(report("GNN209", message, where=f"--{option}", helps=("leave one out",)))
        else:
            read[name] = value
    return read


def _misshapen(option: str, text: str) -> Diagnostic:
    form, example = _FORMS[option]
    message = f"`{text}` is not of the form {form}"
    return report("GNN210", message, where=f"--{option}", helps=(f"write `--{option} {example}`",))
