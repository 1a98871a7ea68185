"""A model of events as a class: PyG's `TGNMemory`, attention over the last neighbours, and a score of both ends."""

from typing import Any, Final

from graphdsl.catalog.scorers import SCORERS
from graphdsl.plan import LinkHead
from graphdsl.source.block import Block
from graphdsl.source.context import Context, place
from graphdsl.source.documentation import safe
from graphdsl.source.expressions import call, quote
from graphdsl.source.naming import class_name

MLP_MESSAGE: Final = '''
class MLPMessage(Module):
    """What an event tells one of its ends: two layers on both memories, the event and its time."""

    def __init__(self, raw_msg_dim: int, memory_dim: int, time_dim: int) -> None:
        super().__init__()
        width = raw_msg_dim + 2 * memory_dim + time_dim
        self.out_channels = memory_dim
        self.first = torch.nn.Linear(width, width // 2)
        self.second = torch.nn.Linear(width // 2, memory_dim)

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        self.first.reset_parameters()
        self.second.reset_parameters()

    def forward(self, z_src: Tensor, z_dst: Tensor, raw_msg: Tensor, t_enc: Tensor) -> Tensor:
        """One message for each event, [num_events, memory_dim]."""
        x = torch.cat([z_src, z_dst, raw_msg, t_enc], dim=-1)
        return self.second(self.first(x).relu())
'''

_MODELS: Final = "torch_geometric.nn.models.tgn"
_METHODS: Final = '''
    def forward(self, edge_label_index: Tensor, t: Tensor{more}) -> Tensor:
        """Score pairs by what is known now.

        Args:
            edge_label_index: numbers of sources and targets, [2, num_pairs].
            t: when events happen, in that order: those that were learned first, maybe later ones.
{said}        """
        # {place}
        head = self.heads[{key}]
        source, target = edge_label_index[0], {target}
        n_id, edge_index, e_id = self.last(torch.cat([source, target]).unique())
        x, last_update = head["memory"](n_id)
        # Attention over the last neighbours: how long ago it was, and what the event carried.
        elapsed = head["memory"].time_enc((last_update[edge_index[0]] - t[e_id]).to(x.dtype))
        z = head["conv"](x, edge_index, torch.cat([elapsed, {carried}], dim=-1))
        x_i, x_j = z[torch.searchsorted(n_id, source)], z[torch.searchsorted(n_id, target)]
        return head["lin_final"]((head["lin_src"](x_i) + head["lin_dst"](x_j)).relu()).squeeze(-1)

    @torch.no_grad()
    def learn(self, edge_index: Tensor, t: Tensor{more}) -> None:
        """Take in the events that happen next, which know nothing of each other."""
        source, target = edge_index[0], {learned}
{ones}        self.heads[{key}]["memory"].update_state(source, target, t, msg)
        self.last.insert(source, target)
        self.waits = self.training

    def forget(self) -> None:
        """Know of no event."""
        self.heads[{key}]["memory"].reset_state()
        self.last.reset_state()
        self.waits = False

    @torch.no_grad()
    def keep(self) -> None:
        """Write what training has left into the state dict: evaluation begins there."""
        self.eval()  # takes in what waits
        head = self.heads[{key}]
        head.kept_memory.copy_(head["memory"].memory)
        head.kept_update.copy_(head["memory"].last_update)
        head.kept_events.fill_(self.last.cur_e_id)

    @torch.no_grad()
    def recall(self, edge_index: Tensor) -> None:
        """Go back behind training; `edge_index` has all events in the order of time."""
        head = self.heads[{key}]
        head["memory"].reset_state()
        head["memory"].memory.copy_(head.kept_memory)
        head["memory"].last_update.copy_(head.kept_update)
        if self.last.cur_e_id != head.kept_events:
            self.last.reset_state()
            for source, target in edge_index[:, : int(head.kept_events)].split({size}, dim=1):
                self.last.insert(source, {inserted})

    def train(self, mode: bool = True) -> "{name}":
        """Into training or evaluation; there, PyG's memory takes in what waits, even nothing."""
        memory = self.heads[{key}]["memory"]
        memory.training = memory.training and (mode or self.waits)
        self.waits = self.waits and mode
        return super().train(mode)
'''


