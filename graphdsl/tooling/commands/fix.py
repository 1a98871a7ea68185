"""`gnn fix`: apply the fixes that a machine can make."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from graphdsl.api import check_source
from graphdsl.checking import Fixed, choose, fix_source
from graphdsl.text import Diagnostic, SourceText
from graphdsl.text.rewriting import rewrite
from graphdsl.tooling.arguments import STDIN, add_deny_warnings, add_format, add_plugins, read_spec
from graphdsl.tooling.differences import show_difference
from graphdsl.tooling.files import find_specs
from graphdsl.tooling.output import FINDINGS, MISUSE, print_findings


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "fix",
        help="fix what a machine can fix",
        description="Apply the fixes of findings; print what remains. No file gets more errors than it had.",
    )
    parser.add_argument("spec", nargs="+", help="`.gnn` files, folders, or `-` for standard input to output")
    parser.add_argument("--diff", action="store_true", help="show what would change; write nothing")
    parser.add_argument("--pedantic", action="store_true", help="fix also what is right and could be better (7xx)")
    add_deny_warnings(parser)
    add_format(parser)
    add_plugins(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fix the files and print what remains."""
    if "-" in arguments.spec and len(arguments.spec) > 1:
        print("gnn fix: `-` stands alone", file=sys.stderr)
        return MISUSE
    paths, found = find_specs(arguments.spec)
    sources: dict[str, SourceText] = {}
    fixed = changed = left = 0
    for path in paths:
        before = read_spec(path)
        if not isinstance(before, SourceText):
            found.append(before)
            continue
        done = fix_source(before, lambda text: check_source(text, arguments.pedantic))
        failure = _put(before, done, arguments.diff)
        found += [failure] if failure else done.findings
        sources[before.name] = before if failure else done.source
        fixed += 0 if failure else len(done.applied)
        changed += done.source.text != before.text and failure is None
        left += len(choose(done.source, done.findings))
    stream = sys.stderr if arguments.diff or "-" in arguments.spec else sys.stdout
    if arguments.format == "text":
        print("\n".join(_summary(fixed, changed, left, arguments.diff)), file=stream)
    code = print_findings(found, arguments.format, sources, stream, arguments.deny_warnings)
    return FINDINGS if arguments.diff and changed else code


def _put(before: SourceText, done: Fixed, diff: bool) -> Diagnostic | None:
    """Show the difference, or put the fixed text where the text came from."""
    if diff:
        show_difference(before.name, before.text, done.source.text)
    elif before.name == STDIN:
        sys.stdout.buffer.write(done.source.text.encode("utf-8"))
        sys.stdout.buffer.flush()
    elif done.source.text != before.text:
        return rewrite(before, done.source.text)
    return None


def _summary(fixed: int, changed: int, left: int, diff: bool) -> Iterator[str]:
    if fixed:
        findings = f"{fixed} finding{'s' if fixed > 1 else ''}"
        yield f"{'would fix' if diff else 'fixed'} {findings} in {changed} file{'s' if changed > 1 else ''}"
    else:
        yield "nothing fixed"
    if left:
        yield f"left out, because more errors would come up: {left} fix{'es' if left > 1 else ''}"
