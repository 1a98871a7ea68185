"""What `gnn layers` prints: the list of the catalogue by kind, and the page of one entry."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args

from graphdsl.catalog import (
    INSTEAD,
    MASK_LABEL,
    NOT_YET,
    OBJECTIVES,
    SCORERS,
    SPREADERS,
    Entry,
    Kind,
    Parameter,
    Scorer,
    Slot,
    describe,
    describe_requirement,
    entries,
    header_of,
    missing,
)
from graphdsl.model.values import show

KINDS: Final[tuple[tuple[Kind, str], ...]] = (
    ("conv", "convolutions: `edges { … }`, steps of `sequential` blocks"),
    ("model", "whole models: steps of `sequential` blocks; some in `edges { … }`, within one type"),
    ("node", "layers of single nodes: `nodes { … }`, pipes, predictions, steps"),
    ("norm", "norms: `nodes { … }`, pipes, steps"),
    ("activation", "activations: pipes, steps, arguments"),
    ("dropout", "dropout"),
    ("readout", "readouts: `predict graph.y from …: readout(NAME)`, steps"),
    ("pool", "pooling that changes the graph: steps"),
    ("search", "neighbours found by position, points merged by cells, rows of graphs at their nodes: steps"),
    ("color", "colours and other whole numbers of nodes: steps"),
    ("recurrent", "cells with a hidden state: steps"),
    ("dense", "dense graphs: steps"),
    ("loss", "losses of values: `penalty`, steps"),
    ("objective", "objectives without labels: `learn TARGET: NAME`"),
    (
        "label",
        "labels of training nodes: `predict TYPE.LABEL: NAME(along = RELATION, …)`, `nodes { TYPE: MaskLabel(…) }`",
    ),
)
"""Kinds of entries in the order of the list, with where they stand."""
_INDENT: Final = "  "


def overview(wanted: Kind | None = None) -> str:
    """All entries by kind, what needs a package that is not here marked; then what PyG has besides."""
    everything = (*entries(), *OBJECTIVES.values(), *SPREADERS.values(), MASK_LABEL)
    titles: dict[Kind, str] = dict(KINDS)
    kinds: list[Kind] = [*titles, *(kind for kind in get_args(Kind) if kind not in titles)]
    chosen: list[Kind] = kinds if wanted is None else [wanted]
    width = max(len(entry.name) for entry in everything)
    parts: list[str] = []
    for kind in chosen:
        rows = [(entry.name, entry.doc + _lacking(entry)) for entry in everything if entry.kind == kind]
        parts.append(_section(titles.get(kind, kind), rows, width))
    if wanted is None:
        scorers = [(item.name, item.doc) for item in SCORERS.values()]
        parts.append(_section("scorers of links: `predict a -[r]-> b: NAME`", scorers, width))
        parts.append(_section("said in another way", sorted(INSTEAD.items()), width))
        parts.append(_section("no layers of a spec", sorted(NOT_YET.items()), width))
        parts.append("`gnn layers NAME` shows arguments and inputs, `gnn layers --kind model` one kind.")
    return "\n\n".join(parts)


def _section(title: str, rows: Iterable[tuple[str, str]], width: int) -> str:
    return "\n".join([title, *(f"{_INDENT}{name:<{width}}  {said}" for name, said in rows)])


def _lacking(entry: Entry) -> str:
    lacking = missing(entry)
    return f" (needs {' and '.join(lacking)}: not installed)" if lacking else ""


# --- one entry ---


def page(entry: Entry) -> str:
    """An entry for people."""
    lines = [f"{entry.name}  ({entry.path})", f"  {entry.doc}", *_about(entry)]
    lines += ["", "arguments:", *(_line(item) for item in entry.parameters)] if entry.parameters else []
    ends = [
        f"  {name:<20} as wide as {network.why}; its `out_channels` may be left out"
        for name, network in entry.networks.items()
        if network.gives is not None
    ]
    lines += ["", "networks whose width follows:", *ends] if ends else []
    if entry.derived:
        lines += ["", "filled in by the compiler: " + ", ".join(entry.derived)]
    if entry.left_out:
        lines += ["", "left out:", *(f"  {name:<20} {why}" for name, why in entry.left_out.items())]
    bound = [
        f"  {item.name:<20} bound to {_SOURCES[item.source]}{' (required)' if item.required else ''}"
        for item in entry.inputs
        if entry.kind in ("conv", "model", "node", "label")  # steps alone read values of their header
    ]
    lines += ["", "forward inputs:", *bound] if bound else []
    lines += _in_blocks(entry)
    if entry.kind == "conv" or entry.scope == "relation":
        between = "may join two node types" if entry.bipartite else "only within one node type"
        lines += ["", f"scope: {entry.scope}; {between}"]
    return "\n".join(lines)


_SOURCES: Final = {
    "edge": "an attribute of the edges",
    "node": "an attribute of the nodes",
    "state": "an earlier state",
    "relation": "a relation or metapath within the predicted type",
}


def _about(entry: Entry) -> Iterator[str]:
    """Where it comes from, where it stands, what it needs."""
    yield f"  kind: {next((title for kind, title in KINDS if kind == entry.kind), entry.kind)}"
    if entry.paper:
        yield f"  paper: {entry.paper}"
    lacking = missing(entry)
    for item in entry.requires:
        yield f"  needs {describe_requirement(item)}{'; not installed here' if item in lacking else ''}"


def _in_blocks(entry: Entry) -> Iterator[str]:
    """How it stands in a `sequential` block."""
    if entry.as_step is not None:
        needed = ", ".join(item.name for item in entry.as_step.parameters if item.required)
        header = header_of(entry.as_step)
        assert header is not None
        yield from ("", "in a `sequential` block:", f"  {entry.name}({needed}): {header.example}")
        yield f"  {entry.as_step.doc}"
        return
    header = header_of(entry)
    if header is None:
        return
    optional = [slot.name for slot in header.takes if slot.optional and not slot.ignored]
    ignored = [slot.name for slot in header.takes if slot.ignored]
    yield from ("", "in a `sequential` block:", f"  {entry.name}: {_names(header.takes)} -> {_names(header.gives)}")
    yield f"  usually              {header.example}"
    if optional:
        yield f"  may be `none`:       {', '.join(optional)}"
    if ignored:
        yield f"  always `none`:       {', '.join(ignored)}"


def _line(parameter: Parameter) -> str:
    default = "required" if parameter.required else f"default {show(parameter.default)}"
    since = f"; since PyG {parameter.since}" if parameter.since else ""
    return f"  {parameter.name:<20} {describe(parameter)}; {default}{since}"


def _names(slots: Iterable[Slot]) -> str:
    return ", ".join(slot.name for slot in slots)


def scorer_page(scorer: Scorer) -> str:
    """A scorer for people."""
    ends = "both ends must be equally wide" if scorer.equal_ends else "ends of any width"
    lines = [f"{scorer.name}  ({scorer.path})", f"  {scorer.doc}"]
    lines += [f"  paper: {scorer.paper}"] if scorer.paper else []
    lines += ["", "arguments:", *map(_line, scorer.parameters)] if scorer.parameters else []
    if scorer.name in ("tgn", "renet"):
        return "\n".join([*lines, "", "predicts the events of a relation with a `time`; it is the whole of a model"])
    return "\n".join([*lines, "", f"scores the pairs of a link prediction: {ends}"])


# --- for programs ---


def as_dict(entry: Entry) -> dict[str, Any]:
    """An entry as JSON."""
    header = header_of(entry)
    return {
        "header": header
        and {
            "takes": [{"name": slot.name, "kinds": slot.kinds, "optional": slot.optional} for slot in header.takes],
            "gives": [{"name": slot.name, "kinds": slot.kinds} for slot in header.gives],
        },
        "name": entry.name,
        "kind": entry.kind,
        "path": entry.path,
        "doc": entry.doc,
        "paper": entry.paper,
        "requires": list(entry.requires),
        "missing": list(missing(entry)),
        "scope": entry.scope,
        "bipartite": entry.bipartite,
        "parameters": _parameters(entry.parameters),
        "derived": dict(entry.derived),
        "left_out": dict(entry.left_out),
        "inputs": [{"name": item.name, "source": item.source, "required": item.required} for item in entry.inputs],
    }


def scorer_as_dict(scorer: Scorer) -> dict[str, Any]:
    """A scorer as JSON."""
    return {
        "name": scorer.name,
        "kind": "scorer",
        "path": scorer.path,
        "doc": scorer.doc,
        "paper": scorer.paper,
        "equal_ends": scorer.equal_ends,
        "parameters": _parameters(scorer.parameters),
    }


def _parameters(parameters: Iterable[Parameter]) -> list[dict[str, Any]]:
    return [
        {
            "name": item.name,
            "type": item.type,
            "required": item.required,
            "since": item.since,
            "default": None if item.required else item.default,
            "accepts": describe(item),
        }
        for item in parameters
    ]
