"""What a tensor of each kind of attribute looks like: dtypes, shapes, and the call that converts to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphdsl.model import AttributeType
from graphdsl.model.schema import Kind

_INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
_FLOATS = ("float32", "float64", "float16", "bfloat16")


@dataclass(frozen=True, slots=True)
class KindRule:
    """The dtypes that a kind takes.

    Attributes:
        dtypes: names of the accepted dtypes.
        words: the accepted dtypes in words.
        convert: what to append to a tensor expression to get there.
    """

    dtypes: tuple[str, ...]
    words: str
    convert: str


RULES: Mapping[Kind, KindRule] = {
    # Weights are float32, and torch multiplies no two dtypes.
    "float": KindRule(("float32",), "float32", ".float()"),
    "real": KindRule(("float32",), "float32", ".float()"),
    "int": KindRule(("int64", "int32"), "int64", ".long()"),
    "time": KindRule(("int64", "int32"), "int64", ".long()"),
    "class": KindRule(("int64",), "int64", ".long()"),
    "bool": KindRule(("bool", *_INTEGERS), "bool, or integers 0 and 1", ".bool()"),
    "mask": KindRule(("bool", *_INTEGERS), "bool, or integers 0 and 1", ".bool()"),
    "multilabel": KindRule(("bool", *_INTEGERS, *_FLOATS), "numbers 0 and 1", ".float()"),
}

VECTORS: tuple[Kind, ...] = ("class", "mask", "time")
"""Kinds of shape [N] and no other."""


def fits_shape(type_: AttributeType, shape: tuple[int, ...]) -> bool:
    """Whether the number of dimensions suits, whatever the sizes.

    >>> fits_shape(AttributeType("class", 4), (10, 1)), fits_shape(AttributeType("float", 1), (10, 1))
    (False, True)
    """
    if type_.kind in VECTORS:
        return len(shape) == 1
    if len(shape) == 1:
        return type_.kind != "multilabel" and type_.width in (1, None)
    return len(shape) == 2


def expected_shape(type_: AttributeType, rows: str) -> str:
    """The accepted shape in words.

    >>> expected_shape(AttributeType("float", 334), "4057")
    '[4057, 334]'
    """
    if type_.kind in VECTORS or type_.size is None:
        return f"[{rows}]"
    return f"[{rows}, {type_.size}]"
