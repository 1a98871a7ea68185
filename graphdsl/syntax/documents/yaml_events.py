"""Steps through a YAML text: the core schema of YAML 1.2, so `on`, `yes` and `1:30` are texts; no tags, one document."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from graphdsl.syntax.documents.tree import Event, Scalar, Unreadable

_WORDS: Mapping[str, Scalar] = {
    word: value
    for value, name in ((None, "null"), (True, "true"), (False, "false"))
    for word in (name, name.title(), name.upper())
} | {"~": None, "": None}
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MAX_DIGITS = 30


def resolve(text: str) -> Scalar:
    """What a plain scalar says.

    >>> resolve("on"), resolve("1e-3"), resolve("20M"), resolve("~")
    ('on', 0.001, '20M', None)
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) <= _MAX_DIGITS else text
    if _FLOAT.fullmatch(text):
        value = float(text)
        return value if abs(value) != float("inf") else text
    return text


def yaml_events(text: str) -> Iterator[Event]:
    """Steps through a YAML text.

    Raises:
        Unreadable: where it is no YAML.
    """
    import yaml

    reader: Any = yaml
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = 0
    last = 0
    try:
        for event in reader.parse(text, Loader=loader):
            name = type(event).__name__
            start, end = event.start_mark.index, event.end_mark.index
            if name == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise Unreadable("GNN015", "a spec is one document; a second starts here", start, end)
            if getattr(event, "tag", None) not in (None, "!"):
                said = f"a spec holds plain data, no tags (`{event.tag}`)"
                raise Unreadable("GNN015", said, start, end, ("leave the tag out",))
            step = _step(name, event, start, end, last)
            if step is not None:
                last = step.end
                yield step
    except yaml.YAMLError as error:
        raise _refuse(error, text) from None


def _step(name: str, event: Any, start: int, end: int, last: int) -> Event | None:
    if name == "ScalarEvent":
        value = resolve(event.value) if event.style in (None, "") else event.value
        return Event("scalar", start, end, value, event.anchor)
    if name == "AliasEvent":
        return Event("alias", start, end, None, event.anchor)
    if name in ("SequenceStartEvent", "MappingStartEvent"):
        return Event("list" if name.startswith("S") else "map", start, end, None, event.anchor)
    if name in ("SequenceEndEvent", "MappingEndEvent"):
        # A block ends where the next token starts, which may be lines below.
        return Event("end", start, end if end > start else last)
    return None


def _refuse(error: Any, text: str) -> Unreadable:
    mark = getattr(error, "problem_mark", None)
    place = mark.index if mark else getattr(error, "position", 0)
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable")
    helps = ("indent with blanks, not with tabs",) if text[place : place + 1] == "\t" else ()
    if ": " in text[max(0, place - 200) : place] and "mapping values" in said:
        helps = ("put a text that holds `: ` in quotes",)
    if "expected ',' or" in said:
        helps = ("between `{` and `}` or `[` and `]`, put a text that holds brackets or commas in quotes",)
    place = min(place, len(text))
    return Unreadable("GNN015", f"this is no YAML: {said}", place, place + 1, helps)
