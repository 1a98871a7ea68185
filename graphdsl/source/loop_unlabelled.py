"""Loops of what is learned without labels: walks, whose vectors are alike, and a graph told from a permuted one."""

from typing import Final

from graphdsl.model import Training
from graphdsl.plan import ObjectiveHead
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import call, each, flat, mapping, quote
from graphdsl.source.loop import Loop
from graphdsl.source.loop_data import edge_type, write_inputs, write_load
from graphdsl.source.loop_nodes import PATH
from graphdsl.source.reading import ids

_RELATION: Final = '''
def relation(data: HeteroData, edge: tuple, opposite: tuple | None) -> Tensor:
    """The edges of a relation, or those of the one that leads the other way, turned around."""
    if edge in data.edge_types:
        return data[edge].edge_index
    if opposite in data.edge_types:
        return data[opposite].edge_index.flip(0)
    return torch.empty(2, 0, dtype=torch.long)
'''

_WALKER: Final = '''
def walker(data: HeteroData, vectors: MetaPath2Vec) -> MetaPath2Vec:
    """The same module with the relations that its walks follow; both have the same vectors."""
    found = MetaPath2Vec(
        {edge: relation(data, edge, opposite) for edge, opposite in WALKED.items()},
        vectors.embedding_dim,
        vectors.metapath,
        vectors.walk_length,
        vectors.context_size,
        vectors.walks_per_node,
        vectors.num_negative_samples,
        vectors.num_nodes_dict,
    )
    found.embedding = vectors.embedding
    return found
'''

_SECOND_ORDER: Final = '''
def draw(vectors: Node2Vec, neighbors: Neighbors, seeds: Tensor) -> tuple[Tensor, Tensor]:
    """Windows of walks from some nodes, and of random nodes beside them."""
    starts = seeds.repeat(vectors.walks_per_node)
    walks = walk_second_order(neighbors, starts, vectors.walk_length, vectors.p, vectors.q)
    starts = starts.repeat(vectors.num_negative_samples).unsqueeze(1)
    others = torch.randint(vectors.num_nodes, (len(starts), vectors.walk_length))
    size = vectors.context_size
    return windows(walks, size), windows(torch.cat([starts, others], dim=1), size)
'''


def walks(head: ObjectiveHead, context: Context, training: Training) -> Loop:
    """Batches of walks that begin in some nodes."""
    arguments = head.module.arguments
    along = arguments.get("metapath") or [hop.edge for hop in head.path]
    ways = zip(along, head.opposites, strict=True)
    opposite = {edge_type(edge): edge_type(other) if other else "None" for edge, other in ways}
    context.constants["WALKED"] = mapping({flat(edge): other for edge, other in opposite.items()})
    block = Block(4)
    block.write("data = load(path)")
    vectors = f"model.heads[{quote(head.key)}]"
    if "metapath" in arguments:
        size = training.batch_size or arguments["num_nodes_dict"][head.type]
        workers = {"num_workers": str(training.workers)} if training.workers else {}
        inner = (
            f"walks = walker(data, {vectors})",
            f"batches = {flat(call('walks.loader', batch_size=str(size), shuffle='True', **workers))}",
        )
        functions = (write_load(context, False), _RELATION.strip("\n"), _WALKER.strip("\n"))
        return Loop(functions, PATH, block, inner, "", "batches", "walks.loss(*batch)", "", "batch[0]")
    for name in ("Neighbors", "walk_second_order", "windows"):
        context.imports.use(f"graphdsl.kernels.{name}")
    count = arguments["num_nodes"]
    inner = (
        f"vectors = {vectors}",
        "edge, opposite = next(iter(WALKED.items()))",
        f"neighbors = Neighbors.of(relation(data, edge, opposite), {count})",
    )
    functions = (write_load(context, False), _RELATION.strip("\n"), _SECOND_ORDER.strip("\n"))
    batches = f"torch.randperm({count}).split({training.batch_size or count})"
    loss = "vectors.loss(*draw(vectors, neighbors, batch))"
    return Loop(functions, PATH, block, inner, "", batches, loss, "", "batch")


def contrast(head: ObjectiveHead, context: Context) -> Loop:
    """One step an epoch: the graph, and the same with other nodes in it."""
    block = Block(4)
    block.write("data = load(path)")
    block.write("inputs = inputs_of(data)")
    inner = (
        f"objective = model.heads[{quote(head.key)}]",
        "",
        "def contrast() -> Tensor:",
        "    z, other = model(**inputs), model(**corrupted(inputs))",
        "    return objective.loss(z, other, objective.summary(z))",
        "",
    )
    functions = (write_load(context, False), write_inputs(context), _corrupted(context))
    return Loop(functions, PATH, block, inner, "", "", "contrast()", "")


def _corrupted(context: Context) -> str:
    """The function `corrupted`; types that are read by number get other numbers."""
    numbered = ids(context)
    block = Block()
    block.write("def corrupted(inputs: dict) -> dict:")
    block.write('"""The same graph with other nodes in it."""', 4)
    inner = Block(4)
    inner.assign("x_dict", each("name", "permute(x)", "name, x", 'inputs["x_dict"].items()'))
    given = {'"x_dict"': "x_dict"}
    if numbered:
        counts = mapping({quote(name): f"torch.randperm({count})" for name, count in numbered.items()})
        inner.assign("n_id_dict", counts)
        given['"n_id_dict"'] = "n_id_dict"
    inner.write(f"return {{**inputs, {', '.join(f'{name}: {value}' for name, value in given.items())}}}")
    block.extend(inner.lines)
    return block.text().rstrip("\n")


__all__ = ["contrast", "walks"]
