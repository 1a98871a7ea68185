"""Arguments for every entry of the catalogue, and how to build and run PyG's class from an entry.

A sample holds what a spec would write. Several samples of one entry are there to try its width rule.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from graphdsl.catalog import Entry, Network, Sizes, describe_requirement, find, missing

SOURCE, TARGET, EDGE = 6, 8, 3  # widths; two different ones for source and target
NODES, OTHERS, RELATIONS = 7, 5, 3


@dataclass(frozen=True)
class Layer:
    """A nested layer, as the compiler hands it to the catalogue: it has `width_out`."""

    name: str
    width_out: int
    arguments: Mapping[str, Any] = field(default_factory=dict)


OUT = {"out_channels": 4}
INNER = Layer("GCNConv", SOURCE, {"out_channels": SOURCE})
MLP = Layer("MLP", 10, {"channel_list": (12, 10)})
WIDE = Layer("Linear", 11, {"out_channels": 11})
KEPT = {"channels": SOURCE}
HEADS = ({**OUT, "heads": 2}, {**OUT, "heads": 2, "concat": False})

SAMPLES: dict[str, tuple[dict[str, Any], ...]] = {
    "SAGEConv": (OUT, {**OUT, "aggr": ("mean", "max")}),
    "GCNConv": (OUT,),
    "GraphConv": (OUT,),
    "SimpleConv": ({}, {"aggr": ("mean", "max", "std")}),
    "GINConv": ({"nn": MLP}, {"nn": Layer("Linear", 9, {"out_channels": 9})}),
    "GINEConv": ({"nn": MLP}, {"nn": Layer("Linear", 9, {"out_channels": 9})}),
    "ResGatedGraphConv": (OUT, {**OUT, "act": "tanh"}),
    "GENConv": (OUT, {"out_channels": SOURCE, "aggr": ("mean", "max"), "num_layers": 1}),
    "LEConv": (OUT,),
    "MFConv": (OUT, {**OUT, "max_degree": 2}),
    "FiLMConv": (OUT, {**OUT, "act": None}),
    "GMMConv": ({**OUT, "kernel_size": 2},),
    "CGConv": (KEPT,),
    "GatedGraphConv": ({"out_channels": SOURCE + 1, "num_layers": 2},),
    "WLConvContinuous": ({},),
    "ChebConv": ({**OUT, "K": 3}, {**OUT, "K": 1, "normalization": None}),
    "SGConv": (OUT, {**OUT, "K": 3}),
    "SSGConv": ({**OUT, "alpha": 0.1},),
    "TAGConv": (OUT,),
    "ARMAConv": (OUT, {**OUT, "num_stacks": 2, "num_layers": 3, "act": "elu", "dropout": 0.1}),
    "MixHopConv": (OUT, {**OUT, "powers": (0, 3)}),
    "APPNP": ({"K": 2, "alpha": 0.1},),
    "LGConv": ({},),
    "GCN2Conv": ({**KEPT, "alpha": 0.1}, {**KEPT, "alpha": 0.1, "theta": 0.5, "layer": 2}),
    "FAConv": (KEPT,),
    "DNAConv": ({}, {"heads": 2, "groups": 2}),
    "ClusterGCNConv": (OUT,),
    "EGConv": ({"out_channels": 8}, {"out_channels": 6, "num_heads": 3, "aggregators": ("sum", "symnorm", "std")}),
    "PDNConv": ({**OUT, "hidden_channels": 5},),
    "GATConv": HEADS,
    "GATv2Conv": HEADS,
    "TransformerConv": (*HEADS, {**HEADS[1], "beta": True}),
    "SuperGATConv": (*HEADS, {**HEADS[0], "attention_type": "SD"}),
    "GPSConv": (
        {"conv": None},
        {"conv": INNER, "heads": 2, "dropout": 0.1, "norm": "graph_norm"},
        {"conv": INNER, "heads": 3, "attn_type": "performer", "norm": None},
    ),
    "AntiSymmetricConv": ({}, {"phi": INNER, "num_iters": 2, "act": None}),
    "GroupAddRev": (
        {"conv": Layer("SAGEConv", SOURCE // 2, {"out_channels": SOURCE // 2}), "num_groups": 2},
        {"conv": Layer("GCNConv", SOURCE // 3, {"out_channels": SOURCE // 3}), "num_groups": 3},
    ),
    "DirGNNConv": (
        {"conv": Layer("SAGEConv", 4, OUT)},
        {"conv": Layer("GATConv", 8, {**OUT, "heads": 2}), "root_weight": False},
    ),
    "DeepGCNLayer": (
        {"conv": INNER},
        {"conv": Layer("SAGEConv", 4, OUT), "block": "plain"},
        {"conv": Layer("SAGEConv", 4, OUT), "block": "dense", "act": "relu"},
        {"conv": INNER, "norm": Layer("LayerNorm", SOURCE), "block": "res", "dropout": 0.1},
    ),
    "AGNNConv": ({},),
    "SplineConv": ({**OUT, "kernel_size": 2}, {**OUT, "kernel_size": (2, 3, 4), "is_open_spline": (True, False, True)}),
    "NNConv": ({**OUT, "nn": Layer("Linear", 4 * SOURCE, {"out_channels": 4 * SOURCE})},),
    "EdgeConv": ({"nn": MLP}, {"nn": Layer("Linear", 9, {"out_channels": 9})}),
    "GeneralConv": (
        OUT,
        {"out_channels": SOURCE, "heads": 2},
        {**OUT, "skip_linear": True, "heads": 2, "attention": True},
        {**OUT, "directed_msg": False, "attention": True, "attention_type": "dot_product"},
    ),
    "FeaStConv": (OUT, {**OUT, "heads": 3}),
    "PointNetConv": ({}, {"local_nn": MLP}, {"local_nn": MLP, "global_nn": WIDE}, {"global_nn": WIDE}),
    "PPFConv": ({}, {"local_nn": MLP}, {"local_nn": MLP, "global_nn": WIDE}, {"global_nn": WIDE}),
    "PointTransformerConv": (
        OUT,
        {
            **OUT,
            "pos_nn": Layer("Linear", 4, {"out_channels": 4}),
            "attn_nn": Layer("MLP", 4, {"channel_list": (9, 4)}),
        },
    ),
    "PointGNNConv": (
        {
            "mlp_h": Layer("MLP", EDGE, {"channel_list": (9, EDGE)}),
            "mlp_f": MLP,
            "mlp_g": Layer("Linear", SOURCE, {"out_channels": SOURCE}),
        },
    ),
    "MeshCNNConv": (OUT,),
    "PNAConv": (
        {**OUT, "aggregators": ("mean", "max"), "scalers": ("identity", "amplification", "linear")},
        {"out_channels": 6, "aggregators": ("std",), "scalers": ("attenuation",), "towers": 3, "divide_input": True},
        {
            **OUT,
            "aggregators": ("min",),
            "scalers": ("inverse_linear",),
            "pre_layers": 2,
            "post_layers": 3,
            "act": "elu",
        },
    ),
    "HypergraphConv": (OUT, {**OUT, "use_attention": True, "heads": 2}, {**HEADS[1], "use_attention": True}),
    "CuGraphSAGEConv": (OUT,),
    "CuGraphGATConv": HEADS,
    "CuGraphRGCNConv": (OUT, {**OUT, "num_bases": 2}),
    "HANConv": ({**OUT, "heads": 2},),
    "FastGTNConv": (OUT, {**OUT, "num_channels": 3, "num_layers": 3, "beta": 0.3, "channel_agg": "concat"}),
    "GTNConv": (OUT, {**OUT, "num_channels": 3, "num_layers": 1, "bias": False}),
    "SeHGNNConv": ({"out_channels": 8}, {"out_channels": 8, "heads": 2, "num_layers": 1, "residual": True}),
    "NARSConv": (OUT, {**OUT, "num_hops": 3, "num_subsets": 2, "num_layers": 1, "seed": 4}),
    "MAGNNConv": (OUT, {**OUT, "heads": 2, "encoder": "linear", "samples": 2, "seed": 3}),
    "HGTConv": ({**OUT, "heads": 2}, {"out_channels": SOURCE, "heads": 2}),
    "LightGCN": ({"embedding_dim": 4, "num_layers": 2}, {"embedding_dim": 4, "num_layers": 0, "alpha": 0.5}),
    "RGCNConv": (OUT, {**OUT, "num_bases": 2}, {**OUT, "num_blocks": 2}),
    "FastRGCNConv": (OUT, {**OUT, "num_bases": 2}, {**OUT, "num_blocks": 2}),
    "RGATConv": (
        *HEADS,
        {**HEADS[0], "dim": 3, "attention_mode": "multiplicative-self-attention"},
        {**OUT, "num_blocks": 2},
    ),
    "SignedConv": (
        {**OUT, "first_aggr": True, "positive": "likes"},
        {**OUT, "first_aggr": False, "positive": "cites", "bias": False},
    ),
    "HEATConv": tuple({**item, "edge_type_emb_dim": 3, "edge_attr_emb_dim": 2} for item in HEADS),
    "SimpleHGNConv": (*HEADS, {**HEADS[0], "num_layers": 3}, {**OUT, "add_self_loops": False, "normalize": True}),
    "HPNConv": (OUT, {**OUT, "K": 1, "act": None}),
    "IEHGCNConv": (OUT,),
    "HINormerConv": (OUT, {**OUT, "heads": 1, "num_layers": 1, "length": 4}),
    "RHGNNConv": (OUT, {**OUT, "heads": 2, "num_layers": 1, "norm": False}),
    "HetSANNConv": (*HEADS, {**HEADS[0], "residual": True, "attention": "concat"}),
    "CompGCNConv": (OUT, {**OUT, "composition": "corr", "num_layers": 2, "num_bases": 2, "normalize": True}),
    "Linear": (OUT,),
    "Embedding": ({"embedding_dim": 4},),
    "MLP": (
        {"channel_list": (9, 4)},
        {"channel_list": (4,)},
        {"channel_list": (9, 4), "dropout": (0.1, 0.0), "bias": (True, False), "act": "leaky_relu", "norm": None},
        {"num_layers": 3, "hidden_channels": 9, "out_channels": 4},
        {"num_layers": 1, "out_channels": 4},
    ),
    "DiffGroupNorm": ({"groups": 2},),
    "prelu": ({}, {"num_parameters": SOURCE}),
    "threshold": ({"threshold": 0.1, "value": 2.0},),
    "glu": ({},),
    "Variational": ({},),
    "Adversarial": ({"discriminator": Layer("Linear", 1, {"out_channels": 1})},),
}

WITHOUT_ARGUMENTS = frozenset(
    {
        "BatchNorm",
        "LayerNorm",
        "GraphNorm",
        "InstanceNorm",
        "PairNorm",
        "GraphSizeNorm",
        "MeanSubtractionNorm",
        "relu",
        "relu6",
        "leaky_relu",
        "rrelu",
        "elu",
        "celu",
        "selu",
        "gelu",
        "silu",
        "mish",
        "tanh",
        "sigmoid",
        "logsigmoid",
        "softsign",
        "softplus",
        "hardtanh",
        "hardsigmoid",
        "hardswish",
        "hardshrink",
        "softshrink",
        "tanhshrink",
        "softmax",
        "softmin",
        "log_softmax",
        "identity",
        "dropout",
    }
)


def samples(entry: Entry) -> tuple[dict[str, Any], ...]:
    """Arguments to try an entry with; fails for an entry that nobody wrote a sample for."""
    if entry.name in WITHOUT_ARGUMENTS:
        return ({},)
    return SAMPLES[entry.name]


def class_of(entry: Entry) -> type[torch.nn.Module]:
    """PyG's or PyTorch's class."""
    module, _, name = entry.path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def skip_if_missing(entry: Entry) -> None:
    """Skip what would build or run a layer whose package is not installed here."""
    for requirement in missing(entry):
        pytest.skip(f"{entry.name} needs {describe_requirement(requirement)}")


def build(entry: Entry, arguments: Mapping[str, Any], widths: tuple[int, int], *, bound: bool, one: bool = True) -> Any:
    """An instance from what a spec says, with derived arguments filled in as the entry tells.

    Args:
        entry: what to build.
        arguments: what a spec writes.
        widths: of source and target; of the only input twice.
        bound: whether edge inputs are bound, so that their widths are passed.
        one: whether source and target are one type.
    """
    skip_if_missing(entry)
    derived: dict[str, Any] = {
        "width": widths[0],
        "pair": widths[0] if one else widths,
        "widths": dict(zip(TYPES, widths, strict=True)),
        "count": NODES,
        "edge_width": EDGE,
        "degrees": torch.tensor([1, 3, 2, 1]),
        "relations": RELATIONS,
        "types": len(TYPES),
        "inverses": [0, 1, 0],
        "metadata": (["paper"], list(SIGNED)) if entry.name == "SignedConv" else (list(TYPES), list(EDGES)),
        "label_sizes": {},
        "paths": INCIDENCE if entry.name == "HypergraphConv" else PATHS,
        "budgets": {},
        "groups": ((0, 2), (1,)),
    }
    sizes = Sizes(*widths, {item.name: EDGE for item in entry.inputs})
    built = {name: _value(entry, name, value, arguments, sizes) for name, value in arguments.items()}
    for name, source in entry.derived.items():
        if source == "edge_width" and not bound:
            continue
        parameter = entry.parameter(name)
        listed = built.get(name) if parameter is not None and parameter.variadic else None
        built[name] = [derived[source], *listed] if listed else derived[source]
    if entry.self_loops and not one:
        built["add_self_loops"] = False
    return class_of(entry)(**entry.pack(built), **entry.fixed)


def known(entry: Entry, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as a width rule sees them: defaults filled in, columns of what is bound by the input's name."""
    return {**{item.name: EDGE for item in entry.inputs}, **entry.with_defaults(arguments)}


