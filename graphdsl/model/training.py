"""What a `train` block means: where the data is and how to fit the model. No torch here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from graphdsl.catalog import scheduler_module
from graphdsl.text import Span


@dataclass(frozen=True, slots=True)
class DataSource:
    """Where a graph comes from.

    Attributes:
        kind: "pyg" = a dataset class of PyG by name, "tables" = a folder of CSV or Parquet tables, "file" = a `.pt`
            file (opened with `weights_only`), "function" = `file.py:function`, on the command line only: a spec never
            runs code.
        name: class name, path or `file.py:function`.
        arguments: keyword arguments (of the dataset class).
        base: folder that relative paths start from: that of the spec, or the current one for the command line.
    """

    kind: Literal["pyg", "tables", "file", "function"]
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    base: Path = Path()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class ClassUse:
    """An optimizer or scheduler: class name of `torch.optim` (`.lr_scheduler`, PyG's too) and keyword arguments."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    span: Span | None = None

    @property
    def scheduler_module(self) -> str:
        """Where a scheduler of this name is."""
        return scheduler_module(self.name)


@dataclass(frozen=True, slots=True)
class Training:
    """Settings of one training run, defaults filled in.

    Attributes:
        model: the model's name; empty in the settings of a spec without a train block.
        data: where the graph is.
        optimizer: class of `torch.optim`.
        scheduler: class of `torch.optim.lr_scheduler` or `torch_geometric.nn.lr_scheduler`, stepped once per epoch.
        epochs: at most so many passes over the training nodes.
        patience: stop after so many epochs without improvement of `monitor`; None = never.
        monitor: what picks the best epoch: `val_loss`, `val_accuracy`, …; empty = the main metric of the first label.
        batch_size: seed nodes per step; None = the whole graph in each step.
        fanout: neighbours per relation and hop, nearest hop first; the last number serves deeper hops; -1 = all.
        temporal: sample no neighbour later than its seed; needs `time` attributes.
        seed: seeds weights, order, sampling.
        clip: largest gradient norm; None = no clipping.
        class_weights: weigh classes inversely to their frequency.
        workers: processes that sample.
        split: shares of a predicted relation's edges that train, validate and test, where the data has no masks for
            them.
        disjoint: share of the training edges of a predicted relation that are predicted and pass no messages; 0: all
            of them do both.
        precision: Lightning's precision: "32-true", "bf16-mixed", …
    """

    model: str
    data: DataSource | None = None
    optimizer: ClassUse = field(default_factory=lambda: ClassUse("Adam", {"lr": 0.01}))
    scheduler: ClassUse | None = None
    epochs: int = 100
    patience: int | None = None
    monitor: str = ""
    batch_size: int | None = None
    fanout: tuple[int, ...] = (10,)
    temporal: bool = False
    seed: int = 0
    clip: float | None = None
    class_weights: bool = False
    workers: int = 0
    split: tuple[float, ...] = (0.8, 0.1, 0.1)
    disjoint: float = 0.0
    precision: str = "32-true"
    span: Span | None = None
