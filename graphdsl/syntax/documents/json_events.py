"""Steps through a JSON text (RFC 8259), with places."""

import re
from collections.abc import Iterator
from json import JSONDecodeError, decoder
from typing import Any, Literal

from graphdsl.syntax.documents.tree import Event, Scalar, Unreadable

_TOKEN = re.compile(
    r"[ \t\r\n]*(?:(?P<sign>[{}\[\],:])|(?P<quote>\")|(?P<number>-?(?:0|[1-9][0-9]*)(?P<rest>\.[0-9]+)?"
    r"(?P<exponent>[eE][+-]?[0-9]+)?)(?![\w.])|(?P<word>true|false|null)(?!\w)|(?P<end>\Z)|(?P<other>.))",
    re.DOTALL,
)
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}
_MAX_DIGITS = 30
_State = Literal["value", "item", "key", "first key", "colon", "next", "done"]
_EXPECTED: dict[_State, str] = {
    "value": "a value",
    "item": "a value or `]`",
    "key": "a key in double quotes",
    "first key": "a key in double quotes or `}`",
    "colon": "`:`",
    "next": "`,` or the closing bracket",
    "done": "the end of the file",
}


class _Reader:
    """Reads one token after the other; `stack` holds the brackets that are open."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.state: _State = "value"
        self.stack: list[str] = []

    def run(self) -> Iterator[Event]:
        place = 0
        while True:
            match = _TOKEN.match(self.text, place)
            assert match is not None, "the last alternatives match everything"
            start, end = match.start(match.lastgroup or 0), match.end()
            for name in ("sign", "quote", "number", "word", "end", "other"):
                if match.group(name) is not None:
                    start = match.start(name)
            place = end
            if match["end"] is not None:
                if self.state != "done":
                    raise self.stuck(start, start)
                return
            event = self.sign(match["sign"], start) if match["sign"] else None
            if match["sign"] is None:
                event, place = self.scalar(match, start)
            if event is not None:
                yield event

    def stuck(self, start: int, end: int) -> Unreadable:
        found = f"`{self.text[start:end]}`" if end > start else "the end of the file"
        helps: tuple[str, ...] = ()
        if self.text[start:end] == "'":
            helps = ("JSON has double quotes only",)
        elif self.text[start:end] in ("}", "]") and self.state in ("key", "value"):
            helps = ("leave the comma before it out",)
        elif self.text[start:end] in ("/", "#"):
            helps = ("JSON has no comments; YAML has",)
        message = f"this is no JSON: expected {_EXPECTED[self.state]}, found {found}"
        return Unreadable("GNN015", message, start, max(end, start + 1), helps)

    def sign(self, sign: str, start: int) -> Event | None:
        if sign in "{[" and self.state in ("value", "item"):
            self.stack.append(sign)
            self.state = "first key" if sign == "{" else "item"
            return Event("map" if sign == "{" else "list", start, start + 1)
        if sign == ":" and self.state == "colon":
            self.state = "value"
            return None
        if sign == "," and self.state == "next":
            self.state = "key" if self.stack[-1] == "{" else "value"
            return None
        closes = {"}": ("{", "first key"), "]": ("[", "item")}.get(sign)
        if closes and self.stack and self.stack[-1] == closes[0] and self.state in ("next", closes[1]):
            self.stack.pop()
            self.finish()
            return Event("end", start, start + 1)
        raise self.stuck(start, start + 1)

    def finish(self) -> None:
        """A value is complete."""
        self.state = "next" if self.stack else "done"

    def scalar(self, match: "re.Match[str]", start: int) -> tuple[Event, int]:
        is_key = self.state in ("key", "first key")
        if match["other"] is not None or self.state not in ("value", "item", "key", "first key"):
            raise self.stuck(start, match.end())
        if is_key and match["quote"] is None:
            raise self.stuck(start, match.end())
        end = match.end()
        if match["quote"] is not None:
            value, end = self.string(start)
        else:
            value = _WORDS[match["word"]] if match["word"] else _number(match)
        if is_key:
            self.state = "colon"
        else:
            self.finish()
        return Event("scalar", start, end, value), end

    def string(self, start: int) -> tuple[str, int]:
        reader: Any = decoder
        value: str
        end: int
        try:
            value, end = reader.scanstring(self.text, start + 1, True)
        except JSONDecodeError as error:
            place = min(error.pos, len(self.text) - 1)
            said = (error.msg[:1].lower() + error.msg[1:]).removesuffix(" at")
            raise Unreadable("GNN015", f"this is no JSON: {said}", place, place + 1) from None
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise Unreadable("GNN015", "this is no JSON: half a character (a lone surrogate)", start, end)
        return value, end


def _number(match: "re.Match[str]") -> Scalar:
    text = match["number"]
    if match["rest"] is None and match["exponent"] is None:
        return int(text) if len(text) <= _MAX_DIGITS else text
    value = float(text)
    return value if abs(value) != float("inf") else text


def json_events(text: str) -> Iterator[Event]:
    """Steps through a JSON text.

    Raises:
        Unreadable: where it is no JSON.

    >>> [event.kind for event in json_events('{"a": [1, "b"]}')]
    ['map', 'scalar', 'list', 'scalar', 'scalar', 'end', 'end']
    """
    return _Reader(text).run()
