"""Rules as match arms: the first that matches decides; one that decides nothing is an error."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from graphdsl.model.schema import Schema
from graphdsl.model.schemas import unknown_type
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, EdgeKey, Span, did_you_mean, listing, renaming, report, show_edge, show_name

Key = TypeVar("Key", str, EdgeKey)


@dataclass(frozen=True)
class Arm(Generic[Key]):
    """A rule and what it decides; `named` are the keys among them that a pattern names, that is, not `*`."""

    rule: n.Rule
    keys: tuple[Key, ...]
    named: frozenset[Key]


class _Relations:
    """The relations of a schema by name, source and target."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.places: tuple[dict[str, list[EdgeKey]], ...] = ({}, {}, {})
        for edge in schema.edges:
            for index, name in zip(self.places, edge, strict=True):
                index.setdefault(name, []).append(edge)

    def named(self, name: str) -> list[EdgeKey]:
        """Edge types of a relation name."""
        return self.places[1].get(name, [])

    def matching(self, wanted: tuple[str | None, ...]) -> Iterable[EdgeKey]:
        """Edge types that have these names, None for any."""
        lists = [index.get(name, []) for index, name in zip(self.places, wanted, strict=True) if name is not None]
        candidates: Iterable[EdgeKey] = min(lists, key=len, default=self.schema.edges)
        return (edge for edge in candidates if _accepts(wanted, edge))


def _accepts(wanted: tuple[str | None, ...], edge: EdgeKey) -> bool:
    return all(name is None or name == have for name, have in zip(wanted, edge, strict=True))


def _relation_named(name: n.Name, relations: _Relations, found: list[Diagnostic]) -> tuple[EdgeKey, ...]:
    """The relation or metapath of a bare name."""
    schema = relations.schema
    if name.text in schema.metapaths:
        return (schema.metapaths[name.text].key,)
    alike = tuple(relations.named(name.text))
    if len(alike) > 1:
        helps = (f"write one of them, or `* -[{show_name(name.text)}]-> *` for all",)
        notes = listing("edge types of this name", [show_edge(edge) for edge in alike])
        found.append(report("GNN104", f"`{name.text}` is ambiguous", name.span, helps=helps, notes=notes))
    if not alike:
        found.append(_unknown_relation(name, relations))
    return alike


def _unknown_relation(name: n.Name, relations: _Relations) -> Diagnostic:
    schema = relations.schema
    known = [*relations.places[1], *schema.metapaths]
    notes = listing("relations and metapaths", known)
    if name.text in schema.nodes:
        helps = (f"`{name.text}` is a node type; for what it receives write `* -[*]-> {show_name(name.text)}`",)
        return report("GNN106", "a relation map needs relations", name.span, helps=helps, notes=notes)
    helps = did_you_mean(name.text, known)
    if not helps and re.match(r"(?i)meta_?path", name.text):
        helps = ("metapaths are declared in the schema: `metapath NAME = a -[r]-> b <-[r]- a`",)
    fix = renaming(name.span, name.text, known)
    return report("GNN101", f"unknown relation `{name.text}`", name.span, helps=helps, notes=notes, fix=fix)


def _triple(pattern: n.RelationPattern, relations: _Relations, found: list[Diagnostic]) -> tuple[EdgeKey, ...]:
    """Relations that `a -[r]-> b` matches; a metapath only where it is named."""
    before, schema = len(found), relations.schema
    for end in (pattern.source, pattern.target):
        if isinstance(end, n.Name) and end.text not in schema.nodes:
            found.append(unknown_type(end, schema.nodes))
    relation = pattern.relation
    path = schema.metapaths.get(relation.text) if isinstance(relation, n.Name) else None
    if isinstance(relation, n.Name) and path is None and not relations.named(relation.text):
        found.append(_unknown_relation(relation, relations))
    if len(found) > before:
        return ()
    places = (pattern.source, relation, pattern.target)
    wanted = tuple(place.text if isinstance(place, n.Name) else None for place in places)
    candidates = relations.matching(wanted) if path is None else (path.key,)
    matched = tuple(edge for edge in candidates if _accepts(wanted, edge))
    if not matched:
        found.append(_nothing(pattern, wanted, relations))
    return matched


def _nothing(pattern: n.RelationPattern, wanted: tuple[str | None, ...], relations: _Relations) -> Diagnostic:
    source, name, target = wanted
    alike = [path.key for path in relations.schema.metapaths.values() if path.name == name]
    alike += relations.named(name) if name is not None else []
    helps = tuple(f"there is `{show_edge(edge)}`" for edge in alike[:3])
    if any(_accepts((target, name, source), edge) for edge in alike):
        helps = (*helps, "messages back to the source need a `reverse NAME` on that edge")
    leaving = next((edge for edge in relations.schema.edges if target in (edge[0], edge[2])), None)
    if name is None and leaving is not None and all(edge[2] != target for edge in relations.schema.edges):
        helps = (f"nothing ends in `{target}`: let messages come back with `edge {show_edge(leaving)} reverse NAME`",)
    notes = listing("relations", [show_edge(edge) for edge in relations.schema.edges]) if not alike else ()
    return report("GNN106", "no relation of the schema matches this pattern", pattern.span, helps=helps, notes=notes)


