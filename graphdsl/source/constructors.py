"""From a module in a plan to the expression that makes it."""

from collections.abc import Mapping
from typing import Any, Final, cast

from graphdsl.model import Degrees
from graphdsl.plan import ModuleSpec
from graphdsl.source.expressions import Expression, Group, call, listing, literal, mapping, pair, quote
from graphdsl.source.imports import Imports
from graphdsl.text import container_key

_PAIRS: Final = frozenset({"in_channels", "metadata"})
"""Arguments of which PyG tells a pair by its being a tuple; all other sequences are lists there."""
_FIRST: Final = ("in_channels", "out_channels")


def construct(module: ModuleSpec, imports: Imports, given: Mapping[str, Expression] | None = None) -> Group:
    """`SAGEConv(64, 32, aggr="mean")`.

    Args:
        module: class and arguments.
        imports: remembers the class.
        given: arguments that are written already; they take the place of those in `module`.
    """
    named = dict(given or {})
    arguments = {
        name: named.get(name) or write_value(value, imports, name in _PAIRS) for name, value in module.arguments.items()
    }
    arguments |= {name: value for name, value in named.items() if name not in arguments}
    positional: list[Expression] = []
    for name in _leading(module):
        if name not in arguments or len(positional) != _leading(module).index(name):
            break
        positional.append(arguments.pop(name))
    return call(imports.use(module.path), *positional, **arguments)


def _leading(module: ModuleSpec) -> tuple[str, ...]:
    """Arguments that everybody writes without their names."""
    name = module.path.rpartition(".")[2]
    if name == "Embedding":
        return ("num_embeddings", "embedding_dim")
    if name == "ModuleList":
        return ("modules",)
    if not module.path.startswith("torch_geometric.nn."):
        return ()
    if name == "MLP":
        return ("channel_list",)
    return _FIRST if name == "Linear" or name.endswith("Conv") else _FIRST[:1]


def write_value(value: Any, imports: Imports, keep: bool = False) -> Expression:
    """An argument: modules are constructed, tuples become the lists that PyG takes unless `keep`."""
    if isinstance(value, ModuleSpec):
        return construct(value, imports)
    if isinstance(value, Degrees):
        return call("torch.tensor", listing(literal(count) for count in value.histogram))
    if isinstance(value, Mapping):
        items = cast(Mapping[Any, Any], value).items()
        return mapping({quote(container_key(str(key))): write_value(item, imports, keep) for key, item in items})
    if isinstance(value, tuple | list):
        parts = [write_value(item, imports, keep) for item in cast(tuple[Any, ...], value)]
        return pair(parts) if keep else listing(parts)
    return literal(value)
