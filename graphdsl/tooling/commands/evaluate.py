"""`gnn evaluate`: metrics of a checkpoint on each split."""

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphdsl.text import SpecError, report
from graphdsl.tooling.arguments import add_format, add_plugins
from graphdsl.tooling.output import CLEAN
from graphdsl.tooling.running import (
    Trained,
    add_accelerator,
    add_data,
    open_checkpoint,
    pick_device,
    print_table,
    require_packages,
    show_number,
)

if TYPE_CHECKING:
    from rich.console import Console
    from torch import device as Device

    from graphdsl.training import BatchSource, Supervision


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    said = "Measure a trained model on each split of the data."
    parser = subparsers.add_parser("evaluate", help="measure a trained model", description=said)
    parser.add_argument("checkpoint", help="a `best.ckpt` or `last.ckpt` that `gnn train` wrote")
    add_data(parser)
    parser.add_argument("--spec", metavar="FILE", help="use this spec instead of the one in the checkpoint")
    parser.add_argument(
        "--top",
        type=int,
        metavar="K",
        help="of predicted links, also rank all new targets of each source: ndcg@K and others",
    )
    said = "with `--top`: an attribute of the targets, a whole number each, and `diversity@K` tells how mixed they are"
    parser.add_argument("--category", metavar="ATTRIBUTE", help=said)
    said = "with `--top`: an attribute of the edges, how much each is wanted: `weighted_recall@K`, `weighted_ndcg@K`"
    parser.add_argument("--weight", metavar="ATTRIBUTE", help=said)
    add_accelerator(parser)
    add_format(parser)
    add_plugins(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build the model, load its weights, measure, print."""
    require_packages()
    from rich.console import Console

    from graphdsl.training import BatchSource, evaluate, probe, read_supervision

    for name in ("category", "weight"):
        if getattr(arguments, name) is not None and arguments.top is None:
            message = f"`--{name}` is about the targets that `--top K` ranks"
            raise SpecError([report("GNN209", message, where=f"--{name}", helps=("add `--top 10`",))])
    device = pick_device(arguments.accelerator)
    trained = open_checkpoint(arguments.checkpoint, arguments.data, arguments.spec)
    training = trained.training
    supervision = read_supervision(trained.data, trained.plan.heads, training.class_weights, trained.schema, training)
    source = BatchSource(trained.data, trained.plan, trained.training, trained.schema)
    found = evaluate(trained.model, trained.plan, source, supervision, device=device)
    judged = probe(trained.model, trained.plan, source, trained.data, trained.schema, training.seed, device)
    found = {split: {**found.get(split, {}), **judged.get(split, {})} for split in dict.fromkeys((*found, *judged))}
    if arguments.top is not None:
        found = _with_ranks(arguments, trained, source, supervision, found, device)
    if arguments.format == "json":
        from graphdsl.training.writing import plain

        print(json.dumps(plain(found), indent=2))
        return CLEAN
    header = trained.checkpoint.header
    title, console = f"{header.model} of epoch {header.epoch}, {arguments.checkpoint}", Console()
    names = [head.name for head in trained.plan.heads]
    for name in names if len(names) > 1 else [""]:
        _print_scores(console, f"{title}, {name}" if name else title, f"{name}_" if name else "", found)
    if len(names) > 1 and judged:
        _print_scores(console, f"{title}, learned vectors", "", judged)
    return CLEAN


def _with_ranks(
    arguments: argparse.Namespace,
    trained: Trained,
    source: "BatchSource",
    supervision: "Supervision",
    found: Mapping[str, Mapping[str, float]],
    device: "Device",
) -> dict[str, dict[str, float]]:
    """The scores, with those of the best new targets of each source on validation and test edges."""
    from graphdsl.backends import CompiledModel, CompiledSequence
    from graphdsl.training import find_ends, pick_heads, rank_links, read_category, read_weight

    top = arguments.top
    if top < 1:
        message = f"`--top` is how many targets each source gets: at least 1, and not {top}"
        raise SpecError([report("GNN204", message, where="--top")])
    links = pick_heads(tuple(head for head in trained.plan.link_heads if head.kind == "link"), False, True)
    assert isinstance(trained.model, CompiledModel | CompiledSequence)
    several, result = len(trained.plan.heads) > 1, {split: dict(values) for split, values in found.items()}
    for head in links:
        ends = find_ends(trained.data, head, trained.schema)
        category = None if arguments.category is None else read_category(trained.data, head, arguments.category)
        weight = None
        if arguments.weight is not None:
            weight = read_weight(trained.data, head, arguments.weight, trained.schema)
        for split in ("val", "test"):
            if split in supervision.links[head.name].edges:
                ranked = rank_links(
                    trained.model, source, supervision, head, ends, split, top, device, category, weight
                )
                prefix = f"{split}_{head.name}_" if several else f"{split}_"
                result.setdefault(split, {}).update({f"{prefix}{name}": value for name, value in ranked.items()})
    return result


def _print_scores(console: "Console", title: str, prefix: str, found: Mapping[str, Mapping[str, float]]) -> None:
    """A table of one prediction's metrics, a line for each split."""
    rows = [
        (split, {name.removeprefix(f"{split}_{prefix}"): show_number(value) for name, value in values.items()
                 if name.startswith(f"{split}_{prefix}")})
        for split, values in found.items()
    ]  # fmt: skip
    print_table(console, title, list(dict.fromkeys(name for _, values in rows for name in values)), rows)
