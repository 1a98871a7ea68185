import math
from types import SimpleNamespace

import pytest

from graphdsl.catalog import Parameter, accepts, check_value, describe, has_type

WHOLE = Parameter("heads", "int", 1, minimum=1)
SHARE = Parameter("dropout", "float", 0.0, minimum=0, below=1)
SMALL = Parameter("eps", "float", 1e-5, above=0)
CHOICE = Parameter("mode", "string|none", None, choices=("graph", "node"))
MANY = Parameter("aggr", "string|list[string]", "mean", choices=("mean", "max"))
SHARES = Parameter("dropout", "float|list[float]", 0.0, minimum=0, below=1)
FILL = Parameter("fill_value", "float|string", "mean", choices=("mean", "add"))
WIDTHS = Parameter("channel_list", "int", None, minimum=1, variadic=True)
MODULE = Parameter("nn", "module")
ACT = Parameter("act", "activation|none", "relu")
FREE = Parameter("name", "string", "")
SWITCH = Parameter("bias", "bool", True)

MLP = SimpleNamespace(name="MLP", width_out=64)
TANH = SimpleNamespace(name="tanh", width_out=64)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (WHOLE, 1),
        (SHARE, 0),
        (SHARE, 0.999),
        (SMALL, 1e-12),
        (CHOICE, "node"),
        (CHOICE, None),
        (MANY, "max"),
        (MANY, ["mean", "max"]),
        (MANY, ("mean",)),
        (SHARES, [0.0, 0.5]),
        (FILL, -3),
        (FILL, "add"),
        (WIDTHS, [64, 32]),
        (WIDTHS, []),
        (WIDTHS, 64),
        (MODULE, MLP),
        (ACT, "leaky_relu"),
        (ACT, TANH),
        (ACT, None),
        (FREE, "anything"),
        (SWITCH, False),
    ],
)
def test_accepted(parameter: Parameter, value: object) -> None:
    assert accepts(parameter, value)
    assert check_value(parameter, value) is None


@pytest.mark.parametrize(
    ("parameter", "value", "code"),
    [
        (WHOLE, 0, "GNN204"),
        (WHOLE, 2.0, "GNN202"),
        (WHOLE, True, "GNN202"),
        (WHOLE, "2", "GNN202"),
        (WHOLE, None, "GNN202"),
        (SHARE, 1, "GNN204"),
        (SHARE, -0.1, "GNN204"),
        (SHARE, False, "GNN202"),
        (SHARE, math.nan, "GNN202"),
        (SHARE, math.inf, "GNN202"),
        (SMALL, 0, "GNN204"),
        (CHOICE, "edge", "GNN204"),
        (CHOICE, 1, "GNN202"),
        (MANY, ["mean", "median"], "GNN204"),
        (MANY, ["mean", 1], "GNN202"),
        (MANY, [], "GNN202"),
        (SHARES, [0.5, 1.0], "GNN204"),
        (FILL, "max", "GNN204"),
        (WIDTHS, [64, 0], "GNN204"),
        (WIDTHS, [64, "x"], "GNN202"),
        (WIDTHS, 0, "GNN204"),
        (WIDTHS, None, "GNN202"),
        (MODULE, TANH, "GNN202"),
        (MODULE, "MLP", "GNN202"),
        (ACT, "MLP", "GNN202"),
        (ACT, MLP, "GNN202"),
        (SWITCH, 1, "GNN202"),
    ],
)
def test_refused(parameter: Parameter, value: object, code: str) -> None:
    assert not accepts(parameter, value)
    assert has_type(parameter, value) == (code == "GNN204")
    problem = check_value(parameter, value)
    assert problem is not None
    assert (problem.code, problem.argument) == (code, parameter.name)
    assert describe(parameter) in problem.message


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        (WHOLE, "a whole number ≥ 1"),
        (SHARE, "a number in [0, 1)"),
        (SMALL, "a number > 0"),
        (Parameter("p", "float", above=0, below=2), "a number in (0, 2)"),
        (Parameter("p", "float", below=2), "a number < 2"),
        (CHOICE, 'one of "graph", "node", or none'),
        (MANY, 'one of "mean", "max", or a list of such'),
        (WIDTHS, "a whole number ≥ 1"),
        (MODULE, "a layer such as `MLP(64, 64)`"),
        (ACT, "an activation such as `relu`, or none"),
        (FREE, "a string"),
        (SWITCH, "true or false"),
    ],
)
def test_description(parameter: Parameter, said: str) -> None:
    assert describe(parameter) == said


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "true"), (None, "none"), (["a", 1], '["a", 1]'), (TANH, "`tanh`"), (2.5, "2.5")],
)
def test_a_message_shows_the_value_as_a_spec_writes_it(value: object, shown: str) -> None:
    problem = check_value(WHOLE, value)
    assert problem is not None
    assert problem.message == f"`heads` is a whole number ≥ 1, not {shown}"
