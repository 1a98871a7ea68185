"""Everything that is wrong with a spec: syntax, declarations and every model, without follow-ups of one cause."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from graphdsl.checking.collecting import no_collection
from graphdsl.checking.imports import bundle, gather
from graphdsl.checking.reviewing import review
from graphdsl.checking.suppression import suppress
from graphdsl.model import Metadata, Model, ResolvedSpec, resolve
from graphdsl.plan import Plan, lower
from graphdsl.syntax import is_document
from graphdsl.text import Diagnostic, Findings, Fix, Label, SourceText, order

_NAMES = {"GNN101", "GNN103"}
"""Codes of names that are not found: they may stand in a declaration that could not be read."""
_WHOLE = {"GNN105", "GNN106", "GNN401", "GNN505"}
"""Codes of what can only be told when nothing is lost."""
_DECLARERS = (("node", "node type"), ("edge", "relation"), ("metapath", "relation"), ("model", "model"),
              ("schema", "schema"))  # fmt: skip
"""Words that start a declaration, and what is unknown when one could not be read."""
_MAX_ALSO = 3
_STRING = re.compile(r'write it as a string: `"(.*)"`')


def _follows(item: Diagnostic, lost: frozenset[str], damaged: bool) -> bool:
    """Whether something is only wrong because a declaration could not be read or is refused itself."""
    if damaged and item.code in _WHOLE:
        return True
    if item.code not in _NAMES:
        return False
    declared = any(word in lost and item.message.startswith(f"unknown {what}") for word, what in _DECLARERS)
    return declared or any(f"`{word}`" in item.message for word in lost)


def _check_model(model: Model, lost: frozenset[str], damaged: bool) -> tuple[Plan | None, list[Diagnostic]]:
    """The plan of a model with its defaults, and what is wrong; `damaged`: a part of the text could not be read."""
    lost, damaged = lost | model.schema.lost, damaged or bool(model.schema.lost)
    plan, found = plan_model(model, {}, None, damaged)
    right = not damaged and not any(item.is_error for item in found)
    return plan if right else None, [item for item in found if not _follows(item, lost, damaged)]


def plan_model(
    model: Model, values: Mapping[str, Any], metadata: Metadata | None, damaged: bool = False
) -> tuple[Plan | None, list[Diagnostic]]:
    """The plan of a model with values for its parameters, and what is wrong with it."""
    program, found = model.bind(values)
    if program is None:
        return None, found
    plan, flow = lower(program, metadata)
    if damaged or any(item.is_error for item in found):
        # Something is missing, so widths behind it would be guesses; what concerns one layer alone still holds.
        flow = [item for item in flow if item.code.startswith("GNN3")]
    return plan, [*found, *flow]


def _merge(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Names that are not found: said once, at the first place, with labels at the others."""
    groups: dict[tuple[str, str], list[Diagnostic]] = {}
    for item in order(found):
        groups.setdefault((item.code, item.message), []).append(item)
    merged: list[Diagnostic] = []
    for (code, _), items in groups.items():
        if code not in _NAMES or len(items) == 1:
            merged += items
            continue
        places = [item.primary.span for item in items[1:] if item.primary]
        labels = tuple(Label(place, "and here") for place in places[:_MAX_ALSO])
        more = (f"and in {len(places) - _MAX_ALSO} more places",) if len(places) > _MAX_ALSO else ()
        fix = _together([item.fix for item in items])
        merged.append(replace(items[0], labels=items[0].labels + labels, notes=items[0].notes + more, fix=fix))
    return merged


def _together(fixes: list[Fix | None]) -> Fix | None:
    """One fix for all places of a name."""
    edits = [edit for fix in fixes if fix is not None for edit in fix.edits]
    return Fix(fixes[0].title, tuple(dict.fromkeys(edits))) if fixes[0] is not None else None


def _of_base(model: Model, found: list[Diagnostic], known: list[Diagnostic]) -> list[Diagnostic]:
    """What is wrong with a model that amends another: what the base does not say itself names the model."""
    if model.base is None:
        return found
    label = Label(model.span, f"in `{model.name}`, which amends `{model.base}`")

    def named(item: Diagnostic) -> Diagnostic:
        own = item.primary is None or model.declared.span.holds(item.primary.span)
        return item if own else replace(item, labels=(*item.labels, label))

    return [named(item) for item in found if item not in known]


def _in(file: str, item: Diagnostic) -> bool:
    return item.primary is None or item.primary.span.file == file


def _line(item: Diagnostic) -> tuple[str, int]:
    span = item.labels[0].span
    return span.file, span.line


@no_collection()
def _in_document(item: Diagnostic) -> Diagnostic:
    """What is found in a spec in YAML or JSON: edits in `.gnn` would break what is around them, quotes are its own."""
    if item.primary is None or not is_document(item.primary.span.file):
        return item
    inside = r'write `{string: \1}`, or `"\1"` with the quotes inside the text'
    helps = tuple(_STRING.sub(inside, said) for said in item.helps)
    return replace(item, fix=None, helps=helps)


def analyse(source: SourceText, pedantic: bool = False) -> tuple[ResolvedSpec, list[Diagnostic]]:
    """Meaning and findings of a text: syntax, declarations, and every model with its defaults.

    Args:
        source: the spec.
        pedantic: whether findings of phase 7 are wanted; without it, what only they need is not computed.
    """
    parsed = gather(source)
    unread = any(item.is_error for item in parsed.diagnostics)
    resolved, said = resolve(parsed.file)
    resolved = replace(resolved, sources=parsed.sources, text=bundle(parsed))
    found = [item for item in said if not _follows(item, parsed.lost, unread)]
    plans: dict[str, Plan] = {}
    for model in resolved.models.values():
        if sum(item.is_error for item in found) >= Findings.most:
            break
        if model.span.file == source.name:
            plan, wrong = _check_model(model, parsed.lost, bool(parsed.lost))
            found += _of_base(model, wrong, found)
            plans |= {model.name: plan} if plan is not None else {}
    if not unread and not any(item.is_error for item in found):
        found += review(resolved, plans, pedantic)
    found = [item for item in found if item.is_error or _in(source.name, item)]
    meant = {help_line for item in found if item.code == "GNN101" for help_line in item.helps}
    found = [item for item in found if item.code != "GNN108" or f"did you mean {item.message.split()[1]}?" not in meant]
    if unread:
        # What is never used may be used in a statement that could not be read.
        found = [item for item in found if item.is_error]
    lines = {_line(item) for item in parsed.diagnostics if item.primary}
    found = [item for item in found if item.primary is None or _line(item) not in lines]
    if not pedantic:
        found = [item for item in found if not item.is_pedantic]
    found = [_in_document(item) for item in (*parsed.diagnostics, *_merge(found))]
    return resolved, suppress(source, found, pedantic)
