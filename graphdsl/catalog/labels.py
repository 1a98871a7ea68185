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
