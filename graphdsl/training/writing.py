"""Writing files so that an interruption leaves the old file or the new one, never half of one."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch

from graphdsl.text import SpecError, report


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary stream whose content becomes the file `path` when the block ends well.

    It is written beside the file, flushed to the disk and renamed; folders are made as needed. If anything fails,
    what was there before is left.

    Raises:
        SpecError: GNN616: no space, no permission, not a folder.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise SpecError([unwritable(path, error)]) from error


def unwritable(path: Path, error: OSError) -> Any:
    """The diagnostic for a file that cannot be written."""
    reason = (error.strerror or str(error)).lower()
    helps = ("files that were there before are as they were; make room or choose another folder with `--out`",)
    return report("GNN616", f"cannot write `{path}`: {reason}", where=str(path), helps=helps)


def write_tensors(content: Any, path: Path) -> None:
    """Write what `torch.load(path, weights_only=True)` reads: tensors, numbers, strings, lists, dictionaries."""
    with replacing(path) as stream:
        failure = _Remembering(stream)
        try:
            torch.save(content, failure)  # type: ignore[arg-type]
        except RuntimeError as error:  # torch reports a failed write in its own words
            raise failure.error or error from error


class _Remembering(io.RawIOBase):
    """Passes writes on and remembers the error that stopped them."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        try:
            return self._stream.write(data)
        except OSError as error:
            self.error = error
            raise


def write_json(content: Any, path: Path) -> None:
    """Write JSON, indented; see `plain`."""
    text = json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(path) as stream:
        stream.write(text.encode() + b"\n")


def plain(value: Any) -> Any:
    """Values that JSON has: NaN and infinities become null, paths text."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def write_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], path: Path) -> None:
    """Write a CSV table with a line of column names."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    with replacing(path) as stream:
        stream.write(text.getvalue().encode())
