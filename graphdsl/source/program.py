"""A plan as the text of a Python program."""

import re
from collections.abc import Iterator

from graphdsl.model import Training
from graphdsl.plan import Plan, event_head, forecast_head
from graphdsl.source.attributes import argument, attribute_inputs, live_reads
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.definitions import HELPERS
from graphdsl.source.documentation import document, safe
from graphdsl.source.expressions import LINE
from graphdsl.source.foreseeing import write_forecast
from graphdsl.source.labels import label_inputs
from graphdsl.source.loop_events import AT_ONCE
from graphdsl.source.making import write_modules
from graphdsl.source.naming import class_name
from graphdsl.source.page_ranks import ranks_type
from graphdsl.source.passing import write_stage
from graphdsl.source.penalizing import (
    ATTRIBUTE,
    write_hooks,
    write_losses_of_stage,
    write_losses_of_values,
    write_method,
)
from graphdsl.source.predicting import write_predictions
from graphdsl.source.reading import derivations, made_tables, needs_numbers, write_reading, write_relations
from graphdsl.source.remembering import write_events
from graphdsl.source.sequence import write_sequence
from graphdsl.source.training import prepare_training, untrained, write_training
from graphdsl.text import Diagnostic, SpecError, report


def write_program(plan: Plan, training: Training | None = None) -> str:
    """The module that a plan describes, as one formatted Python program on PyTorch and PyG.

    Args:
        plan: a model whose widths are all known.
        training: write a loop with these settings, too: `python program.py data.pt` trains.

    Returns:
        Text that defines one class; its state dict has the keys of the compiled module.

    Raises:
        SpecError: GNN370 for what a program cannot say, GNN373 for what a written loop cannot train.
    """
    refused = [*_unwritten(plan), *(untrained(plan, training) if training is not None else ())]
    if refused:
        raise SpecError(refused)
    context = Context(plan)
    if training is not None:
        prepare_training(context, training)
    body = _write_body(context, training)
    loop = write_training(context, training) if training is not None else None
    maps = plan.sequence is None and not any(head.events for head in plan.link_heads)
    relations = write_relations(context) if maps else None
    return _assemble(context, body, relations, loop)


def _unwritten(plan: Plan) -> Iterator[Diagnostic]:
    """What a program cannot say."""
    for _, stage in plan.relation_stages():
        for step in stage.joints:
            if any(item.source == "batch" for item in step.inputs):
                message = f"a program cannot tell `{step.module.name}` which nodes make a graph"
                helps = ("train it with `gnn train`, or call the compiled model in Python",)
                yield report("GNN370", message, step.rule, helps=helps)


def _write_body(context: Context, training: Training | None) -> Block:
    plan = context.plan
    if (head := event_head(plan)) is not None:
        return write_events(head, context, (training.batch_size if training else None) or AT_ONCE)
    if (head := forecast_head(plan)) is not None:
        return write_forecast(head, context)
    return _write_class(context) if plan.sequence is None else write_sequence(plan.sequence, context)


def _write_class(context: Context) -> Block:
    init = write_modules(context)
    forward = Block(8)
    for index, stage in enumerate(context.plan.stages):
        write_stage(index, stage, context, forward)
        write_losses_of_stage(index, stage, context, forward)
    write_losses_of_values(context, forward)
    write_predictions(context, forward)
    reading = Block(8)
    write_reading(context, reading)
    context.imports.use("torch.nn.Module")
    context.imports.tensors = True
    context.named = class_name(context.plan.model, context.imports.names | set(HELPERS))
    block = Block()
    block.write(f"class {context.named}(Module):")
    block.write(f'"""Model `{safe(context.plan.model)}`."""', 4)
    block.write("")
    block.write("def __init__(self) -> None:", 4)
    block.write("super().__init__()", 8)
    block.extend(init.lines)
    if context.plan.penalties:
        block.write(f"{ATTRIBUTE}: dict[str, Tensor] = {{}}", 8)
        hooks = Block(8)
        write_hooks(context, hooks)
        block.extend(hooks.lines)
    block.write("")
    block.extend(_signature(context))
    if context.like:
        if any(head.types for head in context.plan.heads):
            block.write("like = next(self.parameters())  # tells dtype and device", 8)
        else:  # labels alone spread, and nothing is learned
            block.write("like = next(iter(edge_index_dict.values()))  # tells the device", 8)
    block.extend(reading.lines)
    if reading.lines or context.like:
        block.blank()
    block.extend(forward.lines)
    write_method(context, block)
    return block


