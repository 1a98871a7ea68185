"""Loops over labels of nodes: the whole graph in each step, or sampled neighbourhoods by PyG's `NeighborLoader`."""

from graphdsl.model import TRAIN_MASK, Training
from graphdsl.plan import Head, receptive_hops, shown_labels
from graphdsl.source.attributes import argument
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import Expression, call, each, flat, literal, mapping, quote
from graphdsl.source.loop import Loop
from graphdsl.source.loop_data import container, edge_type, write_inputs, write_load
from graphdsl.source.loop_tasks import conformed, loop_task
from graphdsl.source.reading import bound_attributes, derivations, made_tables

PATH = "a file with one graph that `torch.save` wrote."
"""What the program says of its first argument."""
_SPLITS = '("train", "val", "test")'

SAMPLER = '''
def neighbor_sampler(data: HeteroData, fanout: dict) -> BaseSampler | None:
    """What samples: None for PyG's own sampler, which needs pyg-lib or torch-sparse."""
    if WITH_PYG_LIB or WITH_TORCH_SPARSE:
        return None
    try:
        from graphdsl.data.sampling import HeteroNeighborSampler  # needs neither
    except ImportError:
        raise SystemExit("sampling needs pyg-lib, torch-sparse or graphdsl") from None
    return HeteroNeighborSampler(data, fanout)
'''

COLLECT = '''
def collect(model: Module, loader: {loader}) -> tuple[Tensor, Tensor]:
    """Outputs and labels of all batches of a loader."""
    found = [predict(model, batch) for batch in loader]
    return torch.cat([out for out, _ in found]), torch.cat([y for _, y in found])
'''


def whole_graph(head: Head, context: Context, training: Training) -> Loop:
    """One step an epoch, on the whole graph."""
    block = Block(4)
    block.write("data = load(path)")
    _write_rows(head, context, block)
    if training.class_weights:
        write_class_weights(head, 'y[rows["train"]]', block)
    block.write("inputs = inputs_of(data)")
    inner = (
        "",
        "def predict(split: str) -> tuple[Tensor, Tensor]:",
        "    return model(**inputs)[rows[split]], y[rows[split]]",
        "",
    )
    functions = (write_load(context, False), write_inputs(context))
    shown = _write_shown(head, context)
    outputs = "learn()" if shown else 'predict("train")'
    return Loop(functions, PATH, block, (*inner, *shown), "rows", "", outputs, 'predict("{split}")')


def _write_shown(head: Head, context: Context) -> tuple[str, ...]:
    """The function `learn` of a model that reads labels: a training node is either shown with its label or learned."""
    labels = shown_labels(context.plan)
    if not labels:
        return ()
    block = Block()
    block.write("def learn() -> tuple[Tensor, Tensor]:")
    block.write("# A training node is either shown with its label or learned.", 4)
    block.write(f"masks = dict(inputs[{quote(f'{TRAIN_MASK}_dict')}])", 4)
    for name, ratio in {name: ratio for (name, _), ratio in labels.items()}.items():
        mask = f"masks[{quote(name)}]"
        block.write(f"{mask} = {mask} & (torch.rand(len({mask})) < {ratio!r})", 4)
    own = (head.type, head.attribute) in labels
    block.write(f'learned = rows["train"]{f" & ~masks[{quote(head.type)}]" if own else ""}', 4)
    block.write(f"out = model(**{{**inputs, {quote(f'{TRAIN_MASK}_dict')}: masks}})", 4)
    block.write("return out[learned], y[learned]", 4)
    return (*block.lines, "")


def _write_rows(head: Head, context: Context, block: Block) -> None:
    """Labels, and the rows of each split."""
    block.write("store = data" if context.plan.sequence is not None else f"store = data[{quote(head.type)}]")
    raw = f"store[{quote(head.attribute)}]"
    block.write(f"y = {conformed(head, raw, f'len({raw})')}")
    block.write(f"labelled = {loop_task(head).labelled}")
    block.write("rows = {")
    block.write('name: store[f"{name}_mask"] & labelled', 4)
    block.write(f"for name in {_SPLITS}", 4)
    block.write('if f"{name}_mask" in store', 4)
    block.write("}")


def write_class_weights(head: Head | object, labels: str, block: Block) -> None:
    """Weights of classes, inverse to how often training rows have them."""
    size = getattr(head, "size", 0)
    block.write(f"count = {labels}.bincount(minlength={size}).float()")
    block.write(f"weight = torch.where(count > 0, count.sum() / ({size} * count.clamp(min=1)), 0.0)")


