"""Where graphs come from: a `.pt` file, a folder of tables, a dataset of PyG, a function.

`parse_source` reads what the command line gives, `load_source` opens it for a schema, `load_raw`
without one.
"""

from graphdsl.data.sources.notation import parse_source
from graphdsl.data.sources.opening import load_source
from graphdsl.data.sources.raw import load_raw

__all__ = ["load_raw", "load_source", "parse_source"]
