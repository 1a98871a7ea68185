"""What would change in a text, for people and for `patch`."""

import difflib
import sys

from graphdsl.tooling.output import wants_color

_SIGNS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}


def show_difference(name: str, old: str, new: str) -> None:
    """Print the unified difference of two texts on standard output, in colours on a terminal."""
    color = wants_color(sys.stdout)
    before, after = (text.replace("\r\n", "\n").splitlines(keepends=True) for text in (old, new))
    for line in difflib.unified_diff(before, after, name, name):
        ended = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        sys.stdout.write(f"{_SIGNS[line[0]]}{ended[:-1]}\x1b[0m\n" if color and line[0] in _SIGNS else ended)
