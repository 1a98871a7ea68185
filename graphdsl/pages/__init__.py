"""Pages for a browser: what `gnn validate --html` writes."""

from graphdsl.pages.page import validation_page

__all__ = ["validation_page"]
