"""What is wrong with the form of a document: pydantic's findings as diagnostics at their places."""

from collections.abc import Mapping
from typing import Any, cast, get_args

from pydantic import Tag, ValidationError
from typing_extensions import TypeAliasType

from graphdsl.syntax.documents import models, values
from graphdsl.syntax.documents.models import Document
from graphdsl.syntax.documents.tree import MAX_ERRORS, Node, span_of
from graphdsl.syntax.documents.values import Record, Rule
from graphdsl.text import Diagnostic, SourceText, Span, closest, did_you_mean, listing, report

_KEY = "[key]"
_WANTED = {
    "string_type": "a text",
    "string_too_short": "a text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "literal_error": "`*`",
}


def _tagged(item: Any, found: dict[str, type[Record]]) -> None:
    """Collect the models behind the names of alternatives."""
    inner = get_args(item)
    for meta in getattr(item, "__metadata__", ()):
        if isinstance(meta, Tag) and isinstance(inner[0], type) and issubclass(inner[0], Record):
            found[meta.tag] = inner[0]
    for part in inner:
        _tagged(part, found)


def _models() -> Mapping[str, type[Record]]:
    found: dict[str, type[Record]] = {}
    for module in (values, models):
        for item in vars(module).values():
            if isinstance(item, TypeAliasType):
                _tagged(item.__value__, found)
            elif isinstance(item, type) and issubclass(item, Record):
                for field in item.__annotations__.values():
                    _tagged(field, found)
    return found


def _keys(model: type[Record]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


class _Place:
    """Where an error is: a value, its key, and what the mapping is meant to be."""

    def __init__(self, root: Node, steps: tuple[Any, ...], known: Mapping[str, type[Record]]) -> None:
        self.node = self.key = root
        self.model: type[Record] = Document
        self.what = "a document"
        for step in cast(tuple[str | int, ...], steps):
            if step == _KEY:
                self.node = self.key
            elif isinstance(step, int) and self.node.kind == "list":
                self.enter(self.node.items[step], self.node.items[step])
            elif isinstance(step, str) and step in self.node.pairs:
                self.enter(*self.node.pairs[step])
            elif isinstance(step, str) and step in known:
                self.model, self.what = known[step], step

    def enter(self, key: Node, node: Node) -> None:
        self.key, self.node = key, node
        self.model, self.what = Rule, "a rule"


def _shown(node: Node) -> str:
    """A value in words."""
    if node.kind != "scalar":
        return "a list" if node.kind == "list" else "a mapping"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"the truth value `{str(node.value).lower()}`"
    if isinstance(node.value, str):
        return f"the text `{node.value}`" if len(node.value) <= 40 else "a text"
    return f"the number `{node.value}`"


class _Explainer:
    def __init__(self, source: SourceText, root: Node) -> None:
        self.source = source
        self.root = root
        self.known = _models()

    def span(self, node: Node) -> Span:
        if node.kind != "scalar" and node.pairs:
            node = next(iter(node.pairs.values()))[0]
        return span_of(self.source, node.start, node.end)

    def explain(self, error: Mapping[str, Any]) -> Diagnostic:
        kind, steps = error["type"], error["loc"]
        if kind in ("missing", "extra_forbidden"):
            place = _Place(self.root, steps[:-1], self.known)
            return self.of_key(kind, str(steps[-1]), place)
        place = _Place(self.root, steps, self.known)
        if kind == "alternatives":
            return self.alternatives(error["ctx"], place.node)
        if kind == "string_pattern_mismatch":
            helps = ("a name is letters, digits and `_`, and begins with no digit",)
            return report("GNN016", f"`{place.node.value}` cannot be a name here", self.span(place.node), helps=helps)
        if kind in ("too_short", "too_long"):
            return report("GNN016", self.length(place), self.span(place.node))
        if kind in _WANTED:
            helps = ("put it in quotes",) if kind == "string_type" and place.node.kind == "scalar" else ()
            message = f"expected {_WANTED[kind]}, found {_shown(place.node)}"
            return report("GNN016", message, self.span(place.node), helps=helps)
        said = str(error["msg"])
        return report("GNN016", said[:1].lower() + said[1:], self.span(place.node))

    def length(self, place: _Place) -> str:
        name = place.key.value if place.key is not place.node else None
        if name in ("path", "drop", "patterns", "inputs", "outputs", "sequential", "from"):
            return f"`{name}` is too short"
        return "a relation as a list is `[source, relation, target]`"

    def of_key(self, kind: str, key: str, place: _Place) -> Diagnostic:
        keys = _keys(place.model)
        if kind == "missing":
            return report("GNN016", f"{place.what} needs the key `{key}`", self.span(place.node))
        message = f"{place.what} has no key `{key}`"
        at = span_of(self.source, place.node.key(key).start, place.node.key(key).end)
        free = [name for name in keys if name not in place.node.pairs]
        notes = listing(f"keys of {place.what}", keys)
        return report("GNN016", message, at, helps=did_you_mean(key, free), notes=notes)

    def alternatives(self, context: Mapping[str, Any], node: Node) -> Diagnostic:
        keys = str(context["keys"]).split()
        given = list(node.pairs)
        near = next((f"did you mean `{word}`?" for key in given if (word := closest(key, keys))), None)
        found = "a mapping with " + ", ".join(f"`{key}`" for key in given[:4]) if given else _shown(node)
        helps = (near,) if near else ("put it in quotes",) if isinstance(node.value, int | float) and not keys else ()
        return report("GNN016", f"expected {context['wanted']}, found {found}", self.span(node), helps=helps)


def _follows(error: Mapping[str, Any], errors: list[Any]) -> bool:
    """Whether a key is missing only because it is misspelt: the unknown key beside it says it all."""
    if error["type"] != "missing":
        return False
    *where, wanted = error["loc"]
    unknown = [item["loc"][-1] for item in errors if item["type"] == "extra_forbidden" and [*item["loc"][:-1]] == where]
    return any(closest(str(key), [str(wanted)]) for key in unknown)


def check_form(source: SourceText, root: Node) -> list[Diagnostic]:
    """What is wrong with the form of a document: keys, kinds of values, what is missing."""
    try:
        Document.model_validate(root.plain())
    except ValidationError as failure:
        errors = cast(list[Any], failure.errors(include_url=False))[: 2 * MAX_ERRORS]
        explainer = _Explainer(source, root)
        return [explainer.explain(error) for error in errors if not _follows(error, errors)]
    return []
