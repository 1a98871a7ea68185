"""Width and legality rules that entries share.

A width rule gives output columns from the arguments (with defaults) and the input's columns; None is not known yet.
A legality rule gives a `Problem` or None.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from graphdsl.catalog.entry import Arguments, HopsRule, LegalityRule, Problem, WidthRule


def same_width(_arguments: Arguments, width: int | None) -> int | None:
    """As wide as the input."""
    return width


def width_from(name: str) -> WidthRule:
    """As wide as this argument says.

    >>> width_from("embedding_dim")({"embedding_dim": 64}, None)
    64
    """
    return lambda arguments, _width: arguments.get(name)


out_channels = width_from("out_channels")


def heads_width(arguments: Arguments, _width: int | None) -> int | None:
    """Heads side by side if `concat`, their mean otherwise.

    >>> heads_width({"out_channels": 64, "heads": 8, "concat": True}, None)
    512
    """
    columns: int | None = arguments.get("out_channels")
    return columns if columns is None or not arguments["concat"] else columns * arguments["heads"]


def module_width(name: str) -> WidthRule:
    """As wide as a nested module's output."""
    return lambda arguments, _width: getattr(arguments.get(name), "width_out", None)


def mlp_width(arguments: Arguments, _width: int | None) -> int | None:
    """The last of the listed widths, or `out_channels`.

    >>> mlp_width({"channel_list": (64, 32)}, 16)
    32
    """
    listed: Sequence[int] = arguments.get("channel_list") or ()
    return listed[-1] if listed else arguments.get("out_channels")


def rgat_width(arguments: Arguments, width: int | None) -> int | None:
    """RGATConv is wider by `dim` than other attention layers."""
    columns = heads_width(arguments, width)
    return None if columns is None else columns * arguments["dim"]


def aggregations_width(arguments: Arguments, width: int | None) -> int | None:
    """The input width once for each aggregation.

    >>> aggregations_width({"aggr": ("mean", "max")}, 16)
    32
    """
    aggr: Any = arguments["aggr"]
    return width if width is None or not isinstance(aggr, list | tuple) else width * len(cast(Sequence[str], aggr))


def powers_width(arguments: Arguments, _width: int | None) -> int | None:
    """`out_channels` once for each power; PyG takes the powers 0, 1 and 2 if none are given."""
    powers: Sequence[int] = arguments["powers"] or (0, 1, 2)
    columns: int | None = arguments.get("out_channels")
    return None if columns is None else columns * len(powers)


def hops_from(name: str, less: int = 0) -> HopsRule:
    """As many hops as an argument says, `less` fewer.

    >>> hops_from("K", less=1)({"K": 3})
    2
    """
    return lambda arguments: max(0, int(arguments[name]) - less)


def powers_hops(arguments: Arguments) -> int:
    """As many hops as the highest power; PyG takes the powers 0, 1 and 2 if none are given."""
    powers: Sequence[int] = arguments["powers"] or (0, 1, 2)
    return max(powers)


def heads_divide(heads: str = "heads") -> LegalityRule:
    """`out_channels` is shared among the heads.

    >>> heads_divide()({"out_channels": 64, "heads": 6}, None).code
    'GNN302'
    """

    def rule(arguments: Arguments, _width: int | None) -> Problem | None:
        columns, count = arguments["out_channels"], arguments[heads]
        if columns % count == 0:
            return None
        lower = columns - columns % count
        nearest = f"{lower} or {lower + count}" if lower else str(count)
        message = f"{count} heads cannot share {columns} columns: {columns} is not a multiple of {count}"
        return Problem("GNN302", message, heads, f"use another number of heads, or a width of {nearest}")

    return rule


def not_both(first: str, second: str) -> LegalityRule:
    """Two arguments that exclude each other; None counts as not given."""

    def rule(arguments: Arguments, _width: int | None) -> Problem | None:
        if arguments.get(first) is None or arguments.get(second) is None:
            return None
        message = f"`{first}` and `{second}` exclude each other"
        return Problem("GNN204", message, second, f"leave out `{first}` or `{second}`")

    return rule


def needs(wanted: str, because: str, means: str, broken: Callable[[Arguments], bool]) -> LegalityRule:
    """A general rule: `broken` says from the arguments whether the one named `wanted` cannot stand."""

    def rule(arguments: Arguments, _width: int | None) -> Problem | None:
        return Problem("GNN204", because, wanted, means) if broken(arguments) else None

    return rule


