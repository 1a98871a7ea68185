"""A model that tells who takes part in events as a class: PyG's `RENet`, and the histories that it reads."""

from typing import Final

from graphdsl.plan import LinkHead
from graphdsl.source.block import Block
from graphdsl.source.constructors import construct
from graphdsl.source.context import Context, place
from graphdsl.source.documentation import safe
from graphdsl.source.expressions import quote
from graphdsl.source.naming import class_name

EVENT_HISTORIES: Final = '''
class EventHistories:
    """What the ends of events met before, kind by kind, at the last `seq_len` times.

    It is what PyG's `RENet.pre_transform` makes event by event, found among sorted events.
    """

    def __init__(self, edge_index: Tensor, rel: Tensor, t: Tensor, seq_len: int) -> None:
        self.edge_index, self.rel, self.seq_len = edge_index, rel, seq_len
        self.turn = t.unique(return_inverse=True)[1]
        self.sides = [self.sort(node) for node in edge_index]

    def sort(self, node: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Events by one end, kind and time; where the history of each begins, and where it ends."""
        turns = int(self.turn.max()) + 1 + self.seq_len
        key = (node * (int(self.rel.max()) + 1) + self.rel) * turns + self.turn + self.seq_len
        found, order = key.sort(stable=True)
        return order, torch.searchsorted(found, key - self.seq_len), torch.searchsorted(found, key)

    def batch(self, events: Tensor) -> Data:
        """Some events, as PyG's `RENet` reads them."""
        sub, obj = self.edge_index[:, events]
        data = Data(sub=sub, rel=self.rel[events], obj=obj)
        partners = self.edge_index.flip(0)
        for name, partner, (order, first, last) in zip(("sub", "obj"), partners, self.sides):
            many = (last - first)[events]
            owner = torch.arange(len(events)).repeat_interleave(many)
            turn = torch.arange(len(owner)) - (many.cumsum(dim=0) - many)[owner]
            past = order[first[events][owner] + turn]
            data[f"h_{name}"], data[f"h_{name}_batch"] = partner[past], owner
            data[f"h_{name}_t"] = self.seq_len - (self.turn[events[owner]] - self.turn[past])
        return data
'''

AMONG_ALL: Final = '''
def among_all(out: Tensor, y: Tensor) -> Tensor:
    """The log-probability of each row's label and its rank, [rows, 2]; equal scores share ranks."""
    own = out.gather(1, y.unsqueeze(1))
    rank = 1 + (out > own).sum(dim=1) + ((out == own).sum(dim=1) - 1) / 2
    return torch.stack([own.squeeze(1), rank], dim=1)
'''


def write_forecast(head: LinkHead, context: Context) -> Block:
    """The class of a model that learns from histories of events."""
    context.helpers.add("EventHistories")
    for path in ("torch.nn.Module", "torch.nn.ModuleDict", "torch_geometric.data.Data"):
        context.imports.use(path)
    context.imports.tensors = True
    context.named = class_name(context.plan.model, context.imports.names | {"EventHistories", "RENet"})
    block = Block()
    block.write(f"class {context.named}(Module):")
    block.write(
        f'"""Model `{safe(context.plan.model)}`: who takes part in an event, told by what its ends met before.', 4
    )
    block.write("")
    block.write("PyG's `RENet` (Jin et al., Recurrent Event Network, EMNLP 2020).", 4)
    block.write('"""', 4)
    block.write("")
    block.write("def __init__(self) -> None:", 4)
    inner = Block(8)
    inner.write("super().__init__()")
    inner.write("self.heads = ModuleDict()")
    inner.comment(f"{head.name}: {place(head.span)}")
    inner.assign(f"self.heads[{quote(head.key)}]", construct(head.module, context.imports))
    inner.blank()
    block.extend(inner.lines)
    block.write("def forward(self, data: Data) -> Tensor:", 4)
    inner = Block(8)
    inner.write('"""Logarithms of probabilities [2, num_events, num_nodes]: of targets, then of sources.')
    inner.write("")
    inner.write("Args:")
    inner.write("data: events with their histories, made by `EventHistories(…).batch(events)`.", 4)
    inner.write('"""')
    inner.comment(f"{head.name}: {place(head.span)}")
    inner.write(f"return torch.stack(self.heads[{quote(head.key)}](data))")
    block.extend(inner.lines)
    return block


__all__ = ["AMONG_ALL", "EVENT_HISTORIES", "write_forecast"]
