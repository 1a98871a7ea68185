"""Whole models against the installed PyG: signatures, defaults, what the rules refuse."""

import importlib
import inspect
from typing import Any

import pytest
import torch
from catalogue_samples import SOURCE
from torch_geometric import nn as pyg
from torch_geometric.data import Data
from torch_geometric.nn.conv import MessagePassing

from graphdsl.catalog import REQUIRED, Entry, accepts, entries, find

MODEL = pytest.mark.parametrize("entry", entries("model"), ids=lambda entry: entry.name)
PASSED_TO = {
    "GCN": pyg.GCNConv,
    "GraphSAGE": pyg.SAGEConv,
    "GIN": pyg.GINConv,
    "GAT": pyg.GATConv,
    "EdgeCNN": pyg.EdgeConv,
    "PNA": pyg.PNAConv,
    "NeuralFingerprint": pyg.MFConv,
}
"""The convolutions that models with `**kwargs` hand them to."""
OWN = {"v2": False, "global_attention": True}
"""Arguments that a model takes out of its `**kwargs`, or that our subclass adds, with their defaults."""


def class_of(entry: Entry) -> type[torch.nn.Module]:
    """PyG's class; models of molecules are subclasses of ours with its arguments."""
    return getattr(pyg.models, entry.name)


def own(cls: type) -> dict[str, Any]:
    """Constructor parameters of a class by name, with their defaults."""
    found = inspect.signature(cls.__init__).parameters.values()
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        item.name: REQUIRED if item.default is inspect.Parameter.empty else item.default
        for item in found
        if item.name != "self" and item.kind not in variadic
    }


def passed_on(entry: Entry) -> dict[str, Any]:
    """What reaches the convolutions through `**kwargs`."""
    conv = PASSED_TO.get(entry.name)
    if conv is None:
        return {}
    taken = {**own(MessagePassing), **own(conv)}
    return {
        name: value
        for name, value in taken.items()
        if name not in ("in_channels", "out_channels", *own(class_of(entry)))
    }


@MODEL
def test_every_constructor_parameter_is_accounted_for(entry: Entry) -> None:
    known = {*(item.name for item in entry.parameters), *entry.derived, *entry.left_out} - set(OWN)
    expected = {*own(class_of(entry)), *passed_on(entry)}
    assert known - {"share_weights"} == expected, known ^ expected
    assert not any(entry.parameter(name) for name in (*entry.left_out, *entry.derived))


@MODEL
def test_parameters_bind_by_position_as_in_pyg(entry: Entry) -> None:
    names = list(own(class_of(entry)))
    positional = [item.name for item in entry.parameters if not item.keyword]
    assert positional == [name for name in names if name in positional]
    assert all(item.keyword for item in entry.parameters if item.name not in names)


@MODEL
def test_defaults_are_those_of_pyg(entry: Entry) -> None:
    theirs = {**passed_on(entry), **OWN, **own(class_of(entry))}
    if theirs.get("act") == "swish":  # PyG's name of `silu`
        theirs["act"] = "silu"
    theirs["aggr"] = {"EdgeCNN": "max", "GraphSAGE": "mean"}.get(entry.name, "add")  # set in the body of the class
    for item in entry.parameters:
        assert item.default == theirs[item.name], item.name
        assert item.required or accepts(item, item.default)


@MODEL
def test_our_class_is_one_of_pyg(entry: Entry) -> None:
    module, _, name = entry.path.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), name), class_of(entry))
    assert entry.paper


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("GCN", {"hidden_channels": 4, "num_layers": 2, "normalize": False, "add_self_loops": True}, "GNN204"),
    ("GAT", {"hidden_channels": 4, "num_layers": 2, "heads": 3}, "GNN302"),
    ("GAT", {"hidden_channels": 4, "num_layers": 1, "heads": 3}, "GNN302"),
    ("GAT", {"hidden_channels": 4, "num_layers": 1, "out_channels": 4, "jk": "cat", "heads": 3}, "GNN302"),
]
EDGES = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]])


@pytest.mark.parametrize(("name", "arguments", "code"), REFUSED)
def test_what_the_rules_refuse_fails_in_pyg(name: str, arguments: dict[str, Any], code: str) -> None:
    entry = find(name)
    found = [problem for rule in entry.rules if (problem := rule(entry.with_defaults(arguments), SOURCE))]
    assert [problem.code for problem in found] == [code]
    assert entry.parameter(found[0].argument)
    with pytest.raises((RuntimeError, ValueError, AssertionError, TypeError)):
        class_of(entry)(SOURCE, **arguments)(torch.randn(6, SOURCE), EDGES)


def test_every_rule_is_tried() -> None:
    below = {"Polynormer", "PNA", "GraphUNet", "SchNet", "ViSNet", "GPSE"}
    assert {entry.name for entry in entries("model") if entry.rules} == {name for name, _, _ in REFUSED} | below


