"""Opening a source of data, whichever kind it is."""

from collections.abc import Callable, Mapping

from graphdsl.data.graph_set import GraphSet
from graphdsl.data.sources.dataset import load_dataset
from graphdsl.data.sources.function import call_function
from graphdsl.data.sources.saved import load_saved
from graphdsl.data.sources.tables import load_tables
from graphdsl.data.view import GraphData
from graphdsl.model import DataSource, Schema

_LOADERS: Mapping[str, Callable[[DataSource, Schema], GraphData | GraphSet]] = {
    "pyg": load_dataset,
    "tables": load_tables,
    "file": load_saved,
    "function": call_function,
}


def load_source(source: DataSource, schema: Schema) -> GraphData | GraphSet:
    """Load a graph, or several.

    Args:
        source: where it is; relative paths start from `source.base`.
        schema: which types, relations and attributes to look for in tables. Other sources bring their own; whether
            they fit is for `graphdsl.data.validate` to say.

    Returns:
        A `HeteroData`, the `(FeatureStore, GraphStore)` pair that a function made, or a `GraphSet` where the source
        holds several graphs or the schema says what a graph carries.

    Raises:
        SpecError: everything that keeps the source from being read.
    """
    return _LOADERS[source.kind](source, schema)
