"""Text on a terminal: what can be shown, and how many columns it takes."""

import unicodedata

_TAB = 4
_JOINERS = "\u200c\u200d"


def _columns(character: str) -> int:
    if character in _JOINERS or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def columns(text: str) -> int:
    """Columns that a terminal gives to a text: two for wide characters, none for combining ones.

    >>> columns("Größe"), columns("論文")
    (5, 4)
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


def clean(text: str) -> str:
    r"""The text as it can be shown: tabs as blanks, control and direction characters as a replacement sign.

    >>> clean("a\tb\x1b[31m")
    'a    b�[31m'
    """
    if text.isprintable():
        return text
    return "".join(" " * _TAB if c == "\t" else c if c.isprintable() or c in _JOINERS else "\ufffd" for c in text)
