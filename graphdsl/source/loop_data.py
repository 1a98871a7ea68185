"""What a written loop reads: files that `torch.save` wrote, and the arguments of the model."""

from graphdsl.plan import Plan
from graphdsl.source.attributes import argument, attribute_inputs
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import Group, call, flat, listing, pair, quote
from graphdsl.source.reading import ids
from graphdsl.text import EdgeKey


def container(context: Context) -> str:
    """PyG's class of a graph: blocks read homogeneous ones."""
    name = "Data" if context.plan.sequence is not None else "HeteroData"
    return context.imports.use(f"torch_geometric.data.{name}")


def edge_type(edge: EdgeKey) -> Group:
    """An edge type as the data has it."""
    return pair(map(quote, edge))


def write_load(context: Context, several: bool) -> str:
    """The functions `load` and, for a homogeneous graph of a schema with one type of each, `typed`."""
    kind, single = container(context), _single(context.plan)
    block = Block()
    if single is not None:
        _write_typed(single, kind, context, block)
    block.write(f"def load(path: str) -> {f'list[{kind}]' if several else kind}:")
    what = "Graphs that `torch.save` wrote, as they are or as their" if several else ""
    block.write(f'"""{what or "A graph that `torch.save` wrote, as it is or as its"} `to_dict()`."""', 4)
    block.write("data = torch.load(path, weights_only=False)  # only files that you trust", 4)
    call_of = "typed" if single is not None else f"{kind}.from_dict"
    item = "item" if several else "data"
    made = f"typed({item})" if single is not None else f"{call_of}({item}) if isinstance({item}, dict) else {item}"
    block.write(f"return [{made} for item in data]" if several else f"return {made}", 4)
    return block.text().rstrip("\n")


def _single(plan: Plan) -> tuple[str, EdgeKey] | None:
    """The only node type and the only relation of a model of maps, inverses aside; None if there are others."""
    made = {item.edge for item in plan.derived}
    edges = {edge for edge in plan.relations if edge not in made}
    edges |= {item.inverse_of for item in plan.derived if item.inverse_of is not None and item.edge in plan.relations}
    edges |= {hop.edge for hop in plan.walks.path} if plan.walks is not None else set()
    if plan.sequence is not None or len(plan.inputs) != 1 or len(edges) != 1:
        return None
    return next(iter(plan.inputs)), edges.pop()


def _write_typed(single: tuple[str, EdgeKey], kind: str, context: Context, block: Block) -> None:
    node, edge = single
    homogeneous = context.imports.use("torch_geometric.data.Data")
    block.write(f"def typed(data: {homogeneous} | {kind} | dict) -> {kind}:")
    block.write('"""A graph with the names of its types; there is one of nodes and one of edges."""', 4)
    block.write("if isinstance(data, dict):", 4)
    block.write(f'data = ({homogeneous} if "edge_index" in data else {kind}).from_dict(data)', 8)
    block.write(f"if isinstance(data, {kind}):", 4)
    block.write("return data", 8)
    named = call(
        "data.to_heterogeneous", node_type_names=listing([quote(node)]), edge_type_names=listing([edge_type(edge)])
    )
    block.statement(named, "return ", deeper=4)
    block.write("")
    block.write("")


def write_inputs(context: Context) -> str:
    """The function `inputs_of`: what the model takes of a graph, pairs to score aside."""
    block = Block()
    block.write(f"def inputs_of(data: {container(context)}) -> dict:")
    block.write('"""Arguments of the model."""', 4)
    block.write("return {", 4)
    for name, value in _arguments(context).items():
        block.statement(value, f"{quote(name)}: ", ",", deeper=8)
    block.write("}", 4)
    return block.text().rstrip("\n")


def _arguments(context: Context) -> dict[str, str]:
    block = context.plan.sequence
    whole = bool(context.plan.graph_heads)
    if block is not None:
        items = [item for item in block.inputs if whole or item.source not in ("batch", "batch_size")]
        return {context.variables[item.name]: _of_block(item.name, item.source, whole) for item in items}
    found = {"x_dict": 'data.collect("x", True)', "edge_index_dict": "data.edge_index_dict"}
    for name in attribute_inputs(context):
        found[argument(name)] = flat(call("data.collect", quote(name), "True"))
    if ids(context) and (context.plan.graph_heads or context.sampled):
        found["n_id_dict"] = 'data.collect("n_id", True)'
    if context.plan.graph_heads:
        found |= {"batch_dict": 'data.collect("batch", True)', "num_graphs": "data.num_graphs"}
    return found


def _of_block(name: str, source: str, whole: bool) -> str:
    if source in ("batch", "batch_size"):
        return "data.batch" if source == "batch" else "data.num_graphs"
    value = f"data[{quote(name)}]"
    return f"{value}.reshape(data.num_graphs, -1)" if source == "graph" and whole else value


__all__ = ["container", "edge_type", "write_inputs", "write_load"]
