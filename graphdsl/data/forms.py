"""What stands where a dense tensor of numbers should, in words, and how it becomes one. Without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from graphdsl.data.phrases import mend, python
from graphdsl.data.places import Place

_PANDAS: Final = "torch.from_numpy({}.to_numpy())"
_NAMES: Final = "`torch.from_numpy(numpy.unique(%s, return_inverse=True)[1])`"
_ENCODER: Final = "`SentenceTransformer(…).encode(%s, convert_to_tensor=True)`"


@dataclass(frozen=True, slots=True)
class Form:
    """A form that a value is stored in.

    Attributes:
        words: what it is; stands behind "is".
        change: the expression that makes it a tensor, `{}` where the value stands; empty where `advice` says it.
        advice: what to do where no expression does it.
    """

    words: str
    change: str = ""
    advice: str = ""


_FORMS: Final[Mapping[str, Form]] = {
    "array": Form("a numpy array, not a tensor", "torch.from_numpy({})"),
    "sparse": Form("a sparse matrix, not a dense tensor", "{}.to_dense()"),
    "scipy matrix": Form("a sparse matrix of scipy, not a tensor", "torch.from_numpy({}.toarray())"),
    "nested tensor": Form(
        "a nested tensor, whose rows differ in length", "torch.nested.to_padded_tensor({}, 0.0)"
    ),
    "meta tensor": Form(
        "a tensor without numbers, on the device `meta`", advice="load or make it on a device with memory, such as `cpu`"
    ),
    "quantized tensor": Form("a quantized tensor", "{}.dequantize()"),
    "mkldnn tensor": Form("a tensor in the layout of MKL-DNN", "{}.to_dense()"),
    "masked tensor": Form("a masked tensor, not a plain one", "{}.to_tensor(0)"),
    "DataFrame": Form("a data frame of pandas, not a tensor", _PANDAS),
    "Series": Form("a column of pandas, not a tensor", _PANDAS),
    "list of tensors": Form("a list of tensors, not a tensor", "torch.stack([*{}])"),
    "list with gaps": Form("a list in which rows have no value", advice="give each row one"),
    "ragged list": Form("a list of rows that differ in length", advice="pad them to one length, or sum each up"),
    "list": Form("a list, not a tensor", "torch.tensor({})"),
    "tuple": Form("a tuple, not a tensor", "torch.tensor({})"),
}  # fmt: skip


def explain_form(form: str, place: Place, key: str, kind: str = "") -> tuple[str, str]:
    """What a value is, and what to do.

    Args:
        form: as `GraphView.form` says it; not "tensor".
        place: where the value stands.
        key: of the value.
        kind: as which it is declared, if it is.

    >>> explain_form("array", "paper", "x")
    ('a numpy array, not a tensor', '`data["paper"].x = torch.from_numpy(data["paper"].x)`')
    >>> explain_form("dict", "paper", "x")[1]
    'replace `data["paper"].x` by a tensor with a row for each node'
    """
    target = python(place, key)
    if form == "list of texts":
        numbers, encoded = (
            f"kinds become class numbers by {_NAMES % target}",
            f"prose numbers by a text encoder, {_ENCODER % target}",
        )
        return (
            "a list of texts, not a tensor",
            numbers if kind == "class" or key == "edge_index" else f"{numbers}, {encoded}",
        )
    found = _FORMS.get(form)
    if found is None:
        rows = "node" if isinstance(place, str) else "edge"
        return f"a `{form}`, not a tensor", f"replace `{target}` by a tensor with a row for each {rows}"
    return found.words, found.advice or mend(place, key, found.change)
