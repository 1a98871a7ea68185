"""Stages on kernels inside of a model that `torch.compile` compiles.

Kernels read layouts that torch's compiler cannot trace. So it is told to leave such a stage out, and compiles what stands
around it; asked for one graph without breaks (`fullgraph=True`), or to export, it traces the reference instead.
"""

import torch


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def may_break() -> bool:
    """Whether the compiler that traces the caller may leave parts out; asked while it traces, not while the result runs."""
    try:
        from torch._dynamo.symbolic_convert import InstructionTranslator

        return not InstructionTranslator.current_tx().one_graph
    except (ImportError, AttributeError):  # Another torch: the reference can always be traced.
        return False
