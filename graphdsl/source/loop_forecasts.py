"""A loop over events with their histories: batches in any order, each event compared with all nodes."""

from typing import Final

from graphdsl.model import Training
from graphdsl.plan import LinkHead
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import quote
from graphdsl.source.loop import Loop
from graphdsl.source.loop_events import EVENTS_PATH, in_order, load_events

_INNER: Final = '''
def predict(events: Tensor) -> tuple[Tensor, Tensor]:
    """What the model says of the targets and sources of events, and which they were."""
    y = edge_index[:, events].flip(0).flatten()
    return among_all(model(seen.batch(events)).flatten(0, 1), y), y

def collect(split: str) -> tuple[Tensor, Tensor]:
    """The same of all events of a split."""
    found = [predict(events) for events in edges[split].split({size})]
    return torch.cat([out for out, _ in found]), torch.cat([y for _, y in found])

def batches() -> list[Tensor]:
    """Events of the training split in another order each time."""
    events = edges["train"]
    return list(events[torch.randperm(len(events))].split({size}))
'''


def forecasts(head: LinkHead, context: Context, training: Training) -> Loop:
    """Batches of events; histories are those of all events."""
    assert head.events is not None
    for path in ("HeteroData", "TemporalData", "storage.EdgeStorage"):
        context.imports.use(f"torch_geometric.data.{path}")
    context.helpers.add("among_all")
    block = Block(4)
    block.write("edge_index, t, rel, edges = in_order(load(path))")
    block.write(f"seen = EventHistories(edge_index, rel, t, {head.module.arguments['seq_len']})")
    steps = ("", *_INNER.format(size=training.batch_size).strip("\n").split("\n"), "")
    read = f"store[{quote(head.events.message)}].flatten()[order].long(), "
    functions = (load_events(head, 0), in_order(head, training, read))
    return Loop(functions, EVENTS_PATH, block, steps, "edges", "batches()", "predict(batch)", 'collect("{split}")')


__all__ = ["forecasts"]
