"""What a memory of events knows of the nodes of both ends."""

from torch import Tensor

from graphdsl.kernels.events import EventMemory
from graphdsl.plan import AnyHead, LinkHead


def remembered(head: AnyHead, module: EventMemory) -> dict[str, Tensor]:
    """Embeddings [num_nodes, width] by node type, behind the last event that the memory has followed."""
    assert isinstance(head, LinkHead)
    known = module.embed_all()
    source, _, target = head.edge
    if source == target:
        return {source: known}
    return {source: known[: module.offset], target: known[module.offset :]}
