"""Specs in YAML and JSON: read with the places of everything, checked by pydantic models, spelled in `.gnn`.

A document becomes `.gnn` text first; that text is parsed as any other, and each token then gets the place in the document
that it came from. So a spec means the same in every notation, and findings point into the file that was written.
"""

from graphdsl.syntax.documents.parsing import parse_document, to_gnn

__all__ = ["parse_document", "to_gnn"]
