"""Layers around a convolution: `GPSConv(conv = GINConv(nn = MLP(64, 64)), heads = 4)`."""

from typing import Any, Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, Entry, LegalityRule, Parameter, Problem
from graphdsl.catalog.headers import BATCH, EDGES, X
from graphdsl.catalog.nested import Network, Sizes
from graphdsl.catalog.parts import BIAS, DROPOUT, HEADS, activation, flag

_DICTIONARY: Final = "a spec has no dictionaries"
_NORMS: Final = ("batch_norm", "layer_norm", "graph_norm", "instance_norm")


def _inside(arguments: Arguments, name: str) -> Any:
    """The entry and arguments of a convolution inside, where they are known."""
    return arguments.get(name)


def _hops(name: str, times: str = "") -> Any:
    """As far as the convolution inside looks, each time that it runs."""

    def hops(arguments: Arguments) -> int:
        inner, turns = _inside(arguments, name), arguments[times] if times else 1
        entry = getattr(inner, "entry", None)
        return turns * (entry.hops(entry.with_defaults(inner.arguments)) if entry is not None else 1)

    return hops


def _keeps(name: str) -> LegalityRule:
    """The convolution inside must be as wide as what the layer reads: both are added."""

    def rule(arguments: Arguments, width: int | None) -> Problem | None:
        inner = arguments.get(name)
        given = getattr(inner, "width_out", None)
        if inner is None or given is None or width is None or given == width:
            return None
        message = f"`{inner.name}` gives {given} columns, and is added to the {width} that the layer reads"
        return Problem("GNN502", message, name, f"make it {width} wide, or bring the input to {given} columns before")

    return rule


def _heads(arguments: Arguments, width: int | None) -> Problem | None:
    """The heads share the columns that the layer reads."""
    heads = arguments["heads"]
    if width is None or width % heads == 0:
        return None
    message = f"{heads} heads cannot share {width} columns"
    return Problem("GNN302", message, "heads", f"use a divisor of {width}")


def _root(arguments: Arguments, _width: int | None) -> Problem | None:
    """`root_weight` makes a linear map from the convolution's `in_channels` and `out_channels`."""
    inner = arguments["conv"]
    told = dict(getattr(inner, "arguments", {}))
    if not arguments["root_weight"] or told.get("out_channels", -1) == inner.width_out or inner.width_out is None:
        return None
    message = f"`DirGNNConv` adds the node itself in `out_channels` columns, and `{inner.name}` gives {inner.width_out}"
    return Problem("GNN502", message, "conv", "write `root_weight = false`, or use a convolution with one head")


def _deep_width(arguments: Arguments, width: int | None) -> int | None:
    inner = arguments["conv"].width_out if arguments["conv"] is not None else None
    return width + inner if arguments["block"] == "dense" and width is not None and inner is not None else inner


def _deep(arguments: Arguments, width: int | None) -> Problem | None:
    """Residual blocks add the convolution to what they read, and the norm is as wide as that."""
    if arguments["conv"] is None:
        return Problem("GNN203", "`DeepGCNLayer` needs `conv`", None, "write `DeepGCNLayer(GENConv(64), …)`")
    added = arguments["block"] in ("res+", "res")
    return _keeps("conv")(arguments, width) if added or arguments["norm"] is not None else None


def _group(arguments: Arguments, sizes: Sizes) -> int | None:
    """Columns of a group."""
    groups: Any = arguments.get("num_groups")
    return sizes.source // groups if sizes.source is not None and isinstance(groups, int) and groups else None


def _whole_groups(arguments: Arguments, width: int | None) -> Problem | None:
    """The columns are cut into groups of one width."""
    groups = arguments["num_groups"]
    if width is None or width % groups == 0:
        return None
    message = f"{groups} groups cannot share {width} columns"
    return Problem("GNN302", message, "num_groups", f"use a divisor of {width}")


def _groupwise(arguments: Arguments) -> int:
    """Each group reads what the group before it gives."""
    return arguments["num_groups"] * _hops("conv")(arguments)


