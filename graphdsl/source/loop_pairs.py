"""Pairs of nodes that a written loop scores: negatives beside edges, and batches of them by PyG's `LinkNeighborLoader`."""

from graphdsl.model import Training
from graphdsl.model.seeds import mix
from graphdsl.plan import LinkHead
from graphdsl.source.attributes import attribute_inputs
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import call, flat, listing, quote
from graphdsl.source.loop import Loop
from graphdsl.source.loop_data import container, edge_type
from graphdsl.source.loop_nodes import COLLECT, PATH, SAMPLER, write_fanout
from graphdsl.source.reading import bound_attributes
from graphdsl.text import EdgeKey

FIXED = 0x11AC
"""Seeds the negatives of evaluation, as in `gnn train` and `gnn evaluate`."""


def partner(head: LinkHead, context: Context) -> EdgeKey | None:
    """The declared inverse of the predicted relation, as far as the model knows one."""
    for item in context.plan.derived:
        if item.inverse_of is not None and head.edge in (item.edge, item.inverse_of):
            return item.inverse_of if item.edge == head.edge else item.edge
    return None


def write_others(head: LinkHead, context: Context, block: Block) -> None:
    """`others`, which draws targets that a source has no edge to."""
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


def draw_negatives(head: LinkHead) -> tuple[str, ...]:
    """The function `draw` inside of `main`."""
    return (
        "def draw(split: str, generator: torch.Generator) -> tuple[Tensor, Tensor]:",
        f"    return others.draw(edge_index[:, edges[split]], {head.negatives}, generator)",
        "",
    )


def fixed_negatives(head: LinkHead, training: Training) -> tuple[str, ...]:
    """The generator of training, and the pairs of evaluation."""
    return (
        f"generator = torch.Generator().manual_seed({mix(training.seed, 2)})",
        "# The negatives of evaluation are the same in every epoch and run.",
        "fixed = {",
        f"    name: draw(name, torch.Generator().manual_seed({mix(FIXED, head.negatives)}))",
        '    for name in ("val", "test")',
        "    if name in edges",
        "}",
    )


def sampled_pairs(head: LinkHead, functions: list[str], block: Block, context: Context, training: Training) -> Loop:
    """Batches of edges, each beside its negatives, with sampled neighbourhoods of both ends."""
    loader = context.imports.use("torch_geometric.loader.LinkNeighborLoader")
    context.imports.use("torch_geometric.sampler.BaseSampler")
    context.imports.use("torch_geometric.typing.WITH_PYG_LIB")
    context.imports.use("torch_geometric.typing.WITH_TORCH_SPARSE")
    write_fanout(context, training)
    functions = [*functions, SAMPLER.strip("\n")]
    if not head.keep_target:
        functions.append(_hide(head, context))
    functions += [_predict(head, context), COLLECT.format(loader=loader).strip("\n")]
    block.write("fanout = {key: FANOUT.get(key, [0] * HOPS) for key in data.edge_types}")
    block.write("samplers = {name: neighbor_sampler(graph, fanout) for name, graph in graphs.items()}")
    inner = ["", *_loader(head, loader, training)]
    if head.attribute is None:
        write_others(head, context, block)
        inner = ["", *draw_negatives(head), *_loader(head, loader, training), *fixed_negatives(head, training)]
    outputs, measured = "predict(model, batch)", 'collect(model, loader("{split}"))'
    return Loop(tuple(functions), PATH, block, tuple(inner), "edges", 'loader("train")', outputs, measured)


