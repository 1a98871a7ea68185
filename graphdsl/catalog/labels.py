"""What spreads the labels of training nodes: what a prediction may name besides layers."""

from types import MappingProxyType
from typing import Final

from graphdsl.catalog.entry import Arguments, Entry, ForwardInput, Parameter, Problem

_ALONG: Final = ForwardInput("along", "relation", required=True)
_WEIGHT: Final = ForwardInput("edge_weight", "edge", scalar=True)
_PAPER: Final = (
    "Huang et al., Combining Label Propagation and Simple Models Out-performs Graph Neural Networks, ICLR 2021"
)


def _share(name: str) -> Parameter:
    return Parameter(name, "float", minimum=0)


def _at_most_one(arguments: Arguments, _width: int | None) -> Problem | None:
    """What is kept at each step is a share."""
    for name in ("alpha", "correction_alpha", "smoothing_alpha"):
        value = arguments.get(name)
        if isinstance(value, int | float) and value > 1:
            return Problem("GNN204", f"`{name}` is a share of the neighbours: at most 1, and not {value}", name)
    return None


def _masked_width(arguments: Arguments, width: int | None) -> int | None:
    return width if width is None or arguments["method"] == "add" else width + arguments["out_channels"]


def _as_wide(arguments: Arguments, width: int | None) -> Problem | None:
    """Vectors that are added are as wide as what they are added to."""
    out = arguments["out_channels"]
    if arguments["method"] != "add" or width is None or width == out:
        return None
    message = f"`MaskLabel` adds vectors of {out} columns to values of {width}"
    return Problem("GNN502", message, "out_channels", f'write `MaskLabel({width}, …)`, or `method = "concat"`')


MASK_LABEL: Final = Entry(
    "MaskLabel",
    "label",
    "torch_geometric.nn.MaskLabel",
    "Adds a vector for the class of each training node; in training for a share of them, and the others are learned.",
    parameters=(
        Parameter("out_channels", "int", minimum=1),
        Parameter("method", "string", "add", choices=("add", "concat")),
        Parameter("ratio", "float", 0.65, above=0, below=1, keyword=True),
    ),
    derived={"num_classes": "classes"},
    inputs=(ForwardInput("y", "node", required=True),),
    width=_masked_width,
    rules=(_as_wide,),
    paper="Shi et al., Masked Label Prediction: Unified Message Passing Model for Semi-Supervised Classification, IJCAI 2021",
)
"""What a node map may name besides layers. `ratio` is that of PyG's `MaskLabel.ratio_mask`."""

SPREADERS: Final = MappingProxyType(
    {
        item.name: item
        for item in (
            Entry(
                "LabelPropagation",
                "label",
                "torch_geometric.nn.LabelPropagation",
                "Spreads the labels of training nodes along a relation; nothing is learned.",
                parameters=(Parameter("num_layers", "int", minimum=1), _share("alpha")),
                inputs=(_ALONG, _WEIGHT),
                rules=(_at_most_one,),
                paper="Zhu and Ghahramani, Learning from Labeled and Unlabeled Data with Label Propagation, 2002",
            ),
            Entry(
                "CorrectAndSmooth",
                "label",
                "torch_geometric.nn.CorrectAndSmooth",
                "Corrects what its `head` predicts by the errors on training nodes, and smooths it; after the training.",
                parameters=(
                    Parameter("num_correction_layers", "int", minimum=1),
                    _share("correction_alpha"),
                    Parameter("num_smoothing_layers", "int", minimum=1),
                    _share("smoothing_alpha"),
                    Parameter("autoscale", "bool", True),
                    Parameter("scale", "float", 1.0),
                    Parameter("head", "module|none", None, keyword=True),
                ),
                inputs=(_ALONG, _WEIGHT),
                rules=(_at_most_one,),
                paper=_PAPER,
            ),
        )
    }
)
"""By PyG's class name. `along` names the relation or metapath; `head` is what is corrected."""
