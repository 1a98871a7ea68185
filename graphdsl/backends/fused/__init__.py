"""Stages on kernels of ours, with the modules, parameters and results of the reference."""

from graphdsl.backends.fused.stages import build_stage, choose_stage

__all__ = ["build_stage", "choose_stage"]
