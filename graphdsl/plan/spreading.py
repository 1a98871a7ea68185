"""Lowering of what spreads labels of training nodes behind a prediction."""

from graphdsl.model import LinkPrediction, Prediction, Program, Training, leaking_hop
from graphdsl.plan.bindings import METAPATH_WEIGHT, check_inputs
from graphdsl.plan.head_types import Spread
from graphdsl.plan.ir import Plan
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.state import Flow
from graphdsl.text import Diagnostic, report, show_edge


def lower_spread(prediction: Prediction, flow: Flow) -> Spread | None:
    """What spreads labels behind a prediction, if anything does.

    The weights of a `count` metapath are normalized as PyG normalizes edges without any; those of a `mean` metapath, and
    attributes, are taken as they are, as PyG takes what is given as `edge_weight`.
    """
    used = prediction.spread
    if used is None:
        return None
    check_inputs(used.layer, (used.edge,), prediction.state, flow)
    module = build_module(used.layer, Surroundings(), flow.found)
    path = next((path for path in flow.schema.metapaths.values() if path.key == used.edge), None)
    weighted = path is not None and path.multiplicity != "set"
    bound = next((item.attribute for item in used.layer.inputs), METAPATH_WEIGHT if weighted else "")
    normalize = path is not None and path.multiplicity == "count" and bound == METAPATH_WEIGHT
    return Spread(used.edge, module, used.alone, bound, normalize, used.layer.span)


def leaking_spreads(program: Program) -> list[Diagnostic]:
    """Labels spread along a metapath over edges that the same model predicts, which are hidden from it."""
    found: list[Diagnostic] = []
    schema = program.schema
    for item in program.predictions:
        path = schema.metapaths.get(item.spread.edge[1]) if isinstance(item, Prediction) and item.spread else None
        for link in program.predictions if path is not None else ():
            if not isinstance(link, LinkPrediction) or link.keep_target or path is None:
                continue
            run = leaking_hop(path, link, schema)
            if run is not None:
                message = f"the metapath `{path.name}` runs over `{show_edge(run)}`, which is predicted"
                also = ((path.span, "declared here"), (link.span, "predicted here"))
                helps = ("`keep_target` behind the prediction of links keeps them all, where they are no secret",)
                found.append(report("GNN520", message, item.span, "this reads it", also=also, helps=helps))
    return found


def sampled_labels(plan: Plan, training: Training | None = None) -> list[Diagnostic]:
    """One finding for each prediction that spreads labels further than sampled neighbourhoods reach.

    Args:
        plan: the model.
        training: what samples; None where it is known that batches are sampled.
    """
    if training is not None and training.batch_size is None:
        return []
    also = [(training.span, "with `batch_size`")] if training is not None and training.span else []
    helps = ("leave `batch_size` out: spreading takes one sparse product a step, on the whole graph",)
    return [
        report(
            "GNN348",
            f"`{head.spread.module.name}` spreads labels over the whole graph, and `batch_size` samples neighbourhoods",
            head.spread.span,
            also=also,
            helps=helps,
        )
        for head in plan.node_heads
        if head.spread is not None
    ]
