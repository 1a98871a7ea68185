"""One table on disk: finding its file and reading it with pandas, such that no cell is guessed at."""

import re
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphdsl.data.sources.refusal import one_line, refuse, stop
from graphdsl.model import DataSource
from graphdsl.text import Diagnostic, EdgeKey

SUFFIXES = (".csv.gz", ".csv", ".parquet")
SHOWN = 3
_SAFE = re.compile(r"[A-Za-z0-9_.]")


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was read.

    Attributes:
        source: the folder that it belongs to.
        path: its file.
        frame: the pandas data frame of its cells; ids are strings, empty cells of other columns are missing values.
    """

    source: DataSource
    path: Path
    frame: Any

    def say(self, code: str, message: str, column: str = "", *helps: str, notes: Sequence[str] = ()) -> Diagnostic:
        """A finding about the table, or one of its columns."""
        place = f"{self.path.name}: column `{column}`" if column else self.path.name
        return refuse(self.source, f"`{self.path.name}` {message}", *helps, code=code, where=place, notes=notes)


def file_stem(place: str | EdgeKey) -> str:
    """The name of a table's file without its ending.

    ASCII letters, digits, `_` and `.` stay, every other byte of UTF-8 becomes `%` and two hexadecimal digits, as in a
    URL; a relation's three names are joined by `-`.

    >>> file_stem("web page"), file_stem(("author", "writes", "paper"))
    ('web%20page', 'author-writes-paper')
    """
    names = (place,) if isinstance(place, str) else place
    return "-".join("".join(c if _SAFE.fullmatch(c) else _escape(c) for c in name) for name in names)


def _escape(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def find_table(folder: Path, place: str | EdgeKey) -> list[Path]:
    """The files that hold the table of a node type or relation: one, if all is well."""
    stem = file_stem(place)
    return [path for suffix in SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()]


def import_pandas(source: DataSource) -> Any:
    """Pandas, which only tables need.

    Raises:
        SpecError: GNN617: it is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        help_line = "`pip install graphdsl[train]`"
        raise stop(refuse(source, "reading tables needs pandas", help_line, code="GNN617")) from error
    return pandas


def read_table(source: DataSource, path: Path, text_columns: Sequence[str], found: list[Diagnostic]) -> Table | None:
    """Read a table; what keeps it from being read is appended to `found`.

    Args:
        source: the folder that it belongs to.
        path: a `.csv`, `.csv.gz` or `.parquet` file.
        text_columns: columns that are read as strings, so that `007` is not 7 and `NA` is no missing value.
        found: where problems go.
    """
    read = _read_parquet if path.suffix == ".parquet" else _read_csv
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pandas warns when it drops cells.
            frame = read(import_pandas(source), path, text_columns)
    except ImportError as error:
        help_line = "`pip install pyarrow`, or store the table as `.csv.gz`"
        message = f"`{path.name}`: reading Parquet needs a package that is not installed ({one_line(error)})"
        found.append(refuse(source, message, help_line, code="GNN617", where=path.name))
    except OSError as error:  # gzip's BadGzipFile is one, too.
        found.append(refuse(source, f"cannot read `{path.name}`: {error.strerror or one_line(error)}", where=path.name))
    except (ValueError, EOFError, zlib.error, Warning) as error:
        found.append(_explain_broken(source, path, error))
    else:
        return Table(source, path, frame)
    return None


def _read_csv(pandas: Any, path: Path, text_columns: Sequence[str]) -> Any:
    options = {"encoding": "utf-8-sig", "keep_default_na": False, "index_col": False}
    header = pandas.read_csv(path, header=None, nrows=1, dtype=str, **options)
    names = [str(name) for name in header.iloc[0]]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:  # Pandas would number them, as if they had been named so.
        raise ValueError(f"the column `{twice}` stands in it twice")
    texts = dict.fromkeys((name for name in names if name in text_columns), str)
    empty = {name: [""] for name in names if name not in texts}
    return pandas.read_csv(path, header=0, dtype=texts, na_values=empty, low_memory=False, **options)


def _read_parquet(pandas: Any, path: Path, text_columns: Sequence[str]) -> Any:
    frame = pandas.read_parquet(path)
    texts = [name for name in frame.columns if name in text_columns]
    return frame.assign(**{name: frame[name].where(frame[name].notna(), "").astype(str) for name in texts})


def _explain_broken(source: DataSource, path: Path, error: BaseException) -> Diagnostic:
    said = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
    if isinstance(error, UnicodeDecodeError):
        said = "it is not UTF-8 text"
    elif "No columns to parse" in said:
        said = "it is empty; the first line names the columns"
    elif "loss of data" in said:
        said = "its rows have more cells than the first line has names"
    return refuse(source, f"`{path.name}` is no table that can be read: {said[:1].lower()}{said[1:]}", where=path.name)


def first_cells(rows: Sequence[int], cells: Sequence[object] | None = None) -> str:
    """Where offending cells are, and what stands in them: rows count from 1 after the header.

    >>> first_cells([2, 5], ["a", "b"]), first_cells([2, 5])
    ('row 3 (`a`), row 6 (`b`)', 'row 3, row 6')
    """
    shown = [f"row {row + 1}" for row in rows[:SHOWN]]
    if cells is not None:
        shown = [f"{row} (`{str(cell)[:40]}`)" for row, cell in zip(shown, cells[:SHOWN], strict=True)]
    return ", ".join(shown) + (", …" if len(rows) > SHOWN else "")
