"""Resolving a `train` block: which settings there are, and what each accepts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from graphdsl.catalog import OPTIMIZERS, REQUIRED_ARGUMENTS, SCHEDULERS
from graphdsl.model.training import ClassUse, DataSource, Training
from graphdsl.model.values import Refused, evaluate, show
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, did_you_mean, listing, renaming, report

SOURCES: tuple[Literal["pyg", "tables", "file"], ...] = ("pyg", "tables", "file")
PRECISIONS = ("32-true", "64-true", "bf16-mixed", "16-mixed", "bf16-true")


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a setting accepts, in words, and the test."""

    words: str
    test: Callable[[Any], bool]


def _whole(minimum: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def _optional(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or test(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shares(value: Any) -> bool:
    """Two or three shares that sum to one, that of training not zero."""
    if not isinstance(value, tuple) or len(cast(tuple[Any, ...], value)) not in (2, 3):
        return False
    items = cast(tuple[Any, ...], value)
    return all(_is_number(item) and item >= 0 for item in items) and items[0] > 0 and abs(sum(items) - 1) < 1e-6


def _fanout(value: Any) -> bool:
    return isinstance(value, tuple) and value != () and all(map(_whole(-1), cast(tuple[Any, ...], value)))


_RULES: Mapping[str, _Rule] = {
    "epochs": _Rule("a whole number ≥ 1", _whole(1)),
    "patience": _Rule("a whole number ≥ 1, or `none`", _optional(_whole(1))),
    "monitor": _Rule('a metric such as "val_accuracy"', lambda value: isinstance(value, str)),
    "batch_size": _Rule("a whole number ≥ 1, or `none` for the whole graph", _optional(_whole(1))),
    "fanout": _Rule("a list of whole numbers, nearest hop first; -1 for all", _fanout),
    "temporal": _Rule("`true` or `false`", lambda value: isinstance(value, bool)),
    "seed": _Rule("a whole number from 0 to 4294967295", lambda value: _whole(0)(value) and value < 2**32),
    "clip": _Rule("a number > 0, or `none`", _optional(_number)),
    "class_weights": _Rule("`true` or `false`", lambda value: isinstance(value, bool)),
    "workers": _Rule("a whole number ≥ 0", _whole(0)),
    "split": _Rule("shares of edges that train, validate and test, such as [0.8, 0.1, 0.1]", _shares),
    "disjoint": _Rule("a share from 0 to below 1", lambda value: _is_number(value) and 0 <= value < 1),
    "precision": _Rule("one of " + ", ".join(f'"{item}"' for item in PRECISIONS), lambda value: value in PRECISIONS),
}
_OF_OPTIMIZER = {"lr": "lr", "learning_rate": "lr", "weight_decay": "weight_decay", "momentum": "momentum"}
SETTINGS = ("data", "optimizer", "scheduler", *_RULES)


def _arguments(call: n.Call, found: list[Diagnostic], positional: int) -> tuple[list[Any], dict[str, Any]]:
    """Evaluate the arguments of a call: so many positional ones, any keywords."""
    values: list[Any] = []
    named: dict[str, Any] = {}
    for item in call.arguments:
        try:
            value = evaluate(item.value, {})
        except Refused as refused:
            found.append(refused.diagnostic)
            continue
        if item.name is not None:
            if item.name.text in named:
                found.append(report("GNN209", f"`{item.name.text}` is given twice", item.span))
            named[item.name.text] = value
        elif len(values) < positional:
            values.append(value)
        else:
            helps = ("write `name = value`",)
            found.append(report("GNN201", f"`{call.name.text}` takes named arguments here", item.span, helps=helps))
    return values, named


def _source(value: n.Expression, base: Path, found: list[Diagnostic]) -> DataSource | None:
    helps = ('`pyg("DBLP", root = "data")`, `tables("data")` or "graph.pt"',)
    if isinstance(value, n.Literal) and isinstance(value.value, str):
        return DataSource("file", value.value, {}, base, value.span)
    if not isinstance(value, n.Call):
        found.append(report("GNN612", "`data` names a source of data", value.span, helps=helps))
        return None
    kind: Literal["pyg", "tables", "file"] | None = next((item for item in SOURCES if item == value.name.text), None)
    if kind is None:
        helps = did_you_mean(value.name.text, SOURCES) or helps
        notes = listing("sources", SOURCES)
        fix, message = renaming(value.name.span, value.name.text, SOURCES), f"unknown data source `{value.name.text}`"
        found.append(report("GNN612", message, value.span, helps=helps, notes=notes, fix=fix))
        return None
    before = len(found)
    values, named = _arguments(value, found, positional=1)
    if len(found) > before:
        return None
    if len(values) != 1 or not isinstance(values[0], str):
        found.append(report("GNN203", f"`{kind}` needs a name or path as a string", value.span, helps=helps))
        return None
    if named and kind != "pyg":
        found.append(report("GNN201", f"`{kind}` takes nothing but a path", value.span))
        return None
    return DataSource(kind, values[0], named, base, value.span)


def _class(
    value: n.Expression, what: str, known: Mapping[str, tuple[str, ...]], found: list[Diagnostic]
) -> ClassUse | None:
    if isinstance(value, n.Reference):
        value = n.Call(value.name, (), value.span)
    if not isinstance(value, n.Call):
        helps = (f"write `{what}: {next(iter(known))}(…)`",)
        found.append(report("GNN202", f"`{what}` names a class of torch.optim", value.span, helps=helps))
        return None
    if value.name.text not in known:
        helps = did_you_mean(value.name.text, known)
        notes = listing(f"{what}s", known)
        given = {item.name.text for item in value.arguments if item.name is not None}
        complete = [name for name in known if given.issuperset(REQUIRED_ARGUMENTS.get(name, ()))]
        fix, message = renaming(value.name.span, value.name.text, complete), f"unknown {what} `{value.name.text}`"
        found.append(report("GNN101", message, value.name.span, helps=helps, notes=notes, fix=fix))
        return None
    before = len(found)
    _, named = _arguments(value, found, positional=0)
    if len(found) == before:
        _check_class(value, named, known[value.name.text], found)
    return ClassUse(value.name.text, named, value.span)


def _check_class(value: n.Call, named: Mapping[str, Any], accepted: tuple[str, ...], found: list[Diagnostic]) -> None:
    """Arguments that PyTorch's class does not take, and those that it cannot do without."""
    name = value.name.text
    for item in value.arguments:
        if item.name is not None and item.name.text not in accepted:
            word = item.name.text
            helps = did_you_mean(_OF_OPTIMIZER.get(word, word), accepted)
            notes = listing(f"arguments of `{name}`", accepted)
            found.append(
                report("GNN201", f"`{name}` has no argument `{word}`", item.name.span, helps=helps, notes=notes)
            )
    for missing in (item for item in REQUIRED_ARGUMENTS.get(name, ()) if item not in named):
        helps = (f"write `{name}({missing} = …)`",)
        found.append(report("GNN203", f"`{name}` needs `{missing}`", value.span, helps=helps))


def _plain(setting: n.Setting, found: list[Diagnostic]) -> dict[str, Any]:
    try:
        value = evaluate(setting.value, {})
    except Refused as refused:
        found.append(refused.diagnostic)
        return {}
    return _fit(setting.name.text, value, found, setting.value.span)


def _fit(name: str, value: Any, found: list[Diagnostic], span: Span | None = None, where: str = "") -> dict[str, Any]:
    """A setting and its value, if it accepts it."""
    rule = _RULES[name]
    if name == "fanout" and _whole(-1)(value):
        value = (value,)
    if not rule.test(value):
        code = "GNN204" if isinstance(value, int | float) and not isinstance(value, bool) else "GNN202"
        helps = did_you_mean(value, PRECISIONS) if name == "precision" and isinstance(value, str) else ()
        message = f"`{name}` must be {rule.words}; found {show(value)}"
        found.append(report(code, message, span, where=where, helps=helps))
        return {}
    return {name: value}


def can_override(name: str) -> bool:
    """Whether `override_training` knows a name: a setting with a plain value, or one of the optimizer's."""
    return name in _RULES or name in _OF_OPTIMIZER


def override_training(training: Training, values: Mapping[str, Any], where: str) -> tuple[Training, list[Diagnostic]]:
    """Settings with other values: those of the train block, and `lr`, `weight_decay` and `momentum` of its optimizer.

    Args:
        training: the settings.
        values: by names for which `can_override`.
        where: where the values come from, for messages.

    >>> override_training(Training("m"), {"lr": 0.1, "epochs": 3}, "--set")[0].optimizer.arguments
    {'lr': 0.1}
    """
    found: list[Diagnostic] = []
    new: dict[str, Any] = {}
    of_optimizer: dict[str, Any] = {}
    for name, value in values.items():
        if name in _RULES:
            new |= _fit(name, value, found, where=where)
        elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            found.append(report("GNN204", f"`{name}` must be a number ≥ 0; found {show(value)}", where=where))
        else:
            of_optimizer[_OF_OPTIMIZER[name]] = value
    use = training.optimizer
    new["optimizer"] = replace(use, arguments={**use.arguments, **of_optimizer})
    return replace(training, **new), found


def resolve_training(declared: n.TrainDecl, base: Path, found: list[Diagnostic]) -> Training:
    """The settings of a train block, defaults for the rest; problems are appended to `found`.

    Args:
        declared: the block.
        base: folder that relative data paths start from (that of the spec).
        found: where problems go.
    """
    values: dict[str, Any] = {}
    places: dict[str, n.Setting] = {}
    for setting in declared.settings:
        name = setting.name.text
        if name in places:
            also = ((places[name].span, "first set here"),)
            found.append(report("GNN102", f"`{name}` is set twice", setting.name.span, also=also))
            continue
        places[name] = setting
        if name == "data":
            values["data"] = _source(setting.value, base, found)
        elif name in ("optimizer", "scheduler"):
            known = OPTIMIZERS if name == "optimizer" else SCHEDULERS
            use = _class(setting.value, name, known, found)
            values |= {name: use} if use is not None else {}
        elif name in _RULES:
            values |= _plain(setting, found)
        else:
            helps, fix = did_you_mean(name, SETTINGS), renaming(setting.name.span, name, SETTINGS)
            if name in _OF_OPTIMIZER:
                fix = None
                helps = (f"it belongs to the optimizer: `optimizer: Adam({_OF_OPTIMIZER[name]} = …)`",)
            notes = listing("settings", SETTINGS)
            message = f"unknown setting `{name}`"
            found.append(report("GNN211", message, setting.name.span, helps=helps, notes=notes, fix=fix))
    return Training(declared.model.text, span=declared.model.span, **values)
