"""Describe heterogeneous graph neural networks in a checked language; compile them to PyTorch modules.

```python
import graphdsl

spec = graphdsl.load("dblp.gnn")            # raises SpecError with every finding
model = spec.compile("mixed", data=data)    # a torch.nn.Module
out = model(data.x_dict, data.edge_index_dict)
```
"""

from typing import TYPE_CHECKING, Any

from graphdsl.api import Spec, check, load, loads
from graphdsl.text import Diagnostic, SpecError

if TYPE_CHECKING:
    from graphdsl.pulling import pull

__version__ = "0.1.0"

__all__ = ["Diagnostic", "Spec", "SpecError", "__version__", "check", "load", "loads", "pull"]


def __getattr__(name: str) -> Any:
    if name != "pull":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from graphdsl.pulling import pull  # The commands that draw nothing start without it.

    return pull
