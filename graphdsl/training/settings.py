"""Training settings as plain values, as checkpoints carry them."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from graphdsl.model import ClassUse, DataSource, Training

DECISIVE = ("optimizer", "scheduler", "monitor", "batch_size", "fanout", "temporal", "seed", "clip", "class_weights",
            "split", "disjoint", "precision")  # fmt: skip
"""Settings that decide what a run computes; the others (epochs, patience, workers) may change when it is resumed."""


def settings_to_plain(training: Training) -> dict[str, Any]:
    """Settings as numbers, strings, lists and dictionaries; spans are left out, the data's base is made absolute.

    >>> settings_to_plain(Training("m", epochs=5))["optimizer"]
    {'name': 'Adam', 'arguments': {'lr': 0.01}}
    """
    return {item.name: _plain(getattr(training, item.name)) for item in fields(training) if item.name != "span"}


def _plain(value: Any) -> Any:
    if isinstance(value, ClassUse):
        return {"name": value.name, "arguments": _plain(value.arguments)}
    if isinstance(value, DataSource):
        base = str(value.base.resolve())
        return {"kind": value.kind, "name": value.name, "arguments": _plain(value.arguments), "base": base}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def settings_from_plain(plain: Mapping[str, Any]) -> Training:
    """Undo `settings_to_plain`; what is unknown is left out.

    >>> settings_from_plain({"model": "m", "epochs": 5, "batch_size": None}).epochs
    5
    """
    known = {item.name for item in fields(Training)} - {"span"}
    values = {name: value for name, value in plain.items() if name in known}
    for name in ("optimizer", "scheduler"):
        if values.get(name) is not None:
            values[name] = ClassUse(values[name]["name"], values[name]["arguments"])
    if values.get("data") is not None:
        source = values["data"]
        values["data"] = DataSource(source["kind"], source["name"], source["arguments"], Path(source["base"]))
    values |= {name: tuple(values[name]) for name in ("fanout", "split") if name in values}
    return Training(**values)


def differing_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Lines that say which decisive settings differ: - old, + new.

    >>> differing_settings({"seed": 1}, {"seed": 2})
    ['- seed: 1', '+ seed: 2']
    """
    return [
        f"{sign} {name}: {side.get(name)}"
        for name in DECISIVE
        if old.get(name) != new.get(name)
        for sign, side in (("-", old), ("+", new))
    ]