def write_events(head: LinkHead, context: Context, size: int) -> Block:
    """The class of a model that is a memory of events.

    Args:
        head: the prediction.
        context: of the program.
        size: how many events happen at once, where neighbours are recalled.
    """
    given = {item.name: item.default for item in SCORERS["tgn"].parameters if not item.required}
    known: dict[str, Any] = given | dict(head.module.arguments)
    context.imports.use("torch.nn.Module")
    context.imports.tensors = True
    context.named = class_name(context.plan.model, context.imports.names | {"MLPMessage"})
    block = Block()
    block.write(f"class {context.named}(Module):")
    block.write(f'"""Model `{safe(context.plan.model)}`: what is known of nodes changes with each event.', 4)
    block.write("")
    block.write("The network of PyG's `examples/tgn.py` (Rossi et al., Temporal Graph Networks, 2020).", 4)
    block.write('"""', 4)
    block.write("")
    block.write("def __init__(self) -> None:", 4)
    block.write("super().__init__()", 8)
    inner = Block(8)
    _write_modules(head, known, context, inner)
    block.extend(inner.lines)
    block.extend(_methods(head, known, context, size).rstrip("\n").split("\n"))
    return block


def _write_modules(head: LinkHead, known: dict[str, Any], context: Context, block: Block) -> None:
    memory, message, time = known["memory_dim"], known["msg_dim"], known["time_dim"]
    width, count = known["embedding_dim"], str(known["num_nodes"])
    use, linear = context.imports.use, context.imports.use("torch.nn.Linear")
    if known["message"] == "mlp":
        context.helpers.add("MLPMessage")
    made = "MLPMessage" if known["message"] == "mlp" else use(f"{_MODELS}.IdentityMessage")
    together = use(f"{_MODELS}.{'LastAggregator' if known['aggregator'] == 'last' else 'MeanAggregator'}")
    use("torch.nn.ModuleDict")
    block.write("self.heads = ModuleDict()")
    block.comment(f"{head.name}: {place(head.span)}")
    block.write(f"head = self.heads[{quote(head.key)}] = ModuleDict()")
    told = call(made, str(message), str(memory), str(time))
    store = call(
        use("torch_geometric.nn.TGNMemory"), count, str(message), str(memory), str(time), told, f"{together}()"
    )
    block.assign('head["memory"]', store)
    block.write('head["memory"]._assoc.zero_()  # PyG leaves it as it finds it')
    columns = {"heads": repr(known["heads"]), "dropout": repr(known["dropout"]), "edge_dim": str(message + time)}
    conv = use(f"torch_geometric.nn.{known['conv']}")
    block.assign('head["conv"]', call(conv, str(memory), str(width // known["heads"]), **columns))
    for name in ("lin_src", "lin_dst"):
        block.assign(f'head["{name}"]', call(linear, str(width), str(width)))
    block.assign('head["lin_final"]', call(linear, str(width), "1"))
    block.comment("What training has left.")
    block.write(f'head.register_buffer("kept_memory", torch.zeros({count}, {memory}))')
    block.write(f'head.register_buffer("kept_update", torch.zeros({count}, dtype=torch.long))')
    block.write('head.register_buffer("kept_events", torch.zeros((), dtype=torch.long))')
    block.assign("self.last", call(use(f"{_MODELS}.LastNeighborLoader"), count, str(known["num_neighbors"])))
    block.write("self.waits = False  # whether the memory has messages that it has not taken in")


def _methods(head: LinkHead, known: dict[str, Any], context: Context, size: int) -> str:
    assert head.events is not None
    offset = known["offset"]
    behind = f" + {offset}" if offset else ""  # targets are numbered behind the sources
    carries = bool(head.events.message)
    said = f"            msg: what events carry, [num_events, {known['msg_dim']}].\n" if carries else ""
    return _METHODS.format(
        more=", msg: Tensor" if carries else "",
        said=said,
        place=f"{head.name}: {place(head.span)}",
        key=quote(head.key),
        target=f"edge_label_index[1]{behind}",
        learned=f"edge_index[1]{behind}",
        inserted=f"target{behind}",
        carried="msg[e_id].to(x.dtype)" if carries else "x.new_ones(e_id.numel(), 1)",
        ones="" if carries else "        msg = torch.ones(t.numel(), 1, device=t.device)  # events carry nothing\n",
        size=size,
        name=context.named,
    )


__all__ = ["MLP_MESSAGE", "write_events"]
