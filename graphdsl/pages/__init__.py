"""Pages and pictures for a browser: what `gnn validate --html` and `gnn bench --svg` write."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphdsl.pages.page import validation_page
    from graphdsl.pages.plot import Panel, line_plot

__all__ = ["Panel", "line_plot", "validation_page"]

_HOMES = {"Panel": "plot", "line_plot": "plot", "validation_page": "page"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
