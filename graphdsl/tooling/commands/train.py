"""`gnn train`: from a spec to a trained model, its test score, and what simpler models score."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdsl.api import load
from graphdsl.model import can_override, override_training
from graphdsl.plan.plugins import needed_plugins
from graphdsl.text import SpecError, report
from graphdsl.tooling.arguments import add_format, add_parameters, add_plugins, parameters, whole_number
from graphdsl.tooling.output import CLEAN, FINDINGS, MISUSE
from graphdsl.tooling.results import Job, Trial, print_header, print_results, write_results
from graphdsl.tooling.running import (
    add_accelerator,
    add_data,
    check_data,
    is_first_process,
    open_data,
    pick_device,
    require_packages,
)

if TYPE_CHECKING:
    from rich.console import Console

    from graphdsl.training import Baseline, Machines

FOLDER = "GRAPHDSL_RUN_FOLDER"
"""Environment variable that tells further processes of a run where the first one writes."""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("train", help="train a model", description="Train a model and test it.")
    parser.add_argument("spec", help="a `.gnn` file")
    add_parameters(parser)
    add_data(parser)
    parser.add_argument("--out", metavar="DIR", help="folder of the run (default: runs/MODEL-N)")
    parser.add_argument("--epochs", type=whole_number, metavar="N", help="at most so many epochs")
    parser.add_argument("--batch-size", type=whole_number, metavar="N", help="seed nodes per step, over all processes")
    parser.add_argument("--seed", type=_seed, metavar="N", help="seeds weights, order and sampling")
    parser.add_argument("--seeds", type=whole_number, metavar="K", help="train with K seeds; show mean and deviation")
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run (of --out, or the latest)")
    parser.add_argument("--baselines", action="store_true", help="show what models without message passing score")
    parser.add_argument("--devices", type=whole_number, default=1, metavar="N", help="processes on each machine")
    parser.add_argument("--nodes", type=whole_number, default=1, metavar="N", help="machines")
    add_accelerator(parser)
    add_format(parser)
    add_plugins(parser)
    parser.set_defaults(run=run)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number from 0 to 4294967295")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Check, load, validate, train, test, print."""
    if misuse := _misuse(arguments):
        print(f"gnn train: {misuse}", file=sys.stderr)
        return MISUSE
    require_packages()
    from rich.console import Console

    from graphdsl.training import Machines

    console = Console()
    pick_device(arguments.accelerator)
    job = _prepare(arguments)
    folder = _choose_folder(arguments, job.training.model)
    machines = Machines(arguments.devices, arguments.nodes, arguments.accelerator)
    try:
        with _telling(folder):
            trials = _train_all(arguments, job, folder, machines, console)
    except Exception:
        if is_first_process():
            raise
        return FINDINGS  # The first process says what is wrong, or its end is what went wrong here.
    if not trials[0].fit.is_main:
        return CLEAN
    baselines = _run_baselines(job, console) if arguments.baselines else []
    print_results(console, job, trials, baselines)
    write_results(folder, job, trials, baselines)
    return CLEAN


def _misuse(arguments: argparse.Namespace) -> str:
    """What is wrong with the combination of options, if anything."""
    if arguments.seeds is not None and (arguments.resume or arguments.devices * arguments.nodes > 1):
        return "`--seeds` goes with neither `--resume` nor several processes"
    if arguments.nodes > 1 and not arguments.out:
        return "several machines need a common folder: give `--out`"
    return ""


def _prepare(arguments: argparse.Namespace) -> Job:
    """Everything that can be wrong with spec, parameters or data is found here."""
    from graphdsl.data import parse_source
    from graphdsl.training import read_supervision

    spec = load(arguments.spec)
    given_values = parameters(arguments)
    name = spec.model(arguments.model).name
    own = {item.name for item in spec.model(name).parameters}
    settings = {key: value for key, value in given_values.items() if key not in own and can_override(key)}
    values = {key: value for key, value in given_values.items() if key not in settings}
    spec.plan(name, **values)  # Before the data is loaded, which may take long.
    training, refused = override_training(spec.training(name), settings, "--set")
    if refused:
        raise SpecError(refused)
    given = {"epochs": arguments.epochs, "batch_size": arguments.batch_size, "seed": arguments.seed}
    training = replace(training, **{key: value for key, value in given.items() if value is not None})
    if arguments.data:
        training = replace(training, data=parse_source(arguments.data, Path()))
    schema = spec.schema(name)
    data = open_data(training.data, schema, arguments.spec)
    check_data(spec, data, name)
    metadata = spec.metadata(data, name, **values)
    plan = spec.plan(name, data=metadata, **values)
    supervision = read_supervision(data, plan.heads, schema=schema, training=training)
    return Job(spec, schema, data, metadata, training, values, plan, supervision)


