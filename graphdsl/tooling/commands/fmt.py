"""`gnn fmt`: specs laid out in the one way."""

import argparse
import difflib
import os
import re
import sys
from dataclasses import dataclass
from typing import Any

from graphdsl.syntax import is_document
from graphdsl.syntax.documents.conversion import Notation, convert
from graphdsl.syntax.formatting import format_source
from graphdsl.text import Diagnostic, SourceText, decode_source, report
from graphdsl.text.rewriting import replace_bytes
from graphdsl.text.source import MAX_BYTES
from graphdsl.tooling.arguments import STDIN
from graphdsl.tooling.files import find_specs
from graphdsl.tooling.output import CLEAN, FINDINGS, MISUSE, print_findings, wants_color

NOTATIONS = ("gnn", "yaml", "json")
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|(?:^|(?<=\s))(#)', re.MULTILINE)
_SIGNS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    said = "Lay specs out in the one way. Comments stay; nothing but blanks, line breaks and separating commas changes."
    parser = subparsers.add_parser("fmt", help="format specs", description=said)
    parser.add_argument("spec", nargs="+", help="`.gnn` files, folders, or `-` for standard input to output")
    parser.add_argument("--check", action="store_true", help="write nothing; list what would change, and end with 1")
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change, and end with 1")
    parser.add_argument("--to", choices=NOTATIONS, help="print one spec (`.gnn`, `.yaml`, `.json`) in another notation")
    parser.add_argument("--from", dest="given", choices=NOTATIONS, default="gnn", help="notation of standard input")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class _Work:
    """A spec before and after: its name, its bytes, its bytes as they should be."""

    name: str
    old: bytes
    new: bytes


def _read(name: str) -> bytes | Diagnostic:
    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with open(name, "rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        helps = ("give the path of a `.gnn` file, or a folder",)
        return report("GNN001", f"cannot read `{name}`: {reason.lower()}", where=name, helps=helps)


def _format(name: str, sources: dict[str, SourceText]) -> _Work | tuple[Diagnostic, ...]:
    raw = _read(name)
    if isinstance(raw, Diagnostic):
        return (raw,)
    source = decode_source(raw, STDIN if name == "-" else name)
    if isinstance(source, Diagnostic):
        return (source,)
    sources[source.name] = source
    done = format_source(source)
    return done.diagnostics or _Work(source.name, raw, done.text.encode())


def _show_diff(work: _Work) -> None:
    color = wants_color(sys.stdout)
    old, new = (text.decode("utf-8-sig", "replace").splitlines() for text in (work.old, work.new))
    for line in difflib.unified_diff(old, new, work.name, f"{work.name} (formatted)", lineterm=""):
        print(f"{_SIGNS[line[0]]}{line}\x1b[0m" if color and line[:1] in _SIGNS else line)


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _misuse(arguments: argparse.Namespace) -> str | None:
    """What is wrong with the arguments, if anything is."""
    if "-" in arguments.spec and len(arguments.spec) > 1:
        return "`-` stands alone"
    if arguments.to:
        several = len(arguments.spec) > 1 or os.path.isdir(arguments.spec[0])
        looking = "--to prints: it goes without --check and --diff" if arguments.check or arguments.diff else None
        return "--to takes one file" if several else looking
    document = next((name for name in arguments.spec if is_document(name)), None)
    return f"only `.gnn` is formatted; `--to gnn {document}` prints it as `.gnn`" if document else None


def _convert(path: str, to: Notation, given: Notation) -> int:
    """Print a spec in another notation."""
    raw = _read(path)
    name = path if path != "-" else STDIN if given == "gnn" else f"{STDIN}.{given}"
    source = decode_source(raw, name) if isinstance(raw, bytes) else raw
    if isinstance(source, Diagnostic):
        return print_findings([source], stream=sys.stderr)
    done = convert(source, to)
    if isinstance(done, tuple):
        return print_findings(done, sources={source.name: source}, stream=sys.stderr)
    sys.stdout.write(done)
    stays = to == "gnn" and not is_document(name)
    if not stays and not name.lower().endswith(".json") and any(match[1] for match in _COMMENT.finditer(source.text)):
        print("note: comments are left out, for they cannot be moved from one notation to another", file=sys.stderr)
    return CLEAN


def run(arguments: argparse.Namespace) -> int:
    """Format all specs; those with syntax errors stay as they are."""
    if problem := _misuse(arguments):
        print(f"gnn fmt: {problem}", file=sys.stderr)
        return MISUSE
    if arguments.to:
        return _convert(arguments.spec[0], arguments.to, arguments.given)
    names, found = find_specs(arguments.spec)
    sources: dict[str, SourceText] = {}
    works: list[_Work] = []
    for name in names:
        done = _format(name, sources)
        works += [done] if isinstance(done, _Work) else []
        found += [] if isinstance(done, _Work) else done
    changed = [work for work in works if work.old != work.new]
    only_look = arguments.check or arguments.diff
    if names == ["-"] and not only_look:
        sys.stdout.write("".join(work.new.decode() for work in works))
    elif only_look:
        _report(changed, len(works), arguments)
    else:
        refused = [replace_bytes(work.name, work.old, work.new) for work in changed]
        written = refused.count(None)
        found += [item for item in refused if item]
        print(f"{_files(written)} formatted, {_files(len(works) - len(changed))} unchanged")
    if found:
        print_findings(found, sources=sources, stream=sys.stderr)
    return FINDINGS if found or (only_look and changed) else CLEAN


def _report(changed: list[_Work], count: int, arguments: argparse.Namespace) -> None:
    """What would change, for `--check` and `--diff`."""
    for work in changed:
        if arguments.diff:
            _show_diff(work)
        else:
            print(f"would format {work.name}")
    out = sys.stderr if arguments.diff else sys.stdout
    print(f"{_files(len(changed))} would be formatted, {_files(count - len(changed))} unchanged", file=out)
