"""Changing texts: edits applied, and a file replaced as a whole or not at all."""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from graphdsl.text.diagnostic import Diagnostic, Edit, report
from graphdsl.text.source import SourceText
from graphdsl.text.span import Span

_BOM = b"\xef\xbb\xbf"
_CHANGED = "the file has changed since it was read"


def offsets(source: SourceText, span: Span) -> tuple[int, int]:
    r"""Where a span starts and ends in the text.

    >>> offsets(SourceText("a.gnn", "ab\ncd"), Span("a.gnn", 2, 1, 2, 3))
    (3, 5)
    """
    starts = [0]
    for line in source.text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)

    def offset(line: int, column: int) -> int:
        return min(starts[min(line, len(starts)) - 1] + column - 1, len(source.text))

    return offset(span.line, span.column), offset(span.end_line, span.end_column)


def apply_edits(source: SourceText, edits: Iterable[Edit]) -> str:
    """The text with edits made that do not overlap; their places are those of the text as it is.

    >>> apply_edits(SourceText("a.gnn", "drop papr"), [Edit(Span("a.gnn", 1, 6, 1, 10), "paper")])
    'drop paper'
    """
    text = source.text
    ending = "\r\n" if "\r\n" in text else "\n"
    placed = [(*offsets(source, edit.span), edit.replacement.replace("\n", ending)) for edit in edits]
    for start, end, replacement in sorted(placed, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def rewrite(before: SourceText, text: str) -> Diagnostic | None:
    """Replace the content of a file that was read with `read_source`.

    The new content is written beside the file, flushed to the disk and renamed, so the file is never half written.
    Permissions, a byte order mark and the kind of line ends stay; a link stays a link.

    Args:
        before: what was read; its name is the path.
        text: the new text.

    Returns:
        A finding (GNN616) when the file cannot be written, or is not as it was read; it is then left alone.
    """
    try:
        raw = Path(before.name).read_bytes()
        old = raw.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        return _refuse(before.name, (isinstance(error, OSError) and error.strerror) or str(error))
    if old.replace("\r\n", "\n").replace("\r", "\n") != before.text.replace("\r\n", "\n"):
        return _refuse(before.name, _CHANGED)
    if "\r" in old and "\n" not in old:  # Old systems end a line with a lone carriage return.
        text = text.replace("\n", "\r")
    return replace_bytes(before.name, raw, (_BOM if raw.startswith(_BOM) else b"") + text.encode("utf-8"))


def replace_bytes(name: str, old: bytes, new: bytes) -> Diagnostic | None:
    """Replace the content of a file, as `rewrite`.

    Args:
        name: its path.
        old: what it must hold.
        new: what it is to hold.
    """
    path = Path(os.path.realpath(name))
    try:
        if not stat.S_ISREG(path.stat().st_mode) or not os.access(path, os.W_OK):
            return _refuse(name, "not a file that may be written")
        if path.read_bytes() != old:
            return _refuse(name, _CHANGED)
        _replace(path, new)
    except (OSError, ValueError) as error:
        return _refuse(name, (isinstance(error, OSError) and error.strerror) or str(error))
    return None


def write_bytes(name: str, content: bytes) -> Diagnostic | None:
    """Make a file, new or in the place of an old one: the whole of it, or nothing.

    Args:
        name: its path; a pipe or a device is written to as it is.
        content: what it is to hold.
    """
    path = Path(os.path.realpath(name))
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            _replace(path, content)
    except (OSError, ValueError) as error:
        return _refuse(name, (isinstance(error, OSError) and error.strerror) or str(error))
    return None


def _replace(path: Path, content: bytes) -> None:
    import tempfile

    known = path.stat() if path.exists() else None
    number, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if known is not None:
            with suppress(OSError, AttributeError):  # Only some users may give files away, and not everywhere.
                os.chown(temporary, known.st_uid, known.st_gid)
        os.chmod(temporary, _usual_mode() if known is None else stat.S_IMODE(known.st_mode))
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _usual_mode() -> int:
    """The permissions of a new file; temporary ones are made for their owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _refuse(name: str, reason: str) -> Diagnostic:
    return report("GNN616", f"cannot write `{name}`: {reason.lower()}", where=name, helps=("the file is as it was",))
