"""A loop over events in the order of time: each batch is scored by what was known before it, and then learned."""

from typing import Final

from graphdsl.model import Training
from graphdsl.model.seeds import mix
from graphdsl.plan import LinkHead
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import quote
from graphdsl.source.loop import Loop

AT_ONCE: Final = 200
"""Events of a batch where no setting says it, as in PyG's example."""
_FIXED: Final = 0x7616
"""Seeds the targets that evaluation compares with, as in `gnn train` and `gnn evaluate`."""

EVENTS_PATH: Final = "a file with events that `torch.save` wrote."

_LOAD: Final = '''
def load(path: str) -> EdgeStorage:
    """Events that `torch.save` wrote: a graph, a `TemporalData`, or the `to_dict()` of one."""
    data = torch.load(path, weights_only=False)  # only files that you trust
    if isinstance(data, dict):
        data = (TemporalData if "src" in data else HeteroData).from_dict(data)
    if isinstance(data, HeteroData):
        return data[{edge}]
    {target}
    return EdgeStorage({{**data.to_dict(), "edge_index": torch.stack([data.src, target])}})
'''

_IN_ORDER: Final = '''
def in_order(store: EdgeStorage) -> tuple[Tensor, {more}dict[str, Tensor]]:
    """Ends of events{said} in their order; numbers of each split."""
    t = store[{time}].flatten()
    order = t.argsort(stable=True)
    edge_index, t = store.edge_index[:, order], t[order].long()
    role = torch.full_like(t, 3)
    if "train_mask" in store:
        for number, name in ((2, "test_mask"), (1, "val_mask"), (0, "train_mask")):
            if name in store:
                role[store[name][order]] = number
        if (role.diff() < 0).any():
            raise SystemExit("masks follow each other in time: training, validation, test, others")
    else:
        # What happens at one time falls into one split.
        val = max(1, round({first!r} * len(t)))
        test = {test}
        role[:] = 0
        for number, place in ((1, val), (2, test)):
            if place < len(t):
                role[t >= t[place]] = number
    rows = [(role == number).nonzero().flatten() for number in range(3)]
    edges = dict(zip(("train", "val", "test"), rows, strict=True))
    edges = {{name: found for name, found in edges.items() if len(found)}}
    return edge_index, t, {carried}edges
'''

_INNER: Final = '''
def batches(split: str) -> Iterator[tuple[Tensor, Tensor]]:
    """Events and targets beside them, some at a time: none is known before it is scored."""
    rows = edges[split]
    if split == "train":
        model.forget()
    else:
        model.recall(edge_index)
        for first in range(model.last.cur_e_id, int(rows[0]), {size}):
            part = slice(first, min(first + {size}, int(rows[0])))
            model.learn({given})
    # The targets of evaluation are the same in every epoch and run.
    fixed = torch.Generator().manual_seed({seed})
    drawing = generator if split == "train" else fixed
    others = torch.randint({targets}, (len(rows), {negatives}), generator=drawing)
    yield from zip(rows.split({size}), others.split({size}), strict=True)
    if split == "train":
        model.keep()

def predict(part: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Score events beside others, then learn of them."""
    source, target = edge_index[:, part].unsqueeze(-1)
    targets = torch.cat([target, others], dim=1)
    pairs = torch.stack([source.expand_as(targets), targets])
    out = model(pairs.flatten(1), t{msg}).view(targets.shape)
    model.learn({given})
    y = torch.zeros_like(targets)
    y[:, 0] = 1
    return out, y

def collect(split: str) -> tuple[Tensor, Tensor]:
    """Outputs and labels of all batches of a split."""
    found = [predict(*batch) for batch in batches(split)]
    return torch.cat([out for out, _ in found]), torch.cat([y for _, y in found])

generator = torch.Generator().manual_seed({train})
'''


def events(head: LinkHead, context: Context, training: Training) -> Loop:
    """Batches of events that follow each other in time."""
    assert head.events is not None
    for path in ("HeteroData", "TemporalData", "storage.EdgeStorage"):
        context.imports.use(f"torch_geometric.data.{path}")
    carries = bool(head.events.message)
    block = Block(4)
    block.write(f"edge_index, t, {'msg, ' if carries else ''}edges = in_order(load(path))")
    size, known = training.batch_size or AT_ONCE, head.module.arguments
    inner = _INNER.format(
        size=size,
        given=f"edge_index[:, part], t[part]{', msg[part]' if carries else ''}",
        msg=", msg" if carries else "",
        seed=mix(_FIXED, head.negatives),
        targets=known["num_nodes"] - known["offset"],
        negatives=head.negatives,
        train=mix(training.seed, 2),
    )
    read = f"store[{quote(head.events.message)}].reshape(len(t), -1)[order].float(), " if carries else ""
    functions = (load_events(head, known["offset"]), in_order(head, training, read))
    steps = ("", *inner.strip("\n").split("\n"))
    return Loop(
        functions, EVENTS_PATH, block, steps, "edges", 'batches("train")', "predict(*batch)", 'collect("{split}")'
    )


def load_events(head: LinkHead, offset: int) -> str:
    """The function `load`; targets may be numbered behind so many sources."""
    target = "target = data.dst"
    if offset:  # as in `JODIEDataset`
        target = f"behind = int(data.dst.min()) >= {offset}  # targets are numbered behind the sources\n"
        target += f"    target = data.dst - {offset} if behind else data.dst"
    return _LOAD.format(edge=", ".join(map(quote, head.edge)), target=target).strip("\n")


def in_order(head: LinkHead, training: Training, read: str) -> str:
    """The function `in_order`; `read` is an expression of what events carry, and a comma."""
    assert head.events is not None
    shares, message = training.split, head.events.message
    return _IN_ORDER.format(
        more="Tensor, Tensor, " if message else "Tensor, ",
        said=", times and what they carry" if message else " and times",
        time=quote(head.events.time),
        first=shares[0],
        test=f"max(val, round({shares[0] + shares[1]!r} * len(t)))" if len(shares) > 2 else "len(t)",
        carried=read,
    ).strip("\n")


__all__ = ["AT_ONCE", "EVENTS_PATH", "events", "in_order", "load_events"]