def _value(entry: Entry, name: str, value: Any, arguments: Mapping[str, Any], sizes: Sizes) -> Any:
    parameter = entry.parameter(name)
    assert parameter is not None
    if isinstance(value, Layer):
        nested = find(value.name)
        assert nested is not None
        width = entry.networks.get(name, Network()).reads(entry.with_defaults(arguments), sizes)
        assert width is not None
        return build(nested, value.arguments, (width, width), bound=False)
    if "activation" in parameter.type and isinstance(value, str):
        activation = find(value)
        assert activation is not None
        return build(activation, {}, (SOURCE, SOURCE), bound=False)
    return list(value) if isinstance(value, tuple) else value


TYPES = ("author", "paper")
EDGES = (("author", "writes", "paper"), ("paper", "cites", "paper"), ("paper", "written_by", "author"))
SIGNED = (("paper", "cites", "paper"), ("paper", "likes", "paper"))

PATHS = {EDGES[0]: [(EDGES[0], False)], ("paper", "PAP", "paper"): [(EDGES[2], False), (EDGES[2], True)]}
INCIDENCE = {("paper", "PAP", "paper"): PATHS["paper", "PAP", "paper"]}


def run(
    entry: Entry, module: Any, widths: tuple[int, int], *, bound: bool, one: bool = True, count: int = 12
) -> torch.Tensor:
    """The output of a forward pass over a small graph with `count` edges; of one type for a joint layer."""
    match entry.scope:
        case "node":
            return module(torch.arange(NODES) if entry.accepts_ids else torch.randn(NODES, widths[0]))
        case "joint" | "walk":
            return _run_joint(module, widths, count, SIGNED if entry.name == "SignedConv" else EDGES)
        case "typed":
            inputs = _inputs(entry, count, widths[0], bound=bound)
            types = torch.arange(count) % RELATIONS
            x = torch.arange(NODES) if entry.embeds else torch.randn(NODES, widths[0])
            if "types" in entry.derived.values():
                inputs["node_type"] = torch.arange(NODES) % len(TYPES)
            return module(x, _edges(NODES, NODES, count), edge_type=types, **inputs)
        case "relation":
            inputs = _inputs(entry, count, widths[0], bound=bound, one=one)
            source = torch.randn(NODES, *((2,) if entry.stacked else ()), widths[0])
            x = source if one else (source, torch.randn(OTHERS, widths[1]))
            return module(x, edge_index=_edges(NODES, NODES if one else OTHERS, count), **inputs)


