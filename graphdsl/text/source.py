"""Text of a spec, and reading it from a file without surprises."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from graphdsl.text.diagnostic import Diagnostic, report

_LONE_RETURN = re.compile(r"\r(?!\n)")
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class SourceText:
    """A spec's text and the name it is shown under."""

    name: str
    text: str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends; splits at newlines only, as the lexer counts them."""
        return tuple(line.removesuffix("\r") for line in self.text.split("\n"))

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of an offset."""
        return self.text.count("\n", 0, offset) + 1, offset - self.text.rfind("\n", 0, offset)


def _refuse(code: str, name: str, message: str, help_line: str) -> Diagnostic:
    return report(code, message, where=name, helps=(help_line,))


def read_source(path: str | Path, wanted: str = "a `.gnn` file") -> SourceText | Diagnostic:
    """Read a text; what can't be read comes back as a diagnostic, never as an exception.

    Args:
        path: a file of at most 1 MB of UTF-8 text.
        wanted: what the file should be, for messages.
    """
    name = str(path)
    try:
        with open(path, "rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _refuse("GNN001", name, f"cannot read `{name}`: {reason.lower()}", f"give the path of {wanted}")
    return decode_source(raw, name, wanted)


def decode_source(raw: bytes, name: str, wanted: str = "a `.gnn` file") -> SourceText | Diagnostic:
    """A text from its bytes; what is no text comes back as a diagnostic.

    Args:
        raw: UTF-8, with or without a byte order mark.
        name: what it is called in messages.
        wanted: what it should be, for messages.
    """
    if len(raw) > MAX_BYTES:
        return _refuse(
            "GNN003",
            name,
            f"`{name}` is larger than {MAX_BYTES // 1_000_000} MB",
            "a spec is text; data goes to `--data`",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _refuse("GNN002", name, f"`{name}` is not UTF-8 text: byte {error.start} is {raw[error.start]:#04x}",
                       "save the spec as UTF-8")  # fmt: skip
    if "\0" in text:
        return _refuse("GNN002", name, f"`{name}` is binary: it holds zero bytes", f"give the path of {wanted}")
    # A lone carriage return ends a line on old systems; columns and offsets stay as they are.
    return SourceText(name, _LONE_RETURN.sub("\n", text))
