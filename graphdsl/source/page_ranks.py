"""A scorer that reads the graph around both ends, in a written program: PyG's `LPFormer`, and the PageRank that it reads."""

from typing import Final

from graphdsl.catalog.scorers import SCORERS
from graphdsl.plan import LinkHead
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import Expression, call, quote

PERSONAL_PAGERANK: Final = '''
def personal_pagerank(edge_index: Tensor, num_nodes: int, alpha: float, eps: float) -> Tensor:
    """How often a walk from each node stands at each other, [num_nodes, num_nodes], sparse.

    Before every step it goes home with chance `alpha` (Andersen et al., 2006). PyG's `get_ppr` is
    the same, and needs numba. What is left at a node is pushed to its neighbours while it is large.
    """
    row, order = edge_index[0].sort(stable=True)
    col = edge_index[1][order]
    degree = row.bincount(minlength=num_nodes)
    start = degree.cumsum(dim=0) - degree
    reached, values = [], []
    for nodes in torch.arange(num_nodes, device=row.device).split(max(1, 2**22 // num_nodes)):
        keys = nodes * num_nodes + nodes  # pairs of a source and a node
        left = torch.full((keys.numel(),), alpha, device=row.device)
        pushing = torch.ones_like(keys, dtype=torch.bool)
        while pushing.any():
            now, amount = keys[pushing], left[pushing]
            reached.append(now)
            values.append(amount)
            node = now % num_nodes
            many = degree[node]
            turn = torch.arange(int(many.sum()), device=row.device)
            turn = turn - (many.cumsum(dim=0) - many).repeat_interleave(many)
            ends = col[start[node].repeat_interleave(many) + turn]
            gives = ((1 - alpha) * amount / many.clamp(min=1)).repeat_interleave(many)
            to = (now - node).repeat_interleave(many) + ends
            keys, place = torch.cat([keys[~pushing], to]).unique(return_inverse=True)
            amounts = torch.cat([left[~pushing], gives])
            left = left.new_zeros(keys.numel()).index_add(0, place, amounts)
            pushing = left >= alpha * eps * degree[keys % num_nodes].clamp(min=1)
    keys = torch.cat(reached)
    index = torch.stack([keys // num_nodes, keys % num_nodes])
    size = (num_nodes, num_nodes)
    found = torch.sparse_coo_tensor(index, torch.cat(values), size, check_invariants=False)
    return found.coalesce()
'''

UNASKED: Final = '''
def unasked(edge_index: Tensor, pairs: Tensor, num_nodes: int) -> Tensor:
    """Edges without those that join a pair, either way."""
    asked = torch.cat([pairs[0] * num_nodes + pairs[1], pairs[1] * num_nodes + pairs[0]])
    return edge_index[:, ~torch.isin(edge_index[0] * num_nodes + edge_index[1], asked)]
'''


def ranks_type(context: Context) -> str | None:
    """The type of the argument that gives PageRank; None where nothing reads it."""
    if not any(head.reads_graph for head in context.plan.link_heads):
        return None
    return "dict[str, Tensor]" if len(context.plan.link_heads) > 1 else "Tensor"


def score_around(head: LinkHead, values: str, context: Context, block: Block) -> Expression:
    """Score pairs of a type by what lies around both ends."""
    context.helpers |= {"personal_pagerank", "unasked"}
    name = quote(head.name)
    several = len(context.plan.link_heads) > 1
    pairs = f"edge_label_index[{name}]" if several else "edge_label_index"
    undirected = context.imports.use("torch_geometric.utils.to_undirected")
    block.assign("x", f"{values}[{context.name(head.edge[0])}]")
    given = f"edge_index_dict[{context.index(head.edge)}]"
    block.assign("edge_index", call(undirected, given, num_nodes="x.size(0)"))
    block.assign("ppr", f"(ppr_matrix or {{}}).get({name})" if several else "ppr_matrix")
    block.write("if ppr is None:")
    block.statement(page_rank(head, "edge_index", "x.size(0)"), "ppr = ", deeper=4)
    block.write("if self.training:  # What is asked for is no edge meanwhile.")
    block.statement(call("unasked", "edge_index", pairs, "x.size(0)"), "edge_index = ", deeper=4)
    block.write("with torch.sparse.check_sparse_tensor_invariants(False):  # or PyTorch warns of LPFormer's")
    block.statement(call(f"self.heads[{quote(head.key)}]", pairs, "x", "edge_index", "ppr"), "scores = ", deeper=4)
    return "scores"


def page_rank(head: LinkHead, edges: str, size: str) -> Expression:
    """The PageRank of a graph whose edges count both ways."""
    defaults = {item.name: item.default for item in SCORERS[head.scorer].parameters}
    known = defaults | dict(head.module.arguments)
    return call("personal_pagerank", edges, size, repr(known["alpha"]), repr(known["eps"]))


__all__ = ["PERSONAL_PAGERANK", "UNASKED", "page_rank", "ranks_type", "score_around"]
