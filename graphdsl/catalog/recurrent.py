"""Cells with a hidden state that goes from step to step, and values between graphs and their nodes: steps of blocks."""

from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, Entry, ForwardInput, Parameter, Problem, Slot, SlotKind
from graphdsl.catalog.headers import BATCH, X
from graphdsl.catalog.parts import BIAS

_KERNELS: Final = "graphdsl.kernels.graph_rows."
_ROWS: Final[tuple[SlotKind, ...]] = ("nodes", "graphs", "edge values")


def _hidden_width(arguments: Arguments, _width: int | None) -> Problem | None:
    """The hidden state is as wide as the cell says."""
    hidden, size = arguments.get("hx"), arguments["hidden_size"]
    if hidden is None or hidden == size:
        return None
    message = f"the hidden state has {hidden} columns, and the cell makes {size}"
    return Problem("GNN502", message, "hidden_size", f"write {hidden}, or bring the state to {size} columns before")


ENTRIES: Final = (
    Entry(
        "GRUCell",
        "recurrent",
        "torch.nn.GRUCell",
        "One step of a gated recurrent unit: what a message changes in a hidden state, `none` for zeros.",
        (Parameter("hidden_size", "int", minimum=1), BIAS),
        derived={"input_size": "width"},
        left_out={
            "device": "the compiled model moves as a whole",
            "dtype": "the compiled model is converted as a whole",
        },
        takes=(Slot("input", _ROWS), Slot("hx", _ROWS, optional=True, own=True)),
        gives=(Slot("x", (), width="hidden_size"),),
        inputs=(ForwardInput("hx", "node"),),
        width=rules.width_from("hidden_size"),
        rules=(_hidden_width,),
        paper="Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014",
    ),
    Entry(
        "global_first_pool",
        "search",
        _KERNELS + "global_first_pool",
        "The first node of each graph, such as the root of a tree.",
        takes=(X, BATCH, Slot("size", ("count",), optional=True)),
        gives=(Slot("x", ("graphs",), width="x"),),
        function=True,
    ),
    Entry(
        "to_nodes",
        "search",
        _KERNELS + "to_nodes",
        "The row of each graph at its nodes.",
        takes=(Slot("x", ("graphs",)), Slot("batch", ("batch",))),
        gives=(Slot("x", ("nodes",), width="x"),),
        function=True,
    ),
    Entry(
        "max_pool_grid",
        "search",
        _KERNELS + "max_pool_grid",
        "The maximum of each cell of a grid, the `size` cells of a graph side by side.",
        (Parameter("size", "int", minimum=1),),
        takes=(X, Slot("cluster", ("cells",)), Slot("batch", ("batch",))),
        gives=(Slot("x", ("graphs",)),),
        width=lambda arguments, width: None if width is None else width * arguments["size"],
        function=True,
    ),
)
