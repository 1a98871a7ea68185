"""Choosing a backend by name."""

from collections.abc import Mapping
from typing import Final

from graphdsl.backends.compiled import CompiledModel, StageBuilder
from graphdsl.backends.fused import build_stage as build_fused
from graphdsl.backends.fused import choose_stage
from graphdsl.backends.pyg import CompiledSequence, build_stage
from graphdsl.plan import Plan

AnyModel = CompiledModel | CompiledSequence

BACKENDS: Final[Mapping[str, StageBuilder]] = {"auto": choose_stage, "pyg": build_stage, "fused": build_fused}
"""Backends by name: how each makes the module of a stage."""


def compile_plan(plan: Plan, backend: str = "auto") -> AnyModel:
    """Compile a plan to a module with PyG's calling convention: a model of dictionaries, or a `Sequential`.

    Args:
        plan: a model whose widths are all known.
        backend: "pyg" (the reference: `HeteroConv`, `HANConv`, `Sequential` and the like), "fused" (kernels of ours where
            they serve a layer, the reference for all else), or "auto": for each graph whichever is faster. All have the same
            parameters, so that checkpoints of one load into another. Gradients of gradients are only given by "pyg".

    Returns:
        A module; all its parameters are initialised, none is lazy.

    Raises:
        ValueError: for a backend that does not exist.
    """
    if backend not in BACKENDS:
        known = ", ".join(f"'{item}'" for item in BACKENDS)
        raise ValueError(f"'backend' must be one of {known} (got '{backend}')")
    return CompiledModel(plan, BACKENDS[backend]) if plan.sequence is None else CompiledSequence(plan, plan.sequence)
