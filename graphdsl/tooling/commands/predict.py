"""`gnn predict`: what a checkpoint says about every node of the predicted types."""

import argparse
from pathlib import Path
from typing import Any

from graphdsl.tooling.arguments import add_format
from graphdsl.tooling.output import CLEAN
from graphdsl.tooling.running import add_accelerator, add_data, open_checkpoint, pick_device, require_packages


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    said = "Predict for every node of the predicted types, labelled or not."
    parser = subparsers.add_parser("predict", help="predict with a trained model", description=said)
    parser.add_argument("checkpoint", help="a `best.ckpt` or `last.ckpt` that `gnn train` wrote")
    add_data(parser)
    parser.add_argument("--spec", metavar="FILE", help="use this spec instead of the one in the checkpoint")
    said = "a `.csv` table or a `.pt` file of tensors (default: predictions.csv)"
    parser.add_argument("--output", metavar="FILE", default="predictions.csv", help=said)
    add_accelerator(parser)
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build the model, load its weights, predict, write."""
    require_packages()
    from graphdsl.training import BatchSource, all_nodes, predict, write_predictions

    device = pick_device(arguments.accelerator)
    trained = open_checkpoint(arguments.checkpoint, arguments.data, arguments.spec)
    source = BatchSource(trained.data, trained.plan, trained.training, trained.schema)
    found = predict(trained.model, trained.plan, source, all_nodes(trained.data, trained.plan), device)
    for path in write_predictions(found, Path(arguments.output)):
        print(f"wrote {path}")
    return CLEAN