class _Arms(Generic[Key]):
    """Gives each rule what no earlier rule has taken; complains about rules and patterns that get nothing."""

    def __init__(self, what: str, dropped: Mapping[str, Span], found: list[Diagnostic]) -> None:
        self.what = what
        self.dropped = dropped
        self.found = found
        self.decided: dict[Key, n.Rule] = {}
        self.arms: list[Arm[Key]] = []

    def add(self, rule: n.Rule, keys_of: Callable[[n.Pattern], tuple[Key, ...]]) -> None:
        """Decide a rule; `keys_of` gives what a pattern matches, and reports why if a name matches nothing."""
        taken: dict[Key, bool] = {}
        idle: list[tuple[n.Pattern, tuple[Key, ...]]] = []
        before = len(self.found)
        for pattern in rule.patterns:
            keys = keys_of(pattern)
            fresh = [key for key in keys if key not in self.decided and key not in taken]
            if not fresh:
                idle.append((pattern, keys))
            taken.update(dict.fromkeys(fresh, not isinstance(pattern, n.Wildcard)))
        failed = len(self.found) > before
        if not taken and not failed:
            self.complain(
                rule.patterns[0].span.to(rule.patterns[-1].span), "rule", rule, [key for _, k in idle for key in k]
            )
        elif taken:
            for pattern, keys in idle:
                if keys:
                    self.complain(pattern.span, "pattern", rule, keys)
        self.decided.update(dict.fromkeys(taken, rule))
        self.arms.append(Arm(rule, tuple(taken), frozenset(key for key, named in taken.items() if named)))

    def complain(self, span: Span, what: str, rule: n.Rule, keys: Iterable[Key]) -> None:
        """A rule or pattern to which nothing is left."""
        keys = tuple(keys)
        if not keys:
            none = f"the schema declares no {self.what}"
            notes = listing("types that were dropped", self.dropped) if self.dropped else (none,)
            self.found.append(report("GNN106", f"this {what} matches nothing", span, notes=notes))
            return
        earlier = {self.decided[key].span: "this decides it" for key in keys if key in self.decided}
        helps = ("the first rule that matches decides: put the more specific one first, or leave this one out",)
        also = tuple(earlier.items())[:3]
        said = "already decided above" if also else "stands in this rule twice"
        self.found.append(report("GNN105", f"this {what} can never match", span, said, also=also, helps=helps))

    def read_after_drop(self, name: str, span: Span) -> None:
        """A dropped type is named."""
        also = ((self.dropped[name], "dropped here"),)
        self.found.append(report("GNN503", f"`{name}` was dropped and cannot be read", span, also=also))


def match_relations(
    rules: tuple[n.Rule, ...], schema: Schema, dropped: Mapping[str, Span], found: list[Diagnostic]
) -> tuple[Arm[EdgeKey], ...]:
    """Which rule of a relation map decides which relations.

    Args:
        rules: in the order of the spec.
        schema: the relations that exist.
        dropped: node types that ended earlier, with the place; relations at them match no wildcard.
        found: where problems go.
    """
    relations = _Relations(schema)
    arms = _Arms[EdgeKey]("relation", dropped, found)

    def keys_of(pattern: n.Pattern) -> tuple[EdgeKey, ...]:
        if isinstance(pattern, n.Wildcard):
            matched = tuple(schema.edges)
        elif isinstance(pattern, n.NamePattern):
            matched = _relation_named(pattern.name, relations, found)
        else:
            matched = _triple(pattern, relations, found)
        there = tuple(key for key in matched if key[0] not in dropped and key[2] not in dropped)
        if matched and not there and not isinstance(pattern, n.Wildcard):
            arms.read_after_drop(next(end for end in (matched[0][0], matched[0][2]) if end in dropped), pattern.span)
        return there

    for rule in rules:
        arms.add(rule, keys_of)
    return tuple(arms.arms)


def match_relation(pattern: n.RelationPattern, schema: Schema, found: list[Diagnostic]) -> tuple[EdgeKey, ...]:
    """The relations of a schema that one pattern names; a report where there are none."""
    before = len(found)
    matched = _triple(pattern, _Relations(schema), found)
    # Advice on messages that do not come back is for relation maps.
    found[before:] = [replace(item, helps=item.helps[:1]) if item.code == "GNN106" else item for item in found[before:]]
    return matched


def match_types(
    rules: tuple[n.Rule, ...], schema: Schema, dropped: Mapping[str, Span], found: list[Diagnostic]
) -> tuple[Arm[str], ...]:
    """Which rule of a node map decides which node types."""
    arms = _Arms[str]("node type", dropped, found)
    every = tuple(name for name in schema.nodes if name not in dropped)

    def keys_of(pattern: n.Pattern) -> tuple[str, ...]:
        if isinstance(pattern, n.Wildcard):
            return every
        if isinstance(pattern, n.RelationPattern):
            helps = ("relations are served in `edges { … }`",)
            found.append(report("GNN107", "a node map has node types on the left", pattern.span, helps=helps))
        elif pattern.name.text not in schema.nodes:
            found.append(_unknown_in_node_map(pattern.name, schema))
        elif pattern.name.text in dropped:
            arms.read_after_drop(pattern.name.text, pattern.span)
        else:
            return (pattern.name.text,)
        return ()

    for rule in rules:
        arms.add(rule, keys_of)
    return tuple(arms.arms)


def _unknown_in_node_map(name: n.Name, schema: Schema) -> Diagnostic:
    if name.text in schema.metapaths or any(edge[1] == name.text for edge in schema.edges):
        helps = ("relations are served in `edges { … }`",)
        notes = listing("node types", schema.nodes)
        return report("GNN106", f"`{name.text}` is a relation, not a node type", name.span, helps=helps, notes=notes)
    return unknown_type(name, schema.nodes)
