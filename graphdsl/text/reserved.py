"""Names that PyTorch's module containers refuse, because they are names of their own attributes."""

from typing import Final

from graphdsl.text.encoding import encode

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


def container_key(name: str) -> str:
    """A name as a key of a module or parameter container; `graphdsl.text.decode` undoes it.

    >>> container_key("author"), container_key("web page"), container_key("type")
    ('author', 'webZ20Zpage', 'Z74Zype')
    """
    key = encode(name)
    return f"Z{ord(key[0]):x}Z{key[1:]}" if key in RESERVED else key
