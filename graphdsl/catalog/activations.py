"""Activations, in lower case, and dropout: `torch.nn` modules that keep the width (`glu` halves it)."""

from typing import Any, Final

from graphdsl.catalog.entry import Arguments, Entry, Parameter, Problem
from graphdsl.catalog.parts import INPLACE

_OTHER_DIMENSION: Final = {"dim": "always the columns of a node"}
_LAST: Final = {"dim": -1}
_PLAIN: Final = {"inplace": INPLACE["inplace"]}


def _activation(name: str, path: str, doc: str, *parameters: Parameter, **fields: Any) -> Entry:
    return Entry(name, "activation", f"torch.nn.{path}", doc, parameters, **fields)


def _number(name: str, default: float, minimum: float | None = None) -> Parameter:
    return Parameter(name, "float", default, minimum=minimum)


def _half(_arguments: Arguments, width: int | None) -> int | None:
    return None if width is None else width // 2


def _even(_arguments: Arguments, width: int | None) -> Problem | None:
    odd = width is not None and width % 2 == 1
    return Problem("GNN204", f"`glu` splits the columns in two halves, and {width} is odd") if odd else None


def _slopes_fit(arguments: Arguments, width: int | None) -> Problem | None:
    slopes = arguments["num_parameters"]
    if slopes == 1 or width is None or slopes == width:
        return None
    message = f"`prelu` has one slope, or one per column: {slopes} do not fit {width} columns"
    return Problem("GNN204", message, "num_parameters", f"write 1 or {width}")


ENTRIES: Final = (
    _activation("relu", "ReLU", "max(x, 0).", left_out=_PLAIN),
    _activation("relu6", "ReLU6", "min(max(x, 0), 6).", left_out=_PLAIN),
    _activation(
        "leaky_relu", "LeakyReLU", "x, or slope · x below 0.", _number("negative_slope", 0.01), left_out=_PLAIN
    ),
    _activation(
        "rrelu",
        "RReLU",
        "leaky_relu with a random slope in training.",
        _number("lower", 1 / 8),
        _number("upper", 1 / 3),
        left_out=_PLAIN,
    ),
    _activation(
        "prelu",
        "PReLU",
        "leaky_relu with learned slopes.",
        Parameter("num_parameters", "int", 1, minimum=1),
        _number("init", 0.25),
        left_out={
            "device": "the compiled model moves as a whole",
            "dtype": "the compiled model is converted as a whole",
        },
        rules=(_slopes_fit,),
    ),
    _activation("elu", "ELU", "x, or alpha · (exp(x) - 1) below 0.", _number("alpha", 1.0), left_out=_PLAIN),
    _activation("celu", "CELU", "elu with a continuous derivative.", _number("alpha", 1.0), left_out=_PLAIN),
    _activation("selu", "SELU", "Scaled elu that keeps mean 0 and variance 1.", left_out=_PLAIN),
    _activation(
        "gelu",
        "GELU",
        "x · P(X ≤ x) for a standard normal X.",
        Parameter("approximate", "string", "none", choices=("none", "tanh")),
    ),
    _activation("silu", "SiLU", "x · sigmoid(x).", left_out=_PLAIN),
    _activation("mish", "Mish", "x · tanh(softplus(x)).", left_out=_PLAIN),
    _activation("tanh", "Tanh", "Hyperbolic tangent."),
    _activation("sigmoid", "Sigmoid", "1 / (1 + exp(-x))."),
    _activation("logsigmoid", "LogSigmoid", "log(sigmoid(x))."),
    _activation("softsign", "Softsign", "x / (1 + |x|)."),
    _activation("softplus", "Softplus", "log(1 + exp(x)).", _number("beta", 1.0), _number("threshold", 20.0)),
    _activation(
        "hardtanh",
        "Hardtanh",
        "x, cut to an interval.",
        _number("min_val", -1.0),
        _number("max_val", 1.0),
        left_out={**INPLACE, "min_value": "deprecated in PyTorch", "max_value": "deprecated in PyTorch"},
    ),
    _activation("hardsigmoid", "Hardsigmoid", "Piecewise linear sigmoid.", left_out=_PLAIN),
    _activation("hardswish", "Hardswish", "x · hardsigmoid(x).", left_out=_PLAIN),
    _activation("hardshrink", "Hardshrink", "x, or 0 near 0.", _number("lambd", 0.5)),
    _activation("softshrink", "Softshrink", "x moved towards 0, or 0 near 0.", _number("lambd", 0.5, minimum=0)),
    _activation(
        "threshold",
        "Threshold",
        "x where it is above the threshold, `value` elsewhere.",
        Parameter("threshold", "float"),
        Parameter("value", "float"),
        left_out=_PLAIN,
    ),
    _activation("tanhshrink", "Tanhshrink", "x - tanh(x)."),
    _activation("softmax", "Softmax", "Columns to shares that sum to 1.", fixed=_LAST, left_out=_OTHER_DIMENSION),
    _activation("softmin", "Softmin", "softmax of -x.", fixed=_LAST, left_out=_OTHER_DIMENSION),
    _activation("log_softmax", "LogSoftmax", "Logarithm of softmax.", fixed=_LAST, left_out=_OTHER_DIMENSION),
    _activation(
        "glu",
        "GLU",
        "Half of the columns, gated by the others.",
        width=_half,
        rules=(_even,),
        left_out=_OTHER_DIMENSION,
    ),
    _activation("identity", "Identity", "x."),
    Entry(
        "dropout",
        "dropout",
        "torch.nn.Dropout",
        "Sets values to 0 at random in training and scales the rest.",
        (Parameter("p", "float", 0.5, minimum=0, below=1),),
        left_out=_PLAIN,
        paper="Srivastava et al., Dropout, 2014",
    ),
)
