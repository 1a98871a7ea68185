"""`gnn evaluate`: metrics of a checkpoint on each split."""

import argparse
import json
from typing import Any

from graphdsl.tooling.arguments import add_format
from graphdsl.tooling.output import CLEAN
from graphdsl.tooling.running import (
    add_accelerator,
    add_data,
    open_checkpoint,
    pick_device,
    print_table,
    require_packages,
    show_number,
)


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    said = "Measure a trained model on each split of the data."
    parser = subparsers.add_parser("evaluate", help="measure a trained model", description=said)
    parser.add_argument("checkpoint", help="a `best.ckpt` or `last.ckpt` that `gnn train` wrote")
    add_data(parser)
    parser.add_argument("--spec", metavar="FILE", help="use this spec instead of the one in the checkpoint")
    add_accelerator(parser)
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build the model, load its weights, measure, print."""
    require_packages()
    from rich.console import Console

    from graphdsl.training import BatchSource, evaluate, read_supervision

    device = pick_device(arguments.accelerator)
    trained = open_checkpoint(arguments.checkpoint, arguments.data, arguments.spec)
    supervision = read_supervision(
        trained.data, trained.plan.node_heads, trained.training.class_weights, trained.schema
    )
    source = BatchSource(trained.data, trained.plan, trained.training, trained.schema)
    found = evaluate(trained.model, trained.plan, source, supervision, device=device)
    if arguments.format == "json":
        from graphdsl.training.writing import plain

        print(json.dumps(plain(found), indent=2))
        return CLEAN
    rows = [
        (split, {name.removeprefix(f"{split}_"): show_number(value) for name, value in values.items()})
        for split, values in found.items()
    ]
    columns = list(dict.fromkeys(name for _, values in rows for name in values))
    header = trained.checkpoint.header
    print_table(Console(), f"{header.model} of epoch {header.epoch}, {arguments.checkpoint}", columns, rows)
    return CLEAN
