"""Data as its source holds it, before there is a schema: for drawing one."""

from typing import Any

from graphdsl.data.sources.dataset import make_dataset
from graphdsl.data.sources.function import run_function
from graphdsl.data.sources.saved import read_saved
from graphdsl.data.sources.table_drafts import draw_tables
from graphdsl.model import DataSource


def load_raw(source: DataSource) -> Any:
    """Load what a source holds: a `HeteroData`, a `Data`, a list of graphs, whatever a function returns, or a draft of tables.

    Tables are read for a schema alone (`load_source`), so what they could declare is all that there is of them before.

    Raises:
        SpecError: everything that keeps the source from being read.
    """
    if source.kind == "pyg":
        graphs = list(make_dataset(source))
        return graphs[0] if len(graphs) == 1 else graphs
    if source.kind == "file":
        return read_saved(source)
    if source.kind == "function":
        return run_function(source)
    return draw_tables(source, "data")
