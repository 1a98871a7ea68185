"""Data as its source holds it, before there is a schema: for drawing one."""

from typing import Any

from graphdsl.data.sources.dataset import make_dataset
from graphdsl.data.sources.function import run_function
from graphdsl.data.sources.refusal import refuse, stop
from graphdsl.data.sources.saved import read_saved
from graphdsl.model import DataSource


def load_raw(source: DataSource) -> Any:
    """Load what a source holds: a `HeteroData`, a `Data`, a list of graphs, or whatever a function returns.

    Raises:
        SpecError: everything that keeps the source from being read; GNN612 for a folder of tables, see `draw_tables`.
    """
    if source.kind == "pyg":
        graphs = list(make_dataset(source))
        return graphs[0] if len(graphs) == 1 else graphs
    if source.kind == "file":
        return read_saved(source)
    if source.kind == "function":
        return run_function(source)
    raise stop(refuse(source, "is a folder of tables, from which no schema is drawn", code="GNN612"))
