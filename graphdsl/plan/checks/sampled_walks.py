"""Layers that walk along whole metapaths, in mini-batches of sampled neighbourhoods."""

from graphdsl.model import Training
from graphdsl.plan.ir import Plan
from graphdsl.text import Diagnostic, report


def sampled_walks(plan: Plan, training: Training | None = None) -> list[Diagnostic]:
    """One finding for each layer that needs the whole graph and would be given samples of it.

    A sampler follows relations towards the seeds; a walk may go along them backwards, and it needs all their edges.

    Args:
        plan: the model.
        training: what samples; None where it is known that batches are sampled. Batches of graphs are whole.
    """
    if plan.graph_heads or (training is not None and training.batch_size is None):
        return []
    found: list[Diagnostic] = []
    for _, stage in plan.relation_stages():
        for joint in stage.joints if stage.shares is None else ():
            if joint.paths:
                message = f"`{joint.module.name}` walks along whole metapaths, and `batch_size` samples neighbourhoods"
                also = [(training.span, "with `batch_size`")] if training is not None and training.span else []
                helps = ("leave `batch_size` out: walks are made hop by hop and need little memory on the whole graph",)
                found.append(report("GNN360", message, joint.module.span, also=also, helps=helps))
    return list(dict.fromkeys(found))
