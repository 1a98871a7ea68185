"""`gnn zoo`: well-known architectures as specs, to read and to start from."""

import argparse
import json
import os
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graphdsl.text import SpecError, did_you_mean, listing, report
from graphdsl.tooling.output import CLEAN, print_findings

FIELDS = ("Name", "Task", "Paper", "Data")
"""What every spec of the zoo says at its top; `Differs` is said where something differs from the paper, `Score` where it
was measured here, `Published` what others measured on that dataset."""

_PACKAGE = Path(__file__).resolve().parents[2]
_PLACES = (_PACKAGE / "specs", _PACKAGE.parent / "specs")
_FIELD = re.compile(r"# (Name|Task|Paper|Data|Differs|Published|Score): (\S.*)")
_CONTINUED = re.compile(r"#   (\S.*)")


@dataclass(frozen=True, slots=True)
class Described:
    """What a spec of the zoo says about itself.

    Attributes:
        spec: the name of its file, without `.gnn`.
        name: what the architecture is called.
        task: what it predicts.
        paper: authors, title, place and year.
        data: the dataset.
        differs: what is not as in the paper; empty where nothing is.
        published: scores of others on that dataset, if there are some.
        score: what was measured here, over several seeds, if it was.
    """

    spec: str
    name: str
    task: str
    paper: str
    data: str
    differs: str = ""
    published: str = ""
    score: str = ""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "zoo", help="list or copy well-known architectures", description="Well-known architectures as specs."
    )
    parser.add_argument("name", nargs="?", help="one of them, to print")
    parser.add_argument("--out", metavar="FILE", help="copy it to a new file instead")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    parser.set_defaults(run=run, parser=parser)


def zoo_folder() -> Path:
    """Where the specs are: inside the installed package, or beside it in a checkout."""
    for place in _PLACES:
        if any(place.glob("*.gnn")):
            return place
    looked = " or ".join(str(place) for place in _PLACES)
    raise FileNotFoundError(f"the installation is incomplete: no specs in {looked}")


def zoo_files() -> dict[str, Path]:
    """The specs of the zoo by name, in order."""
    return {path.stem: path for path in sorted(zoo_folder().glob("*.gnn"))}


def read_header(spec: str, text: str) -> Described:
    r"""What the comments at the top of a spec say: `# Field: text`, continued in lines that `#` and three blanks begin.

    >>> read_header("gcn", "# Name: GCN\n# Task: nodes\n# Paper: Kipf and Welling,\n#   2017\n# Data: Cora").paper
    'Kipf and Welling, 2017'

    Raises:
        ValueError: a field is missing, or stands twice.
    """
    fields: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if found := _FIELD.fullmatch(line):
            last = found[1]
            if last in fields:
                raise ValueError(f"{spec}: `# {last}:` stands twice")
            fields[last] = found[2]
        elif last and (more := _CONTINUED.fullmatch(line)):
            fields[last] += f" {more[1]}"
        else:
            last = ""
    if missing := [f"# {name}:" for name in FIELDS if name not in fields]:
        raise ValueError(f"{spec}: no {', '.join(missing)} at the top")
    return Described(spec, **{name.lower(): value for name, value in fields.items()})


def zoo() -> list[Described]:
    """All specs of the zoo, by name."""
    return [read_header(name, path.read_text(encoding="utf-8")) for name, path in zoo_files().items()]


def _scores(item: Described, width: int) -> str:
    """A line on what was measured, if it was."""
    told = [item.score and f"measured: {item.score}", item.published and f"published: {item.published}"]
    line = "; ".join(filter(None, told))
    return f"\n{'':<{width}}  {line}" if line else ""


def _list() -> str:
    items = zoo()
    width = max(len(item.spec) for item in items)
    blocks = [
        f"{item.spec:<{width}}  {item.name}; {item.task}; {item.data}\n{'':<{width}}  {item.paper}"
        + _scores(item, width)
        for item in items
    ]
    return "\n".join([*blocks, "", "`gnn zoo NAME` prints one, `gnn zoo NAME --out FILE` copies it"])


def _copy(path: Path, target: Path) -> None:
    """Copy a spec to a file that does not exist yet: the whole of it, or nothing.

    It is written beside the file, flushed to the disk and linked, which fails where somebody was faster.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if os.path.lexists(target):
            raise FileExistsError
        try:
            with open(temporary, "xb") as stream:
                stream.write(path.read_bytes())
                stream.flush()
                os.fsync(stream.fileno())
            os.link(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        raise _unwritable(target, "it exists already", "choose another name, or remove the file first") from None
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise _unwritable(target, reason.lower(), "choose a place where files may be written") from error


def _unwritable(target: Path, reason: str, help_line: str) -> SpecError:
    return SpecError([report("GNN616", f"cannot write `{target}`: {reason}", where=str(target), helps=(help_line,))])


def run(arguments: argparse.Namespace) -> int:
    """Print the list or one spec, or copy one."""
    if arguments.name is None:
        if arguments.out is not None:
            arguments.parser.error("--out needs the NAME of a spec")
        print(json.dumps([asdict(item) for item in zoo()], indent=2) if arguments.json else _list())
        return CLEAN
    if arguments.json:
        arguments.parser.error("--json prints the list, and takes no NAME")
    files = zoo_files()
    name = arguments.name.lower().removesuffix(".gnn")
    if name not in files:
        helps = did_you_mean(name, files)
        notes = () if helps else listing("specs", files)
        found = report("GNN101", f"no spec `{arguments.name}` in the zoo", where="gnn zoo", helps=helps, notes=notes)
        return print_findings([found], stream=sys.stderr)
    if arguments.out is None:
        print(files[name].read_text(encoding="utf-8"), end="")
        return CLEAN
    _copy(files[name], Path(arguments.out))
    print(f"wrote {arguments.out}; `gnn train {arguments.out}` trains it")
    return CLEAN
