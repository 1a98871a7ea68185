"""The type of an attribute, guessed from its name, dtype, shape and a few facts about its numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from graphdsl.drafting.draft import DraftAttribute, Remark
from graphdsl.model import LABEL_KINDS, TAKEN_NAMES, AttributeType, TensorInfo

_LABELS: Final = re.compile(r"y|label|labels|target|targets|.*_label|y_.*|.*_y")
_TIMES: Final = re.compile(r"time|times|timestamp|timestamps|year|date|t|.*_(time|timestamp|year|date|at)|edge_time")
_MASKS: Final = re.compile(r"(.*_)?mask")
MOST_CLASSES: Final = 100
_FLOATS: Final = ("float32", "float64", "float16", "bfloat16")
_INTEGERS: Final = ("int64", "int32", "int16", "int8", "uint8")
COUNTABLE: Final = (*_FLOATS, *_INTEGERS, "bool")
"""Dtypes whose numbers can be told."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Facts about the numbers of a tensor that shape and dtype do not tell.

    Attributes:
        low: the smallest; None without rows, or where nobody looked.
        high: the largest.
        is_binary: whether all are 0 or 1 (NaN and -1 aside).
    """

    low: float | None = None
    high: float | None = None
    is_binary: bool = False


def is_label_name(name: str) -> bool:
    """Whether an attribute is called like a label.

    >>> is_label_name("y"), is_label_name("genre_label"), is_label_name("year")
    (True, True, False)
    """
    return _LABELS.fullmatch(name) is not None


def guess_type(name: str, info: TensorInfo, numbers: Numbers, where: str, is_label: bool = False) -> DraftAttribute:
    """Guess how an attribute is to be declared.

    Args:
        name: its key in the store.
        info: shape and dtype.
        numbers: what is known of its numbers.
        where: its place in the data.
        is_label: it is a label, whatever its name.

    Returns:
        The attribute with its type, and a remark where the data has to change before it fits; without a type where the
        language has none for it.

    >>> guess_type("y", TensorInfo((4,), "int64", 3), Numbers(0, 2), "paper.y").type
    AttributeType(kind='class', size=3, optional=False)
    >>> guess_type("year", TensorInfo((4,), "int64"), Numbers(), "paper.year").type
    AttributeType(kind='time', size=None, optional=False)
    """
    shape, dtype = info.shape, info.dtype
    if name in TAKEN_NAMES:
        return DraftAttribute(name, None, Remark(where, "has a name under which PyG keeps the structure", "rename it"))
    if not shape or len(shape) > 2:
        what = "is a single number" if not shape else f"has shape {_shape(shape)}"
        advice = "only rows of numbers can be declared" + ("; `.flatten(1)` makes such" if len(shape) > 2 else "")
        return DraftAttribute(name, None, Remark(where, what, advice))
    columns = shape[1] if len(shape) == 2 else None
    if dtype not in COUNTABLE:
        return DraftAttribute(name, None, Remark(where, f"is {dtype}, for which there is no type", _advise(dtype)))
    if is_label or is_label_name(name):
        return _label(name, dtype, columns, info, numbers, where)
    if _MASKS.fullmatch(name) and (dtype == "bool" or numbers.is_binary):
        return _mask(name, dtype, columns, where)
    if dtype == "bool" and columns is None:
        return DraftAttribute(name, AttributeType("bool"))
    if dtype == "bool":
        return DraftAttribute(
            name, AttributeType("float", columns), Remark(where, "is bool", "`.float()` makes it float32")
        )
    if dtype in _INTEGERS:
        kind = "time" if columns is None and _TIMES.fullmatch(name) else "int"
        change = "" if dtype in ("int64", "int32") else f"is {dtype}"
        return DraftAttribute(name, AttributeType(kind, columns), _remark(where, change, "`.long()` makes it int64"))
    change = "" if dtype == "float32" else f"is {dtype}"
    return DraftAttribute(name, AttributeType("float", columns), _remark(where, change, "`.float()` makes it float32"))


def promote_label(drawn: Sequence[tuple[DraftAttribute, Numbers]]) -> tuple[DraftAttribute, ...]:
    """The attributes of a type; the one that must be the label is one.

    Where there is a `train_mask` and nothing that is called like a label, the only whole number that could be a class is it:
    from 0 (or -1, unlabelled) to less than `MOST_CLASSES`.

    >>> mask, kind = DraftAttribute("train_mask", AttributeType("mask")), DraftAttribute("kind", AttributeType("int"))
    >>> [str(item.type) for item in promote_label([(kind, Numbers(0, 4)), (mask, Numbers(0, 1, True))])]
    ['class[5]', 'mask']
    """
    kinds = {item.type.kind for item, _ in drawn if item.type is not None}
    is_split = any(item.name == "train_mask" and item.type is not None for item, _ in drawn)
    able = [
        item.name
        for item, numbers in drawn
        if item.type == AttributeType("int") and numbers.low is not None and numbers.high is not None
        if numbers.low >= -1 and 1 <= numbers.high < MOST_CLASSES
    ]
    if not is_split or kinds & set(LABEL_KINDS) or len(able) != 1:
        return tuple(item for item, _ in drawn)
    return tuple(
        replace(item, type=AttributeType("class", int(numbers.high or 0) + 1)) if item.name in able else item
        for item, numbers in drawn
    )


def without_classes(item: DraftAttribute) -> DraftAttribute:
    """Labels whose number of classes nobody knows before there are numbers.

    >>> str(without_classes(DraftAttribute("y", AttributeType("class", 1))).type)
    'class[*]'
    """
    if item.type is None or item.type.kind != "class":
        return item
    return replace(item, type=AttributeType("class", "*"))


def _advise(dtype: str) -> str:
    """What makes numbers of another dtype such as can be declared."""
    if dtype.startswith("complex"):
        return "`.real` keeps one part, `torch.view_as_real(…).flatten(1)` both"
    if dtype.startswith(("qint", "quint")):
        return "`.dequantize()` makes it float32"
    if dtype.startswith("uint"):
        return "`.long()` makes it int64"
    return "`.float()` makes it float32" if dtype.startswith("float") else "encode it as numbers, or leave it out"


def _shape(shape: tuple[int, ...]) -> str:
    """A shape without the number of rows, which changes."""
    return f"[{', '.join(['N', *map(str, shape[1:])])}]"


def _remark(where: str, text: str, advice: str) -> Remark | None:
    return Remark(where, text, advice) if text else None


def _label(
    name: str, dtype: str, columns: int | None, info: TensorInfo, numbers: Numbers, where: str
) -> DraftAttribute:
    if columns == 1 and dtype not in _FLOATS:
        remark = Remark(where, f"has shape {_shape(info.shape)}", "`.view(-1)` makes it a row of labels")
        return DraftAttribute(name, AttributeType("class", _classes(info, numbers)), remark)
    if columns is not None and numbers.is_binary and columns > 1:
        return DraftAttribute(name, AttributeType("multilabel", columns))
    if dtype in _FLOATS:
        remark = _remark(where, "" if dtype == "float32" else f"is {dtype}", "`.float()` makes it float32")
        return DraftAttribute(name, AttributeType("real", columns), remark)
    if columns is not None:
        return DraftAttribute(name, AttributeType("int", columns), Remark(where, "holds whole numbers, not 0 and 1"))
    if dtype == "bool":
        return DraftAttribute(name, AttributeType("class", 2), Remark(where, "is bool", "`.long()` makes it classes"))
    remark = _remark(where, "" if dtype == "int64" else f"is {dtype}", "`.long()` makes it int64")
    if numbers.low is not None and numbers.low < -1:
        remark = Remark(where, f"has labels down to {numbers.low:g}", "unlabelled is -1")
    return DraftAttribute(name, AttributeType("class", _classes(info, numbers)), remark)


def _classes(info: TensorInfo, numbers: Numbers) -> int:
    known = info.classes if info.classes is not None else int(numbers.high) + 1 if numbers.high is not None else 0
    return max(known, 1)


def _mask(name: str, dtype: str, columns: int | None, where: str) -> DraftAttribute:
    if columns is not None:
        text = f"holds {columns} splits side by side"
        return DraftAttribute(name, None, Remark(where, text, f"one at a time is a mask: `{name}[:, 0]`"))
    change = "" if dtype == "bool" or dtype in _INTEGERS else f"is {dtype}"
    return DraftAttribute(name, AttributeType("mask"), _remark(where, change, "`.bool()` makes it a mask"))
