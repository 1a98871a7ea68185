"""The optimizers and schedulers that a spec may name are those of the installed PyTorch, argument by argument."""

import inspect
from importlib import import_module

import pytest
from torch import optim

from graphdsl.catalog import OPTIMIZERS, REQUIRED_ARGUMENTS, SCHEDULERS, scheduler_module

CASES = [(optim, name, known) for name, known in OPTIMIZERS.items()]
CASES += [(import_module(scheduler_module(name)), name, known) for name, known in SCHEDULERS.items()]


@pytest.mark.parametrize(("module", "name", "known"), CASES, ids=[name for _, name, _ in CASES])
def test_arguments_are_those_of_torch(module, name, known) -> None:
    _, *parameters = inspect.signature(getattr(module, name)).parameters.values()
    assert {item.name for item in parameters} == set(known)
    assert tuple(item.name for item in parameters if item.default is item.empty) == REQUIRED_ARGUMENTS.get(name, ())
