"""Encodings: of one number by sines and cosines (a time, a position, a distance), and learned ones of nodes (GPSE)."""

from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, Entry, Parameter, Problem, Slot, SlotKind
from graphdsl.catalog.headers import EDGES, X
from graphdsl.catalog.parts import DEVICE, OUT_CHANNELS, activation, flag

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


def _sums(arguments: Arguments, width: int | None) -> Problem | None:
    """Without layers before it, the first layer of messages adds what was given."""
    inner, adds = arguments["dim_inner"], arguments["stage_type"] == "skipsum" and not arguments["layers_pre_mp"]
    if not adds or width in (None, inner):
        return None
    message = f"`skipsum` adds the {width} columns that are read to {inner}"
    return Problem("GNN502", message, "layers_pre_mp", "let `layers_pre_mp` be 1, or `dim_inner` as wide as the input")


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
    Entry(
        "GPSE",
        "model",
        "graphdsl.layers.gpse.GPSE",
        "Encodings of nodes from random values, and the positional and structural encodings that they tell.",
        parameters=(
            Parameter("dim_inner", "int", 512, minimum=1),
            Parameter("layer_type", "string", "resgatedgcnconv", choices=("resgatedgcnconv", "linear")),
            Parameter("layers_pre_mp", "int", 1, minimum=0),
            Parameter("layers_mp", "int", 20, minimum=1),
            Parameter("layers_post_mp", "int", 2, minimum=1),
            Parameter("num_node_targets", "int", 51, minimum=1),
            Parameter("num_graph_targets", "int", 11, minimum=1),
            Parameter("stage_type", "string", "skipsum", choices=("skipsum", "skipconcat", "none")),
            flag("has_bn", True),
            flag("head_bn", False),
            flag("final_l2norm", True),
            flag("has_l2norm", True),
            Parameter("dropout", "float", 0.2, minimum=0, below=1),
            flag("has_act", True),
            flag("final_act", True),
            activation("relu"),
            Parameter("multi_head_dim_inner", "int", 32, minimum=1),
            Parameter("graph_pooling", "string", "add", choices=("add", "mean", "max")),
        ),
        derived={"dim_in": "width"},
        left_out={
            "dim_out": "PyG does not read it",
            "virtual_node": "a transform of the data adds one: `torch_geometric.transforms.VirtualNode`",
            "use_repr": "the encoding is the first value that it gives",
            "repr_type": "the encoding is the first value that it gives",
            "bernoulli_threshold": "PyG does not read it",
        },
        width=rules.width_from("dim_inner"),
        bipartite=False,
        takes=(X, EDGES, Slot("batch", ("batch",))),
        gives=(
            Slot("x", ("nodes",)),
            Slot("y", ("nodes",), width="num_node_targets"),
            Slot("y_graph", ("graphs",), width="num_graph_targets"),
        ),
        rules=(_sums,),
        paper="Cantürk et al., Graph Positional and Structural Encoder, ICML 2024",
    ),
)
