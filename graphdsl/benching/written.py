"""The program that `gnn build` writes for a model, as a contender: PyG's own classes, and nothing of ours between them."""

import warnings
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from graphdsl.backends.exporting import importable
from graphdsl.benching.contenders import Contender
from graphdsl.plan import Plan
from graphdsl.source import write_program
from graphdsl.source.naming import identifier

PROGRAM = "program"
_ALIKE = ("x_dict", "edge_index_dict", "edge_label_index", "num_graphs", "batch_dict", "n_id_dict")


def written(plan: Plan, weights: Mapping[str, Tensor], inputs: Mapping[str, Any], device: Any) -> Contender:
    """The program of a plan, with the weights of the compiled model.

    Args:
        plan: of the model.
        weights: the compiled model's state dict.
        inputs: of the compiled model.
        device: where to compute.

    Raises:
        SpecError: GNN370 for what a program cannot say.
    """
    with importable(write_program(plan)) as module:
        classes = [item for item in vars(module).values() if isinstance(item, type)]
        made = next(item for item in reversed(classes) if item.__module__ == module.__name__)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "There exist", UserWarning)  # said when the model is compiled
            program: nn.Module = made().to(device)
    program.load_state_dict(dict(weights))
    known = program.forward.__code__.co_varnames
    renamed = {_name(key, plan): value for key, value in inputs.items()}
    return Contender(PROGRAM, program, {key: value for key, value in renamed.items() if key in known})


def _name(key: str, plan: Plan) -> str:
    """The name of an input in the program."""
    if plan.sequence is not None:
        return identifier(key)
    if key in _ALIKE:
        return key
    return f"{identifier(key.removesuffix('_dict')).removesuffix('_')}_dict"


__all__ = ["PROGRAM", "written"]