def sampled(head: Head, context: Context, training: Training) -> Loop:
    """Steps on neighbourhoods of some nodes."""
    loader = context.imports.use("torch_geometric.loader.NeighborLoader")
    write_fanout(context, training)
    block = Block(4)
    block.write("data = load(path)")
    if derivations(context):
        block.write("complete(data)")
    _write_rows(head, context, block)
    if training.class_weights:
        write_class_weights(head, 'y[rows["train"]]', block)
    write_sampler(context, block)
    options: dict[str, Expression] = {
        "batch_size": str(training.batch_size), "input_nodes": f"({quote(head.type)}, mask)",
        "shuffle": 'name == "train"', "neighbor_sampler": "sampler",
    }  # fmt: skip
    if training.workers:
        options["num_workers"] = str(training.workers)
    block.assign("loaders", each("name", call(loader, "data", "fanout", **options), "name, mask", "rows.items()"))
    functions = (
        write_load(context, False), *write_complete(context), write_inputs(context), SAMPLER.strip("\n"),
        _predict(head, context), COLLECT.format(loader=loader).strip("\n"),
    )  # fmt: skip
    return Loop(
        functions,
        PATH,
        block,
        (),
        "rows",
        'loaders["train"]',
        "predict(model, batch)",
        'collect(model, loaders["{split}"])',
    )


def _predict(head: Head, context: Context) -> str:
    block = Block()
    block.write(f"def predict(model: Module, batch: {container(context)}) -> tuple[Tensor, Tensor]:")
    block.write('"""Outputs and labels of the nodes that a batch was sampled around."""', 4)
    block.write(f"store = batch[{quote(head.type)}]", 4)
    block.write(f"y = {conformed(head, f'store[{quote(head.attribute)}]', 'store.num_nodes')}", 4)
    block.write("out = model(**inputs_of(batch))", 4)
    block.write("return out[: store.batch_size], y[: store.batch_size]", 4)
    return block.text().rstrip("\n")


def write_fanout(context: Context, training: Training) -> None:
    """The constant `FANOUT`: neighbours per hop of the relations that matter at some hop."""
    hops = receptive_hops(context.plan)
    numbers = [*training.fanout, *[training.fanout[-1]] * len(hops)][: len(hops)]
    followed = sorted({edge for hop in hops for edge in hop})
    rows = {
        edge: [number if edge in hop else 0 for hop, number in zip(hops, numbers, strict=True)] for edge in followed
    }
    context.constants["FANOUT"] = mapping({flat(edge_type(edge)): literal(row) for edge, row in rows.items()})
    context.constants["HOPS"] = str(len(hops))


def write_sampler(context: Context, block: Block) -> None:
    """`fanout`, for each relation of the data, and `sampler`."""
    context.imports.use("torch_geometric.sampler.BaseSampler")
    context.imports.use("torch_geometric.typing.WITH_PYG_LIB")
    context.imports.use("torch_geometric.typing.WITH_TORCH_SPARSE")
    block.write("fanout = {key: FANOUT.get(key, [0] * HOPS) for key in data.edge_types}")
    block.write("sampler = neighbor_sampler(data, fanout)")


def write_complete(context: Context) -> tuple[str, ...]:
    """The function `complete`: relations that are made are there before neighbourhoods are sampled."""
    made = derivations(context)
    if not made:
        return ()
    tables = {
        argument(name): name for item in made for name in bound_attributes(item.edge, context)
        if argument(name) in made_tables(context)
    }  # fmt: skip
    block = Block()
    block.write("def complete(data: HeteroData) -> None:")
    block.write('"""Add the relations that the graph lacks, and their attributes, before it is sampled."""', 4)
    odd_edges, odd_types = bool(context.odd_edges), bool(context.odd_types)
    key = "EDGE_KEYS.get(key, key)" if odd_edges else "key"
    inner = Block(4)
    inner.assign("edges", _copied(key, "data.edge_index_dict"))
    arguments = ["edges"]
    if any(item.metapath for item in made):
        name = "TYPE_KEYS.get(name, name)" if odd_types else "name"
        inner.assign("num_nodes", each(name, "store.num_nodes", "name, store", "data.node_items()"))
        arguments.append("num_nodes")
    for variable, attribute in sorted(tables.items()):
        inner.assign(variable, _copied(key, f"data.collect({quote(attribute)}, True)"))
        arguments.append(variable)
    inner.statement(call("add_relations", *arguments))
    back = "names.get(key, key)" if odd_edges else "key"
    if odd_edges:
        inner.write("names = {known: key for key, known in EDGE_KEYS.items()}")
    inner.write("for key, value in edges.items():")
    inner.write(f"data[{back}].edge_index = value", 4)
    for variable, attribute in sorted(tables.items()):
        inner.write(f"for key, value in {variable}.items():")
        inner.write(f"data[{back}][{quote(attribute)}] = value", 4)
    block.extend(inner.lines)
    return (block.text().rstrip("\n"),)


def _copied(key: str, table: str) -> Expression:
    return f"dict({table})" if key == "key" else each(key, "value", "key, value", f"{table}.items()")


__all__ = ["COLLECT", "SAMPLER", "sampled", "whole_graph", "write_class_weights", "write_complete", "write_fanout",
           "write_sampler"]  # fmt: skip
