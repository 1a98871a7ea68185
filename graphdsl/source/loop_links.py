"""A loop over edges of a relation: whether there is one, beside negatives, or what it carries; on the whole graph."""

from graphdsl.model import Training
from graphdsl.model.seeds import mix
from graphdsl.plan import LinkHead
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import quote
from graphdsl.source.loop import Loop
from graphdsl.source.loop_data import container, edge_type, write_inputs, write_load
from graphdsl.source.loop_nodes import write_class_weights
from graphdsl.source.loop_tasks import conformed, loop_task
from graphdsl.text import EdgeKey

FIXED = 0x11AC
"""Seeds the negatives of evaluation, as in `gnn train` and `gnn evaluate`."""

_APART = '''
def set_apart(edge_index: Tensor, share: float) -> Tensor:
    """A share of the pairs that edges join, which passes no messages, [num_edges]."""
    _, pair = {distinct}
    count = int(pair.max()) + 1
    order = torch.randperm(count, generator=torch.Generator().manual_seed(1))
    chosen = torch.zeros(count, dtype=torch.bool)
    chosen[order[: max(1, round(count * share))]] = True
    return chosen[pair]
'''


def links(head: LinkHead, context: Context, training: Training) -> Loop:
    """One step an epoch, on the graph without the edges of the other splits."""
    is_label = head.attribute is not None
    functions = [write_load(context, False), write_inputs(context), _split_edges(head, context, training)]
    if training.disjoint:
        functions.append(_APART.format(distinct=_distinct(head)).strip("\n"))
    if not head.keep_target:
        functions.append(_keep_edges(head, context))
    block = Block(4)
    block.write("data = load(path)")
    store = "data" if context.plan.sequence is not None else f"data[{', '.join(map(quote, head.edge))}]"
    block.write(f"store = {store}")
    block.write("edge_index, role = store.edge_index, split_edges(store)")
    if is_label:
        raw = f"store[{quote(head.attribute or '')}]"
        block.write(f"y = {conformed(head, raw, 'len(role)')}")
        block.write(f"labelled = {loop_task(head).labelled}")
    apart = _write_apart(training, block)
    _write_parts(head, is_label, apart, block)
    if training.class_weights:
        write_class_weights(head, 'y[edges["train"]]', block)
    inner = _label_pairs() if is_label else _link_pairs(head, context, training, block)
    path = "a file with one graph that `torch.save` wrote."
    seen = 'predict("train")' if is_label else 'predict("train", draw("train", generator))'
    measured = 'predict("{split}")' if is_label else 'predict("{split}", fixed["{split}"])'
    return Loop(tuple(functions), path, block, inner, "edges", False, seen, measured)


def _distinct(head: LinkHead) -> str:
    """The number of each edge's pair; within one type an edge and its reverse are one."""
    within = head.edge[0] == head.edge[2]
    return f"edge_index{'.sort(dim=0).values' if within else ''}.unique(dim=1, return_inverse=True)"


def _split_edges(head: LinkHead, context: Context, training: Training) -> str:
    shares = [*training.split, 0.0][:3]
    test = f"max(val, round({shares[0] + shares[1]!r} * count))" if len(training.split) > 2 else "count"
    block = Block()
    store = (
        container(context)
        if context.plan.sequence is not None
        else context.imports.use("torch_geometric.data.storage.EdgeStorage")
    )
    block.write(f"def split_edges(store: {store}) -> Tensor:")
    block.write('"""What each edge is for: 0 training, 1 validation, 2 test, 3 messages alone; [num_edges]."""', 4)
    inner = Block(4)
    inner.write("edge_index = store.edge_index")
    inner.write('if "train_mask" in store:')
    inner.write("role = torch.full((edge_index.size(1),), 3)", 4)
    inner.write('for number, name in ((2, "test_mask"), (1, "val_mask"), (0, "train_mask")):', 4)
    inner.write("if name in store:", 8)
    inner.write("role[store[name]] = number", 12)
    inner.write("return role", 4)
    said = "an edge and its reverse" if head.edge[0] == head.edge[2] else "parallel edges"
    inner.write(f"# {said[0].upper()}{said[1:]} go together.")
    inner.write(f"_, pair = {_distinct(head)}")
    inner.write("count = int(pair.max()) + 1")
    inner.write("order = torch.randperm(count, generator=torch.Generator().manual_seed(0))")
    inner.write(f"val = max(1, round({shares[0]!r} * count))")
    inner.write(f"test = {test}")
    inner.write("role = torch.zeros(count, dtype=torch.long)")
    inner.write("role[order[val:test]], role[order[test:]] = 1, 2")
    inner.write("return role[pair]")
    block.extend(inner.lines)
    return block.text().rstrip("\n")


