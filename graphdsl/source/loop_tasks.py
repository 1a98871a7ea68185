"""What a written training loop measures: labels as losses read them, the loss, and scores, by kind of label.

The same numbers as those of `graphdsl.training`, in a few lines of PyTorch each.
"""

from dataclasses import dataclass
from typing import Final

from graphdsl.plan import AnyHead

LOWER: Final = ("loss", "rmse", "mae")
"""Scores of which small ones are good."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score of outputs and labels.

    Attributes:
        lines: of a function of `out` and `y`, the last one an expression.
        helpers: what it calls, see `graphdsl.source.definitions`.
    """

    lines: tuple[str, ...]
    helpers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoopTask:
    """One kind of label.

    Attributes:
        conform: the labels as losses read them, with `{0}` where they stand.
        labelled: which rows `y` have a label.
        loss: lines of a function of `out` and `y`, the last one an expression; none where a step gives its loss.
        scores: by name; the first is the main one.
    """

    conform: str
    labelled: str
    loss: tuple[str, ...]
    scores: dict[str, Score]


_KNOWN_LABELS: Final = ("known, guess, truth = y >= 0, out > 0, y > 0", "right = guess & truth & known")
_CLASS: Final = LoopTask(
    conform="{0}.flatten().long()",
    labelled="y >= 0",
    loss=("F.cross_entropy(out, y)",),
    scores={
        "accuracy": Score(("(out.argmax(dim=-1) == y).float().mean().item()",)),
        "f1_macro": Score(
            (
                "guess, size = out.argmax(dim=-1), out.size(-1)",
                "right = y[guess == y].bincount(minlength=size)",
                "both = y.bincount(minlength=size) + guess.bincount(minlength=size)",
                "(2 * right / both)[both > 0].mean().item()",
            )
        ),
    },
)
_TWO_CLASSES: Final = {
    "auroc": Score(("auroc(out.softmax(dim=-1)[:, 1], y)",), ("auroc",)),
    **_CLASS.scores,
    "average_precision": Score(("average_precision(out.softmax(dim=-1)[:, 1], y)",), ("average_precision",)),
}
_MULTILABEL: Final = LoopTask(
    conform="{0}.float().nan_to_num(nan=-1.0)",
    labelled="(y >= 0).any(dim=-1)",
    loss=("known = y >= 0", "F.binary_cross_entropy_with_logits(out[known], y[known])"),
    scores={
        "f1_micro": Score(
            (
                *_KNOWN_LABELS,
                "both = (guess & known).sum() + (truth & known).sum()",
                "2 * right.sum().item() / max(1, both.item())",
            )
        ),
        "f1_macro": Score(
            (
                *_KNOWN_LABELS,
                "both = (guess & known).sum(dim=0) + (truth & known).sum(dim=0)",
                "(2 * right.sum(dim=0) / both)[both > 0].mean().item()",
            )
        ),
    },
)
_REAL: Final = LoopTask(
    conform="{0}.float()",
    labelled="~y.isnan().all(dim=-1)",
    loss=("known = ~y.isnan()", "F.mse_loss(out.reshape(y.shape)[known], y[known])"),
    scores={
        "rmse": Score(("loss_of(out, y).sqrt().item()",)),
        "mae": Score(("known = ~y.isnan()", "(out.reshape(y.shape) - y)[known].abs().mean().item()")),
    },
)
_LINK: Final = LoopTask(
    conform="{0}",
    labelled="y >= 0",
    loss=("known = y >= 0", "F.binary_cross_entropy_with_logits(out[known], y[known].float())"),
    scores={
        "auroc": Score(("known = y >= 0", "auroc(out[known], y[known])"), ("auroc",)),
        "average_precision": Score(
            ("known = y >= 0", "average_precision(out[known], y[known])"), ("average_precision",)
        ),
        "mrr": Score(("(1 / ranks(out, y)).mean().item()",), ("ranks",)),
        **{f"hits@{limit}": Score((f"(ranks(out, y) <= {limit}).float().mean().item()",), ("ranks",))
           for limit in (1, 3, 10)},
    },
)  # fmt: skip
_EVENT: Final = LoopTask(
    conform="{0}",
    labelled="y >= 0",
    loss=("-out[:, 0].mean()",),
    scores={
        "mrr": Score(("(1 / out[:, 1]).mean().item()",)),
        **{f"hits@{limit}": Score((f"(out[:, 1] <= {limit}).float().mean().item()",)) for limit in (1, 3, 10)},
    },
)
_SIGN: Final = LoopTask(
    conform="{0}",
    labelled="y >= 0",
    loss=(
        "# Each of positive, negative and no edge weighs alike.",
        "rows = [out[y == code] for code in range(5)]",
        "classes = [",
        "    F.cross_entropy(part[:, :3], torch.full_like(part[:, 0], code).long())",
        "    for code, part in enumerate(rows[:3])",
        "    if len(part)",
        "]",
        "loss = torch.stack(classes).mean()",
        "# Positive edges are shorter, and negative ones longer, than pairs beside them.",
        "for edge, beside, sign in ((0, 3, 1), (1, 4, -1)):",
        "    if len(rows[beside]):",
        "        apart = sign * (rows[edge][:, 3] - rows[beside][:, 3])",
        "        loss = loss + LAMB * apart.clamp(min=0).mean()",
        "loss",
    ),
    scores={
        "auroc": Score(
            ("known = y <= 1", "auroc(out[known, :2].softmax(dim=-1)[:, 0], (y[known] == 0).long())"), ("auroc",)
        ),
        "f1": Score(
            (
                "known = y <= 1",
                "guess, truth = out[known, 0] >= out[known, 1], y[known] == 0",
                "2 * (guess & truth).sum().item() / max(1, (guess.sum() + truth.sum()).item())",
            )
        ),
        "auroc_of_signs": Score(
            ("known = y <= 1", "auroc((out[known, 0] >= out[known, 1]).float(), (y[known] == 0).long())"), ("auroc",)
        ),
    },
)
_LOSS: Final = LoopTask(conform="{0}", labelled="", loss=(), scores={})
"""Of what has no labels."""


def loop_task(head: AnyHead) -> LoopTask:
    """How a loop learns a prediction."""
    if head.kind == "class":
        return LoopTask(_CLASS.conform, _CLASS.labelled, _CLASS.loss, _TWO_CLASSES) if head.size == 2 else _CLASS
    return {
        "multilabel": _MULTILABEL,
        "real": _REAL,
        "event": _EVENT,
        "walks": _LOSS,
        "infomax": _LOSS,
        "signed": _SIGN,
    }.get(head.kind, _LINK)


def conformed(head: AnyHead, labels: str, rows: str) -> str:
    """Labels as losses read them: [rows] of classes, else [rows, size].

    Args:
        head: what is learned.
        labels: an expression of them.
        rows: an expression of their number.
    """
    shaped = labels if head.kind == "class" else f"{labels}.reshape({rows}, -1)"
    return loop_task(head).conform.format(shaped)


__all__ = ["LOWER", "LoopTask", "Score", "conformed", "loop_task"]