def _layer(name: str, doc: str, parameters: tuple[Parameter, ...], **fields: Any) -> Entry:
    return Entry(
        name, "conv", f"torch_geometric.nn.{name}", doc, parameters, scope="relation", bipartite=False, **fields
    )


ENTRIES: Final = (
    _layer(
        "GPSConv",
        "A convolution beside attention between all nodes of a graph, then a network (graph transformer).",
        (
            Parameter("conv", "conv|none"),
            HEADS,
            DROPOUT,
            activation("relu", optional=False),
            Parameter("norm", "string|none", "batch_norm", choices=_NORMS),
            Parameter("attn_type", "string", "multihead", choices=("multihead", "performer")),
        ),
        derived={"channels": "width"},
        left_out={
            "act_kwargs": f"{_DICTIONARY}; write `act = leaky_relu(negative_slope = 0.1)`",
            "norm_kwargs": _DICTIONARY,
            "attn_kwargs": _DICTIONARY,
        },
        width=rules.same_width,
        takes=(X, EDGES, BATCH),
        batch=True,
        hands_on=True,
        hops=_hops("conv"),
        rules=(_keeps("conv"), _heads),
        paper="Rampášek et al., Recipe for a General, Powerful, Scalable Graph Transformer, 2022",
    ),
    _layer(
        "AntiSymmetricConv",
        "Several small steps of a convolution with an antisymmetric map of the node itself (stable and deep).",
        (
            Parameter("phi", "conv|none", None),
            Parameter("num_iters", "int", 1, minimum=1),
            Parameter("epsilon", "float", 0.1, above=0),
            Parameter("gamma", "float", 0.1, minimum=0),
            activation("tanh"),
            BIAS,
        ),
        derived={"in_channels": "width"},
        left_out={"act_kwargs": f"{_DICTIONARY}; write `act = leaky_relu(negative_slope = 0.1)`"},
        width=rules.same_width,
        hands_on=True,
        hops=_hops("phi", "num_iters"),
        rules=(_keeps("phi"),),
        paper="Gravina et al., Anti-Symmetric DGN: a Stable Architecture for Deep Graph Networks, 2023",
    ),
    _layer(
        "DirGNNConv",
        "A convolution along the edges and one against them, each with weights of its own.",
        (
            Parameter("conv", "conv"),
            Parameter("alpha", "float", 0.5, minimum=0),
            flag("root_weight", True),
        ),
        width=rules.module_width("conv"),
        against=True,
        hops=_hops("conv"),
        rules=(_root,),
        paper="Rossi et al., Edge Directionality Improves Learning on Heterophilic Graphs, 2023",
    ),
    _layer(
        "DeepGCNLayer",
        "A convolution with norm, activation, dropout and a skip connection: one layer of a deep network.",
        (
            Parameter("conv", "conv|none", None),
            Parameter("norm", "module|none", None),
            Parameter("act", "activation|none", None),
            Parameter("block", "string", "res+", choices=("res+", "res", "dense", "plain")),
            DROPOUT,
            flag("ckpt_grad", False),
        ),
        width=_deep_width,
        hands_on=True,
        hops=_hops("conv"),
        rules=(_deep,),
        paper="Li et al., DeeperGCN: All You Need to Train Deeper GCNs, 2020",
    ),
    Entry(
        "GroupAddRev",
        "conv",
        "graphdsl.layers.GroupAddRev",
        "A convolution on each group of columns, which reads the group before it; no memory is freed.",
        (Parameter("conv", "conv"), Parameter("num_groups", "int", minimum=2)),
        width=rules.same_width,
        scope="relation",
        bipartite=False,
        networks={"conv": Network(_group, _group, "the input width over `num_groups`")},
        hands_on=True,
        hops=_groupwise,
        rules=(_whole_groups,),
        paper="Li et al., Training Graph Neural Networks with 1000 Layers, 2021",
    ),
)