def _choose_folder(arguments: argparse.Namespace, model: str) -> Path:
    """The run's folder: a new one, unless the run is resumed."""
    from graphdsl.training.keeping import LAST

    if FOLDER in os.environ:
        return Path(os.environ[FOLDER])
    if not arguments.out:
        numbers = (
            it.name.removeprefix(f"{model}-") for it in Path("runs").glob("*") if it.name.startswith(f"{model}-")
        )
        latest = max((int(number) for number in numbers if number.isdecimal()), default=0)
        return Path("runs") / f"{model}-{latest if arguments.resume and latest else latest + 1}"
    folder = Path(arguments.out)
    if not arguments.resume and is_first_process() and any(folder.glob(f"**/{LAST}")):
        helps = ("`--resume` goes on with it; or choose another folder",)
        raise SpecError([report("GNN616", f"`{folder}` holds a run already", where="--out", helps=helps)])
    return folder


@contextmanager
def _telling(folder: Path) -> Iterator[None]:
    """Tell the processes that are started for this run where it writes."""
    was_told = FOLDER in os.environ
    os.environ[FOLDER] = str(folder.resolve())
    try:
        yield
    finally:
        if not was_told:
            del os.environ[FOLDER]


def _train_all(
    arguments: argparse.Namespace, job: Job, folder: Path, machines: "Machines", console: "Console"
) -> list[Trial]:
    if arguments.seeds is None:
        return [_train(job, folder, machines, console, arguments.resume)]
    first = job.training.seed
    jobs = [replace(job, training=replace(job.training, seed=first + index)) for index in range(arguments.seeds)]
    return [_train(each, folder / f"seed-{each.training.seed}", machines, console) for each in jobs]


def _train(job: Job, folder: Path, machines: "Machines", console: "Console", resume: bool = False) -> Trial:
    """Train, and measure the best epoch on the test nodes."""
    from lightning.pytorch import seed_everything

    from graphdsl.training import BatchSource, Origin, evaluate, fit, probe

    training = job.training
    seed_everything(training.seed, workers=True, verbose=False)
    model = job.spec.compile(training.model, data=job.metadata, **job.values)
    if is_first_process():
        print_header(console, job, model, folder, machines)
    plugins = {name: asdict(provider) for name, provider in needed_plugins(job.plan).items()}
    origin = Origin(
        job.spec.text, job.spec.name, training.model, job.plan.parameters, job.schema, job.metadata, plugins=plugins
    )
    done = fit(model, job.plan, job.data, training, origin, folder, resume=resume, machines=machines, console=console)
    split = "test" if job.supervision.has("test") else "val"
    if not done.is_main:
        return Trial(training.seed, done, split, {})
    source = BatchSource(job.data, job.plan, training, job.schema)
    device = pick_device(machines.accelerator)
    found = evaluate(model, job.plan, source, job.supervision, (split,), device)
    judged = probe(model, job.plan, source, job.data, job.schema, training.seed, device)
    if split not in found:  # Without labels in the loss, scores are those of the vectors; or there is the loss alone.
        split = next((name for name in ("test", "val") if name in judged), "train")
        found = {} if judged else evaluate(model, job.plan, source, job.supervision, (split,), device)
    scores = {**found.get(split, {}), **judged.get(split, {})}
    return Trial(training.seed, done, split, {name.removeprefix(f"{split}_"): it for name, it in scores.items()})


def _run_baselines(job: Job, console: "Console") -> "list[Baseline]":
    from graphdsl.training import probe_baselines, run_baselines

    seed = job.training.seed
    with console.status("fitting baselines"):
        learned = probe_baselines(job.data, job.plan, job.schema, seed) if job.plan.objectives else ()
        return [*run_baselines(job.data, job.plan, job.supervision, seed), *learned]
