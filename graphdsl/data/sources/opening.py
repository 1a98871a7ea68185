"""Opening a source of data, whichever kind it is."""

from collections.abc import Callable, Mapping

from graphdsl.data.sources.dataset import load_dataset
from graphdsl.data.sources.function import call_function
from graphdsl.data.sources.saved import load_saved
from graphdsl.data.sources.tables import load_tables
from graphdsl.data.view import GraphData
from graphdsl.model import DataSource, Schema

_LOADERS: Mapping[str, Callable[[DataSource, Schema], GraphData]] = {
    "pyg": lambda source, schema: load_dataset(source),
    "tables": load_tables,
    "file": lambda source, schema: load_saved(source),
    "function": lambda source, schema: call_function(source),
}


def load_source(source: DataSource, schema: Schema) -> GraphData:
    """Load a graph.

    Args:
        source: where it is; relative paths start from `source.base`.
        schema: which types, relations and attributes to look for in tables. Other sources bring their own; whether
            they fit is for `graphdsl.data.validate` to say.

    Returns:
        A `HeteroData`, or the `(FeatureStore, GraphStore)` pair that a function made.

    Raises:
        SpecError: everything that keeps the source from being read.
    """
    return _LOADERS[source.kind](source, schema)
