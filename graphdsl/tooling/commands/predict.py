"""`gnn predict`: what a checkpoint says about every node of the predicted types, and about links."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdsl.text import SpecError, did_you_mean, listing, report
from graphdsl.tooling.arguments import add_format, add_plugins, whole_number
from graphdsl.tooling.output import CLEAN, MISUSE
from graphdsl.tooling.running import Trained, add_accelerator, add_data, open_checkpoint, pick_device, require_packages

if TYPE_CHECKING:
    from torch import device as Device

    from graphdsl.training import Forecasts, LinkPredictions

TOP = 10


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    said = (
        "Predict for every node of the predicted types, labelled or not; of predicted links the best new ones of each "
        "source, of labels of edges those of every edge."
    )
    parser = subparsers.add_parser("predict", help="predict with a trained model", description=said)
    parser.add_argument("checkpoint", help="a `best.ckpt` or `last.ckpt` that `gnn train` wrote")
    add_data(parser)
    parser.add_argument("--spec", metavar="FILE", help="use this spec instead of the one in the checkpoint")
    said = "a `.csv` table or a `.pt` file of tensors (default: predictions.csv)"
    parser.add_argument("--output", metavar="FILE", default="predictions.csv", help=said)
    parser.add_argument("--pairs", metavar="FILE", help="score these links: a CSV table with `source` and `target`")
    said = f"so many new links for each source node (default: {TOP})"
    parser.add_argument("--top", type=whole_number, metavar="K", help=said)
    parser.add_argument("--only", metavar="NAME", help="one prediction of several, named as in `gnn plan`")
    add_accelerator(parser)
    add_format(parser)
    add_plugins(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build the model, load its weights, predict, write."""
    require_packages()
    from graphdsl.training import (
        BatchSource,
        Forecasts,
        LinkPredictions,
        Predictions,
        all_nodes,
        predict,
        write_predictions,
    )

    if arguments.pairs and arguments.top:
        print("gnn predict: `--pairs` and `--top` do not go together", file=sys.stderr)
        return MISUSE
    device = pick_device(arguments.accelerator)
    trained = open_checkpoint(arguments.checkpoint, arguments.data, arguments.spec)
    source = BatchSource(trained.data, trained.plan, trained.training, trained.schema)
    only = _chosen(arguments.only, [head.name for head in trained.plan.heads])
    found: list[Predictions | LinkPredictions | Forecasts] = list(_links(arguments, trained, only, device))
    if any(
        head.name in only for head in (*trained.plan.node_heads, *trained.plan.graph_heads, *trained.plan.objectives)
    ):
        nodes = predict(trained.model, trained.plan, source, all_nodes(trained.data, trained.plan), device)
        found += [item for item in nodes if item.head.name in only]
    for path in write_predictions(found, Path(arguments.output)):
        print(f"wrote {path}")
    return CLEAN


def _chosen(only: str | None, known: list[str]) -> list[str]:
    """Names of the predictions that are wanted."""
    if only is None:
        return known
    if only not in known:
        helps, notes = did_you_mean(only, known), listing("predictions", known)
        raise SpecError([report("GNN101", f"unknown prediction `{only}`", where="--only", helps=helps, notes=notes)])
    return [only]


def _links(
    arguments: argparse.Namespace, trained: Trained, only: list[str], device: "Device"
) -> "Iterator[LinkPredictions | Forecasts]":
    """What the model says of links: of the pairs that are given, of the best new ones, or of every edge."""
    from graphdsl.backends import CompiledModel, CompiledSequence
    from graphdsl.training import BatchSource, find_ends, forecast, pick_heads, predict_pairs, predict_top, read_pairs

    wanted = tuple(head for head in trained.plan.link_heads if head.name in only)
    heads = pick_heads(wanted, bool(arguments.pairs), bool(arguments.top))
    # Links to come are asked for after everything that has happened, so nothing is hidden for being late.
    source = BatchSource(trained.data, trained.plan, replace(trained.training, temporal=False), trained.schema)
    model = trained.model
    for head in heads:
        assert isinstance(model, CompiledModel | CompiledSequence)
        if head.kind == "event":
            if arguments.pairs:
                message = f"`{head.name}` is asked for events, told by what happened before, and not for pairs"
                raise SpecError([report("GNN204", message, where="--pairs", helps=("leave `--pairs` out",))])
            yield forecast(model, head, source.histories(head), trained.training, arguments.top or TOP, device)
            continue
        ends = find_ends(trained.data, head, trained.schema)
        if arguments.pairs:
            pairs = read_pairs(Path(arguments.pairs), head, ends)
            yield predict_pairs(model, source, head, ends, pairs, device)
        elif head.kind == "link":
            yield predict_top(model, source, head, ends, arguments.top or TOP, device)
        else:
            yield predict_pairs(model, source, head, ends, ends.edges, device)
