"""Whole models against the installed PyG: signatures, defaults, what the rules refuse."""

import importlib
import inspect
from typing import Any

import pytest
import torch
from catalogue_samples import SOURCE, class_of
from torch_geometric import nn as pyg
from torch_geometric.nn.conv import MessagePassing

from graphdsl.catalog import REQUIRED, Entry, accepts, entries, find

MODEL = pytest.mark.parametrize("entry", entries("model"), ids=lambda entry: entry.name)
PASSED_TO = {
    "GCN": pyg.GCNConv,
    "GraphSAGE": pyg.SAGEConv,
    "GIN": pyg.GINConv,
    "GAT": pyg.GATConv,
    "EdgeCNN": pyg.EdgeConv,
    "NeuralFingerprint": pyg.MFConv,
}
"""The convolutions that models with `**kwargs` hand them to."""
OWN = {"v2": False}
"""Arguments that a model takes out of its `**kwargs`, with their defaults."""


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
    theirs["aggr"] = {"EdgeCNN": "max", "GraphSAGE": "mean"}.get(entry.name, "add")  # set in the body of the class
    for item in entry.parameters:
        assert item.default == theirs[item.name], item.name
        assert item.required or accepts(item, item.default)


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
    assert {entry.name for entry in entries("model") if entry.rules} == {name for name, _, _ in REFUSED} | {"GraphUNet"}


def test_graph_unet_drops_ratios_that_are_too_many() -> None:
    """Why there must be one for each pooling: PyG says nothing."""
    entry, arguments = find("GraphUNet"), {"hidden_channels": 4, "out_channels": 4, "depth": 2}
    assert class_of(entry)(SOURCE, **arguments, pool_ratios=[0.9, 0.8, 0.7]).pool_ratios == [0.9, 0.8]
    for ratios, code in (((0.9, 0.8, 0.7), ["GNN204"]), ((0.9,), ["GNN204"]), ((0.9, 0.8), []), (0.9, [])):
        filled = entry.with_defaults({**arguments, "pool_ratios": ratios})
        assert [problem.code for rule in entry.rules if (problem := rule(filled, SOURCE))] == code


def test_one_layer_of_pmlp_ignores_its_width() -> None:
    """Why `num_layers` is at least 2."""
    module = class_of(find("PMLP"))(SOURCE, 9, 3, num_layers=1)
    assert module(torch.randn(6, SOURCE), EDGES).size(1) == 9


@MODEL
def test_paths_lead_to_models(entry: Entry) -> None:
    module, _, name = entry.path.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), name), torch.nn.Module)
    assert entry.paper
