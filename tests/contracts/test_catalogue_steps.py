"""Steps of `sequential` blocks against the installed PyG: signatures, defaults, headers, kinds and widths of values."""

import importlib
import inspect
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from catalogue_samples import EDGE, SOURCE, Layer, build, skip_if_missing
from torch import Tensor

from graphdsl.catalog import REQUIRED, Entry, Slot, accepts, entries, find, header_of

GRAPHS, PER_GRAPH, CLUSTERS = 3, 6, 4
NODES = GRAPHS * PER_GRAPH
OUT = {"out_channels": 5}
META = {
    "edge_mlp": Layer("MLP", 4, {"channel_list": (9, 4)}),
    "node_mlp_1": Layer("Linear", 7, {"out_channels": 7}),
    "node_mlp_2": Layer("MLP", 5, {"channel_list": (9, 5)}),
    "global_mlp": Layer("MLP", 2, {"channel_list": (9, 2)}),
    "aggr": "max",
}
GATE = Layer("MLP", 1, {"channel_list": (9, 1)})
INNER = Layer("MLP", 9, {"channel_list": (7, 9)})
DENSE = Layer("MLP", 9, {"channel_list": (7, 9), "norm": None})

SAMPLES: dict[str, tuple[dict[str, Any], ...]] = {
    "QuantileAggregation": ({"q": 0.5}, {"q": (0.25, 0.5, 0.75)}),
    "LSTMAggregation": (OUT,),
    "GRUAggregation": (OUT,),
    "Set2Set": ({"processing_steps": 3},),
    "SortAggregation": ({"k": 2}, {"k": 2 * PER_GRAPH}),
    "GraphMultisetTransformer": ({"k": 2}, {"k": 2, "heads": 2, "num_encoder_blocks": 2, "layer_norm": True}),
    "AttentionalAggregation": (
        {"gate_nn": GATE},
        {"gate_nn": GATE, "nn": INNER},
        {"gate_nn": Layer("Linear", SOURCE, {"out_channels": SOURCE})},
    ),
    "MLPAggregation": ({**OUT, "max_num_elements": PER_GRAPH},),
    "DeepSetsAggregation": ({}, {"local_nn": INNER}),
    "SetTransformerAggregation": (
        {},
        {"num_seed_points": 2, "heads": 2},
        {"num_seed_points": 2, "concat": False, "num_decoder_blocks": 2},
    ),
    "LCMAggregation": (OUT, {"out_channels": SOURCE, "project": False}),
    "PatchTransformerAggregation": (
        {**OUT, "patch_size": 2, "hidden_channels": 8},
        {**OUT, "patch_size": 2, "hidden_channels": 8, "heads": 2, "aggr": ("mean", "max")},
    ),
    "MultiAggregation": (
        {"aggrs": ("mean", "max", "std")},
        {"aggrs": ("mean", "max"), "mode": "sum"},
        {"aggrs": ("mean", "max"), "mode": "logsumexp"},
        {"aggrs": ("mean", "max", "std"), "mode": "max"},
        {"aggrs": ("mean", "max"), "mode": "min"},
        {"aggrs": ("mean", "max", "std"), "mode": "proj", "out_channels": 4},
        {"aggrs": ("mean", "max"), "mode": "attn", "out_channels": 4, "num_heads": 2},
    ),
    "DegreeScalerAggregation": (
        {"aggr": "mean", "scaler": "attenuation"},
        {"aggr": ("mean", "max"), "scaler": ("identity", "amplification", "inverse_linear"), "train_norm": True},
    ),
    "EquilibriumAggregation": (
        {**OUT, "num_layers": (8, 7)},
        {**OUT, "num_layers": (8,), "grad_iter": 2, "lamb": 0.5},
    ),
    "PositionalEncoding": ({"out_channels": 4}, {"out_channels": 4, "base_freq": 0.1, "granularity": 0.5}),
    "TemporalEncoding": (OUT,),
    "TopKPooling": ({}, {"ratio": 2}, {"min_score": 0.1}, {"ratio": 0.8, "nonlinearity": "sigmoid"}),
    "SAGPooling": ({}, {"ratio": 2}, {"min_score": 0.1}),
    "ASAPooling": ({}, {"ratio": 0.8, "dropout": 0.1, "add_self_loops": True}),
    "ClusterPooling": ({}, {"edge_score_method": "log_softmax"}),
    "PANConv": ({**OUT, "filter_size": 2}, {**OUT, "filter_size": 0}),
    "PANPooling": ({}, {"ratio": 2}, {"min_score": 0.01}),
    "MetaLayer": (META,),
    "MemPooling": ({**OUT, "heads": 2, "num_clusters": CLUSTERS},),
    "DenseGCNConv": (OUT,),
    "DenseSAGEConv": (OUT,),
    "DenseGraphConv": (OUT, {**OUT, "aggr": "max"}),
    "DenseGINConv": ({"nn": DENSE},),
    "DenseGATConv": ({**OUT, "heads": 2}, {**OUT, "heads": 2, "concat": False}),
    "DMoNPooling": ({"k": CLUSTERS},),
    "DynamicEdgeConv": ({"nn": INNER, "k": 2}, {"nn": INNER, "k": 3, "aggr": "mean"}),
    "GravNetConv": ({**OUT, "space_dimensions": 2, "propagate_dimensions": 3, "k": 3},),
    "XConv": ({**OUT, "kernel_size": 2}, {**OUT, "kernel_size": 2, "hidden_channels": 3, "dilation": 2}),
    "knn_graph": ({"k": 2}, {"k": 2, "loop": True}),
    "radius_graph": ({"r": 0.5},),
    "approx_knn_graph": ({"k": 2},),
    "fps": ({}, {"ratio": 0.25, "random_start": False}),
    "radius": ({"r": 0.5},),
    "knn": ({"k": 2},),
    "approx_knn": ({"k": 2},),
    "voxel_grid": ({"size": 0.5},),
    "GRUCell": ({"hidden_size": SOURCE}, {"hidden_size": SOURCE, "bias": False}),
    "max_pool_grid": ({"size": PER_GRAPH // 2},),
    "color_histogram": ({"num_colors": 5}, {"num_colors": 64, "norm": True}),
    "color_bucket": ({"num_colors": 5},),
    "one_hot": ({"num_classes": CLUSTERS},),
    "to_dense_batch": ({}, {"max_num_nodes": PER_GRAPH + 2}),
    "to_dense_adj": ({}, {"max_num_nodes": PER_GRAPH + 2}),
}
STEPS = [entry for entry in entries() if entry.takes and entry.kind not in ("model", "conv")]
STEP = pytest.mark.parametrize("entry", STEPS, ids=lambda entry: entry.name)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


def target(entry: Entry) -> Any:
    module, _, name = entry.path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def own(function: Any) -> dict[str, inspect.Parameter]:
    found = inspect.signature(function).parameters.values()
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {item.name: item for item in found if item.name != "self" and item.kind not in several}


def samples(entry: Entry) -> tuple[dict[str, Any], ...]:
    required = [item.name for item in entry.parameters if item.required]
    assert entry.name in SAMPLES or not required, f"{entry.name} needs a sample with {required}"
    return SAMPLES.get(entry.name, ({},))


def packed(entry: Entry) -> set[str]:
    """Parameters that stand in a dictionary of the constructor's."""
    return {name for members in entry.packed.values() for name in members}


@STEP
def test_every_constructor_parameter_is_accounted_for(entry: Entry) -> None:
    known = {*(item.name for item in entry.parameters), *entry.derived, *entry.left_out, *entry.packed}
    known -= packed(entry)
    if entry.function:
        known |= {slot.name for slot in entry.takes}
    assert known == set(own(target(entry) if entry.function else target(entry).__init__))


@STEP
def test_parameters_bind_by_position_as_in_pyg(entry: Entry) -> None:
    names = list(own(target(entry) if entry.function else target(entry).__init__))
    positional = [item.name for item in entry.parameters if not item.keyword]
    assert positional == [name for name in names if name in positional]


@STEP
def test_defaults_are_those_of_pyg(entry: Entry) -> None:
    found = own(target(entry) if entry.function else target(entry).__init__)
    for item in entry.parameters:
        if item.name in packed(entry):
            continue
        default = found[item.name].default
        assert item.default == (REQUIRED if default is inspect.Parameter.empty else default), item.name
        assert item.required or accepts(item, item.default)


HEADED = [e for entry in entries() for e in (entry, entry.as_step) if e is not None and header_of(e)]


@pytest.mark.parametrize("entry", HEADED, ids=lambda entry: entry.name)
def test_headers_are_those_of_the_forward_pass(entry: Entry) -> None:
    header = header_of(entry)
    assert header is not None
    found = own(target(entry) if entry.function else target(entry).forward)
    if entry.kind == "search" and entry.function:  # they are called by name
        found = {name: item for name, item in found.items() if entry.parameter(name) is None}
    names = [slot.name for slot in header.takes]
    if not entry.path.startswith("torch.nn.") and found:  # DeepGCNLayer takes whatever its convolution takes
        assert list(found)[: len(names)] == names
    for name, item in list(found.items())[: len(names)]:
        slot = next((slot for slot in header.takes if slot.name == name), None)
        assert (
            slot is None
            or not slot.optional
            or "None" in str(item.annotation)
            or "Optional" in str(item.annotation)
            or item.default is None
        ), name
    given = {item.name for item in entry.parameters}
    behind = [item for name, item in list(found.items())[len(names) :] if name not in given]
    assert all(item.default is not inspect.Parameter.empty for item in behind)


@pytest.mark.parametrize("name", ["HANConv", "RGCNConv", "Embedding"])
def test_what_reads_more_than_one_relation_has_no_header(name: str) -> None:
    assert header_of(find(name)) is None


def value(slot: Slot) -> Any:
    """A value for a slot, in the first of its kinds."""
    edges = torch.stack([torch.arange(NODES), torch.arange(NODES).view(GRAPHS, -1).roll(1, 1).reshape(-1)])
    both = torch.cat([edges, edges.flip(0)], 1)
    match slot.kinds[0]:
        case "nodes":
            return torch.randn(NODES, slot.columns or SOURCE, requires_grad=True)
        case "edges":
            return both
        case "edge values":
            return torch.rand(both.size(1)) if slot.scalar else torch.rand(both.size(1), EDGE)
        case "batch":
            return torch.arange(GRAPHS).repeat_interleave(PER_GRAPH)
        case "count":
            return GRAPHS
        case "dense":
            return torch.randn(GRAPHS, PER_GRAPH, CLUSTERS if slot.name == "s" else SOURCE, requires_grad=True)
        case "adjacency":
            return torch.rand(GRAPHS, PER_GRAPH, PER_GRAPH).round()
        case "mask":
            return torch.ones(GRAPHS, PER_GRAPH, dtype=torch.bool)
        case kind:
            return of_pooling(both)[kind]


def of_pooling(edge_index: Tensor) -> dict[str, Any]:
    """What poolings give or read beside values of nodes, by kind."""
    nodes = torch.randperm(NODES)
    batch = torch.arange(GRAPHS).repeat_interleave(PER_GRAPH)
    merged = SimpleNamespace(cluster=nodes, edge_index=edge_index, batch=batch)
    return {
        "graphs": torch.randn(GRAPHS, EDGE),
        "numbers": torch.arange(NODES) % CLUSTERS,
        "cells": torch.arange(NODES) // 2,
        "index": nodes,
        "record": merged,
    }


def call(entry: Entry, arguments: dict[str, Any], inputs: list[Any]) -> tuple[Any, ...]:
    skip_if_missing(entry)
    if entry.function:
        made = target(entry)(**dict(zip((slot.name for slot in entry.takes), inputs, strict=False)), **arguments)
    else:
        made = build(entry, arguments, (SOURCE, SOURCE), bound=False)(*inputs)
    several = isinstance(made, tuple) and not hasattr(made, "_fields") and len(header_of(entry).gives) > 1
    return made if several else (made,)


def expected_width(slot: Slot, entry: Entry, arguments: dict[str, Any], inputs: dict[str, Any]) -> int | None:
    made = arguments.get(slot.width)
    if isinstance(made, Layer):
        return made.width_out
    if slot.width in inputs:
        return inputs[slot.width].size(-1) if inputs[slot.width] is not None else None
    filled = entry.with_defaults(arguments)
    return filled[slot.width] if slot.width else entry.width(filled, SOURCE)


def check_given(slot: Slot, made: Any, width: int | None, nodes: int) -> None:
    """A value is of the kind and width that its slot says."""
    match (slot.kinds or ("nodes",))[0]:
        case "nodes":
            assert made.dim() == 2
            assert made.size(1) == width
        case "graphs":
            assert tuple(made.shape) == (GRAPHS, width)
        case "dense":
            assert made.dim() == 3
            assert (made.size(0), made.size(2)) == (GRAPHS, width)
        case "loss":
            assert made.dim() == 0
        case "edges":
            assert made.size(0) == 2
            assert made.numel() == 0 or int(made.max()) < nodes
        case "batch" | "numbers" | "colors":
            assert made.dtype == torch.long
            assert len(made) == nodes
        case "adjacency":
            assert made.dim() == 3
            assert made.size(1) == made.size(2)
        case "mask":
            assert made.dtype == torch.bool
        case "edge values" if made is not None:
            assert made.dim() <= 2


def inputs_of(entry: Entry, least: bool) -> list[Any]:
    """All inputs, or the least that a layer needs, with the graph of each node."""
    inputs = [None if least and slot.optional else value(slot) for slot in entry.takes]
    if entry.name == "MetaLayer":  # its networks read all of them
        return [value(slot) for slot in entry.takes]
    if entry.name == "MemPooling":
        inputs = inputs[:2]
    if least:
        told = zip(entry.takes, inputs, strict=False)
        inputs = [value(slot) if slot.kinds == ("batch",) else one for slot, one in told]
        inputs = inputs[: header_of(entry).needed + 2]
    return inputs


def check_both(made: Any) -> None:
    """Values of two sets of nodes, or edges between them."""
    assert len(made) == 2


@pytest.mark.filterwarnings("ignore:Sparse")  # torch warns once of what ASAPooling uses
@STEP
def test_values_are_of_the_kinds_and_widths_that_the_entry_says(entry: Entry) -> None:
    for arguments in samples(entry):
        for item in entry.parameters:
            assert item.name not in arguments or accepts(item, arguments[item.name])
        width = entry.takes[0].columns or SOURCE
        assert all(rule(entry.with_defaults(arguments), width) is None for rule in entry.rules)
        for least in (False, True):
            inputs = inputs_of(entry, least)
            made = call(entry, arguments, inputs)
            gives = entry.gives or (Slot("x", entry.takes[0].kinds[:1]),)
            assert len(made) == len(gives)
            by_name = dict(zip((slot.name for slot in entry.takes), inputs, strict=False))
            nodes = made[0].size(0) if isinstance(made[0], Tensor) and made[0].dim() else 0
            for slot, one in zip(gives, made, strict=True):
                if slot.optional and by_name.get(slot.name) is None:
                    assert one is None
                    continue
                width = expected_width(slot, entry, arguments, by_name)
                check_both(one) if slot.kinds in (("pair",), ("links",)) else check_given(slot, one, width, nodes)
            if getattr(made[0], "requires_grad", False):
                made[0].sum().backward()


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("SoftmaxAggregation", {"learn": True, "semi_grad": True}, "GNN204"),
    ("GraphMultisetTransformer", {"k": 2, "heads": 4}, "GNN302"),
    ("SetTransformerAggregation", {"heads": 4}, "GNN302"),
    ("AttentionalAggregation", {"gate_nn": INNER}, "GNN502"),
    ("LCMAggregation", {"out_channels": SOURCE + 1, "project": False}, "GNN502"),
    ("PatchTransformerAggregation", {**OUT, "patch_size": 2, "hidden_channels": 8, "heads": 3}, "GNN204"),
    ("DenseGINConv", {"nn": INNER}, "GNN204"),
    ("MultiAggregation", {"aggrs": ("mean", "max"), "mode": "attn"}, "GNN203"),
    ("MultiAggregation", {"aggrs": ("mean",), "mode": "proj", "out_channels": 4}, "GNN204"),
    ("MultiAggregation", {"aggrs": ("mean", "max"), "mode": "proj", "out_channels": 4, "num_heads": 2}, "GNN204"),
    (
        "MultiAggregation",
        {"aggrs": ("mean", "max"), "mode": "attn", "out_channels": 4, "num_heads": 3},
        "GNN302",
    ),
    ("DegreeScalerAggregation", {"aggr": "mean", "scaler": ("identity",)}, "GNN204"),
]


@pytest.mark.parametrize(("name", "arguments", "code"), REFUSED)
def test_what_the_rules_refuse_fails_in_pyg(name: str, arguments: dict[str, Any], code: str) -> None:
    entry = find(name)
    found = [problem for rule in entry.rules if (problem := rule(entry.with_defaults(arguments), SOURCE))]
    assert [problem.code for problem in found] == [code]
    assert found[0].argument is None or entry.parameter(found[0].argument)
    with pytest.raises((RuntimeError, ValueError, AssertionError, TypeError)):
        call(entry, arguments, [value(slot) for slot in entry.takes])


def test_a_quarter_of_a_narrow_input_is_nothing() -> None:
    (rule,) = find("XConv").rules
    assert rule({"hidden_channels": None}, 3).code == "GNN203"
    assert rule({"hidden_channels": 1}, 3) is None
    assert rule({"hidden_channels": None}, 4) is None


ENCODINGS = ("PositionalEncoding", "TemporalEncoding")


@pytest.mark.parametrize("name", ENCODINGS)
def test_encodings_of_several_columns_give_other_rows(name: str) -> None:
    entry = find(name)
    assert [found.code for rule in entry.rules if (found := rule({"out_channels": 4}, 3))] == ["GNN502"]
    assert all(rule({"out_channels": 4}, 1) is None for rule in entry.rules)
    assert call(entry, {"out_channels": 4}, [torch.rand(NODES, 3)])[0].shape == (3 * NODES, 4)


def test_positions_take_an_even_width() -> None:
    entry = find("PositionalEncoding")
    assert [found.code for rule in entry.rules if (found := rule({"out_channels": 5}, 1))] == ["GNN204"]
    with pytest.raises(ValueError, match="odd"):
        call(entry, {"out_channels": 5}, [torch.rand(NODES, 1)])


def test_a_hidden_state_is_as_wide_as_its_cell() -> None:
    (rule,) = find("GRUCell").rules
    assert rule({"hidden_size": 5, "hx": None}, SOURCE) is rule({"hidden_size": 5, "hx": 5}, SOURCE) is None
    assert rule({"hidden_size": 5, "hx": 4}, SOURCE).code == "GNN502"
    with pytest.raises(RuntimeError, match="hidden"):
        torch.nn.GRUCell(SOURCE, 5)(torch.ones(NODES, SOURCE), torch.ones(NODES, 4))


def test_every_rule_is_tried() -> None:
    assert {entry.name for entry in STEPS if entry.rules} == {
        *(name for name, _, _ in REFUSED),
        "XConv",
        "MetaLayer",
        "GRUCell",
        *ENCODINGS,
    }