def _signature(context: Context) -> list[str]:
    """`def forward(…)`."""
    edges = "dict[tuple[str, str, str], Tensor]"
    needed = ["x_dict: dict[str, Tensor]", f"edge_index_dict: {edges}"]
    optional: list[str] = []
    links = context.plan.link_heads
    if links:
        needed.append("edge_label_index: " + ("dict[str, Tensor]" if len(links) > 1 else "Tensor"))
    made = made_tables(context)
    for attribute in attribute_inputs(context):
        name = argument(attribute)
        if name in made and not _always_given(attribute, context):
            optional.append(f"{name}: {edges} | None = None")
        else:
            needed.append(f"{name}: {_keys(attribute, context)}")
    if context.plan.graph_heads:
        optional += ["batch_dict: dict[str, Tensor] | None = None", "num_graphs: int | None = None"]
    if (ranks := ranks_type(context)) is not None:
        optional.append(f"ppr_matrix: {ranks} | None = None")
    if needs_numbers(context):
        optional.append("n_id_dict: dict[str, Tensor] | None = None")
    result = "Tensor" if len(context.plan.heads) == 1 else "dict[str, Tensor]"
    line = f"    def forward(self, {', '.join([*needed, *optional])}) -> {result}:"
    if len(line) <= LINE:
        return [line]
    return [
        "    def forward(",
        "        self,",
        *(f"        {item}," for item in [*needed, *optional]),
        f"    ) -> {result}:",
    ]


def _always_given(attribute: str, context: Context) -> bool:
    """Whether some relation that nothing makes carries the attribute."""
    derived = {item.edge for item in derivations(context) if item.metapath is not None}
    reads = (found for found in live_reads(context) if found.item.attribute == attribute)
    if any(not isinstance(place, str) and place not in derived for found in reads for place in found.places):
        return True
    spreads = (head.spread for head in context.plan.node_heads if head.spread is not None)
    return any(item.weight == attribute and item.edge not in derived for item in spreads)


def _keys(attribute: str, context: Context) -> str:
    reads = [found.item for found in live_reads(context) if found.item.attribute == attribute]
    labels = attribute in label_inputs(context.plan)
    key = "tuple[str, str, str]" if all(item.source == "edge" for item in reads) and not labels else "str"
    return f"dict[{key}, Tensor]"


def _assemble(context: Context, body: Block, relations: Block | None, loop: str | None = None) -> str:
    parts: list[str] = []
    for name, text in HELPERS.items():
        if name in context.helpers:
            parts.append(text.strip("\n"))
            for path in ("torch.nn.Parameter", "torch.nn.Module", "torch_geometric.utils.coalesce"):
                if re.search(rf"(?<!\.)\b{path.rpartition('.')[2]}\(", text) or (
                    path.endswith("Module") and "Module" in text
                ):
                    context.imports.use(path)
            context.imports.tensors = True
    if relations is not None:
        parts.append(relations.text().rstrip("\n"))
    parts.append(body.text().rstrip("\n"))
    if loop is not None:
        parts.append(loop)
    code = "\n\n\n".join(parts)
    uses_torch = re.search(r"\btorch\.", code) is not None
    unused = {"import torch"} if not uses_torch else set[str]()
    unused |= {"import torch.nn.functional as F"} if re.search(r"\bF\.", code) is None else set()
    imports = [line for line in context.imports.lines(LINE) if line not in unused]
    constants = Block()
    for name, value in context.constants.items():
        constants.assign(name, value)
    if loop is not None:
        iterates = ["from collections.abc import Iterator"] if "Iterator[" in loop else []
        imports = ["import sys", *iterates, "", *imports]
    head = "\n".join([document(context), "", *imports])
    middle = f"\n\n{constants.text().rstrip()}" if constants.lines else ""
    return f"{head}{middle}\n\n\n{code}\n"
