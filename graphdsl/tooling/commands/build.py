"""`gnn build`: a model as a readable PyG program."""

import argparse
from io import BytesIO
from pathlib import Path
from typing import Any

from graphdsl.api import Spec, load
from graphdsl.text import SpecError, report
from graphdsl.text.rewriting import write_bytes
from graphdsl.tooling.arguments import add_format, add_parameters, parameters
from graphdsl.tooling.output import CLEAN


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    said = "Write a model as one Python program on PyTorch and PyG, with the compiled module's state dict keys."
    parser = subparsers.add_parser("build", help="write a model as a PyG program", description=said)
    parser.add_argument("spec", help="a `.gnn` file")
    parser.add_argument("name", metavar="MODEL", nargs="?", help="the model, where the spec has several")
    add_parameters(parser)
    parser.add_argument("--metadata", metavar="FILE", help="stored metadata of the data: fills widths left open by `*`")
    said = "the data (as of `gnn train`): fills widths left open by `*`; loads torch"
    parser.add_argument("--data", metavar="SOURCE", nargs="?", const="", help=said)
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write; otherwise it is printed")
    said = "write what `torch.export` makes of it (.pt2), which runs where only torch is installed; loads torch"
    parser.add_argument("--export", metavar="FILE", help=said)
    parser.add_argument("--checkpoint", metavar="FILE", help="with `--export`: weights that `gnn train` wrote")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the program."""
    spec = load(arguments.spec)
    values = parameters(arguments)
    name = spec.model(arguments.name or arguments.model).name
    if arguments.checkpoint and not arguments.export:
        raise SpecError(
            [report("GNN209", "`--checkpoint` goes with `--export`: a text has no weights", where="gnn build")]
        )
    if arguments.output and arguments.export:
        raise SpecError([report("GNN209", "`--output` and `--export` both say what to write", where="gnn build")])
    if arguments.export is not None:
        return _export(spec, name, values, arguments)
    text = spec.to_python(name, data=_sizes(spec, name, values, arguments), **values)
    if arguments.output is None:
        print(text, end="")
        return CLEAN
    _write(arguments.output, text.encode())
    return CLEAN


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
    return spec.metadata(open_data(source, spec.schema(name), arguments.spec), name, **values)
