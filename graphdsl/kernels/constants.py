"""Few numbers that are known beforehand, as tensors that are kept.

A GPU waits for each list that is copied to it, and a graph of its operations cannot be recorded around that.
"""

from functools import lru_cache

import torch
from torch import Tensor

from graphdsl.kernels.layouts import lasting


@lru_cache(maxsize=1024)
@lasting
def constant(numbers: tuple[float, ...], device: torch.device, dtype: torch.dtype = torch.int64) -> Tensor:
    """Numbers as a tensor, made once for each device; only to be read.

    Args:
        numbers: few.
        device: where they are needed.
        dtype: of the tensor.

    >>> constant((3, 1), torch.device("cpu")) is constant((3, 1), torch.device("cpu"))
    True
    """
    return torch.tensor(numbers, dtype=dtype, device=device)
