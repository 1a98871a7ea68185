"""Optimizers and schedulers of PyTorch that a spec may name, with their arguments. No torch here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_WARMUP: Final = ("num_warmup_steps", "num_training_steps")
_COMMON: Final = ("lr", "weight_decay", "maximize", "foreach", "differentiable")

OPTIMIZERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Adam": (*_COMMON, "betas", "eps", "amsgrad", "capturable", "fused", "decoupled_weight_decay"),
        "AdamW": (*_COMMON, "betas", "eps", "amsgrad", "capturable", "fused"),
        "SGD": (*_COMMON, "momentum", "dampening", "nesterov", "fused"),
        "RMSprop": (*_COMMON, "alpha", "eps", "momentum", "centered", "capturable"),
        "Adagrad": (*_COMMON, "lr_decay", "initial_accumulator_value", "eps", "fused"),
        "Adadelta": (*_COMMON, "rho", "eps", "capturable"),
        "Adamax": (*_COMMON, "betas", "eps", "capturable"),
        "NAdam": (*_COMMON, "betas", "eps", "momentum_decay", "decoupled_weight_decay", "capturable"),
        "RAdam": (*_COMMON, "betas", "eps", "decoupled_weight_decay", "capturable"),
        "Rprop": ("lr", "etas", "step_sizes", "capturable", "foreach", "maximize", "differentiable"),
        "ASGD": (*_COMMON, "lambd", "alpha", "t0", "capturable"),
        "SparseAdam": ("lr", "betas", "eps", "maximize"),
    }
)
"""Arguments by class of `torch.optim`."""

SCHEDULERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "StepLR": ("step_size", "gamma", "last_epoch"),
        "MultiStepLR": ("milestones", "gamma", "last_epoch"),
        "ExponentialLR": ("gamma", "last_epoch"),
        "CosineAnnealingLR": ("T_max", "eta_min", "last_epoch"),
        "LinearLR": ("start_factor", "end_factor", "total_iters", "last_epoch"),
        "ConstantLR": ("factor", "total_iters", "last_epoch"),
        "OneCycleLR": (
            "max_lr", "total_steps", "epochs", "steps_per_epoch", "pct_start", "anneal_strategy", "cycle_momentum",
            "base_momentum", "max_momentum", "div_factor", "final_div_factor", "three_phase", "last_epoch",
        ),
        "CosineAnnealingWarmRestarts": ("T_0", "T_mult", "eta_min", "last_epoch"),
        "CyclicLR": (
            "base_lr", "max_lr", "step_size_up", "step_size_down", "mode", "gamma", "scale_fn", "scale_mode",
            "cycle_momentum", "base_momentum", "max_momentum", "last_epoch",
        ),
        "PolynomialLR": ("total_iters", "power", "last_epoch"),
        "ReduceLROnPlateau": ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps"),
        "ConstantWithWarmupLR": ("num_warmup_steps", "last_epoch"),
        "LinearWithWarmupLR": (*_WARMUP, "last_epoch"),
        "CosineWithWarmupLR": (*_WARMUP, "num_cycles", "last_epoch"),
        "CosineWithWarmupRestartsLR": (*_WARMUP, "num_cycles", "last_epoch"),
        "PolynomialWithWarmupLR": (*_WARMUP, "lr_end", "power", "last_epoch"),
    }
)  # fmt: skip
"""Arguments by class of `torch.optim.lr_scheduler`, or of PyG, see `scheduler_module`."""


def scheduler_module(name: str) -> str:
    """Where a scheduler is: those that warm up are PyG's.

    >>> scheduler_module("StepLR"), scheduler_module("CosineWithWarmupLR")
    ('torch.optim.lr_scheduler', 'torch_geometric.nn.lr_scheduler')
    """
    return "torch_geometric.nn.lr_scheduler" if "WithWarmup" in name else "torch.optim.lr_scheduler"


REQUIRED_ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "StepLR": ("step_size",),
        "MultiStepLR": ("milestones",),
        "ExponentialLR": ("gamma",),
        "CosineAnnealingLR": ("T_max",),
        "OneCycleLR": ("max_lr",),
        "CosineAnnealingWarmRestarts": ("T_0",),
        "CyclicLR": ("base_lr", "max_lr"),
        "ConstantWithWarmupLR": ("num_warmup_steps",),
        **dict.fromkeys(
            ("LinearWithWarmupLR", "CosineWithWarmupLR", "CosineWithWarmupRestartsLR", "PolynomialWithWarmupLR"),
            _WARMUP,
        ),
    }
)
"""Arguments without a default."""
