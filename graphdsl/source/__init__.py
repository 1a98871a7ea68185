"""A plan as a readable PyG program: text, made without torch."""

from graphdsl.source.program import write_program

__all__ = ["write_program"]
