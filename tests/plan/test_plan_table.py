"""Tables that fit the terminal."""

from graphdsl.plan.table import align
from graphdsl.text import columns

ROWS = [
    (
        "edges1",
        "author -[has written]-> paper",
        "GATv2Conv(out_channels=64, heads=8, concat=false)",
        "64, 64 → 64",
        "12",
    ),
    ("", "論文 -[引用]-> 論文", "SAGEConv(out_channels=64)", "64 → 64", "13"),
]
HEADER = ("stage", "type or relation", "layer", "width", "line")


def test_nothing_is_folded_without_a_limit() -> None:
    assert len(align(HEADER, ROWS).split("\n")) == 2 + len(ROWS)


def test_no_word_is_lost_or_broken_and_lines_fit() -> None:
    for most in (90, 100, 120):
        table = align(HEADER, ROWS, most)
        assert all(columns(line) <= most for line in table.split("\n"))
        assert words(table) == words(align(HEADER, ROWS))


def words(table: str) -> list[str]:
    return sorted(word for word in table.split() if "─" not in word)


def test_columns_stay_aligned() -> None:
    lines = align(HEADER, ROWS, 90).split("\n")
    starts = {line.index("─") for line in lines[1:2]}
    assert starts == {0}
    assert lines[0].index("line") == columns(lines[1]) - len("line")
