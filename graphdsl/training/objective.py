"""All predictions of a model together: names of metrics, and which of them picks the best epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from graphdsl.text import Span, SpecError, did_you_mean, listing, report
from graphdsl.training.task import HeadTask

Mode = Literal["max", "min"]

LOWER_IS_BETTER = frozenset({"loss", "rmse", "mae"})


@dataclass(frozen=True, slots=True)
class Monitor:
    """The metric that picks the best epoch and whether large or small is good."""

    name: str
    mode: Mode

    def is_better(self, value: float, than: float | None) -> bool:
        """Whether a value beats the best so far."""
        if value != value:
            return False
        return than is None or (value > than if self.mode == "max" else value < than)


class Task:
    """All predictions of a model, trained together: the sum of weight times loss.

    Args:
        heads: the task of each prediction.
    """

    def __init__(self, heads: Sequence[HeadTask]) -> None:
        self.heads = tuple(heads)

    def name(self, split: str, head: HeadTask, metric: str) -> str:
        """`val_accuracy`; with several predictions `val_author.y_accuracy`."""
        return f"{split}_{metric}" if len(self.heads) == 1 else f"{split}_{head.head.name}_{metric}"

    def names(self, split: str) -> tuple[str, ...]:
        """All metrics of a split, the loss first."""
        found = [f"{split}_loss"]
        for head in self.heads:
            found += [self.name(split, head, metric) for metric in _named(self, head)]
        return tuple(found)

    def main(self, split: str = "val") -> str:
        """Name of the main metric of the first prediction."""
        return self.name(split, self.heads[0], self.heads[0].main)

    def monitor(self, asked: str, has_validation: bool, span: Span | None = None) -> Monitor | None:
        """The metric that picks the best epoch.

        Args:
            asked: its name, or nothing for the main one.
            has_validation: whether there is a validation split; without one the last epoch is kept.
            span: where the spec asks for it.

        Returns:
            The monitor; None when there is nothing to pick by.

        Raises:
            SpecError: GNN101 for a name that no metric has.
        """
        if not asked:
            return self._monitor(self.main()) if has_validation else None
        known = (*(self.names("val") if has_validation else ()), "train_loss")
        if asked not in known:
            message = f"unknown metric `{asked}` to monitor"
            notes = [*listing("metrics", known), *(() if has_validation else ("the data has no validation split",))]
            raise SpecError([report("GNN101", message, span, helps=did_you_mean(asked, known), notes=notes)])
        return self._monitor(asked)

    def _monitor(self, name: str) -> Monitor:
        return Monitor(name, "min" if name.rsplit("_", 1)[-1] in LOWER_IS_BETTER else "max")


def _named(task: Task, head: HeadTask) -> tuple[str, ...]:
    own = () if len(task.heads) == 1 else ("loss",)
    return (*own, *head.metrics())
