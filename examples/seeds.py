"""Train a spec with several seeds, and set the result beside what was published."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

from lightning.pytorch import seed_everything
from rich.console import Console
from rich.table import Table
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import inspect
from graphdsl.training import BatchSource, Origin, evaluate, fit, read_supervision


@dataclass(frozen=True)
class Trial:
    """One training run.

    Attributes:
        seed: of weights, order and sampling.
        epoch: the epoch that is kept, from 1.
        test: metrics on the test nodes by name (`accuracy`, `f1_macro`), as shares of 1.
        seconds: what training took.
    """

    seed: int
    epoch: int
    test: dict[str, float]
    seconds: float


def train_once(spec: graphdsl.Spec, data: HeteroData, seed: int, epochs: int | None = None) -> Trial:
    """Train the spec's model and measure the best epoch, or the last where nothing validates, on the test nodes.

    Args:
        spec: a spec with one model and its train block.
        data: the graph.
        seed: of weights, order and sampling.
        epochs: other than the train block says.
    """
    training = replace(spec.training(), seed=seed)
    training = training if epochs is None else replace(training, epochs=epochs)
    seed_everything(seed, verbose=False)
    model = spec.compile(data=data)
    schema, plan = spec.schema(), model.plan
    origin = Origin(spec.text, spec.name, plan.model, plan.parameters, schema, inspect(data, schema))
    with tempfile.TemporaryDirectory() as folder:
        done = fit(model, plan, data, training, origin, folder)
    found = evaluate(
        model, plan, BatchSource(data, plan, training, schema), read_supervision(data, plan.heads), splits=("test",)
    )
    test = {name.removeprefix("test_"): value for name, value in found["test"].items()}
    return Trial(seed, done.best_epoch, test, done.seconds)


def train_seeds(name: str, spec: Path, data: HeteroData, seeds: int) -> list[Trial]:
    """Train with the seeds 0, 1, 2, …, telling each result.

    Args:
        name: how to call the run.
        spec: a `.gnn` file.
        data: the graph.
        seeds: how many.

    Raises:
        SpecError: if the data is not what the schema says.
    """
    console, loaded, trials = Console(), graphdsl.load(spec), []
    report = loaded.validate(data)
    if not report.ok:
        raise graphdsl.SpecError(report.findings)
    for seed in range(seeds):
        trials.append(train_once(loaded, data, seed))
        accuracy, epoch, seconds = trials[-1].test["accuracy"], trials[-1].epoch, trials[-1].seconds
        console.print(f"{name}, seed {seed}: test accuracy {accuracy:.2%} of epoch {epoch}, {seconds:.0f} s")
    return trials


def compare(title: str, rows: Iterable[tuple[str, list[Trial], str]], metrics: dict[str, str]) -> None:
    """Print a table of means and standard deviations over the seeds, in percent, with the published figures.

    Args:
        title: of the table.
        rows: name of the run, its trials, and what was published for the first metric.
        metrics: names of metrics and of their columns.
    """
    table = Table("", title=title, title_justify="left")
    for column in (*metrics.values(), "published", "seeds", "s each"):
        table.add_column(column, justify="right", no_wrap=column != "published")
    for name, trials, published in rows:
        cells = [spread([100 * trial.test[metric] for trial in trials]) for metric in metrics]
        table.add_row(name, *cells, published, str(len(trials)), f"{mean(trial.seconds for trial in trials):.0f}")
    Console().print(table)


def spread(values: list[float]) -> str:
    """Mean and standard deviation (of the sample).

    >>> spread([1.0, 2.0, 3.0])
    '2.00 ± 1.00'
    """
    return f"{mean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")
