"""Losses of values: what `penalty gini(h1.author)` computes, and steps of a `sequential` block that give a loss."""

from typing import Any, Final

from graphdsl.catalog.entry import Entry, Parameter, Slot

_LOSS: Final = (Slot("loss", ("loss",)),)
_EXPLAINABLE: Final = "Henderson et al., Improving Molecular Graph Neural Network Explainability, 2021"


def _loss(name: str, doc: str, **fields: Any) -> Entry:
    path = f"graphdsl.kernels.penalties.{name}"
    return Entry(name, "loss", path, doc, gives=_LOSS, width=lambda _arguments, _width: None, function=True, **fields)


ENTRIES: Final = (
    _loss(
        "gini",
        "Mean Gini coefficient of the rows: asks each node to use few columns.",
        takes=(Slot("w", ("nodes", "graphs")),),
        paper=_EXPLAINABLE,
    ),
    _loss(
        "bro",
        "How far the nodes of each graph are from orthonormal rows, mean over graphs.",
        parameters=(Parameter("p", "float|string", 2, above=0, choices=("fro", "nuc")),),
        takes=(Slot("x", ("nodes",)), Slot("batch", ("batch",))),
        paper=_EXPLAINABLE,
    ),
    _loss(
        "kl_loss",
        "How far the assignments that `MemPooling` gives are from clear-cut ones.",
        takes=(Slot("S", ("dense",)),),
        paper="Khasahmadi et al., Memory-Based Graph Networks, 2020",
    ),
)
