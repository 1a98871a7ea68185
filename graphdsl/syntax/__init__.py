"""The grammar, the tree of a spec as written, and parsing with recovery."""

from graphdsl.syntax.blocks import STATEMENTS
from graphdsl.syntax.parsing import Parsed, parse

__all__ = ["STATEMENTS", "Parsed", "parse"]
