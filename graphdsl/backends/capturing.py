"""Which models are one graph for torch: the compiled module in `torch.compile`, the written program in `torch.export`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch._dynamo as dynamo
from torch_geometric.nn import RGATConv

from graphdsl.backends.example_inputs import make_example
from graphdsl.backends.exporting import attempt, export_plan, silence
from graphdsl.backends.portable import make_portable
from graphdsl.backends.refusals import Refusal, explain
from graphdsl.backends.selection import AnyModel, compile_plan
from graphdsl.model import TRAIN_MASK, Metadata, Schema
from graphdsl.plan import Plan, attribute_reads, read_labels
from graphdsl.source.naming import identifier
from graphdsl.text import Diagnostic, SpecError, report

BACKEND = "eager"
"""What runs the graph: the question is whether there is one, not what Inductor makes of it."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What torch makes of a model.

    Attributes:
        model: its name.
        breaks: graph breaks of `torch.compile`; 0 = the model is one graph, `fullgraph=True` takes it.
        compiling: why it is not one graph (GNN372).
        exporting: why it is not exported (GNN370, GNN371); None = it is.
    """

    model: str
    breaks: int
    compiling: Diagnostic | None
    exporting: Diagnostic | None


def capture_plan(plan: Plan, schema: Schema, metadata: Metadata | None, count: bool = True) -> Capture:
    """Try what torch makes of a model, in eval mode, on a small graph whose sizes are marked as open.

    Args:
        plan: a model whose widths are all known.
        schema: of the model; tells the dtypes of attributes.
        metadata: of the data, if there is any.
        count: tell how many graph breaks there are, which takes a while; otherwise a model that has some has one.

    Raises:
        SpecError: where the model cannot be called at all.
    """
    breaks, compiling = _compile(plan, schema, metadata, count)
    exporting = None
    try:
        export_plan(plan, schema, metadata, None)
    except SpecError as error:
        exporting = error.diagnostics[0]
    return Capture(plan.model, breaks, compiling, exporting)


def _compile(plan: Plan, schema: Schema, metadata: Metadata | None, count: bool) -> tuple[int, Diagnostic | None]:
    model = compile_plan(plan).eval()
    # PyG's HGTConv is one graph as well, of hundreds of slices that take minutes to trace; its RGATConv is not.
    make_portable(model, spared=(RGATConv,))
    inputs = call_inputs(plan, schema, metadata)
    with torch.no_grad(), silence():
        model(**inputs)  # A mistake of ours must not look like a refusal of torch's.
        dynamo.reset()
        found = attempt(lambda: torch.compile(model, fullgraph=True, dynamic=True, backend=BACKEND)(**inputs))
        if not isinstance(found, Exception):
            return 0, None
        dynamo.reset()
        breaks = max(1, count_breaks(model, inputs)) if count else 1
        dynamo.reset()
    return breaks, broken(plan, explain(found, plan))


def count_breaks(model: AnyModel, inputs: Mapping[str, Any]) -> int:
    """How often torch leaves its graph and goes on in Python."""
    found = attempt(lambda: dynamo.explain(model)(**inputs))
    return 0 if isinstance(found, Exception) else found.graph_break_count


def broken(plan: Plan, why: Refusal) -> Diagnostic:
    """The finding for a model that is not one graph."""
    layer = f" in `{why.layer}`" if why.layer else ""
    message = f"model `{plan.model}` is not one graph for `torch.compile`: {why.reason}{layer}"
    helps = ("compile it without `fullgraph = True`: it runs, in several graphs",)
    return report("GNN372", message, why.span, "asked for here", helps=helps, notes=why.notes)


def call_inputs(plan: Plan, schema: Schema, metadata: Metadata | None) -> dict[str, Any]:
    """Keyword arguments of the compiled module for the small graph that exporting is tried on, metapaths made."""
    example = make_example(plan, schema, metadata)
    if plan.sequence is not None:
        names = {identifier(item.name): item.name for item in plan.sequence.inputs}
        return {names[name]: value for name, value in example.values.items()}
    bound = (found.item.attribute for found in attribute_reads(plan))
    names = {identifier(attribute).removesuffix("_"): attribute for attribute in bound}
    for _, label in read_labels(plan):
        names |= {identifier(key).removesuffix("_"): key for key in (label, TRAIN_MASK)}
    weights = (head.spread.weight for head in plan.node_heads if head.spread is not None)
    names |= {identifier(key).removesuffix("_"): key for key in weights}
    for head in plan.link_heads:
        keys = (head.events.time, head.events.message) if head.events is not None else ()
        names |= {identifier(key).removesuffix("_"): key for key in keys}
    found: dict[str, Any] = {}
    for name, value in example.values.items():
        places = example.places.get(name)
        if places is None:
            found[name] = value
        else:
            known = name if name in ("x", "edge_index", "n_id", "batch") else names[name]
            found[f"{known}_dict"] = dict(zip(places, value.values(), strict=True))
    return found


__all__ = ["Capture", "broken", "call_inputs", "capture_plan"]
