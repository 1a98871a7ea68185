"""What `gnn train` prints and writes: what is about to be trained, scores beside baselines, `result.json`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from graphdsl.api import Spec
from graphdsl.model import Metadata, Schema, Training
from graphdsl.plan import Plan, graph_scorers
from graphdsl.tooling.running import print_table, show_number

if TYPE_CHECKING:
    from rich.console import Console
    from torch import nn

    from graphdsl.training import Baseline, Fit, Machines, Supervision


@dataclass(frozen=True)
class Job:
    """What is to be trained, on what.

    Attributes:
        data: the graph, validated.
        metadata: its sizes.
        values: for the model's parameters.
        plan: of the model with these values on this data.
        supervision: labels and splits.
    """

    spec: Spec
    schema: Schema
    data: Any
    metadata: Metadata
    training: Training
    values: Mapping[str, Any]
    plan: Plan
    supervision: "Supervision"


_SPREAD = "nothing to learn: labels of training nodes spread, once"


@dataclass(frozen=True)
class Trial:
    """One training run.

    Attributes:
        seed: its seed.
        fit: what came of it.
        split: "test", or "val" where there is no test split.
        scores: metrics of the best epoch on that split, named without its prefix.
    """

    seed: int
    fit: "Fit"
    split: str
    scores: Mapping[str, float]


def print_header(console: "Console", job: Job, model: "nn.Module", folder: Path, machines: "Machines") -> None:
    """What is about to be trained, on what, how."""
    from graphdsl.training.liveness import dead_parameters

    training = job.training
    count = sum(item.numel() for item in model.parameters())
    dead = sum(item.numel() for item in dead_parameters(model, job.plan))
    idle = f" ({dead:,} of them serve no prediction)" if dead else ""
    heads = ", ".join(head.name for head in job.plan.heads)
    of_graphs = bool(job.plan.graph_heads) or (job.metadata.graph.count or 0) > 1
    verb = "learns" if len(job.plan.objectives) == len(job.plan.heads) else "predicts"
    lines = (
        ("model", f"{training.model} of {job.spec.name}: {count:,} parameters{idle}, {verb} {heads}"),
        ("data", _describe_data(job.metadata)),
        ("labels", _describe_splits(job.supervision)),
        (
            "training",
            _describe_training(training, machines.processes, of_graphs, bool(graph_scorers(job.plan)))
            if count
            else _SPREAD,
        ),
        ("folder", str(folder)),
    )
    for name, said in lines:
        console.print(f"{name:<9} {said}", highlight=False, markup=False, soft_wrap=True)


def _describe_data(metadata: Metadata) -> str:
    if metadata.graph.count is not None and metadata.graph.count > 1:
        kinds = f"{len(metadata.nodes)} node type{'' if len(metadata.nodes) == 1 else 's'}"
        return f"{metadata.graph.count:,} graphs of {kinds}"
    known = ((name, store.count) for name, store in metadata.nodes.items())
    sizes = ", ".join(f"{name} {count:,}" for name, count in known if count is not None)
    edges = sum(store.count or 0 for store in metadata.edges.values())
    relations = f"{len(metadata.edges)} relation{'' if len(metadata.edges) == 1 else 's'}"
    return f"{sizes}; {edges:,} edges in {relations}"


def _describe_splits(supervision: "Supervision") -> str:
    splits = {name: item.nodes for name, item in supervision.targets.items()}
    splits |= {name: item.edges for name, item in supervision.links.items()}
    return "; ".join(
        f"{name}: " + ", ".join(f"{split} {len(rows):,}" for split, rows in item.items())
        for name, item in splits.items()
    )


def _describe_training(training: Training, processes: int, of_graphs: bool, of_pairs: bool) -> str:
    steps = "all graphs in each step" if of_graphs else "the whole graph in each step"
    if training.batch_size is not None and of_graphs:
        steps = f"batches of {training.batch_size:,} graphs"
    elif training.batch_size is not None and of_pairs:
        steps = f"batches of {training.batch_size:,} edges, on the whole graph"
    elif training.batch_size is not None:
        steps = f"batches of {training.batch_size:,}, fanout {', '.join(map(str, training.fanout))}"
    where = f", {processes} processes" if processes > 1 else ""
    return f"{training.optimizer.name}, {training.epochs} epochs, {steps}, seed {training.seed}{where}"


def print_results(console: "Console", job: Job, trials: Sequence[Trial], baselines: "Sequence[Baseline]") -> None:
    """Scores of the model beside those of the baselines, a table for each prediction."""
    split = trials[0].split
    tried = f"{len(trials)} seeds" if len(trials) > 1 else f"seed {trials[0].seed}"
    for head in job.plan.heads:
        prefix = f"{head.name}_" if len(job.plan.heads) > 1 else ""
        own = dict(_summarise(trials, prefix))
        if prefix and head in job.plan.objectives:
            own |= dict(_judged(trials, job.plan))
        others = [
            (item.name, {name: show_number(value) for name, value in item.scores.items()})
            for item in baselines
            if item.prediction == head.name
        ]
        rows = "edges" if head.name in job.supervision.links else "graphs" if head in job.plan.graph_heads else "nodes"
        title = f"{split} {rows}, {head.name}"
        print_table(console, title, list(own), [(f"{job.training.model} ({tried})", own), *others])
    for note in dict.fromkeys(item.note for item in baselines if item.note):
        console.print(f"baselines are {note}", highlight=False)
    for trial in trials:
        fit = trial.fit
        said = f"epoch {fit.best_epoch} of {fit.epochs}, {fit.seconds:.1f} s: {fit.best}"
        console.print(said, highlight=False, markup=False, soft_wrap=True)
    if trials[0].fit.monitor is None:
        console.print("there is no validation split: the last epoch is kept", highlight=False)


def _judged(trials: Sequence[Trial], plan: Plan) -> Iterator[tuple[str, str]]:
    """Scores of linear models on learned vectors, beside those of the model's own predictions."""
    own = tuple(f"{head.name}_" for head in plan.heads)
    yield from ((name, said) for name, said in _summarise(trials, "") if name != "loss" and not name.startswith(own))


