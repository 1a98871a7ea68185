"""A loop over labels of whole graphs, in mini-batches of PyG's `DataLoader`."""

from graphdsl.model import Training
from graphdsl.model.seeds import mix
from graphdsl.plan import GraphHead
from graphdsl.source.attributes import absent_places, attribute_inputs
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import Expression, call, each, quote
from graphdsl.source.loop import Loop
from graphdsl.source.loop_data import container, write_inputs, write_load
from graphdsl.source.loop_nodes import COLLECT, write_class_weights
from graphdsl.source.loop_tasks import conformed, loop_task
from graphdsl.source.reading import ids, optional_relations


def graphs(head: GraphHead, context: Context, training: Training) -> Loop:
    """Steps on batches of graphs."""
    loader = context.imports.use("torch_geometric.loader.DataLoader")
    alike = _write_alike(context)
    block = Block(4)
    block.write("parts = split([alike(graph) for graph in load(path)])" if alike else "parts = split(load(path))")
    if training.class_weights:
        block.write('y = torch.cat([labels_of(graph, 1) for graph in parts["train"]])')
        write_class_weights(head, "y", block)
    options: dict[str, Expression] = {
        "batch_size": str(training.batch_size) if training.batch_size else "len(graphs)",
    }
    if training.batch_size:
        options["shuffle"] = 'name == "train"'
    if training.workers:
        options["num_workers"] = str(training.workers)
    block.assign("loaders", each("name", call(loader, "graphs", **options), "name, graphs", "parts.items()"))
    functions = (
        write_load(context, True), *alike, write_inputs(context), _labels(head, context), _split(head, context, training),
        _predict(context), COLLECT.format(loader=loader).strip("\n"),
    )  # fmt: skip
    path = "a file with a list of graphs that `torch.save` wrote."
    return Loop(
        functions,
        path,
        block,
        (),
        "parts",
        'loaders["train"]',
        "predict(model, batch)",
        'collect(model, loaders["{split}"])',
    )


def _labels(head: GraphHead, context: Context) -> str:
    block = Block()
    block.write(f"def labels_of(data: {container(context)}, graphs: int) -> Tensor:")
    block.write('"""Labels of a graph or a batch, a row for each graph."""', 4)
    raw = f"torch.as_tensor(data[{quote(head.attribute)}])"
    block.write(f"return {conformed(head, raw, 'graphs')}", 4)
    return block.text().rstrip("\n")


def _predict(context: Context) -> str:
    block = Block()
    block.write(f"def predict(model: Module, batch: {container(context)}) -> tuple[Tensor, Tensor]:")
    block.write('"""Outputs and labels of the graphs of a batch."""', 4)
    block.write("return model(**inputs_of(batch)), labels_of(batch, batch.num_graphs)", 4)
    return block.text().rstrip("\n")


def _split(head: GraphHead, context: Context, training: Training) -> str:
    """Masks of graphs, or shares of them at random, drawn as `gnn train` draws them."""
    kind = container(context)
    shares = [*training.split, 0.0][:3]
    ends = [
        "len(graphs)" if abs(sum(shares[:n]) - 1) < 1e-9 else f"round({sum(shares[:n])!r} * len(graphs))"
        for n in (1, 2)
    ]
    block = Block()
    block.write(f"def split(graphs: list[{kind}]) -> dict[str, list[{kind}]]:")
    block.write('"""Labelled graphs that train, validate and test: by masks that all carry, or at random."""', 4)
    inner = Block(4)
    inner.write('names = ("train", "val", "test")')
    inner.write('masked = [name for name in names if all(f"{name}_mask" in graph for graph in graphs)]')
    labelled = loop_task(head).labelled.replace("y", "labels_of(graph, 1)", 1)
    inner.write(f"graphs = [graph for graph in graphs if bool(({labelled}).all())]")
    inner.write("if masked:")
    inner.write('return {name: [it for it in graphs if bool(it[f"{name}_mask"])] for name in masked}', 4)
    inner.write(f"generator = torch.Generator().manual_seed({mix(training.seed, 0x5B117)})")
    inner.write("order = torch.randperm(len(graphs), generator=generator).tolist()")
    inner.write(f"first, last = {', '.join(ends)}")
    inner.write("chosen = zip(names, (order[:first], order[first:last], order[last:]))")
    inner.write("return {name: [graphs[place] for place in sorted(part)] for name, part in chosen if part}")
    block.extend(inner.lines)
    return block.text().rstrip("\n")


def _write_alike(context: Context) -> tuple[str, ...]:
    """The function `alike`, where graphs may lack a type or relation, or types are read by their numbers."""
    plan = context.plan
    if plan.sequence is not None:
        return ()
    inner = Block(4)
    for name in sorted(plan.optional_types):
        width = plan.inputs.get(name)
        inner.write(f"if {quote(name)} not in graph.node_types:")
        empty = f"x = torch.zeros(0, {width})" if isinstance(width, int) else "num_nodes = 0"
        inner.write(f"graph[{quote(name)}].{empty}", 4)
    for edge in optional_relations(context):
        key = ", ".join(map(quote, edge))
        inner.write(f"if ({key}) not in graph.edge_types:")
        inner.write(f"graph[{key}].edge_index = torch.zeros(2, 0, dtype=torch.long)", 4)
        for attribute in attribute_inputs(context):
            empty = absent_places(attribute, context).get(context.edge(edge), "").partition("new_zeros")[2]
            if empty:
                inner.write(f"graph[{key}][{quote(attribute)}] = torch.zeros{empty}", 4)
    for name in ids(context):
        inner.write(f"graph[{quote(name)}].n_id = torch.arange(graph[{quote(name)}].num_nodes)")
    if not inner.lines:
        return ()
    block = Block()
    block.write(f"def alike(graph: {container(context)}) -> {container(context)}:")
    block.write('"""The graph with all types: a mini-batch has those of its first graph alone."""', 4)
    block.extend(inner.lines)
    block.write("return graph", 4)
    return (block.text().rstrip("\n"),)


__all__ = ["graphs"]
