"""What a scorer knows of the nodes of both ends besides their values: a memory of events, or the graph around them."""

from collections.abc import Mapping

from torch import Tensor, nn

from graphdsl.kernels.events import EventMemory
from graphdsl.plan import AnyHead, LinkHead
from graphdsl.text import EdgeKey


def remembered(head: AnyHead, module: EventMemory) -> dict[str, Tensor]:
    """Embeddings [num_nodes, width] by node type, behind the last event that the memory has followed."""
    assert isinstance(head, LinkHead)
    known = module.embed_all()
    source, _, target = head.edge
    if source == target:
        return {source: known}
    return {source: known[: module.offset], target: known[module.offset :]}


def looked(
    head: AnyHead,
    module: nn.Module,
    values: dict[str, Tensor],
    edges: Mapping[EdgeKey, Tensor],
    pairs: Tensor | None = None,
) -> dict[str, Tensor]:
    """The values that a scorer reads: one that reads the graph is shown it, and what is about to be scored."""
    if not isinstance(head, LinkHead) or not head.reads_graph:
        return values
    name = head.edge[0]
    return {name: module.look(values[name], edges[head.edge], pairs)}  # type: ignore[operator]