def divides(name: str, *others: str, width: bool = False) -> LegalityRule:
    """This argument (if given) divides other arguments, and the input width if `width` is set."""

    def rule(arguments: Arguments, columns: int | None) -> Problem | None:
        parts = arguments.get(name)
        if parts is None:
            return None
        wholes = {f"`{other}`": arguments[other] for other in others}
        if width and columns is not None:
            wholes["the input width"] = columns
        for label, whole in wholes.items():
            if whole % parts:
                message = f"`{name}` ({parts}) does not divide {label} ({whole})"
                return Problem("GNN204", message, name, f"use a divisor of {whole}")
        return None

    return rule


def keeps_width(name: str) -> LegalityRule:
    """An argument that must be the input width.

    >>> keeps_width("channels")({"channels": 64}, 32).code
    'GNN502'
    """

    def rule(arguments: Arguments, width: int | None) -> Problem | None:
        asked = arguments[name]
        if width is None or asked == width:
            return None
        message = f"the layer keeps its width: `{name}` is {asked}, and the input has {width} columns"
        return Problem("GNN502", message, name, f"write {width}, or bring the input to {asked} columns before")

    return rule


def not_narrower(name: str) -> LegalityRule:
    """An argument that must be at least the input width."""

    def rule(arguments: Arguments, width: int | None) -> Problem | None:
        if width is None or arguments[name] >= width:
            return None
        message = f"`{name}` is {arguments[name]}, less than the {width} columns of the input"
        return Problem("GNN204", message, name, f"write {width} or more, or a `Linear` before")

    return rule


def not_for_ids(name: str) -> LegalityRule:
    """An argument that only works on features, not on node numbers."""

    def rule(arguments: Arguments, _width: int | None) -> Problem | None:
        if arguments.get(name) is None:
            return None
        message = f"`{name}` needs features, and here the layer reads node numbers"
        return Problem("GNN204", message, name, f"give the types an embedding first, or leave out `{name}`")

    return rule


def some_degrees(argument: str) -> LegalityRule:
    """Scaling by a degree over the mean degree, where that is 0, gives NaN."""

    def rule(arguments: Arguments, _width: int | None) -> Problem | None:
        asked: Any = arguments[argument]
        names: Sequence[str] = (asked,) if isinstance(asked, str) else asked
        dividing = [name for name in names if name in ("amplification", "linear")]
        if not dividing or getattr(arguments.get("deg"), "mean", None) != 0:
            return None
        message = f"the relation has no edges in the data, so `{dividing[0]}` would divide by a mean degree of 0"
        return Problem("GNN311", message, argument, "compile with data that holds edges of it")

    return rule


def mlp_layers(arguments: Arguments, _width: int | None) -> Problem | None:
    """An MLP lists its widths, or gives `num_layers` with `out_channels` (and `hidden_channels` if it is deep).

    >>> mlp_layers({"channel_list": None, "num_layers": 2, "out_channels": 4, "hidden_channels": None}, 16).code
    'GNN203'
    """
    others = [name for name in ("hidden_channels", "out_channels", "num_layers") if arguments.get(name) is not None]
    help_ = "list the widths, `MLP(64, 64)`, or give `hidden_channels`, `out_channels` and `num_layers`"
    if arguments.get("channel_list"):
        message = f"the widths are listed, so `{others[0]}` could only contradict them" if others else ""
        return Problem("GNN204", message, others[0], help_) if others else None
    deep = (arguments.get("num_layers") or 1) > 1
    wanted = ("num_layers", "out_channels", "hidden_channels") if deep else ("num_layers", "out_channels")
    missing = next((name for name in wanted if arguments.get(name) is None), None)
    return None if missing is None else Problem("GNN203", f"`MLP` lacks `{missing}`", None, help_)


def mlp_lists(arguments: Arguments, _width: int | None) -> Problem | None:
    """Lists of an MLP have one element per layer."""
    listed: Sequence[int] = arguments.get("channel_list") or ()
    layers = len(listed) or cast("int | None", arguments.get("num_layers"))
    for name in ("dropout", "bias"):
        value: Any = arguments.get(name)
        if isinstance(value, list | tuple) and layers and len(cast(Sequence[Any], value)) != layers:
            message = f"`{name}` lists {len(cast(Sequence[Any], value))} values for {layers} layers"
            return Problem("GNN204", message, name, "give one value per layer, or one for all")
    return None
