"""Encodings of one number by sines and cosines: of a time, a position, a distance."""

from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, Entry, Parameter, Problem, Slot, SlotKind
from graphdsl.catalog.parts import DEVICE, OUT_CHANNELS

_KINDS: Final[tuple[SlotKind, ...]] = ("nodes", "graphs", "edge values")
_TAKES: Final = (Slot("x", _KINDS, columns=1),)


def _one_number(_arguments: Arguments, width: int | None) -> Problem | None:
    """PyG's forward pass lays all columns in one, and gives a row for each number."""
    if width in (None, 1):
        return None
    message = f"an encoding reads one number, and here are {width} columns"
    return Problem("GNN502", message, None, "give it an attribute of one column, such as a time")


def _halves(arguments: Arguments, _width: int | None) -> Problem | None:
    columns = arguments["out_channels"]
    if columns % 2 == 0:
        return None
    message = f"half of the columns are sines, half cosines: {columns} is odd"
    return Problem("GNN204", message, "out_channels", f"write {columns + 1}")


ENTRIES: Final = (
    Entry(
        "PositionalEncoding",
        "node",
        "torch_geometric.nn.PositionalEncoding",
        "Sines and cosines of one number, in falling frequencies.",
        parameters=(
            OUT_CHANNELS,
            Parameter("base_freq", "float", 1e-4, above=0),
            Parameter("granularity", "float", 1.0, above=0),
        ),
        left_out=DEVICE,
        width=rules.out_channels,
        takes=_TAKES,
        rules=(_one_number, _halves),
        paper="Vaswani et al., Attention Is All You Need, 2017",
    ),
    Entry(
        "TemporalEncoding",
        "node",
        "torch_geometric.nn.TemporalEncoding",
        "Cosines of one number, in exponentially falling frequencies.",
        parameters=(OUT_CHANNELS,),
        left_out=DEVICE,
        width=rules.out_channels,
        takes=_TAKES,
        rules=(_one_number,),
        paper="Cong et al., Do We Really Need Complicated Model Architectures For Temporal Networks?, 2023",
    ),
)
