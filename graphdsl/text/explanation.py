"""The page that explains a code: `explanations/GNN101.md`, shipped with the package."""

from functools import cache
from pathlib import Path

from graphdsl.text.codes import lookup

FOLDER = Path(__file__).resolve().parent / "explanations"


@cache
def explain(code: str) -> str:
    """The page of a registered code, in Markdown.

    A page says what the finding is about and why it matters, then shows a bad and a good example. Every example is
    executed by the tests.

    >>> explain("GNN303").splitlines()[0]
    '# GNN303 self-loops-between-types'
    """
    return (FOLDER / f"{lookup(code).code}.md").read_text(encoding="utf-8")


def introduction(code: str) -> str:
    """What stands before the examples of a page, without its title."""
    return explain(code).partition("\n")[2].partition("\n## ")[0].strip()
