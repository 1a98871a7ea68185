"""Repeats that repeat nothing."""

from collections.abc import Iterator

from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, report


def _repeats(statements: tuple[n.Statement, ...]) -> Iterator[n.RepeatStatement]:
    for statement in statements:
        if isinstance(statement, n.RepeatStatement):
            yield statement
            yield from _repeats(statement.body)


def single_turns(declared: n.ModelDecl) -> list[Diagnostic]:
    """`repeat 1` and `repeat 0` with a written number; a parameter may well be 1."""
    found: list[Diagnostic] = []
    for item in _repeats(declared.body):
        if isinstance(item.count, n.Literal) and item.count.value in (0, 1):
            turns = item.count.value
            message = "`repeat 1` repeats nothing" if turns else "`repeat 0` leaves its statements out"
            helps = ("leave the repeat out, or take a parameter: `repeat layers { … }`",)
            found.append(report("GNN706", message, item.count.span, helps=helps))
    return found
