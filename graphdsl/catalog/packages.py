"""Packages of PyPI that single layers need beside PyTorch and PyG, and whether they are here.

Nothing is imported to find out: looking for a module and reading its version loads neither it nor torch.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

from graphdsl.catalog.entry import Entry


@dataclass(frozen=True, slots=True)
class Package:
    """A package that a layer may need.

    Attributes:
        name: what `pip` calls it.
        module: what Python imports.
        get: the command, or the place, to get it.
        least: the lowest version that will do.
        since: the first version of PyG that uses it for layers; older ones ignore it.
        before: the first version of PyG that ignores it.
    """

    name: str
    module: str
    get: str
    least: str = ""
    since: str = ""
    before: str = ""


_WHEELS: Final = "-f https://data.pyg.org/whl/torch-${TORCH}+${CUDA}.html"

PACKAGES: Final = MappingProxyType(
    {
        item.name: item
        for item in (
            Package("pyg-lib", "pyg_lib", f"pip install pyg-lib {_WHEELS}", least="0.6.0", since="2.8"),
            Package("torch-cluster", "torch_cluster", f"pip install torch-cluster {_WHEELS}", before="2.8"),
            Package("torch-spline-conv", "torch_spline_conv", f"pip install torch-spline-conv {_WHEELS}", before="2.8"),
            Package("dgNN", "dgNN", "see https://github.com/dgSPARSE/dgNN"),
            Package(
                "pylibcugraphops",
                "pylibcugraphops",
                "pip install pylibcugraphops-cu12 --extra-index-url=https://pypi.nvidia.com",
            ),
            Package("pynndescent", "pynndescent", "pip install pynndescent"),
            Package("torch-geometric", "torch_geometric", "pip install --upgrade torch-geometric"),
        )
    }
)
"""Packages that entries may name in `requires`; `torch-geometric` with the first version that has the layer."""


def alternatives(requirement: str) -> tuple[str, ...]:
    """The packages of which a requirement wants one.

    >>> alternatives("pyg-lib | torch-cluster"), alternatives("torch-geometric >= 2.8")
    (('pyg-lib', 'torch-cluster'), ('torch-geometric',))
    """
    return tuple(part.partition(">=")[0].strip() for part in requirement.split("|"))


def since_pyg(version: str) -> str:
    """The requirement of a PyG that is not older.

    >>> since_pyg("2.8")
    'torch-geometric >= 2.8'
    """
    return f"torch-geometric >= {version}"


def is_met(requirement: str) -> bool:
    """Whether one of the alternatives is installed in a version that will do.

    >>> is_met("torch-geometric >= 2.6"), is_met("torch-geometric >= 100")
    (True, False)
    """
    return any(map(_is_here, _packages(requirement)))


def _packages(requirement: str) -> list[Package]:
    """The alternatives, with the version that the requirement asks for."""
    found: list[Package] = []
    for part in requirement.split("|"):
        name, _, least = (text.strip() for text in part.partition(">="))
        found.append(replace(package(name), least=least) if least else package(name))
    return found


def package(name: str) -> Package:
    """What is known of a package; of one that only a plug-in names, its name.

    >>> package("my-kernels").get
    'pip install my-kernels'
    """
    return PACKAGES.get(name) or Package(name, name.replace("-", "_"), f"pip install {name}")


def missing(entry: Entry) -> tuple[str, ...]:
    """The requirements of an entry of which no alternative is installed in a version that PyG uses.

    >>> from graphdsl.catalog import find
    >>> missing(find("SAGEConv"))
    ()
    """
    return tuple(item for item in entry.requires if not is_met(item))


def useful(requirement: str) -> tuple[Package, ...]:
    """The packages of a requirement that the installed PyG would use; all of them without PyG."""
    named = _packages(requirement)
    return tuple(item for item in named if _is_used(item)) or tuple(named)


def describe_requirement(requirement: str, conjunction: str = "or") -> str:
    """The packages of a requirement in words.

    >>> describe_requirement("pyg-lib | torch-cluster")
    '`pyg-lib` ≥ 0.6.0 (PyG 2.8 and later) or `torch-cluster` (PyG before 2.8)'
    """
    return f" {conjunction} ".join(map(_in_words, _packages(requirement)))


def show_packages(packages: Iterable[Package]) -> str:
    """Names with the lowest versions: what is to be installed."""
    return " or ".join(f"`{item.name}`{f' ≥ {item.least}' if item.least else ''}" for item in packages)


def _in_words(item: Package) -> str:
    when = f" (PyG {item.since} and later)" if item.since else f" (PyG before {item.before})" if item.before else ""
    return f"{show_packages((item,))}{when}"


def _is_here(item: Package) -> bool:
    if find_spec(item.module) is None or not _is_used(item):
        return False
    found = _version(item.name)
    return not (item.least and found) or found >= _number(item.least)


def _is_used(item: Package) -> bool:
    """Whether the installed PyG uses a package; true where there is no PyG."""
    pyg = _version("torch-geometric")
    too_old = item.since and pyg and pyg < _number(item.since)
    too_new = item.before and pyg and pyg >= _number(item.before)
    return not (too_old or too_new)


def _version(name: str) -> tuple[int, ...]:
    """The version of an installed package; empty if there is none, or nobody knows."""
    return _number(installed_version(name))


def installed_version(name: str) -> str:
    """What the installed package says of itself; nothing if it is not there."""
    from importlib.metadata import PackageNotFoundError, version  # Slow to load: only for layers that need a package.

    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _number(text: str) -> tuple[int, ...]:
    """The leading numbers of a version.

    >>> _number("2.8.1+cpu"), _number("2.9.0.dev1")
    ((2, 8, 1), (2, 9, 0))
    """
    leading = re.match(r"\d+(\.\d+)*", text)
    return tuple(map(int, leading.group().split("."))) if leading else ()
