"""What a trained model says who takes part in events."""

import torch
from torch import nn

from graphdsl.backends.forecasts import foresee
from graphdsl.kernels.histories import EventHistories
from graphdsl.model import Training
from graphdsl.plan import LinkHead
from graphdsl.training.batch import move
from graphdsl.training.prediction import Forecasts, predicting


def forecast(
    model: nn.Module, head: LinkHead, seen: EventHistories, training: Training, count: int, device: torch.device | None
) -> Forecasts:
    """The likeliest nodes at both ends of every event, told by what happened before it.

    Args:
        model: a compiled model with trained weights.
        head: its prediction.
        seen: all events.
        training: `batch_size`.
        count: how many nodes for each event and end.
        device: where to compute.
    """
    count = min(count, head.size or count)
    nodes, chances = [torch.zeros(2, 0, count, dtype=torch.long)], [torch.zeros(2, 0, count)]
    module = model.get_submodule(f"heads.{head.key}")
    with predicting(model, device) as place:
        for events in torch.arange(len(seen)).split(training.batch_size or max(1, len(seen))):
            best = foresee(module, move(seen.batch(events), place)).topk(count, dim=-1)
            nodes.append(best.indices.cpu())
            chances.append(best.values.exp().float().cpu())
    node, chance = (torch.cat(parts, 1).flatten(1) for parts in (nodes, chances))
    decisions = {
        "target": node[0],
        "target_probability": chance[0],
        "source": node[1],
        "source_probability": chance[1],
    }
    events = torch.arange(len(seen)).repeat_interleave(count)
    return Forecasts(head, events, 1 + torch.arange(count).repeat(len(seen)), decisions, chance.t())
