"""Names as PyTorch's and PyG's containers take them.

Both store modules under names joined with `__` or `___`, forbid dots, and refuse names of their own attributes
(`type`, `forward`, `keys`). `graphdsl.text.encode` takes care of the first two; here the third is added. Usual names
stay as they are, and different names stay different.
"""

from typing import Final

from torch.nn import ModuleDict, ParameterDict

from graphdsl.text import EdgeKey, encode

# fmt: off
RESERVED: Final = frozenset(
    {
        "T_destination", "add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "clear",
        "compile", "copy", "cpu", "cuda", "double", "dump_patches", "eval", "extra_repr", "float", "forward",
        "fromkeys", "get", "get_buffer", "get_extra_state", "get_parameter", "get_submodule", "half", "ipu",
        "items", "keys", "load_state_dict", "modules", "mtia", "named_buffers", "named_children",
        "named_modules", "named_parameters", "parameters", "pop", "popitem", "register_backward_hook",
        "register_buffer", "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
        "register_full_backward_pre_hook", "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook", "register_module", "register_parameter",
        "register_state_dict_post_hook", "register_state_dict_pre_hook", "requires_grad_", "set_extra_state",
        "set_submodule", "setdefault", "share_memory", "state_dict", "to", "to_empty", "train", "training",
        "type", "update", "values", "xpu", "zero_grad",
    }
)
# fmt: on
"""Attributes of the containers, written out so that keys of a state dict do not depend on PyTorch's version."""


def module_key(name: str) -> str:
    """A name as a key of a module or parameter container; `graphdsl.text.decode` undoes it.

    >>> module_key("author"), module_key("web page"), module_key("type")
    ('author', 'webZ20Zpage', 'Z74Zype')
    """
    key = encode(name)
    if key in RESERVED or hasattr(ModuleDict, key) or hasattr(ParameterDict, key):
        return f"Z{ord(key[0]):x}Z{key[1:]}"
    return key


def edge_key(edge: EdgeKey) -> EdgeKey:
    """An edge type as PyG's containers take it: its types are named as `module_key` names them.

    >>> edge_key(("web page", "links__to", "type"))
    ('webZ20Zpage', 'linksZ5fZZ5fZto', 'Z74Zype')
    """
    source, relation, target = edge
    return module_key(source), encode(relation), module_key(target)
