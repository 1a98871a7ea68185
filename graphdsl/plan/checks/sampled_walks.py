"""Layers that walk along whole metapaths, and labels that spread, in mini-batches of sampled neighbourhoods."""

from graphdsl.catalog import find
from graphdsl.model import Training
from graphdsl.plan.ir import Plan
from graphdsl.plan.signs import sampled_signs
from graphdsl.plan.spreading import sampled_labels
from graphdsl.plan.walk import nested
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
    also = [(training.span, "with `batch_size`")] if training is not None and training.span else []
    for _, stage in plan.relation_stages():
        for step in stage.steps if stage.shares is None else ():
            for module in nested(step.module):
                if (entry := find(module.name)) is None or not entry.against:
                    continue
                said = "reads edges against their direction, and `batch_size` samples those that arrive"
                message = f"`{module.name}` {said}"
                helps = ("leave `batch_size` out, or serve the relation and its declared `reverse` by a layer each",)
                found.append(report("GNN323", message, module.span, also=also, helps=helps))
        for joint in stage.joints if stage.shares is None else ():
            if (entry := find(joint.module.name)) is not None and entry.against:
                said = "reads edges against their direction, and `batch_size` samples those that arrive"
                message = f"`{joint.module.name}` {said}"
                found.append(report("GNN323", message, joint.module.span, also=also, helps=("leave `batch_size` out",)))
            if joint.paths:
                message = f"`{joint.module.name}` walks along whole metapaths, and `batch_size` samples neighbourhoods"
                helps = ("leave `batch_size` out: walks are made hop by hop and need little memory on the whole graph",)
                found.append(report("GNN360", message, joint.module.span, also=also, helps=helps))
    return list(dict.fromkeys((*found, *sampled_labels(plan, training), *sampled_signs(plan, training))))
