"""What is learned without labels: vectors of walks, and states that are told from those of a permuted graph."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import DeepGraphInfomax

from graphdsl.backends.modules import build_module
from graphdsl.plan import Ids, ObjectiveHead, Plan

_TINY = 1e-15
"""What PyG adds before each logarithm."""


def build_objective(head: ObjectiveHead) -> nn.Module:
    """PyG's module of an objective.

    `MetaPath2Vec` is told of no edges, `DeepGraphInfomax` of no encoder: walks are drawn outside of it, and the encoder
    is the model.
    """
    if head.kind == "infomax":
        return build_module(head.module, encoder=nn.Identity(), summary=summarize, corruption=permute)
    if head.module.name == "MetaPath2Vec":
        return build_module(head.module, edge_index_dict={}, metapath=list(head.module.arguments["metapath"]))
    return build_module(head.module)


def vectors_of(head: ObjectiveHead, module: nn.Module, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The vectors [num_nodes, size] that an objective learns, by node type.

    Args:
        head: the objective.
        module: its module.
        values: the state that it reads, by node type.
    """
    if head.kind == "infomax":
        return {head.type: values[head.type]}
    if head.module.name == "MetaPath2Vec":
        return {name: module(name) for name in head.embedded}
    return {head.type: module()}


def summarize(z: Tensor) -> Tensor:
    """What all nodes have in common: the sigmoid of their mean, shape [width]."""
    return torch.sigmoid(z.mean(0))


def permute(values: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Rows in another order."""
    return values[torch.randperm(len(values), generator=generator).to(values.device)]


def corrupted(plan: Plan, inputs: Mapping[str, Any], generator: torch.Generator | None = None) -> dict[str, Any]:
    """The same graph with other nodes in it: features of each type in another order, or numbers where it has none.

    Args:
        plan: says which types are read by number.
        inputs: arguments of the compiled model.
        generator: where randomness comes from.
    """
    x = {name: permute(value, generator) for name, value in inputs["x_dict"].items()}
    numbers = {
        name: torch.arange(width.count)
        for name, width in plan.inputs.items()
        if isinstance(width, Ids) and width.count is not None
    }
    device = next((index.device for index in inputs["edge_index_dict"].values()), torch.device("cpu"))
    given = inputs.get("n_id_dict", {name: value.to(device) for name, value in numbers.items()})
    n_id = {name: permute(value, generator) for name, value in given.items()}
    return {**inputs, "x_dict": x, **({"n_id_dict": n_id} if n_id else {})}


def contrast(module: nn.Module, real: Tensor, fake: Tensor, rows: Tensor | None = None) -> Tensor:
    """Loss of each node, whose mean is `DeepGraphInfomax.loss`: is it of the summed-up graph, is its stand-in not?

    Args:
        module: a `DeepGraphInfomax`.
        real: values of the nodes, shape [num_nodes, width].
        fake: those of the corrupted graph.
        rows: the nodes that the summary is of; None = all.

    Returns:
        Shape [num_nodes].
    """
    assert isinstance(module, DeepGraphInfomax)
    summary = summarize(real if rows is None or len(rows) == 0 else real[rows])
    alike, unlike = module.discriminate(real, summary), module.discriminate(fake, summary)
    return -torch.log(alike + _TINY) - torch.log(1 - unlike + _TINY)
