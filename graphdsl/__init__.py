"""Describe heterogeneous graph neural networks in a checked language; compile them to PyTorch modules.

```python
import graphdsl

spec = graphdsl.load("dblp.gnn")            # raises SpecError with every finding
model = spec.compile("mixed", data=data)    # a torch.nn.Module
out = model(data.x_dict, data.edge_index_dict)
```
"""

from graphdsl.api import Spec, check, load, loads
from graphdsl.pulling import pull
from graphdsl.text import Diagnostic, SpecError

__version__ = "0.1.0"

__all__ = ["Diagnostic", "Spec", "SpecError", "__version__", "check", "load", "loads", "pull"]
