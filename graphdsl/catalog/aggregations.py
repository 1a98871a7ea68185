"""Aggregations of aggregations, scaled ones, and one that is found by optimization."""

from collections.abc import Sequence
from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, Parameter, Problem, Slot
from graphdsl.catalog.headers import X
from graphdsl.catalog.parts import AGGREGATIONS, OUT_CHANNELS, SCALERS, flag
from graphdsl.catalog.readouts import aggregation

_LEARNED: Final = ("attn", "proj")
_MODES: Final = ("cat", "proj", "sum", "mean", "max", "min", "logsumexp", "std", "var", "attn")
_COLUMNS: Final = Parameter("out_channels", "int|none", None, minimum=1, keyword=True)
_HEADS: Final = Parameter("num_heads", "int", 1, minimum=1, keyword=True)


def _many(value: str | Sequence[str]) -> int:
    return 1 if isinstance(value, str) else len(value)


def _combined(arguments: Arguments, width: int | None) -> int | None:
    if arguments["mode"] in _LEARNED:
        return arguments["out_channels"]
    return None if width is None else width * (len(arguments["aggrs"]) if arguments["mode"] == "cat" else 1)


def _projection(arguments: Arguments, _width: int | None) -> Problem | None:
    """Combining by learned weights needs something to combine, and a width."""
    mode, columns = arguments["mode"], arguments["out_channels"]
    if mode not in _LEARNED:
        if columns is None:
            return None
        message = f'`mode = "{mode}"` has no `out_channels`: nothing is projected'
        return Problem("GNN204", message, "out_channels", 'leave it out, or write `mode = "proj"`')
    if columns is None:
        message = f'`mode = "{mode}"` needs `out_channels`'
        return Problem("GNN203", message, None, f'write `mode = "{mode}", out_channels = 64`')
    if len(arguments["aggrs"]) > 1:
        return None
    message = f'`mode = "{mode}"` combines several aggregations, and here is one'
    return Problem("GNN204", message, "aggrs", 'add one, such as `["mean", "max"]`')


def _heads(arguments: Arguments, _width: int | None) -> Problem | None:
    """Heads belong to the attention, and share its columns."""
    heads, columns = arguments["num_heads"], arguments["out_channels"]
    if heads == 1 or columns is None:
        return None
    if arguments["mode"] != "attn":
        return Problem("GNN204", f'`mode = "{arguments["mode"]}"` has no heads', "num_heads", "leave `num_heads` out")
    if columns % heads == 0:
        return None
    message = f"{heads} heads cannot share {columns} columns"
    return Problem("GNN302", message, "num_heads", f"use a divisor of {columns}")


def _scaled(arguments: Arguments, width: int | None) -> int | None:
    return None if width is None else width * _many(arguments["aggr"]) * _many(arguments["scaler"])


def _alike(arguments: Arguments, _width: int | None) -> Problem | None:
    """PyG takes both as texts or both as lists; of one text with a list it makes a list in a list."""
    one = isinstance(arguments["aggr"], str)
    if one == isinstance(arguments["scaler"], str):
        return None
    means = f'`aggr = ["{arguments["aggr"]}"]`' if one else f'`scaler = ["{arguments["scaler"]}"]`'
    message = "`aggr` and `scaler` are both one text, or both a list"
    return Problem("GNN204", message, "aggr" if one else "scaler", f"write {means}")


ENTRIES: Final = (
    aggregation(
        "MultiAggregation",
        "Several aggregations side by side, or combined: reduced, projected, or by attention.",
        Parameter("aggrs", "list[string]", choices=AGGREGATIONS),
        Parameter("mode", "string", "cat", choices=_MODES),
        _COLUMNS,
        _HEADS,
        derived={"in_channels": "width"},
        packed={"mode_kwargs": ("in_channels", "out_channels", "num_heads")},
        left_out={"aggrs_kwargs": "a spec has no dictionaries"},
        width=_combined,
        rules=(_projection, _heads),
        paper="Corso et al., Principal Neighbourhood Aggregation for Graph Nets, 2020",
    ),
    aggregation(
        "DegreeScalerAggregation",
        "Aggregations, each scaled by how many values it reduces over how many that is on average.",
        Parameter("aggr", "string|list[string]", choices=AGGREGATIONS),
        Parameter("scaler", "string|list[string]", choices=SCALERS),
        flag("train_norm", False),
        takes=(X, Slot("index", ("batch",))),
        derived={"deg": "degrees"},
        left_out={"aggr_kwargs": "a spec has no dictionaries"},
        width=_scaled,
        rules=(_alike, rules.some_degrees("scaler")),
        paper="Corso et al., Principal Neighbourhood Aggregation for Graph Nets, 2020",
    ),
    aggregation(
        "EquilibriumAggregation",
        "The row that makes a learned potential of the nodes small, by a few steps of gradient descent.",
        OUT_CHANNELS,
        Parameter("num_layers", "list[int]", minimum=1),
        Parameter("grad_iter", "int", 5, minimum=1),
        Parameter("lamb", "float", 0.1),
        path="graphdsl.layers.EquilibriumAggregation",
        derived={"in_channels": "width"},
        width=rules.out_channels,
        paper="Bartunov et al., Equilibrium Aggregation: Encoding Sets via Optimization, 2022",
    ),
)
