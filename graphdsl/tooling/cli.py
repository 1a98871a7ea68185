"""The command `gnn` (also `python -m graphdsl`)."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from graphdsl.text import SpecError, report
from graphdsl.tooling.arguments import load_plugins
from graphdsl.tooling.output import CLEAN, INTERNAL, INTERRUPTED, MISUSE, print_findings, show_everything

COMMANDS = (
    "check",
    "fmt",
    "fix",
    "explain",
    "plan",
    "build",
    "layers",
    "zoo",
    "bench",
    "pull",
    "validate",
    "train",
    "evaluate",
    "predict",
)


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The argument parser; with `only`, the other commands are not even imported."""
    from graphdsl import __version__

    parser = argparse.ArgumentParser(
        prog="gnn", description="Describe heterogeneous graph neural networks; check, compile and train them."
    )
    parser.add_argument("--version", action="version", version=f"graphdsl {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS if only not in COMMANDS else (only,):
        importlib.import_module(f"graphdsl.tooling.commands.{name}").add_parser(subparsers)
    return parser


def _refuse(error: SpecError, style: str) -> int:
    """What keeps a command from running: on standard error, but for programs where they read the rest."""
    stream = sys.stderr if style == "text" else sys.stdout
    return print_findings(error.diagnostics, style, error.sources, stream)


def _fail(error: Exception) -> int:
    """An error of ours: say so in one line, with the traceback for the report."""
    found = report(
        "GNN900",
        f"{type(error).__name__}: {error}",
        where=_origin(error),
        helps=("this is a defect of graphdsl: please report it with the text above",),
    )
    import traceback

    traceback.print_exception(error)
    print_findings([found], stream=sys.stderr)
    return INTERNAL


def _origin(error: Exception) -> str:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return f"{os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place else "gnn"


def be_patient() -> None:
    """Let OpenMP's threads spin only for a moment while they wait for each other, unless the user decided otherwise.

    A thread that waits takes a core from whoever else has work. Training the planes example on two cores took 3.9 s
    instead of 4.2 on an idle machine, 17 instead of 19 beside two busy processes (both within the noise), and 34 to 49
    instead of 59 beside four. Threads that sleep at once take 6.9 s where nobody else works. GNU's OpenMP, which PyTorch
    brings on Linux, reads the setting on import.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = "10000"


def _wrong_kernels() -> str:
    """What is wrong with the kernels that the environment asks for, if anything."""
    if not os.environ.get("GRAPHDSL_KERNELS"):
        return ""
    import torch

    from graphdsl.kernels import implementation_of

    try:
        implementation_of(torch.empty(0, device="cuda" if torch.cuda.is_available() else "cpu"))
    except (ValueError, RuntimeError) as error:
        return str(error)
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 clean, 1 findings, 2 misuse, 70 internal error, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    show_everything()
    arguments = argparse.Namespace()
    be_patient()
    try:
        arguments = build_parser(words[0] if words else None).parse_args(words)
        if getattr(arguments, "plugin", ()):
            load_plugins(arguments.plugin)
        if wrong := _wrong_kernels():
            print(f"gnn: {wrong}", file=sys.stderr)
            return MISUSE
        done = arguments.run(arguments)
        sys.stdout.flush()
        return done
    except SystemExit as done:  # argparse: 0 after --help, 2 after misuse
        return done.code if isinstance(done.code, int) else MISUSE
    except SpecError as error:
        return _refuse(error, getattr(arguments, "format", "text"))
    except BrokenPipeError:  # `gnn layers | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLEAN
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        return _fail(error)


if __name__ == "__main__":
    sys.exit(main())
