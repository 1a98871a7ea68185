"""Colours and other whole numbers of nodes: refinement, histograms, one column for each."""

from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Entry, Parameter, Slot
from graphdsl.catalog.headers import BATCH, BATCH_SIZE, EDGES, X

_NUMBERS: Final = Slot("x", ("numbers",))
_COLORS: Final = Slot("x", ("numbers", "colors"))
_REFINED: Final = (Slot("x", ("colors",)),)
_COUNT: Final = Parameter("num_colors", "int", minimum=1)
_KERNELS: Final = "graphdsl.kernels.colors."

ENTRIES: Final = (
    Entry(
        "WLConv",
        "color",
        "graphdsl.layers.WLConv",
        "Refines colours: by a node's own and those of its neighbours (the test of Weisfeiler and Leman).",
        takes=(_COLORS, EDGES),
        gives=_REFINED,
        paper="Weisfeiler and Leman, A Reduction of a Graph to a Canonical Form, 1968",
    ),
    Entry(
        "color_histogram",
        "color",
        _KERNELS + "color_histogram",
        "How often each colour stands in each graph, in `num_colors` columns, which colours share.",
        (Parameter("num_colors", "int", minimum=1, keyword=True), Parameter("norm", "bool", False, keyword=True)),
        takes=(_COLORS, BATCH, BATCH_SIZE),
        gives=(Slot("x", ("graphs",), width="num_colors"),),
        width=rules.width_from("num_colors"),
        function=True,
        paper="Shervashidze et al., Weisfeiler-Lehman Graph Kernels, JMLR 2011",
    ),
    Entry(
        "color_bucket",
        "color",
        _KERNELS + "color_bucket",
        "Colours as numbers from 0 to `num_colors` - 1, which colours share.",
        (_COUNT,),
        takes=(_COLORS,),
        gives=(_NUMBERS,),
        function=True,
    ),
    Entry(
        "one_hot",
        "color",
        _KERNELS + "one_hot",
        "A column for each whole number from 0 to `num_classes` - 1.",
        (Parameter("num_classes", "int", minimum=1),),
        takes=(_NUMBERS,),
        gives=(Slot("x", ("nodes",), width="num_classes"),),
        width=rules.width_from("num_classes"),
        function=True,
    ),
    Entry(
        "argmax",
        "color",
        _KERNELS + "argmax",
        "The number of the largest column: of one-hot rows, what they stand for.",
        takes=(X,),
        gives=(_NUMBERS,),
        function=True,
    ),
)
