"""Modules without parameters that are written as calls of functions."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from graphdsl.plan import ModuleSpec
from graphdsl.source.expressions import Expression, call, literal
from graphdsl.source.imports import Imports

_METHODS: Final = {"ReLU": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid"}
_FUNCTIONS: Final = {
    "ReLU6": "relu6", "LeakyReLU": "leaky_relu", "ELU": "elu", "CELU": "celu", "SELU": "selu", "GELU": "gelu",
    "SiLU": "silu", "Mish": "mish", "LogSigmoid": "logsigmoid", "Softsign": "softsign", "Softplus": "softplus",
    "Hardsigmoid": "hardsigmoid", "Hardswish": "hardswish", "Tanhshrink": "tanhshrink", "Softmax": "softmax",
    "Softmin": "softmin", "LogSoftmax": "log_softmax", "Hardtanh": "hardtanh", "GLU": "glu",
}  # fmt: skip


def apply_function(module: ModuleSpec, x: str, imports: Imports) -> Expression | None:
    """What a module without parameters does to `x`; None where it has to be a module of the program.

    Args:
        module: class and arguments.
        x: the name of what it reads.
        imports: remembers that functions are used.
    """
    package, _, name = module.path.rpartition(".")
    if package != "torch.nn":
        return None
    if name == "Identity":
        return x
    if name in _METHODS and not module.arguments:
        return f"{x}.{_METHODS[name]}()"
    if name == "Dropout":
        imports.functional = True
        return call("F.dropout", x, p=literal(module.arguments.get("p", 0.5)), training="self.training")
    if name in _FUNCTIONS:
        imports.functional = True
        return call(f"F.{_FUNCTIONS[name]}", x, **_arguments(module.arguments))
    return None


def _arguments(given: Mapping[str, Any]) -> dict[str, Expression]:
    show: Callable[[Any], Expression] = literal
    return {name: show(value) for name, value in given.items()}
