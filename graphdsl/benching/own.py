"""A user's model on a user's data, in one cell."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from graphdsl.api import Spec
from graphdsl.backends.derivation import with_pairs
from graphdsl.benching.cases import REFERENCE, Request, compiled, compiled_baseline, measured_cell
from graphdsl.benching.contenders import Contender
from graphdsl.benching.measuring import Tell
from graphdsl.benching.records import PASSES, Cell, Measured, Refusal
from graphdsl.benching.written import PROGRAM, written
from graphdsl.data import GraphSet, batch_inputs
from graphdsl.data.view import open_data
from graphdsl.plan import LinkHead, Plan, event_head, forecast_head
from graphdsl.text import SpecError, report

OWN_BASELINES: Final = (REFERENCE, PROGRAM, "compile")
"""What to compare with: our reference backend, the program that `gnn build` writes, and that behind `torch.compile`."""
_MOST_PAIRS: Final = 100_000


def measure_own(spec: Spec, model: str, data: Any, values: Mapping[str, Any], request: Request, tell: Tell) -> Cell:
    """Measure a model on data: the whole graph in each step, or of many graphs as many as a batch has.

    Args:
        spec: has the model.
        model: its name.
        data: that fits the schema.
        values: of the model's parameters.
        request: what to measure with; baselines are of `OWN_BASELINES`.
        tell: is told what is being done.

    Raises:
        SpecError: GNN686 for a model that reads no graph, and whatever keeps it from being compiled.
    """
    tell("compiling")
    metadata = spec.metadata(data, model, **values)
    plan = spec.plan(model, data=metadata, **values)
    refuse_unmeasured(plan)
    graph = _whole(data, spec.training(model).batch_size)
    torch.manual_seed(request.seed)

    def build(backend: str) -> Contender:
        module = spec.compile(model, data=metadata, backend=backend, **values)
        return compiled(backend, module, _inputs(graph, module.plan, backend == REFERENCE), request.device)

    ours = build(request.backend)
    weights = ours.module.state_dict()
    others: list[Contender] = []
    absent: list[Measured] = []
    for name in request.against:
        try:
            if name == REFERENCE:
                others.append(build(name))
                others[-1].module.load_state_dict(weights)
            else:
                program = next((item for item in others if item.name == PROGRAM), None)
                program = program or written(plan, weights, _complete(ours), request.device)
                others.append(program if name == PROGRAM else compiled_baseline(program))
        except SpecError as error:  # What a program cannot say is no reason not to measure the rest.
            refusal = Refusal("other", error.diagnostics[0].message)
            absent.append(Measured(name, refusals=dict.fromkeys(PASSES, refusal)))
    cell = measured_cell((Path(spec.name).name, model), ours, others, request, tell)
    cell.others += absent
    return cell


def refuse_unmeasured(plan: Plan) -> None:
    """Raise `SpecError` (GNN686) for a model that is not called with a graph."""
    if plan.walks is not None:
        message = f"model `{plan.model}` reads no graph: it is a table of vectors"
        raise SpecError([report("GNN686", message, plan.walks.span)])
    if (head := event_head(plan) or forecast_head(plan)) is not None:
        message = f"model `{plan.model}` goes from event to event, and has no step on a whole graph"
        raise SpecError([report("GNN686", message, head.span)])


def _whole(data: Any, batch_size: int | None) -> Any:
    """The graph; of several graphs, as many as a batch has."""
    return data.batch(range(min(len(data), batch_size or len(data)))) if isinstance(data, GraphSet) else data


def _complete(ours: Contender) -> Mapping[str, Any]:
    """What the model is called with, and the pairs of metapaths that it goes along hop by hop."""
    made: Any = ours.module
    return ours.inputs if made.plan.sequence is not None else with_pairs(made.plan, ours.inputs, made.input_names)


def _inputs(graph: Any, plan: Plan, composed: bool) -> dict[str, Any]:
    """What the model is called with; links are scored where there are some."""
    inputs = batch_inputs(graph, plan, composed=composed)
    pairs = {head.name: _pairs(head, graph) for head in plan.link_heads}
    if pairs:
        inputs["edge_label_index"] = pairs if len(pairs) > 1 else next(iter(pairs.values()))
    return inputs


def _pairs(head: LinkHead, graph: Any) -> Tensor:
    """Edges of the predicted relation, the first hundred thousand: [2, num_pairs]."""
    view = open_data(graph)
    found = view.connectivity(head.edge) if head.edge in view.edge_types else None
    return torch.zeros(2, 0, dtype=torch.long) if found is None else found[:, :_MOST_PAIRS].long()


__all__ = ["OWN_BASELINES", "measure_own", "refuse_unmeasured"]