def _loader(head: LinkHead, loader: str, training: Training) -> list[str]:
    """The function `loader` inside of `main`."""
    block = Block(4)
    block.write(f"def loader(split: str) -> {loader}:")
    inner = Block(8)
    if head.attribute is not None:
        inner.write('"""Batches of the edges of a split."""')
        inner.write("pairs, wanted = edge_index[:, edges[split]], y[edges[split]]")
        inner.write("rows = torch.arange(len(wanted))")
        pairs, labels = "pairs", "wanted"
    else:
        inner.write('"""Batches of edges, each beside its negatives; those of training are drawn anew."""')
        inner.write("pairs, wanted = fixed[split] if split in fixed else draw(split, generator)")
        inner.write("rows = torch.arange(wanted.numel()).view(wanted.shape)")
        pairs, labels = "pairs.flatten(1)", "wanted.flatten()"
    inner.write('rows = rows[torch.randperm(len(rows))] if split == "train" else rows')
    options = {
        "edge_label_index": f"({flat(edge_type(head.edge))}, {pairs})", "edge_label": labels,
        "batch_sampler": f"[part.flatten().tolist() for part in rows.split({training.batch_size})]",
        "neighbor_sampler": "samplers[split]",
    }  # fmt: skip
    if not head.keep_target:
        options["transform"] = "hide"
    if training.workers:
        options["num_workers"] = str(training.workers)
    inner.give(call(loader, "graphs[split]", "fanout", **options))
    return [line[4:] for line in [*block.lines, *inner.lines]] + [""]


def _predict(head: LinkHead, context: Context) -> str:
    block = Block()
    block.write(f"def predict(model: Module, batch: {container(context)}) -> tuple[Tensor, Tensor]:")
    what = "labels of the edges" if head.attribute is not None else "labels of the edges and their negatives"
    block.write(f'"""Outputs and {what} of a batch."""', 4)
    block.write(f"store = batch[{', '.join(map(quote, head.edge))}]", 4)
    block.write("out = model(**inputs_of(batch), edge_label_index=store.edge_label_index)", 4)
    if head.attribute is not None:
        block.write("return out, store.edge_label", 4)
    else:
        shape = f"(-1, {1 + head.negatives})"
        block.write(f"return out.view{shape}, store.edge_label.view{shape}", 4)
    return block.text().rstrip("\n")


def _hide(head: LinkHead, context: Context) -> str:
    """The function `hide`."""
    kind, inverse = container(context), partner(head, context)
    source, _, target = head.edge
    block = Block()
    block.write(f"def hide(batch: {kind}) -> {kind}:")
    block.write('"""Take the edges that a batch asks for out of its messages, and their inverses."""', 4)
    inner = Block(4)
    inner.write(f"source, target = batch[{quote(source)}].n_id, batch[{quote(target)}].n_id")
    inner.write("width = int(target.max()) + 1")
    inner.write("")
    inner.write("def numbers(index: Tensor) -> Tensor:")
    if source == target:  # An edge and its reverse are one.
        inner.write("ends = torch.stack([source[index[0]], target[index[1]]]).sort(dim=0).values", 4)
        inner.write("return ends[0] * width + ends[1]", 4)
    else:
        inner.write("return source[index[0]] * width + target[index[1]]", 4)
    inner.write("")
    inner.statement(edge_type(head.edge), "predicted = ")
    inner.write("asked = numbers(batch[predicted].edge_label_index)")
    _write_kept(head.edge, "predicted", "", context, inner)
    if inverse is not None:
        inner.statement(edge_type(inverse), "inverse = ")
        inner.write("if inverse in batch.edge_types:")
        within = Block(8)
        _write_kept(inverse, "inverse", ".flip(0)", context, within)
        inner.extend(within.lines)
    inner.write("return batch")
    block.extend(inner.lines)
    return block.text().rstrip("\n")


def _write_kept(edge: EdgeKey, variable: str, turned: str, context: Context, block: Block) -> None:
    """Keep what no pair asks for, with the attributes that layers read."""
    read = [name for name in attribute_inputs(context) if name in bound_attributes(edge, context)]
    block.write(f"store = batch[{variable}]")
    block.write(f"keep = ~torch.isin(numbers(store.edge_index{turned}), asked)")
    block.write("store.edge_index = store.edge_index[:, keep]")
    if read:
        block.statement(listing(map(quote, read)), "for name in ", ":")
        block.write("store[name] = store[name][keep]", 4)


__all__ = ["draw_negatives", "fixed_negatives", "partner", "sampled_pairs", "write_others"]
