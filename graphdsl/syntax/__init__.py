"""The grammar, the tree of a spec as written, and parsing with recovery."""

from graphdsl.syntax.blocks import STATEMENTS
from graphdsl.syntax.parsing import Parsed, is_document, parse, spell_out

__all__ = ["STATEMENTS", "Parsed", "is_document", "parse", "spell_out"]
