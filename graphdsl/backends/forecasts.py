"""Who takes part in events, told by histories: PyG's `RENet`, called with what it reads."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from graphdsl.kernels.histories import EventHistories
from graphdsl.plan import LinkHead
from graphdsl.text import EdgeKey, SpecError, report


def foresee(module: nn.Module, events: Mapping[str, Tensor]) -> Tensor:
    """Logarithms of probabilities of all nodes, [2, events, num_nodes]: of targets, then of sources."""
    return torch.stack(module(Data.from_dict(dict(events))))


def foresee_all(
    head: LinkHead,
    module: nn.Module,
    edges: Mapping[EdgeKey, Tensor],
    inputs: Mapping[str, Mapping[Any, Tensor]],
) -> Tensor:
    """The same for all events that are given, each told by those before it.

    Args:
        head: the prediction.
        module: its module.
        edges: events by relation.
        inputs: `<attribute>_dict` of their times and kinds.

    Raises:
        SpecError: GNN618 if something is missing.
    """
    assert head.events is not None
    given = {"edge_index_dict": edges, **inputs}
    names = ["edge_index_dict", *(f"{name}_dict" for name in (head.events.message, head.events.time))]
    for name in names:
        if head.edge not in given.get(name, {}):
            message = f"`{head.name}` reads `{name}`, and was given none"
            helps = (f"pass `{name}={{{head.edge!r}: …}}`: all events, in any order",)
            raise SpecError([report("GNN618", message, head.span, "predicted here", helps=helps)])
    index, kind, time = (given[name][head.edge] for name in names)
    seen = EventHistories(index, kind, time, head.module.arguments["seq_len"])
    return foresee(module, seen.batch(torch.arange(len(seen), device=index.device)))
