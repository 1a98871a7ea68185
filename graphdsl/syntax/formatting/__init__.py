"""The one way to lay out a spec: `gnn fmt`."""

from graphdsl.syntax.formatting.format import Formatted, format_source

__all__ = ["Formatted", "format_source"]
