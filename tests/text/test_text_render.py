"""The renderer: excerpts, marks under the right columns, and nothing that could upset a terminal."""

import pytest

from graphdsl.text import Edit, Fix, SourceText, Span, SpecError, clean, columns, order, render, render_all, report


def shown(line: str, column: int, end: int, **more) -> list[str]:
    source = SourceText("a.gnn", line)
    found = report("GNN101", "unknown", Span("a.gnn", 1, column, 1, end), "here", **more)
    return render(found, {"a.gnn": source}).splitlines()


def test_the_parts_of_a_finding() -> None:
    text = "one\ntwo three\n\n\nfive\n"
    span, other = Span("a.gnn", 2, 5, 2, 10), Span("a.gnn", 5, 1, 5, 5)
    found = report(
        "GNN101", "unknown `three`", span, "here", also=((other, "and there"),), helps=("do",), notes=("know",)
    )
    assert render(found, {"a.gnn": SourceText("a.gnn", text)}) == (
        "error[GNN101]: unknown `three`\n"
        " --> a.gnn:2:5\n"
        "  |\n"
        "2 | two three\n"
        "  |     ^^^^^ here\n"
        "...\n"
        "5 | five\n"
        "  | ---- and there\n"
        "  = note: know\n"
        "  = help: do"
    )


@pytest.mark.parametrize(
    ("line", "column", "end", "marks"),
    [
        ("abc def", 5, 8, "    ^^^"),
        ("\tabc", 2, 5, "    ^^^"),
        ("論文 x", 4, 5, "     ^"),
        ("論文 x", 1, 3, "^^^^"),
        ("e\u0301 x", 4, 5, "  ^"),
        ("😀 x", 3, 4, "   ^"),
        ("עברית x", 7, 8, "      ^"),
        ("abc", 4, 5, "   ^"),
        ("abc", 9, 10, "    ^"),
        ("", 1, 1, "^"),
    ],
)
def test_marks_stand_under_the_text(line: str, column: int, end: int, marks: str) -> None:
    assert shown(line, column, end)[4] == f"  | {marks} here"


def test_long_lines_are_cut_around_the_place() -> None:
    line = "x" * 500_000 + "!" + "y" * 500_000
    lines = shown(line, 500_001, 500_002)
    assert len(lines[3]) < 200
    assert lines[3][lines[4].index("^")] == "!"


def test_control_and_direction_characters_do_not_reach_the_terminal() -> None:
    text = "\n".join(shown("a\x1b[31m\u202e\u200bb", 1, 2, notes=("\x1b[0m",), helps=("a\nb",), where="x\x07"))
    assert not any(character in text for character in "\x1b\u202e\u200b\x07")
    assert clean("👨\u200d👩") == "👨\u200d👩"
    assert columns("👨\u200d👩") == 4


def test_place_in_data_beside_the_line_of_the_spec() -> None:
    assert "  = in: author.x" in shown("x", 1, 2, where="author.x")
    assert " --> author.x" in render(report("GNN601", "missing", where="author.x"))


def test_a_fix_is_announced_once() -> None:
    span = Span("a.gnn", 1, 1, 1, 2)
    fix = Fix("remove it", (Edit(span, ""),))
    assert shown("x", 1, 2, fix=fix)[-1] == "  = help: remove it  (fix available)"
    assert shown("x", 1, 2, fix=fix, helps=("one", "two"))[-2:] == ["  = help: one", "  = help: two  (fix available)"]


def test_findings_are_ordered_and_each_said_once() -> None:
    late = report("GNN101", "b", Span("a.gnn", 2, 1, 2, 2))
    early = report("GNN102", "a", Span("a.gnn", 1, 9, 1, 10))
    nowhere = report("GNN004", "c", where="a.gnn")
    warning = report("GNN108", "d", Span("a.gnn", 1, 1, 1, 2))
    found = order([nowhere, late, early, late, warning])
    assert [item.message for item in found] == ["d", "a", "b", "c"]
    text = render_all(found, {"a.gnn": SourceText("a.gnn", "0123456789\nx")})
    assert text.endswith("3 errors, 1 warning")
    assert text.count("error[GNN101]") == 1


def test_a_file_that_is_gone_leaves_the_place(tmp_path) -> None:
    found = report("GNN101", "unknown", Span(str(tmp_path / "gone.gnn"), 3, 1, 3, 2))
    assert render(found).splitlines()[1].endswith("gone.gnn:3:1")
    assert render_all([found]).endswith("1 error")


def test_an_error_shows_the_text_it_came_with() -> None:
    source = SourceText("<string>", "schema")
    error = SpecError([report("GNN010", "expected", Span("<string>", 1, 1, 1, 7))], [source])
    assert "1 | schema" in str(error)


def test_colours_do_not_change_the_text() -> None:
    source = SourceText("a.gnn", "text")
    found = report("GNN101", "unknown", Span("a.gnn", 1, 1, 1, 2), helps=("do",), notes=("know",))
    plain, painted = (render(found, {"a.gnn": source}, color) for color in (False, True))
    assert "\x1b[1;31m" in painted
    import re

    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain
