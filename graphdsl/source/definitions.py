"""Functions and classes that written programs define for themselves, where they need them."""

from typing import Final

from graphdsl.source.foreseeing import AMONG_ALL, EVENT_HISTORIES
from graphdsl.source.page_ranks import PERSONAL_PAGERANK, UNASKED
from graphdsl.source.remembering import MLP_MESSAGE

SEMANTIC_ATTENTION: Final = '''
class SemanticAttention(Module):
    """A learned weight for each relation (Wang et al., Heterogeneous Graph Attention Network).

    With `per="node"`, each node weighs its own messages, instead of all nodes alike.
    """

    def __init__(self, channels: int, hidden: int = 128, per: str = "type") -> None:
        super().__init__()
        self.per = per
        self.lin = torch.nn.Linear(channels, hidden)
        self.q = Parameter(torch.empty(1, hidden))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        self.lin.reset_parameters()
        torch.nn.init.xavier_uniform_(self.q)

    def forward(self, messages: list[Tensor]) -> Tensor:
        """Combine messages [num_nodes, channels] of several relations."""
        stacked = torch.stack(messages)
        if stacked.numel() == 0:  # The mean over no nodes is not a number.
            return stacked.sum(dim=0)
        score = (self.q * torch.tanh(self.lin(stacked))).sum(dim=-1)
        weight = (score if self.per == "node" else score.mean(dim=1, keepdim=True)).softmax(dim=0)
        return (weight.unsqueeze(-1) * stacked).sum(dim=0)
'''

COMPOSE: Final = '''
def compose(hops: list[Tensor], sizes: list[int]) -> tuple[Tensor, Tensor]:
    """Pairs [2, num_pairs] that paths along the hops join, and how many paths join each."""
    nodes = max(sizes)
    ones = torch.ones(hops[0].size(1), dtype=torch.double, device=hops[0].device)
    pairs, paths = coalesce(hops[0], ones, num_nodes=nodes)
    for hop in hops[1:]:
        hop = hop[:, hop[0].argsort()]
        degree = hop[0].bincount(minlength=nodes)
        first = degree.cumsum(dim=0) - degree
        # Each pair goes on along all edges that begin where it ends.
        many = degree[pairs[1]]
        place = torch.arange(many.numel(), device=many.device).repeat_interleave(many)
        turn = torch.arange(place.numel(), device=many.device) - (many.cumsum(dim=0) - many)[place]
        ends = hop[1][first[pairs[1][place]] + turn]
        pairs = torch.stack([pairs[0][place], ends])
        pairs, paths = coalesce(pairs, paths[place], num_nodes=nodes)
    return pairs, paths
'''

COLUMNS: Final = '''
def columns(values: Tensor, like: Tensor) -> Tensor:
    """An attribute as a matrix [rows, width] of the dtype of the model."""
    return (values if values.dim() > 1 else values.unsqueeze(1)).to(like.dtype)
'''

FLAT: Final = '''
def flat(values: Tensor, like: Tensor) -> Tensor:
    """An attribute as [rows] of the dtype of the model."""
    return values.flatten().to(like.dtype)
'''

NUMBERS: Final = '''
def numbers(values: Tensor) -> Tensor:
    """An attribute of whole numbers as [rows]."""
    return values.flatten().long()
'''

NUMBER_TOGETHER: Final = '''
def number_together(
    x_dict: dict[str, Tensor],
    edge_index_dict: dict[tuple[str, str, str], Tensor],
    node_types: list[str],
    edge_types: list[tuple[str, str, str]],
) -> tuple[Tensor, Tensor, Tensor, list[int]]:
    """All node types one below the other, with the number of each edge's relation."""
    sizes = [x_dict[name].size(0) for name in node_types]
    start = {name: sum(sizes[:number]) for number, name in enumerate(node_types)}
    edges, kinds = [], []
    for number, (source, relation, target) in enumerate(edge_types):
        index = edge_index_dict[source, relation, target]
        edges.append(torch.stack([index[0] + start[source], index[1] + start[target]]))
        kinds.append(torch.full_like(index[0], number))
    x = torch.cat([x_dict[name] for name in node_types])
    return x, torch.cat(edges, dim=1), torch.cat(kinds), sizes
'''

