"""The grammar file, found in an installed wheel or beside the package in a checkout, and the parser built from it."""

import hashlib
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import lark
from lark import Token, Tree
from lark.exceptions import UnexpectedInput

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "grammar", _PACKAGE.parent / "grammar")


def grammar_file(name: str = "gnn.lark") -> Path:
    """Where a file of the `grammar/` folder is: inside the installed package, or beside it in a checkout."""
    for place in _PLACES:
        if (place / name).is_file():
            return place / name
    looked = " or ".join(str(place) for place in _PLACES)
    raise FileNotFoundError(f"the installation is incomplete: no {name} in {looked}")


def _cache_file(text: str) -> Path | None:
    """Where the built parse table is kept: the user's cache folder, or nowhere when it cannot be written."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "graphdsl"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    if not os.access(folder, os.W_OK):
        return None
    digest = hashlib.sha256(f"{lark.__version__}\n{text}".encode()).hexdigest()[:16]
    return folder / f"gnn-{digest}.parser"


def build_parser(more: str, start: Sequence[str]) -> lark.Lark:
    """An LALR(1) parser of the grammar; its table is built once and kept in the user's cache folder.

    Args:
        more: rules beside those of the grammar file.
        start: the rules that a text may follow.
    """
    text = grammar_file().read_text(encoding="utf-8") + more

    def build(kept: Path | None) -> lark.Lark:
        return lark.Lark(
            text,
            parser="lalr",
            lexer="contextual",
            start=list(start),
            maybe_placeholders=False,
            cache=str(kept) if kept else False,
        )

    try:
        return build(_cache_file(text))
    except Exception:  # a damaged or foreign cache file must not stop anybody: build afresh
        return build(None)


@cache
def parser() -> lark.Lark:
    """The parser of whole files."""
    return build_parser("", ["start"])


def _as_name(error: Any, stuck: Any) -> bool:
    """Read a word of the language as a name where only a name can stand.

    The lexer knows the words that can follow in some context, the parser those that can follow in this one.
    """
    token: Any = getattr(error, "token", None)
    if token is None or not token.isidentifier() or token.type == "IDENTIFIER" or "IDENTIFIER" not in stuck.accepts():
        return False
    stuck.feed_token(Token.new_borrow_pos("IDENTIFIER", token, token))
    return True


def read_word(error: Any) -> bool:
    """What a parser calls at an error: whether it can go on, with a word of the language read as a name."""
    return _as_name(error, error.interactive_parser)


def read_tree(text: str) -> Tree[Token]:
    """Parse a text.

    Raises:
        UnexpectedInput: where it does not follow the grammar.
    """
    reader: Any = parser()

    return reader.parse(text, on_error=read_word)


def could_follow(text: str) -> frozenset[str]:
    """Names of the terminals that could stand behind a text; none if it cannot be read itself."""
    reader: Any = parser()
    stuck = reader.parse_interactive(text)
    while True:
        try:
            stuck.exhaust_lexer()
            return frozenset(stuck.accepts())
        except UnexpectedInput as error:
            if not _as_name(error, stuck):
                return frozenset()
