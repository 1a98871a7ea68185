"""What the catalogue promises and the PyG on the path does not have: ``python tests/contracts/availability.py``.

With an older PyG in front of the installed one it tells what needs `since` or `requires`:

    pip download --no-deps torch-geometric==2.6.0 && unzip -q torch_geometric-2.6.0-*.whl -d older
    PYTHONPATH=older python tests/contracts/availability.py
"""

import importlib
import inspect
import sys
import warnings

from graphdsl.catalog import Entry, entries, is_met, missing, since_pyg


def absent() -> list[str]:
    """Classes, functions and their parameters that should be in the installed PyG and are not."""
    return [line for entry in entries() if entry.path.startswith("torch_geometric.") for line in _absent(entry)]


def _absent(entry: Entry) -> list[str]:
    if missing(entry):
        return []
    module, _, name = entry.path.rpartition(".")
    found = getattr(importlib.import_module(module), name, None)
    if found is None:
        return [entry.name]
    known = inspect.signature(found).parameters
    if any(item.kind is inspect.Parameter.VAR_KEYWORD for item in known.values()):
        return []
    inside = {name for members in entry.packed.values() for name in members}
    promised = [
        item
        for item in entry.parameters
        if item.name not in inside and (not item.since or is_met(since_pyg(item.since)))
    ]
    return [f"{entry.name}({item.name})" for item in promised if item.name not in known and not item.variadic]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    lines = absent()
    print(*(lines or ["everything is there"]), sep="\n")
    sys.exit(bool(lines))
