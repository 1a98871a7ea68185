"""Rules as match arms: the first that matches decides; one that decides nothing is an error."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from graphdsl.model.schema import Schema
from graphdsl.model.schemas import unknown_type
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, EdgeKey, Span, did_you_mean, listing, report, show_edge


Key = TypeVar("Key", str, EdgeKey)


@dataclass(frozen=True)
class Arm(Generic[Key]):
    """A rule and what it decides: `keys` in the order of the schema."""

    rule: n.Rule
    keys: tuple[Key, ...]
    named: bool


def _relation_named(name: n.Name, schema: Schema, found: list[Diagnostic]) -> tuple[EdgeKey, ...]:
    """The relation or metapath of a bare name."""
    if name.text in schema.metapaths:
        return (schema.metapaths[name.text].key,)
    alike = tuple(edge for edge in schema.edges if edge[1] == name.text)
    if len(alike) > 1:
        helps = (f"write one of them, or `* -[{name.text}]-> *` for all",)
        notes = listing("edge types of this name", (show_edge(edge) for edge in alike))
        found.append(report("GNN104", f"`{name.text}` is ambiguous", name.span, helps=helps, notes=notes))
    if not alike:
        found.append(_unknown_relation(name, schema))
    return alike


def _unknown_relation(name: n.Name, schema: Schema) -> Diagnostic:
    known = [*dict.fromkeys(edge[1] for edge in schema.edges), *schema.metapaths]
    notes = listing("relations and metapaths", known)
    if name.text in schema.nodes:
        helps = (f"`{name.text}` is a node type; for what it receives write `* -[*]-> {name.text}`",)
        return report("GNN106", "a relation map needs relations", name.span, helps=helps, notes=notes)
    helps = did_you_mean(name.text, known)
    return report("GNN101", f"unknown relation `{name.text}`", name.span, helps=helps, notes=notes)


def _accepts(place: n.Name | n.Wildcard, text: str) -> bool:
    return isinstance(place, n.Wildcard) or place.text == text


def _triple(pattern: n.RelationPattern, schema: Schema, found: list[Diagnostic]) -> tuple[EdgeKey, ...]:
    """Relations that `a -[r]-> b` matches; a metapath only where it is named."""
    before = len(found)
    for end in (pattern.source, pattern.target):
        if isinstance(end, n.Name) and end.text not in schema.nodes:
            found.append(unknown_type(end, schema.nodes))
    relation = pattern.relation
    candidates: Iterable[EdgeKey] = schema.edges
    if isinstance(relation, n.Name) and relation.text in schema.metapaths:
        candidates = (schema.metapaths[relation.text].key,)
    elif isinstance(relation, n.Name) and all(edge[1] != relation.text for edge in schema.edges):
        found.append(_unknown_relation(relation, schema))
    if len(found) > before:
        return ()
    matched = tuple(
        edge
        for edge in candidates
        if _accepts(pattern.source, edge[0]) and _accepts(relation, edge[1]) and _accepts(pattern.target, edge[2])
    )
    if not matched:
        found.append(_nothing(pattern, schema))
    return matched


def _nothing(pattern: n.RelationPattern, schema: Schema) -> Diagnostic:
    relation = pattern.relation
    alike = [edge for edge in schema.edges if isinstance(relation, n.Name) and edge[1] == relation.text]
    helps = tuple(f"there is `{show_edge(edge)}`" for edge in alike[:3])
    notes = () if helps else listing("relations", (show_edge(edge) for edge in schema.edges))
    return report("GNN106", "no relation of the schema matches this pattern", pattern.span, helps=helps, notes=notes)


def _edges_of(pattern: n.Pattern, schema: Schema, found: list[Diagnostic]) -> tuple[EdgeKey, ...]:
    if isinstance(pattern, n.Wildcard):
        return tuple(schema.edges)
    if isinstance(pattern, n.NamePattern):
        return _relation_named(pattern.name, schema, found)
    return _triple(pattern, schema, found)


def _absent(key: EdgeKey, dropped: Mapping[str, Span]) -> str | None:
    return next((end for end in (key[0], key[2]) if end in dropped), None)


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
    decided: dict[EdgeKey, n.Rule] = {}
    arms: list[Arm[EdgeKey]] = []
    for rule in rules:
        keys: dict[EdgeKey, None] = {}
        before = len(found)
        named = False
        for pattern in rule.patterns:
            matched = _edges_of(pattern, schema, found)
            exact = not isinstance(pattern, n.Wildcard)
            named |= exact
            for key in matched:
                end = _absent(key, dropped)
                if end is None:
                    keys[key] = None
                elif exact and len(matched) == 1:
                    found.append(_read_after_drop(end, pattern.span, dropped[end]))
        arms.append(_arm(rule, tuple(keys), decided, named, len(found) > before, found))
    return tuple(arms)


def _read_after_drop(name: str, span: Span, where: Span) -> Diagnostic:
    also = ((where, "dropped here"),)
    return report("GNN503", f"`{name}` was dropped and cannot be read", span, also=also)


def _arm(
    rule: n.Rule, keys: tuple[Key, ...], decided: dict[Key, n.Rule], named: bool, failed: bool, found: list[Diagnostic]
) -> Arm[Key]:
    """Give a rule what no earlier rule has taken; complain when nothing is left."""
    fresh = tuple(key for key in keys if key not in decided)
    if keys and not fresh:
        earlier = {decided[key].span: "these decide it" for key in keys}
        helps = ("the first rule that matches decides: put the more specific rule first, or leave this one out",)
        span = rule.patterns[0].span.to(rule.patterns[-1].span)
        also = tuple(earlier.items())[:3]
        found.append(report("GNN105", "this rule can never match", span, "already decided above", also=also, helps=helps))
    elif not keys and not failed:
        span = rule.patterns[0].span.to(rule.patterns[-1].span)
        found.append(report("GNN106", "this rule matches nothing", span))
    decided.update(dict.fromkeys(fresh, rule))
    return Arm(rule, fresh, named)


def match_types(
    rules: tuple[n.Rule, ...], schema: Schema, dropped: Mapping[str, Span], found: list[Diagnostic]
) -> tuple[Arm[str], ...]:
    """Which rule of a node map decides which node types."""
    decided: dict[str, n.Rule] = {}
    arms: list[Arm[str]] = []
    for rule in rules:
        keys: dict[str, None] = {}
        before = len(found)
        named = False
        for pattern in rule.patterns:
            if isinstance(pattern, n.Wildcard):
                keys.update(dict.fromkeys(name for name in schema.nodes if name not in dropped))
                continue
            named = True
            if isinstance(pattern, n.RelationPattern):
                helps = ("relations are served in `edges { … }`",)
                found.append(report("GNN107", "a node map has node types on the left", pattern.span, helps=helps))
            elif pattern.name.text not in schema.nodes:
                found.append(unknown_type(pattern.name, schema.nodes))
            elif pattern.name.text in dropped:
                found.append(_read_after_drop(pattern.name.text, pattern.span, dropped[pattern.name.text]))
            else:
                keys[pattern.name.text] = None
        arms.append(_arm(rule, tuple(keys), decided, named, len(found) > before, found))
    return tuple(arms)
