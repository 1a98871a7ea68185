"""Finding the specs that a command is to work on."""

import os
from collections.abc import Iterable, Iterator

from graphdsl.text import Diagnostic, report


def find_specs(paths: Iterable[str]) -> tuple[list[str], list[Diagnostic]]:
    """The `.gnn` files that paths name, each once: a folder stands for all below it, hidden folders left out.

    Returns:
        Paths, and a finding (GNN001) for each folder without a spec.
    """
    names: list[str] = []
    found: list[Diagnostic] = []
    for path in paths:
        if not os.path.isdir(path):
            names.append(path)
            continue
        inside = sorted(_below(path))
        names += inside
        if not inside:
            found.append(report("GNN001", f"there is no `.gnn` file in `{path}`", where=path))
    return list({os.path.realpath(name): name for name in reversed(names)}.values())[::-1], found


def _below(folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.normpath(os.path.join(place, name)) for name in files if name.endswith(".gnn"))
