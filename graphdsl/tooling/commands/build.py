"""`gnn build`: a model as a readable PyG program."""

import argparse
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from graphdsl.api import Spec, load
from graphdsl.text import SpecError, report
from graphdsl.text.rewriting import write_bytes
from graphdsl.tooling.arguments import add_format, add_parameters, add_plugins, parameters
from graphdsl.tooling.output import CLEAN, print_findings

_SPEC_AND_MODEL = 2


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    said = "Write a model as one Python program on PyTorch and PyG, with the compiled module's state dict keys."
    parser = subparsers.add_parser("build", help="write a model as a PyG program", description=said)
    said = "a `.gnn` file, and behind it the name of the model where it has several; with `--report`, files and folders"
    parser.add_argument("spec", metavar="SPEC", nargs="+", help=said)
    add_parameters(parser)
    parser.add_argument("--metadata", metavar="FILE", help="stored metadata of the data: fills widths left open by `*`")
    said = "the data (as of `gnn train`): fills widths left open by `*`; loads torch"
    parser.add_argument("--data", metavar="SOURCE", nargs="?", const="", help=said)
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write; otherwise it is printed")
    said = "write what `torch.export` makes of it (.pt2), which runs where only torch is installed; loads torch"
    parser.add_argument("--export", metavar="FILE", help=said)
    parser.add_argument("--checkpoint", metavar="FILE", help="with `--export`: weights that `gnn train` wrote")
    said = "tell whether torch takes each model as one graph (torch.compile) and exports it, and why not; loads torch"
    parser.add_argument("--report", action="store_true", help=said)
    said = "write a training loop, too: `python program.py data.pt` trains one prediction or objective"
    parser.add_argument("--train", action="store_true", help=said)
    add_plugins(parser)
    add_format(parser)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the program."""
    if arguments.report:
        return _report(arguments)
    if len(arguments.spec) > _SPEC_AND_MODEL:
        arguments.parser.error("one SPEC and one MODEL; several specs go with --report")
    path, *named = arguments.spec
    spec = load(path)
    values = parameters(arguments)
    name = spec.model(named[0] if named else arguments.model).name
    if arguments.checkpoint and not arguments.export:
        raise SpecError(
            [report("GNN209", "`--checkpoint` goes with `--export`: a text has no weights", where="gnn build")]
        )
    if arguments.output and arguments.export:
        raise SpecError([report("GNN209", "`--output` and `--export` both say what to write", where="gnn build")])
    if arguments.export is not None:
        return _export(spec, name, values, arguments)
    write = spec.to_script if arguments.train else spec.to_python
    text = write(name, data=_sizes(spec, name, values, arguments), **values)
    if arguments.output is None:
        print(text, end="")
        return CLEAN
    _write(arguments.output, text.encode())
    return CLEAN


def _report(arguments: argparse.Namespace) -> int:
    """Tell what torch makes of the models."""
    from graphdsl.tooling.files import find_specs
    from graphdsl.tooling.reporting import capture_specs, show_report

    for option in ("output", "export", "checkpoint"):
        if getattr(arguments, option):
            raise SpecError([report("GNN209", f"`--report` writes nothing, so not `--{option}`", where="gnn build")])
    values = parameters(arguments)
    paths, failed = find_specs(arguments.spec)
    rows = list(
        capture_specs(
            paths, arguments.model, values, lambda spec, name: _metadata(spec, name, values, arguments), failed
        )
    )
    if rows:
        print(show_report(rows, arguments.format))
    return print_findings(failed, stream=sys.stderr) if failed else CLEAN


def _metadata(spec: Spec, name: str, values: dict[str, Any], arguments: argparse.Namespace) -> Any:
    from graphdsl.model.metadata_file import read_metadata

    sizes = _sizes(spec, name, values, arguments)
    return read_metadata(sizes) if isinstance(sizes, str) else sizes


def _export(spec: Spec, name: str, values: dict[str, Any], arguments: argparse.Namespace) -> int:
    """Write the exported program."""
    import torch

    data = _sizes(spec, name, values, arguments)
    weights = None
    if arguments.checkpoint is not None:
        from graphdsl.model.metadata_file import metadata_from_json
        from graphdsl.training import check_schema, read_checkpoint

        checkpoint = read_checkpoint(arguments.checkpoint)
        values = checkpoint.header.parameters | values
        data = metadata_from_json(checkpoint.header.metadata) if data is None else data
        check_schema(checkpoint, spec.schema(name), spec.compile(name, data=data, **values))
        weights = checkpoint.weights
    program = spec.export(name, data=data, state_dict=weights, **values)
    written = BytesIO()
    torch.export.save(program, written)
    _write(arguments.export, written.getvalue())
    return CLEAN


def _write(path: str, content: bytes) -> None:
    refused = write_bytes(path, content)
    if refused is not None:
        raise SpecError([refused])


def _sizes(spec: Spec, name: str, values: dict[str, Any], arguments: argparse.Namespace) -> Any:
    """Where sizes come from that the schema leaves open: data, stored metadata, or nothing."""
    if arguments.data is None:
        return arguments.metadata
    from graphdsl.data import parse_source
    from graphdsl.tooling.running import open_data

    if arguments.metadata:
        raise SpecError([report("GNN209", "`--metadata` and `--data` both give the sizes", where="gnn build")])
    source = parse_source(arguments.data, Path()) if arguments.data else spec.training(name).data
    return spec.metadata(open_data(source, spec.schema(name), arguments.spec[0]), name, **values)
