"""A loop over edges of a relation: whether there is one, beside negatives, or what it carries."""

from graphdsl.model import Training
from graphdsl.plan import LinkHead
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import quote
from graphdsl.source.loop import Loop
from graphdsl.source.loop_around import whole_pairs, write_ranks
from graphdsl.source.loop_data import container, edge_type, write_inputs, write_load
from graphdsl.source.loop_nodes import PATH, write_class_weights, write_complete
from graphdsl.source.loop_pairs import draw_negatives, fixed_negatives, partner, sampled_pairs, write_others
from graphdsl.source.loop_tasks import conformed, loop_task
from graphdsl.source.reading import derivations

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
    """One step an epoch, on the graph without the edges of the other splits, or batches of sampled neighbourhoods."""
    functions = [write_load(context, False), *(write_complete(context) if context.sampled else ())]
    functions += [write_inputs(context), write_split(head, context, training)]
    if training.disjoint:
        functions.append(_APART.format(distinct=_distinct(head)).strip("\n"))
    if not head.keep_target:
        functions.append(_keep_edges(head, context))
    block = Block(4)
    block.write("data = load(path)")
    if context.sampled and derivations(context):
        block.write("complete(data)")
    _write_edges(head, training, context, block)
    if head.reads_graph and training.batch_size is not None:
        write_others(head, context, block)
        write_ranks(head, context, block)
        return whole_pairs(head, functions, block, training)
    if context.sampled:
        return sampled_pairs(head, functions, block, context, training)
    inner = _label_pairs() if head.attribute is not None else _link_pairs(head, context, training, block)
    seen = 'predict("train")' if head.attribute is not None else 'predict("train", draw("train", generator))'
    measured = 'predict("{split}")' if head.attribute is not None else 'predict("{split}", fixed["{split}"])'
    return Loop(tuple(functions), PATH, block, inner, "edges", "", seen, measured)


def _write_edges(head: LinkHead, training: Training, context: Context, block: Block) -> None:
    """What passes messages in each split, and which edges are predicted."""
    is_label = head.attribute is not None
    store = "data" if context.plan.sequence is not None else f"data[{', '.join(map(quote, head.edge))}]"
    block.write(f"store = {store}")
    block.write("edge_index, role = store.edge_index, split_edges(store)")
    if is_label:
        raw = f"store[{quote(head.attribute or '')}]"
        block.write(f"y = {conformed(head, raw, 'len(role)')}")
        block.write(f"labelled = {loop_task(head).labelled}")
    _write_parts(head, is_label, _write_apart(training, block), "graphs" if context.sampled else "inputs", block)
    if training.class_weights:
        write_class_weights(head, 'y[edges["train"]]', block)


def _distinct(head: LinkHead) -> str:
    """The number of each edge's pair; within one type an edge and its reverse are one."""
    within = head.edge[0] == head.edge[2]
    return f"edge_index{'.sort(dim=0).values' if within else ''}.unique(dim=1, return_inverse=True)"


def write_split(head: LinkHead, context: Context, training: Training) -> str:
    """The function `split_edges`."""
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


def _keep_edges(head: LinkHead, context: Context) -> str:
    kind, inverse = container(context), partner(head, context)
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


def _write_parts(head: LinkHead, is_label: bool, apart: bool, parts: str, block: Block) -> None:
    block.write(f"{parts}, edges = {{}}, {{}}")
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
    inner.write(f"{parts}[name], edges[name] = {kept if parts == 'graphs' else f'inputs_of({kept})'}, chosen", 4)
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
    write_others(head, context, block)
    if head.reads_graph:
        write_ranks(head, context, block)
    return (
        "",
        *draw_negatives(head),
        "def predict(split: str, drawn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:",
        "    pairs, y = drawn",
        "    out = model(**inputs[split], edge_label_index=pairs.flatten(1))",
        "    return out.view(y.shape), y",
        "",
        *fixed_negatives(head, training),
    )


__all__ = ["links", "write_split"]