@pytest.mark.parametrize(
    ("arguments", "legal"),
    [
        ({"hidden_channels": 8, "num_layers": 2, "towers": 3}, False),
        ({"hidden_channels": 6, "num_layers": 2, "out_channels": 4, "towers": 3}, False),
        ({"hidden_channels": 8, "num_layers": 1, "out_channels": 6, "towers": 3}, True),
        ({"hidden_channels": 6, "num_layers": 2, "out_channels": 4, "jk": "max", "towers": 3}, True),
        ({"hidden_channels": 8, "num_layers": 1, "towers": 4, "divide_input": True}, False),
        ({"hidden_channels": 6, "num_layers": 2, "towers": 3, "divide_input": True}, True),
    ],
)
def test_towers_of_pna_share_the_columns(arguments: dict[str, Any], legal: bool) -> None:
    entry, told = find("PNA"), {"aggregators": ["mean"], "scalers": ["identity"], "deg": torch.tensor([0, 6])}
    filled = entry.with_defaults({**arguments, "aggregators": ("mean",), "scalers": ("identity",)})
    assert [problem.code for rule in entry.rules if (problem := rule(filled, SOURCE))] == ([] if legal else ["GNN302"])
    if legal:
        assert class_of(entry)(SOURCE, **arguments, **told)(torch.randn(6, SOURCE), EDGES).dim() == 2
    else:
        with pytest.raises(AssertionError):
            class_of(entry)(SOURCE, **arguments, **told)


def test_global_attention_of_polynormer_has_one_head() -> None:
    entry, arguments = find("Polynormer"), {"hidden_channels": 4, "out_channels": 2, "heads": 2}
    assert [rule(entry.with_defaults(arguments), SOURCE).code for rule in entry.rules] == ["GNN204"]
    assert entry.rules[0](entry.with_defaults({**arguments, "global_attention": False}), SOURCE) is None
    module = class_of(entry)(SOURCE, **arguments)
    module._global = True
    with pytest.raises(RuntimeError):
        module(torch.randn(6, SOURCE), EDGES, torch.zeros(6, dtype=torch.long))


def test_gpse_adds_what_is_as_wide() -> None:
    entry, arguments = find("GPSE"), {"dim_inner": 8, "layers_pre_mp": 0, "layers_mp": 1}
    assert [rule(entry.with_defaults(arguments), SOURCE).code for rule in entry.rules] == ["GNN502"]
    assert entry.rules[0](entry.with_defaults({**arguments, "stage_type": "skipconcat"}), SOURCE) is None
    assert entry.rules[0](entry.with_defaults({**arguments, "layers_pre_mp": 1}), SOURCE) is None
    module = class_of(entry)(SOURCE, **arguments)
    with pytest.raises(RuntimeError):
        module.mp(Data(x=torch.randn(6, SOURCE), edge_index=EDGES))


def test_heads_of_visnet_share_the_columns() -> None:
    entry, arguments = find("ViSNet"), {"num_heads": 3, "hidden_channels": 8, "num_layers": 1}
    assert [rule(entry.with_defaults(arguments), None).code for rule in entry.rules] == ["GNN204"]
    with pytest.raises(ValueError, match="divisible by the number of attention heads"):
        class_of(entry)(**arguments)


def test_graph_unet_drops_ratios_that_are_too_many() -> None:
    """Why there must be one for each pooling: PyG says nothing."""
    entry, arguments = find("GraphUNet"), {"hidden_channels": 4, "out_channels": 4, "depth": 2}
    assert class_of(entry)(SOURCE, **arguments, pool_ratios=[0.9, 0.8, 0.7]).pool_ratios == [0.9, 0.8]
    for ratios, code in (((0.9, 0.8, 0.7), ["GNN204"]), ((0.9,), ["GNN204"]), ((0.9, 0.8), []), (0.9, [])):
        filled = entry.with_defaults({**arguments, "pool_ratios": ratios})
        assert [problem.code for rule in entry.rules if (problem := rule(filled, SOURCE))] == code


def test_schnet_ignores_a_mean_without_a_deviation() -> None:
    entry = find("SchNet")
    for given, code in (
        ({"mean": 1.0}, ["GNN204"]),
        ({"std": 1.0}, ["GNN204"]),
        ({"mean": 1.0, "std": 2.0}, []),
        ({}, []),
    ):
        filled = entry.with_defaults(given)
        assert [problem.code for rule in entry.rules if (problem := rule(filled, None))] == code


def test_one_layer_of_pmlp_ignores_its_width() -> None:
    """Why `num_layers` is at least 2."""
    module = class_of(find("PMLP"))(SOURCE, 9, 3, num_layers=1)
    assert module(torch.randn(6, SOURCE), EDGES).size(1) == 9
