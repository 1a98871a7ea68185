"""Layers that transform nodes one by one."""

from functools import partial
from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Entry, Parameter, Slot
from graphdsl.catalog.parts import BIAS, OUT_CHANNELS, flag

_DICTIONARY: Final = "a spec has no dictionaries"

_NORMS: Final = ("batch_norm", "layer_norm", "graph_norm", "instance_norm")
_named = partial(Parameter, keyword=True)

_TABLE: Final = (
    Parameter("embedding_dim", "int", minimum=1),
    Parameter("padding_idx", "int|none", None),
    Parameter("max_norm", "float|none", None, minimum=0),
    Parameter("norm_type", "float", 2.0),
    flag("scale_grad_by_freq", False),
)
_LEFT_OUT: Final = {
    "sparse": "most optimizers refuse sparse gradients",
    "_weight": "a tensor cannot stand in a spec",
    "_freeze": "private to PyTorch",
    "device": "the compiled model moves as a whole",
    "dtype": "the compiled model is converted as a whole",
}
_OF_NUMBERS: Final = Entry(
    "Embedding",
    "node",
    "torch.nn.Embedding",
    "A learned vector for each of `num_embeddings` whole numbers, such as the types of atoms or of bonds.",
    parameters=(Parameter("num_embeddings", "int", minimum=1), *_TABLE),
    left_out=_LEFT_OUT,
    takes=(Slot("x", ("numbers", "edge numbers"), limit="num_embeddings"),),
    width=rules.width_from("embedding_dim"),
)

ENTRIES: Final = (
    Entry(
        "Linear",
        "node",
        "torch_geometric.nn.Linear",
        "A linear map.",
        parameters=(
            OUT_CHANNELS,
            BIAS,
            Parameter("weight_initializer", "string|none", None, choices=("glorot", "uniform", "kaiming_uniform")),
            Parameter("bias_initializer", "string|none", None, choices=("zeros",)),
        ),
        derived={"in_channels": "width"},
        width=rules.out_channels,
    ),
    Entry(
        "Embedding",
        "node",
        "torch.nn.Embedding",
        "A learned vector per node, for types without features.",
        parameters=_TABLE,
        derived={"num_embeddings": "count"},
        left_out=_LEFT_OUT,
        width=rules.width_from("embedding_dim"),
        accepts_ids=True,
        as_step=_OF_NUMBERS,
    ),
    Entry(
        "MLP",
        "node",
        "torch_geometric.nn.MLP",
        "Linear maps with norm, activation and dropout between them: `MLP(64, 32)` has two.",
        parameters=(
            Parameter("channel_list", "int", None, minimum=1, variadic=True),
            _named("hidden_channels", "int|none", None, minimum=1),
            _named("out_channels", "int|none", None, minimum=1),
            _named("num_layers", "int|none", None, minimum=1),
            _named("dropout", "float|list[float]", 0.0, minimum=0, below=1),
            _named("act", "activation|none", "relu"),
            _named("act_first", "bool", False),
            _named("norm", "string|none", "batch_norm", choices=_NORMS),
            _named("plain_last", "bool", True),
            _named("bias", "bool|list[bool]", True),
        ),
        derived={"channel_list": "width"},
        left_out={
            "in_channels": "`channel_list` begins with the input width",
            "act_kwargs": f"{_DICTIONARY}; write `act = leaky_relu(negative_slope = 0.1)`",
            "norm_kwargs": f'{_DICTIONARY}; for a norm with arguments, write `Linear(64) | LayerNorm(mode = "node")`',
        },
        width=rules.mlp_width,
        rules=(rules.mlp_layers, rules.mlp_lists),
    ),
)
