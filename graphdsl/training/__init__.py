"""Training compiled models on Lightning: task, batches, fitting, checkpoints, evaluation, baselines.

`task` says what a label's kind asks for, `splits` which nodes count, `batches` what a step sees, `module` computes it
for Lightning and `fitting` runs it; `keeping` and `checkpoint` write what `prediction` uses again. Each name here
brings what it needs when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphdsl.training.baselines import Baseline, run_baselines
    from graphdsl.training.batches import BatchSource
    from graphdsl.training.checkpoint import Checkpoint, Origin, check_schema, load_weights, read_checkpoint
    from graphdsl.training.fitting import Fit, Machines, fit
    from graphdsl.training.foreseeing import forecast
    from graphdsl.training.link_prediction import find_ends, pick_heads, predict_pairs, predict_top, read_pairs
    from graphdsl.training.prediction import (
        Forecasts,
        LinkPredictions,
        Predictions,
        all_nodes,
        evaluate,
        predict,
        write_predictions,
    )
    from graphdsl.training.probing import probe, probe_baselines
    from graphdsl.training.ranking import rank_links, read_category, read_weight
    from graphdsl.training.settings import settings_from_plain, settings_to_plain
    from graphdsl.training.splits import Supervision, read_supervision
    from graphdsl.training.writing import write_json

_HOMES = {
    "Baseline": "baselines",
    "BatchSource": "batches",
    "Checkpoint": "checkpoint",
    "Fit": "fitting",
    "Forecasts": "prediction",
    "LinkPredictions": "prediction",
    "Machines": "fitting",
    "Origin": "checkpoint",
    "Predictions": "prediction",
    "Supervision": "splits",
    "all_nodes": "prediction",
    "check_schema": "checkpoint",
    "evaluate": "prediction",
    "find_ends": "link_prediction",
    "fit": "fitting",
    "forecast": "foreseeing",
    "load_weights": "checkpoint",
    "pick_heads": "link_prediction",
    "predict": "prediction",
    "predict_pairs": "link_prediction",
    "predict_top": "link_prediction",
    "rank_links": "ranking",
    "read_category": "ranking",
    "read_weight": "ranking",
    "probe": "probing",
    "probe_baselines": "probing",
    "read_checkpoint": "checkpoint",
    "read_pairs": "link_prediction",
    "read_supervision": "splits",
    "run_baselines": "baselines",
    "settings_from_plain": "settings",
    "settings_to_plain": "settings",
    "write_json": "writing",
    "write_predictions": "prediction",
}

__all__ = [
    "Baseline",
    "BatchSource",
    "Checkpoint",
    "Fit",
    "Forecasts",
    "LinkPredictions",
    "Machines",
    "Origin",
    "Predictions",
    "Supervision",
    "all_nodes",
    "check_schema",
    "evaluate",
    "find_ends",
    "fit",
    "forecast",
    "load_weights",
    "pick_heads",
    "predict",
    "predict_pairs",
    "predict_top",
    "probe",
    "probe_baselines",
    "rank_links",
    "read_category",
    "read_checkpoint",
    "read_pairs",
    "read_supervision",
    "read_weight",
    "run_baselines",
    "settings_from_plain",
    "settings_to_plain",
    "write_json",
    "write_predictions",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
