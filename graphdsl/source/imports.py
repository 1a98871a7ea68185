"""What a written program imports."""

from typing import Final

_TAKEN: Final = frozenset({"F", "torch", "Tensor", "Module", "ModuleDict", "Parameter"})
"""Names that written programs use for PyTorch's own."""


class Imports:
    """Classes and functions that a program uses, by the names that it gives them."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self.functional = False
        self.tensors = False

    def use(self, path: str) -> str:
        """The name of `package.Thing` in the program.

        >>> Imports().use("torch_geometric.nn.SAGEConv")
        'SAGEConv'
        """
        if path not in self._names:
            package, _, name = path.rpartition(".")
            own = path.startswith("torch.nn.") and name in _TAKEN
            if not own and (name in _TAKEN or name in self._names.values()):
                name = package.split(".")[0].title().replace("_", "") + name
            self._names[path] = name
        return self._names[path]

    @property
    def names(self) -> frozenset[str]:
        """All names in use."""
        return frozenset(self._names.values()) | _TAKEN

    def lines(self, long: int = 100) -> list[str]:
        """Import statements, sorted as `ruff check --select I` wants them.

        Args:
            long: columns of a line.
        """
        packages: dict[str, list[str]] = {"torch": ["Tensor"]} if self.tensors else {}
        for path, name in self._names.items():
            package, _, original = path.rpartition(".")
            packages.setdefault(package, []).append(original if name == original else f"{original} as {name}")
        lines = ["import torch"]
        if self.functional:
            lines.append("import torch.nn.functional as F")
        for package in sorted(packages):
            lines += _statement(package, sorted(packages[package], key=_kind), long)
        return lines


def _kind(name: str) -> tuple[int, str]:
    """Constants first, then classes, then functions, as isort sorts."""
    word = name.split(" ")[0]
    return (0 if word.isupper() and len(word) > 1 else 1 if word[:1].isupper() else 2), name.lower()


def _statement(package: str, names: list[str], long: int) -> list[str]:
    line = f"from {package} import {', '.join(names)}"
    if len(line) <= long:
        return [line]
    return [f"from {package} import (", *(f"    {name}," for name in names), ")"]
