"""A written program as a `torch.export` program: a graph of torch's own operators that needs neither PyG nor graphdsl."""

import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from itertools import count
from types import ModuleType
from typing import Any, Final

import torch
import torch_geometric.backend as settings
from torch import Tensor, nn
from torch.export import ExportedProgram

from graphdsl.backends.example_inputs import Example, make_example, plain_name
from graphdsl.backends.portable import make_portable
from graphdsl.backends.refusals import Refusal, explain
from graphdsl.model import Metadata, Schema
from graphdsl.plan import Plan, event_head, forecast_head
from graphdsl.source import write_program
from graphdsl.text import Diagnostic, SpecError, report

PORTABLE: Final = "PortableProgram"
_NUMBERS = count()


@contextmanager
def importable(text: str) -> Iterator[ModuleType]:
    """The module of a program's text, under a name that torch can look up while it traces."""
    module = ModuleType(f"graphdsl_written_{next(_NUMBERS)}")
    exec(compile(text, "<written program>", "exec"), module.__dict__)  # our own text, see `graphdsl.source`
    sys.modules[module.__name__] = module
    try:
        yield module
    finally:
        del sys.modules[module.__name__]


def export_plan(
    plan: Plan, schema: Schema, metadata: Metadata | None, weights: Mapping[str, Tensor] | None
) -> ExportedProgram:
    """Export what a plan computes in eval mode, for graphs of any size.

    Shapes:
        - `x`: features [num_nodes, width] by node type.
        - `edge_index`: [2, num_edges] by relation, `author__writes__paper`. Metapaths are inputs: how many edges they
          have, only data tells. Inverses are made inside, unless the data brings them.
        - `n_id`: numbers [num_nodes] of the nodes of types without features.
        - attributes that layers read, each a dictionary under its own name; `batch`, `num_graphs`, `edge_label_index`.

    A sequential block takes its inputs by name, each one tensor.

    Args:
        plan: a model whose widths are all known.
        schema: of the model; tells the dtypes of attributes.
        metadata: of the data, if there is any; tells which inverses it brings.
        weights: a state dict of the compiled module; without it, the weights are newly drawn.

    Raises:
        SpecError: GNN370 for what a program cannot say, GNN371 for what torch cannot export.
    """
    if plan.walks is not None:
        message = f"model `{plan.model}` reads no graph: it is a table of vectors, and the state dict has it"
        helps = (f'read `state_dict["heads.{plan.walks.key}.embedding.weight"]`',)
        raise SpecError([report("GNN371", message, plan.walks.span, helps=helps)])
    if (head := event_head(plan)) is not None:
        message = f"torch cannot export model `{plan.model}`: its memory goes from batch to batch"
        raise SpecError([report("GNN371", message, head.span, helps=("use the compiled model in Python",))])
    if (head := forecast_head(plan)) is not None:
        message = f"torch cannot export model `{plan.model}`: how long histories are hangs on values of tensors"
        raise SpecError([report("GNN371", message, head.span, helps=("use the compiled model in Python",))])
    example = make_example(plan, schema, metadata)
    with importable(portable_text(plan, example)) as module:
        program = build(module, plan, weights)
        with silence(), torch.no_grad():
            program(**example.values)  # A mistake of ours must not look like a refusal of torch's.
        for strict in (False, True):  # Tracing bytecode is slow, but follows numbers that are read from tensors.
            found = attempt(lambda strict=strict: _export(program, example, strict))
            if isinstance(found, ExportedProgram):
                return found
    raise SpecError([refused(plan, explain(found, plan))])


def refused(plan: Plan, why: Refusal) -> Diagnostic:
    """The finding for a model that torch does not export."""
    layer = f" in `{why.layer}`" if why.layer else ""
    message = f"torch cannot export model `{plan.model}`: {why.reason}{layer}"
    helps = ("`gnn build` without `--export` writes it as a program",)
    return report("GNN371", message, why.span, "asked for here", helps=helps, notes=why.notes)


def portable_text(plan: Plan, example: Example) -> str:
    """The program of a plan, and a class around it whose dictionaries have plain names: torch takes no tuples as keys."""
    text = write_program(replace(plan, penalties=()))  # A graph of operators keeps nothing.
    if plan.sequence is not None:
        return text
    names = ", ".join(example.values)
    given = ", ".join(
        f"{name}_dict={{{', '.join(f'{place!r}: {name}[{plain_name(place)!r}]' for place in places)}}}"
        for name, places in example.places.items()
    )
    others = "".join(f", {name}={name}" for name in example.values if name not in example.places)
    return (
        f"{text}\n\nclass {PORTABLE}(Module):\n"
        f"    def forward(self, {names}):\n"
        f"        return self.program({given}{others})\n"
    )


def build(module: ModuleType, plan: Plan, weights: Mapping[str, Tensor] | None) -> nn.Module:
    """The module that is exported, in eval mode."""
    classes = [item for item in vars(module).values() if isinstance(item, type) and item.__module__ == module.__name__]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "There exist", UserWarning)  # said when the model is compiled
        program = next(item for item in reversed(classes) if item.__name__ != PORTABLE)()
    if weights is not None:
        program.load_state_dict(dict(weights))
    if plan.sequence is not None:
        return program.eval()
    portable = getattr(module, PORTABLE)()
    portable.program = program
    make_portable(program)
    return portable.eval()


def _export(module: nn.Module, example: Example, strict: bool) -> ExportedProgram:
    return torch.export.export(module, (), example.values, dynamic_shapes=example.dimensions, strict=strict)


def attempt(work: Callable[[], Any]) -> Any:
    """What some work of torch gives, or the error: torch raises errors of many kinds without a base."""
    before = settings.use_segment_matmul
    settings.use_segment_matmul = False  # otherwise RGCNConv looks at how many edges there are
    try:
        with silence():
            return work()
    except Exception as error:
        return error
    finally:
        settings.use_segment_matmul = before


@contextmanager
def silence() -> Iterator[None]:
    """Nothing of what torch says about its own work: warnings, log lines, and half a graph where it gives up."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stderr(StringIO()), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


__all__ = ["attempt", "build", "export_plan", "importable", "portable_text", "refused", "silence"]