def _run_joint(module: Any, widths: tuple[int, int], count: int, relations: Any) -> torch.Tensor:
    counts = dict(zip(TYPES, (NODES, OTHERS), strict=True))
    x = {name: torch.randn(counts[name], width) for name, width in zip(TYPES, widths, strict=True)}
    edges = {edge: _edges(counts[edge[0]], counts[edge[2]], count) for edge in relations}
    return module(x, edges)["paper"]


def _edges(sources: int, targets: int, count: int) -> torch.Tensor:
    """Edges that reach every target in turn but the last two; none is a self-loop among equals."""
    step = torch.arange(count)
    target = step % (targets - 2)
    return torch.stack([(target + 1 + step // (targets - 2)) % sources, target])


def _inputs(entry: Entry, count: int, width: int, *, bound: bool, one: bool = True) -> dict[str, Any]:
    """Forward inputs: those that the layer needs, or all of them; of nodes, a pair between two types."""
    shapes = {"edge": (count, EDGE), "node": (NODES, EDGE), "state": (NODES, width)}
    if not one and any(item.source == "node" for item in entry.inputs):
        assert all(item.source == "node" for item in entry.inputs)
        return {item.name: (torch.rand(NODES, EDGE), torch.rand(OTHERS, EDGE)) for item in entry.inputs}
    chosen = [item for item in entry.inputs if bound or item.required]
    return {
        item.name: torch.rand(shapes[item.source][0]) if item.scalar else torch.rand(shapes[item.source])
        for item in chosen
    }
