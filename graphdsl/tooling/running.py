"""What `train`, `evaluate` and `predict` share: packages, data, checkpoints turned into models, tables."""

import argparse
import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdsl.api import Spec, load, loads
from graphdsl.catalog import Problem, Provider, seek
from graphdsl.model import DataSource, Schema, Training
from graphdsl.text import Diagnostic, SpecError, report
from graphdsl.tooling.output import print_findings

if TYPE_CHECKING:
    from rich.console import Console
    from torch import device, nn

    from graphdsl.plan import Plan
    from graphdsl.training import Checkpoint

_NEEDED = ("torch", "torch_geometric", "lightning", "torchmetrics", "pandas", "sklearn")


def require_packages() -> None:
    """Raise `SpecError` (GNN617) when a package that training needs is not installed."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        helps = ('pip install "graphdsl[train]"',)
        raise SpecError([report("GNN617", f"not installed: {', '.join(missing)}", helps=helps, where="python")])


def add_data(parser: argparse.ArgumentParser) -> None:
    """`--data`."""
    said = "tables folder, `.pt` file, `pyg(…)`, or `file.py:function`; wins over the spec's `data`"
    parser.add_argument("--data", metavar="SOURCE", help=said)


def add_accelerator(parser: argparse.ArgumentParser) -> None:
    """`--accelerator`."""
    said = "where to compute; auto = a GPU if there is one"
    parser.add_argument("--accelerator", choices=("auto", "cpu", "gpu"), default="auto", help=said)


def pick_device(accelerator: str) -> "device":
    """The device that Lightning would choose."""
    import torch

    if accelerator == "gpu" and not torch.cuda.is_available():
        raise SpecError([report("GNN204", "this machine has no GPU that torch can use", where="--accelerator")])
    return torch.device("cuda" if accelerator != "cpu" and torch.cuda.is_available() else "cpu")


def open_data(source: DataSource | None, schema: Schema, where: str) -> Any:
    """Load the data that the command line or the spec names.

    Raises:
        SpecError: GNN612 when neither names any; what `load_source` finds.
    """
    from graphdsl.data import load_source

    if source is None:
        helps = ("name it: `--data SOURCE`, or `data:` in the train block",)
        raise SpecError([report("GNN612", "no data is named", where=where, helps=helps)])
    return load_source(source, schema)


def is_first_process() -> bool:
    """Whether this is the process that writes and prints, of those that train together."""
    from lightning.pytorch.utilities import rank_zero_only

    machine = os.environ.get("GROUP_RANK", os.environ.get("NODE_RANK", "0"))
    return getattr(rank_zero_only, "rank", 0) == 0 and machine == "0"


def check_data(spec: Spec, data: Any, model: str) -> None:
    """Compare data with the schema; warnings about spec and data are printed, notes are for `gnn validate`.

    Raises:
        SpecError: if there is an error among the findings.
    """
    findings = spec.validate(data, model).findings
    if any(item.is_error for item in findings):
        raise SpecError(findings)
    findings = tuple(item for item in findings if item.severity != "note")
    if (findings or spec.findings) and is_first_process():
        print_findings([*spec.findings, *findings], stream=sys.stderr)


@dataclass(frozen=True)
class Trained:
    """A checkpoint turned back into a model with its data.

    Attributes:
        model: the compiled model, weights loaded.
        training: the settings that it was trained with.
    """

    checkpoint: "Checkpoint"
    spec: Spec
    schema: Schema
    model: "nn.Module"
    plan: "Plan"
    data: Any
    training: Training


def open_checkpoint(path: str, given_data: str | None, given_spec: str | None = None) -> Trained:
    """Read a checkpoint, build its model for the data and load the weights.

    Args:
        path: a file that `gnn train` wrote.
        given_data: a data source; None = that of the training run, if it does not run code.
        given_spec: a spec file to use instead of the text in the checkpoint.

    Raises:
        SpecError: GNN614, GNN615, and whatever is wrong with the spec or the data.
    """
    from graphdsl.data import parse_source
    from graphdsl.training import load_weights, read_checkpoint, settings_from_plain
    from graphdsl.training.checkpoint import check_schema

    checkpoint = read_checkpoint(path)
    header = checkpoint.header
    require_plugins(header.plugins, path)
    spec = load(given_spec) if given_spec else loads(header.spec, f"{header.spec_name} in {path}")
    schema = spec.schema(header.model)
    check_schema(checkpoint, schema)
    training = settings_from_plain(header.settings)
    source = parse_source(given_data, Path()) if given_data else training.data
    if not given_data and source is not None and source.kind == "function":
        source = None  # A file that is read must not say which code to run.
    data = open_data(source, schema, path)
    check_data(spec, data, header.model)
    model = spec.compile(header.model, data=data, **header.parameters)
    load_weights(checkpoint, model, schema)
    return Trained(checkpoint, spec, schema, model, model.plan, data, training)


def require_plugins(plugins: Mapping[str, Mapping[str, str]], path: str) -> None:
    """Raise `SpecError` (GNN115) when layers of plug-ins that a checkpoint uses are not there.

    A checkpoint never says what to import: the user names a module again, and packages must be installed.

    Args:
        plugins: by layer, the fields of `catalog.Provider`.
        path: the checkpoint, for messages.
    """
    found: list[Diagnostic] = []
    for name, fields in plugins.items():
        layer, provider = seek(name), Provider(**fields)
        if isinstance(layer, Problem):
            found.append(report(layer.code, layer.message, where=path, helps=(layer.help,) if layer.help else ()))
        elif layer is None:
            wanted = f"{provider.package}=={provider.version}"
            helps = (
                f"install it: `pip install {wanted}`" if provider.package else f"name it: `--plugin {provider.module}`"
            )
            message = f"`{path}` uses the layer `{name}` of {provider}, which is not there"
            found.append(report("GNN115", message, where=path, helps=(helps,)))
    if found:
        raise SpecError(found)


def print_table(
    console: "Console", title: str, columns: Sequence[str], rows: Iterable[tuple[str, Mapping[str, str]]]
) -> None:
    """A table with a line for each of the rows; what a row does not have stays empty."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title, "bold"), title_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    for name, values in rows:  # Brackets of relations are no markup.
        table.add_row(Text(name), *(values.get(column, "") for column in columns))
    console.print(table)


def show_number(value: float) -> str:
    """A metric with four digits; a dash where it is undefined.

    >>> show_number(0.98765), show_number(float("nan")), show_number(123456.7)
    ('0.9877', '–', '1.235e+05')
    """
    if value != value:
        return "–"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.4g}"
