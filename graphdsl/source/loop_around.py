"""A loop for scorers of links that read the graph: steps of some edges beside their negatives, each on the whole graph."""

from graphdsl.model import Training
from graphdsl.plan import LinkHead
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import call, quote
from graphdsl.source.loop import Loop
from graphdsl.source.loop_nodes import PATH
from graphdsl.source.loop_pairs import draw_negatives, fixed_negatives
from graphdsl.source.page_ranks import page_rank

_COLLECT = '''
def collect(model: Module, inputs: dict, pairs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs and labels of pairs [2, num_edges, 1 + negatives], some edges at a time."""
    parts = pairs.split({size}, dim=1)
    out = [model(**inputs, edge_label_index=part.flatten(1)) for part in parts]
    return torch.cat(out).view(y.shape), y
'''


def write_ranks(head: LinkHead, context: Context, block: Block) -> None:
    """What the model is given of each graph: PageRank, which takes longer than a step."""
    undirected = context.imports.use("torch_geometric.utils.to_undirected")
    block.write("for given in inputs.values():  # PageRank is made once for a graph.")
    edges = f'given["edge_index_dict"][{", ".join(map(quote, head.edge))}]'
    block.statement(call(undirected, edges, num_nodes="size"), "known = ", deeper=4)
    block.statement(page_rank(head, "known", "size"), 'given["ppr_matrix"] = ', deeper=4)


def whole_pairs(head: LinkHead, functions: list[str], block: Block, training: Training) -> Loop:
    """Steps of some edges; `inputs` are those of whole graphs."""
    size = training.batch_size
    inner = (
        "",
        *draw_negatives(head),
        "def batches() -> list[tuple[Tensor, Tensor]]:",
        '    """Training edges in another order each time, each beside new negatives."""',
        '    pairs, y = draw("train", generator)',
        f"    return [(pairs[:, rows], y[rows]) for rows in torch.randperm(len(y)).split({size})]",
        "",
        *fixed_negatives(head, training),
    )
    outputs, measured = (
        'collect(model, inputs["train"], *batch)',
        'collect(model, inputs["{split}"], *fixed["{split}"])',
    )
    found = (*functions, _COLLECT.format(size=size).strip("\n"))
    return Loop(found, PATH, block, inner, "edges", "batches()", outputs, measured)


__all__ = ["whole_pairs", "write_ranks"]
