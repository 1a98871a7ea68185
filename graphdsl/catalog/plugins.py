"""Layers of other packages: entries that a package offers, or that a module named by the user holds.

A package offers a layer as an entry point of the group `graphdsl.layers`, under the layer's name:

    [project.entry-points."graphdsl.layers"]
    MyConv = "my_package.entries:MY_CONV"

It is looked at when a spec names `MyConv` and nothing else is called so; other entry points are not imported. A module
that the user names (`--plugin my_module`, `load(…, plugins=["my_module"])`) holds a tuple `ENTRIES`. A spec never says
what to import. Whatever is wrong is told as a `Problem`, never raised.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from graphdsl.catalog.entry import Derivation, Entry, ForwardInput, Kind, Parameter, Problem, Scope
from graphdsl.catalog.packages import PACKAGES, alternatives
from graphdsl.catalog.registry import add, clear, find, is_own
from graphdsl.catalog.scorers import find_scorer

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "graphdsl.layers"
"""The group of entry points."""

Plugin = str | ModuleType | Entry
"""What a user names: a module, by its name or itself, or a single entry."""

_WORDS: Final = frozenset({"nodes", "edges", "repeat", "drop", "predict", "sequential", "share", "residual", "readout",
                           "cat", "add", "mul", "mean", "sum", "max", "min", "jump", "stack", "none", "true",
                           "false"})  # fmt: skip
"""Words of the language that stand where a layer can stand."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a layer of a plug-in comes from.

    Attributes:
        module: the module that the user named; empty for a layer that an installed package offers.
        package: the distribution that offers it, "" where a module was named.
        version: its version.
    """

    module: str = ""
    package: str = ""
    version: str = ""

    def __str__(self) -> str:
        return f"`{self.package}` {self.version}" if self.package else f"`{self.module}`"


_PROVIDERS: Final[dict[str, Provider]] = {}


def provider_of(name: str) -> Provider | None:
    """The plug-in that a known layer is from; None for a layer of ours.

    >>> provider_of("GCNConv") is None
    True
    """
    return _PROVIDERS.get(name)


def register(plugin: Plugin) -> list[Problem]:
    """Make the layers of a plug-in known, in this process: all of them, or none if something is wrong.

    Args:
        plugin: a module with a tuple `ENTRIES`, by its name or itself; or one entry.

    Returns:
        What is wrong with it: GNN112 if it cannot be imported, GNN113 if what it holds is no entry, GNN114 if a name is
        taken. A layer may be registered again, with the same class: the newer entry counts.

    >>> register("no_such_module")[0].message
    'the plug-in `no_such_module` cannot be imported: no module named `no_such_module`'
    """
    name = plugin.name if isinstance(plugin, Entry) else getattr(plugin, "__name__", str(plugin))
    held: Any = (plugin,) if isinstance(plugin, Entry) else None
    if not isinstance(plugin, get_args(Plugin)):
        helps = "give a module, its name, or a `graphdsl.catalog.Entry`"
        return [Problem("GNN113", f"the plug-in `{name}` is {_article(type(plugin).__name__)}", help=helps)]
    if not isinstance(plugin, Entry):
        module = _import(plugin) if isinstance(plugin, str) else plugin
        if isinstance(module, Problem):
            return [module]
        held = getattr(module, "ENTRIES", None)
    if not isinstance(held, Iterable) or isinstance(held, str):
        message = f"the plug-in `{name}` has no `ENTRIES`"
        return [Problem("GNN113", message, help="a plug-in holds `ENTRIES`, a tuple of `graphdsl.catalog.Entry`")]
    items = tuple(cast(Iterable[Any], held))
    problems = [found for item in items if (found := _flaw(item, f"the plug-in `{name}`")) is not None]
    entries = [item for item in items if isinstance(item, Entry)]
    names = [item.name for item in entries]
    problems += [
        Problem("GNN114", f"the plug-in `{name}` holds two layers `{taken}`", help="leave one of them out")
        for taken in sorted({item for item in names if names.count(item) > 1})
    ]
    if not problems:
        provider = Provider(module=_module_of(name, plugin))
        for entry in entries:
            add(entry)
            _PROVIDERS[entry.name] = provider
    return problems


def forget() -> None:
    """Forget all layers of plug-ins; those of installed packages are found again."""
    clear()
    _PROVIDERS.clear()


def _module_of(name: str, plugin: Plugin) -> str:
    return plugin.path.rpartition(".")[0] if isinstance(plugin, Entry) else name


def _import(name: str) -> ModuleType | Problem:
    try:
        return import_module(name)
    except (Exception, SystemExit) as error:  # Code of others fails in any way.
        return _unimportable(f"the plug-in `{name}`", error, name)


def _unimportable(who: str, error: BaseException, name: str) -> Problem:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    said = f"no module named `{missing}`" if missing else _first_line(error)
    helps = "install it, or start where Python can import it" if missing == name else None
    if missing and missing != name:
        helps = f"install what it needs: `{missing}`"
    return Problem("GNN112", f"{who} cannot be imported: {said}", help=helps)


def _first_line(error: BaseException) -> str:
    """An error in one line."""
    said = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _flaw(item: Any, who: str) -> Problem | None:
    """Why something cannot be a layer of a plug-in."""
    if not isinstance(item, Entry):
        helps = "describe the layer with `graphdsl.catalog.Entry`"
        return Problem("GNN113", f"{who} holds {_article(type(item).__name__)}, not an entry", help=helps)
    wrong = _wrong(item)
    if wrong:
        return Problem("GNN113", f"`{item.name}` of {who}: {wrong}")
    if is_own(item.name) or find_scorer(item.name) is not None or item.name in _WORDS:
        what = "a word of the language" if item.name in _WORDS else "a layer of graphdsl"
        return Problem("GNN114", f"`{item.name}` of {who} has the name of {what}", help="give it another name")
    other = find(item.name)
    if other is not None and other.path != item.path:
        message = f"{who} and {_PROVIDERS[item.name]} both hold a layer `{item.name}`"
        return Problem("GNN114", message, help="leave one of them out")
    return None


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} `{name}`"


def _wrong(entry: Entry) -> str | None:
    """The first field that no entry can have."""
    checks: tuple[tuple[bool, str], ...] = (
        (entry.name.isidentifier(), "its name must be one word, as a spec writes it"),
        ("." in entry.path, f"its path must be `MODULE.CLASS`, found `{entry.path}`"),
        (entry.kind in get_args(Kind), f"its kind must be one of {', '.join(get_args(Kind))}; found `{entry.kind}`"),
        (
            entry.scope in get_args(Scope),
            f"its scope must be one of {', '.join(get_args(Scope))}; found `{entry.scope}`",
        ),
        (
            (entry.kind == "conv") == (entry.scope != "node"),
            "a `conv` has the scope `relation`, `joint` or `typed`, everything else `node`",
        ),
        (_all(entry.parameters, Parameter), "its parameters must be a tuple of `Parameter`"),
        (_all(entry.inputs, ForwardInput), "its inputs must be a tuple of `ForwardInput`"),
        (
            set(entry.derived.values()) <= set(get_args(Derivation)),
            f"what is derived must be one of {', '.join(get_args(Derivation))}",
        ),
        (
            all(name in PACKAGES for item in entry.requires for name in alternatives(item)),
            f"`requires` may name {', '.join(PACKAGES)}; leave others to the package's own dependencies",
        ),
        (callable(entry.width), "its width must be a rule: a function of the arguments and the input width"),
    )
    return next((said for right, said in checks if not right), None)


def _all(items: object, kind: type) -> bool:
    return isinstance(items, tuple) and all(isinstance(item, kind) for item in cast(tuple[object, ...], items))


def seek(name: str) -> Entry | Problem | None:
    """The entry of this name, of ours or of a plug-in; what is wrong if a package offers it and cannot keep its word.

    >>> seek("GATv2Conv").path, seek("NoSuchConv")
    ('torch_geometric.nn.GATv2Conv', None)
    """
    known = find(name)
    if known is not None:
        return known
    points = [point for point in _points() if point.name == name]
    if not points:
        return None
    if len(points) > 1:
        packages = " and ".join(sorted(str(_provider(point)) for point in points))
        return Problem("GNN114", f"{packages} both offer a layer `{name}`", help="uninstall one of them")
    return _load(points[0])


def offered() -> tuple[str, ...]:
    """Names of layers that installed packages offer; none of them is imported."""
    return tuple(sorted({point.name for point in _points() if not is_own(point.name)}))


def _points() -> "tuple[EntryPoint, ...]":
    from importlib.metadata import entry_points  # Looking through all packages takes its time: only where it is needed.

    return tuple(entry_points(group=GROUP))


def _provider(point: "EntryPoint") -> Provider:
    return Provider("", point.dist.name, point.dist.version) if point.dist else Provider(point.value.partition(":")[0])


def _load(point: "EntryPoint") -> Entry | Problem:
    provider = _provider(point)
    try:
        item: Any = point.load()
    except (Exception, SystemExit) as error:  # Code of others fails in any way.
        return _unimportable(f"`{point.name}` of {provider}", error, point.value.partition(":")[0])
    flaw = _flaw(item, str(provider))
    if flaw is not None:
        return flaw
    if item.name != point.name:
        return Problem("GNN113", f"{provider} offers `{point.name}`, and its entry is called `{item.name}`")
    add(item)
    _PROVIDERS[item.name] = provider
    return item
