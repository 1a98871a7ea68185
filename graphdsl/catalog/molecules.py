"""Models of molecules: they read atomic numbers and positions, and find neighbours within a radius themselves."""

from collections.abc import Sequence
from typing import Any, Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, Entry, Parameter, Slot, WidthRule
from graphdsl.catalog.parts import OUT_CHANNELS, flag

_TAKES: Final = (Slot("z", ("numbers",)), Slot("pos", ("nodes",), columns=3), Slot("batch", ("batch",)))
_MOLECULES: Final = (Slot("x", ("graphs",)),)
_MOST: Final = Parameter("max_num_neighbors", "int", 32, minimum=1)


def _cutoff(default: float) -> Parameter:
    return Parameter("cutoff", "float", default, above=0)


def _whole(name: str, default: int, minimum: int = 1) -> Parameter:
    return Parameter(name, "int", default, minimum=minimum)


def _size(name: str) -> Parameter:
    return Parameter(name, "int", minimum=1)


def _model(name: str, doc: str, parameters: Sequence[Parameter], **fields: Any) -> Entry:
    fields.setdefault("gives", _MOLECULES)
    return Entry(
        name,
        "model",
        f"graphdsl.layers.molecules.{name}",
        doc,
        tuple(parameters),
        bipartite=False,
        takes=_TAKES,
        **fields,
    )


def _columns(number: int) -> WidthRule:
    return lambda _arguments, _width: number


def _one_of_two(arguments: Arguments) -> bool:
    return (arguments["mean"] is None) != (arguments["std"] is None)


_BLOCKS: Final = Parameter("num_blocks", "int", minimum=0)
_DIRECTIONAL: Final = (
    Parameter("num_spherical", "int", minimum=2),
    _size("num_radial"),
    _cutoff(5.0),
    _MOST,
    _whole("envelope_exponent", 5, 0),
    _whole("num_before_skip", 1, 0),
    _whole("num_after_skip", 2, 0),
    _whole("num_output_layers", 3, 0),
    # PyG's "swish" is `silu`.
    Parameter("act", "activation", "silu"),
    Parameter("output_initializer", "string", "zeros", choices=("zeros", "glorot_orthogonal")),
)
_TENSOR: Final = "a tensor cannot stand in a spec"

ENTRIES: Final = (
    _model(
        "SchNet",
        "Filters that are functions of the distance between atoms; one number for each molecule.",
        (
            _whole("hidden_channels", 128, 2),
            _whole("num_filters", 128),
            _whole("num_interactions", 6, 0),
            _whole("num_gaussians", 50, 2),
            _cutoff(10.0),
            _MOST,
            Parameter("readout", "string", "add", choices=("add", "mean")),
            Parameter("mean", "float|none", None),
            Parameter("std", "float|none", None, above=0),
        ),
        left_out={
            "interaction_graph": "atoms within `cutoff`, at most `max_num_neighbors`",
            "dipole": "needs the ase package for atomic masses",
            "atomref": _TENSOR,
        },
        width=_columns(1),
        rules=(
            rules.needs(
                "std",
                "PyG only uses `mean` and `std` together",
                "give both, or leave out both",
                _one_of_two,
            ),
        ),
        paper="Schütt et al., SchNet: A Continuous-filter Convolutional Neural Network, NeurIPS 2017",
    ),
    _model(
        "DimeNet",
        "Messages between bonds that know their angle; one row for each molecule.",
        (_size("hidden_channels"), OUT_CHANNELS, _BLOCKS, _size("num_bilinear"), *_DIRECTIONAL),
        width=rules.out_channels,
        paper="Gasteiger et al., Directional Message Passing for Molecular Graphs, ICLR 2020",
    ),
    _model(
        "DimeNetPlusPlus",
        "A faster DimeNet; one row for each molecule.",
        (
            _size("hidden_channels"),
            OUT_CHANNELS,
            _BLOCKS,
            _size("int_emb_size"),
            _size("basis_emb_size"),
            _size("out_emb_channels"),
            *_DIRECTIONAL,
        ),
        width=rules.out_channels,
        paper="Gasteiger et al., Fast and Uncertainty-Aware Directional Message Passing, 2020",
    ),
    _model(
        "GNNFF",
        "Messages between bonds and atoms; the force on each atom.",
        (
            _size("hidden_node_channels"),
            Parameter("hidden_edge_channels", "int", minimum=2),
            _size("num_layers"),
            _cutoff(5.0),
            _MOST,
        ),
        gives=(Slot("x", ("nodes",)),),
        width=_columns(3),
        paper="Park et al., Accurate and scalable graph neural network force field, 2021",
    ),
    _model(
        "ViSNet",
        "Vectors and scalars of atoms that talk to each other; one number for each molecule.",
        (
            Parameter("lmax", "int", 1, minimum=1, below=3),
            Parameter("vecnorm_type", "string|none", None, choices=("max_min",)),
            flag("trainable_vecnorm", False),
            _whole("num_heads", 8),
            _whole("num_layers", 6),
            _whole("hidden_channels", 128, 2),
            _whole("num_rbf", 32, 2),
            flag("trainable_rbf", False),
            _whole("max_z", 100),
            _cutoff(5.0),
            _MOST,
            flag("vertex", False),
            Parameter("reduce_op", "string", "sum", choices=("sum", "mean", "min", "max")),
            Parameter("mean", "float", 0.0),
            Parameter("std", "float", 1.0),
        ),
        left_out={
            "atomref": _TENSOR,
            "derivative": "forces are derivatives by positions, and there are none where gradients are switched off",
        },
        width=_columns(1),
        rules=(rules.divides("num_heads", "hidden_channels"),),
        paper="Wang et al., Enhancing Geometric Representations for Molecules, Nature Communications 2024",
    ),
)