DISTMULT: Final = '''
class DistMult(Module):
    """A dot product in which each column has a learned weight (Yang et al., 2015)."""

    def __init__(self, in_channels: int, out_channels: int = 1) -> None:
        super().__init__()
        self.weight = Parameter(torch.empty(out_channels, in_channels))
        torch.nn.init.xavier_uniform_(self.weight)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Scores [num_pairs, out_channels] of pairs of rows."""
        return (source * target) @ self.weight.T
'''

READ_OUT: Final = '''
def read_out(readout: Module, x: Tensor, batch: Tensor, num_graphs: int, width: int) -> Tensor:
    """One row [width] for each graph; zeros for graphs without nodes."""
    present = torch.zeros(num_graphs, dtype=torch.bool, device=x.device)
    present[batch] = True
    filled = int(present.sum())
    if filled == num_graphs:
        return readout(x, batch, dim_size=num_graphs)
    rows = x.new_zeros(num_graphs, width)
    if filled == 0:
        return rows
    found = readout(x, (present.cumsum(0) - 1)[batch], dim_size=filled)
    return rows.index_copy(0, present.nonzero().flatten(), found)
'''

DENSE_ADD_POOL: Final = '''
def dense_add_pool(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Sum [graphs, width] over the real nodes of dense rows [graphs, nodes, width]."""
    return (x if mask is None else x * mask.unsqueeze(-1)).sum(dim=1)
'''

DENSE_MEAN_POOL: Final = '''
def dense_mean_pool(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean [graphs, width] over the real nodes of dense rows [graphs, nodes, width]."""
    if mask is None:
        return x.mean(dim=1)
    return (x * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
'''

DENSE_MAX_POOL: Final = '''
def dense_max_pool(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Maximum [graphs, width] over the real nodes of dense rows [graphs, nodes, width]."""
    if mask is None:
        return x.amax(dim=1)
    found = x.masked_fill(~mask.unsqueeze(-1), torch.finfo(x.dtype).min).amax(dim=1)
    return found * mask.any(dim=1, keepdim=True)
'''

SUMMARIZE: Final = '''
def summarize(z: Tensor) -> Tensor:
    """What all nodes have in common: the sigmoid of their mean, [width]."""
    return torch.sigmoid(z.mean(dim=0))
'''

PERMUTE: Final = '''
def permute(values: Tensor) -> Tensor:
    """Rows in another order: what a corrupted graph has as features."""
    return values[torch.randperm(values.size(0), device=values.device)]
'''

KNOWN_CLASSES: Final = '''
def known_classes(y: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Classes [num_nodes], and the training nodes whose class is known."""
    y = y.flatten().long()
    return y, mask.flatten().bool() & (y >= 0)
'''

CLASS_SHARES: Final = '''
def class_shares(y: Tensor, mask: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Known classes of training nodes [num_nodes, classes], else zeros; and whose are known."""
    y = y.flatten().long()
    known = mask.flatten().bool() & (y >= 0)
    rows = torch.nn.functional.one_hot(torch.where(known, y, 0), classes).float()
    return rows * known.unsqueeze(-1), known
'''

LABEL_SHARES: Final = '''
def label_shares(y: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Known labels of training nodes [num_nodes, labels], zeros elsewhere; and whose are known."""
    rows = torch.nan_to_num(y.reshape(y.size(0), -1).float(), nan=-1.0)
    known = mask.flatten().bool() & (rows >= 0).any(dim=-1)
    return rows.clamp(min=0) * known.unsqueeze(-1), known
'''

LAYERS_OF: Final = '''
def layers_of(stage: Module, kind: type[Module]) -> list[Module]:
    """The layers of a class, each once, those inside of others too."""
    return [layer for layer in stage.modules() if isinstance(layer, kind)]
'''

KEEP_LOSS: Final = '''
def keep_loss(layer: Module, inputs: tuple, out: Tensor) -> None:
    """Behind each pass of a layer: keep the loss that it has of its own."""
    layer.losses.append(layer.get_attention_loss())
'''

TAKE_LOSSES: Final = '''
def take_losses(layers: list[Module]) -> Tensor:
    """What layers have kept since the latest call, added up."""
    losses = [loss.sum() for layer in layers for loss in layer.losses]
    for layer in layers:
        layer.losses.clear()
    return torch.stack(losses).sum() if losses else torch.zeros(())
'''

AUROC: Final = '''
def auroc(scores: Tensor, y: Tensor) -> float:
    """Area under the ROC curve; a pair of equal scores counts one half."""
    _, place, count = scores.unique(return_inverse=True, return_counts=True)
    rank = (count.cumsum(dim=0) - (count - 1) / 2)[place]
    first, second = (y > 0).sum(), (y <= 0).sum()
    return ((rank[y > 0].sum() - first * (first + 1) / 2) / (first * second)).item()
'''

AVERAGE_PRECISION: Final = '''
def average_precision(scores: Tensor, y: Tensor) -> float:
    """Mean precision at each threshold, weighted by the recall that it adds."""
    _, place, count = scores.unique(return_inverse=True, return_counts=True)
    found = torch.bincount(place, weights=(y > 0).float()).flip(0)
    precision = found.cumsum(dim=0) / count.flip(0).cumsum(dim=0)
    return ((precision * found).sum() / found.sum()).item()
'''

RANKS: Final = '''
def ranks(out: Tensor, y: Tensor) -> Tensor:
    """Rank of each edge, in the first column, among its negatives; equal scores share ranks."""
    edge, others, real = out[:, :1], out[:, 1:], y[:, 1:] >= 0
    rank = 1 + ((others > edge) & real).sum(dim=1) + ((others == edge) & real).sum(dim=1) / 2
    return rank[real.any(dim=1)]
'''

NON_NEIGHBORS: Final = '''
class NonNeighbors:
    """Targets that a source has no edge to, each equally likely, without trial and error.

    Before each of a source's sorted neighbours stand `target - place` others; so the one of a given
    rank is found by a binary search.
    """

    def __init__(self, edge_index: Tensor, num_sources: int, num_targets: int) -> None:
        self.width = num_targets + 1
        pairs = (edge_index[0] * self.width + edge_index[1]).unique()
        source, target = pairs // self.width, pairs % self.width
        degree = source.bincount(minlength=num_sources)
        self.first, self.free = degree.cumsum(dim=0) - degree, num_targets - degree
        place = torch.arange(pairs.numel()) - self.first[source]
        self.keys = source * self.width + target - place

    def draw(self, edges: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pairs [2, num_edges, 1 + count], an edge before its negatives; and 1, 0, -1 (none)."""
        free = self.free[edges[0]].unsqueeze(1)
        share = torch.rand(edges.size(1), count, generator=generator, dtype=torch.double)
        rank = torch.minimum((share * free).long(), (free - 1).clamp(min=0))
        asked = edges[0].unsqueeze(1) * self.width + rank
        passed = torch.searchsorted(self.keys, asked, right=True)
        passed = passed - self.first[edges[0]].unsqueeze(1)
        targets = torch.where(free > 0, rank + passed, 0)
        sources = edges[0].unsqueeze(1).expand(-1, 1 + count)
        pairs = torch.stack([sources, torch.cat([edges[1].unsqueeze(1), targets], dim=1)])
        y = torch.where(free > 0, 0, -1).expand(-1, count)
        return pairs, torch.cat([torch.ones_like(edges[:1]).T, y], dim=1)
'''

HELPERS: Final = {
    "SemanticAttention": SEMANTIC_ATTENTION,
    "DistMult": DISTMULT,
    "MLPMessage": MLP_MESSAGE,
    "columns": COLUMNS,
    "flat": FLAT,
    "numbers": NUMBERS,
    "layers_of": LAYERS_OF,
    "keep_loss": KEEP_LOSS,
    "take_losses": TAKE_LOSSES,
    "summarize": SUMMARIZE,
    "permute": PERMUTE,
    "known_classes": KNOWN_CLASSES,
    "class_shares": CLASS_SHARES,
    "label_shares": LABEL_SHARES,
    "compose": COMPOSE,
    "number_together": NUMBER_TOGETHER,
    "read_out": READ_OUT,
    "dense_add_pool": DENSE_ADD_POOL,
    "dense_mean_pool": DENSE_MEAN_POOL,
    "dense_max_pool": DENSE_MAX_POOL,
    "EventHistories": EVENT_HISTORIES,
    "among_all": AMONG_ALL,
    "personal_pagerank": PERSONAL_PAGERANK,
    "unasked": UNASKED,
    "NonNeighbors": NON_NEIGHBORS,
    "auroc": AUROC,
    "average_precision": AVERAGE_PRECISION,
    "ranks": RANKS,
}
"""By name, in the order in which they are written."""

OWN: Final = {f"graphdsl.kernels.dense_readout.{name}": name for name in HELPERS if name.startswith("dense_")}
"""Functions of ours that become helpers of the program, by their paths."""
