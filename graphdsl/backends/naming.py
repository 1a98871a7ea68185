"""Names as PyTorch's and PyG's containers take them.

Both store modules under names joined with `__` or `___`, forbid dots, and refuse names of their own attributes
(`type`, `forward`, `keys`). `graphdsl.text.encode` takes care of the first two; here the third is added. Usual names
stay as they are, and different names stay different.
"""

from torch.nn import ModuleDict, ParameterDict

from graphdsl.text import EdgeKey, container_key, encode


def module_key(name: str) -> str:
    """A name as a key of a module or parameter container; `graphdsl.text.decode` undoes it.

    >>> module_key("author"), module_key("web page"), module_key("type")
    ('author', 'webZ20Zpage', 'Z74Zype')
    """
    key = container_key(name)
    if hasattr(ModuleDict, key) or hasattr(ParameterDict, key):  # of a PyTorch that is newer than the table
        return f"Z{ord(key[0]):x}Z{key[1:]}"
    return key


def edge_key(edge: EdgeKey) -> EdgeKey:
    """An edge type as PyG's containers take it: its types are named as `module_key` names them.

    >>> edge_key(("web page", "links__to", "type"))
    ('webZ20Zpage', 'linksZ5fZZ5fZto', 'Z74Zype')
    """
    source, relation, target = edge
    return module_key(source), encode(relation), module_key(target)