def _summarise(trials: Sequence[Trial], prefix: str) -> Iterator[tuple[str, str]]:
    """Each metric of a prediction; with several seeds as mean ± standard deviation."""
    for name in trials[0].scores:
        if name.startswith(prefix):
            values = [trial.scores[name] for trial in trials]
            spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
            yield name.removeprefix(prefix), show_number(mean(values)) + spread


def write_results(folder: Path, job: Job, trials: Sequence[Trial], baselines: "Sequence[Baseline]") -> None:
    """`result.json`: everything that the tables show, for programs."""
    from graphdsl.training import settings_to_plain, write_json
    from graphdsl.training.checkpoint import versions

    monitor = trials[0].fit.monitor
    content = {
        "model": job.training.model,
        "spec": job.spec.name,
        "parameters": dict(job.plan.parameters),
        "settings": settings_to_plain(job.training),
        "monitor": monitor.name if monitor else None,
        "runs": [_run_to_plain(trial) for trial in trials],
        "baselines": [_baseline_to_plain(item) for item in baselines],
        "versions": versions(),
    }
    write_json(content, folder / "result.json")


def _run_to_plain(trial: Trial) -> dict[str, Any]:
    fit = trial.fit
    return {
        "seed": trial.seed,
        "checkpoint": fit.best,
        "best_epoch": fit.best_epoch,
        "epochs": fit.epochs,
        "seconds": round(fit.seconds, 3),
        "metrics": {**fit.metrics, **{f"{trial.split}_{name}": value for name, value in trial.scores.items()}},
    }


def _baseline_to_plain(item: "Baseline") -> dict[str, Any]:
    return {
        "prediction": item.prediction,
        "name": item.name,
        "metrics": dict(item.scores),
        "seconds": round(item.seconds, 3),
        "note": item.note,
    }