def _partner(head: LinkHead, context: Context) -> EdgeKey | None:
    """The declared inverse of the predicted relation, as far as the model knows one."""
    for item in context.plan.derived:
        if item.inverse_of is not None and head.edge in (item.edge, item.inverse_of):
            return item.inverse_of if item.edge == head.edge else item.edge
    return None


def _keep_edges(head: LinkHead, context: Context) -> str:
    kind, inverse = container(context), _partner(head, context)
    block = Block()
    block.write(f"def keep_edges(data: {kind}, keep: Tensor) -> {kind}:")
    if context.plan.sequence is not None:
        block.write('"""The graph with some of its edges alone."""', 4)
        block.write("return data.edge_subgraph(keep)", 4)
        return block.text().rstrip("\n")
    block.write('"""The graph with some edges of the predicted relation alone, and those of its inverse."""', 4)
    block.statement(edge_type(head.edge), "predicted = ", deeper=4)
    block.write("kept = {predicted: keep}", 4)
    if inverse is not None:
        block.statement(edge_type(inverse), "inverse = ", deeper=4)
        block.write("if inverse in data.edge_types:", 4)
        block.write(f"width = data[{quote(head.edge[2])}].num_nodes", 8)
        block.write("hidden, back = data[predicted].edge_index[:, ~keep], data[inverse].edge_index", 8)
        number = "torch.isin(back[1] * width + back[0], hidden[0] * width + hidden[1])"
        block.write(f"kept[inverse] = ~{number}", 8)
    block.write("return data.edge_subgraph(kept)", 4)
    return block.text().rstrip("\n")


def _write_apart(training: Training, block: Block) -> bool:
    if not training.disjoint:
        return False
    block.write("apart = torch.zeros_like(role, dtype=torch.bool)  # training edges that pass no messages")
    block.write(f"apart[role == 0] = set_apart(edge_index[:, role == 0], {training.disjoint!r})")
    return True


def _write_parts(head: LinkHead, is_label: bool, apart: bool, block: Block) -> None:
    """What passes messages in each split, and which edges are predicted."""
    block.write("inputs, edges = {}, {}")
    block.write('for number, name in enumerate(("train", "val", "test")):')
    inner = Block(8)
    inner.write("chosen = (role == number) & labelled" if is_label else "chosen = role == number")
    if not head.keep_target:
        inner.write("passing = (role <= (1 if number == 2 else 0)) | (role == 3)")
    if apart:
        inner.write("if number == 0:")
        inner.write("chosen &= apart" if head.keep_target else "chosen, passing = chosen & apart, passing & ~apart", 4)
    inner.write("if chosen.any():")
    kept = "data" if head.keep_target else "keep_edges(data, passing)"
    inner.write(f"inputs[name], edges[name] = inputs_of({kept}), chosen", 4)
    block.extend(inner.lines)


def _label_pairs() -> tuple[str, ...]:
    return (
        "",
        "def predict(split: str) -> tuple[Tensor, Tensor]:",
        "    pairs = edge_index[:, edges[split]]",
        "    return model(**inputs[split], edge_label_index=pairs), y[edges[split]]",
        "",
    )


def _link_pairs(head: LinkHead, context: Context, training: Training, block: Block) -> tuple[str, ...]:
    """Edges with their negatives: drawn anew in each step of training, the same in every evaluation."""
    context.helpers.add("NonNeighbors")
    source, _, target = head.edge
    if context.plan.sequence is not None or source == target:
        owner = "data" if context.plan.sequence is not None else f"data[{quote(source)}]"
        block.write(f"size = {owner}.num_nodes")
        block.write("loops = torch.arange(size).expand(2, -1)  # no node is predicted to meet itself")
        block.write("others = NonNeighbors(torch.cat([edge_index, loops], dim=1), size, size)")
    else:
        sizes = [f"data[{quote(name)}].num_nodes" for name in (source, target)]
        block.write(f"sizes = {sizes[0]}, {sizes[1]}")
        block.write("others = NonNeighbors(edge_index, *sizes)")
    seed = mix(FIXED, head.negatives)
    return (
        "",
        "def draw(split: str, generator: torch.Generator) -> tuple[Tensor, Tensor]:",
        f"    return others.draw(edge_index[:, edges[split]], {head.negatives}, generator)",
        "",
        "def predict(split: str, drawn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:",
        "    pairs, y = drawn",
        "    out = model(**inputs[split], edge_label_index=pairs.flatten(1))",
        "    return out.view(y.shape), y",
        "",
        f"generator = torch.Generator().manual_seed({mix(training.seed, 2)})",
        "# The negatives of evaluation are the same in every epoch and run.",
        "fixed = {",
        f"    name: draw(name, torch.Generator().manual_seed({seed}))",
        '    for name in ("val", "test")',
        "    if name in edges",
        "}",
    )


__all__ = ["links"]
