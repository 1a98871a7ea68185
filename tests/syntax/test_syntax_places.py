"""Spans count characters from 1, whatever the text is made of, and stay right through repairs."""

import dataclasses

import pytest

from graphdsl.api import check_source
from graphdsl.syntax import nodes as n
from graphdsl.syntax import parse
from graphdsl.text import SourceText, Span


def spans(item: object) -> list[tuple[object, Span]]:
    """Every record of a tree with its span."""
    found: list[tuple[object, Span]] = []
    stack = [item]
    while stack:
        here = stack.pop()
        if isinstance(here, tuple):
            stack += here
        elif dataclasses.is_dataclass(here) and not isinstance(here, Span | SourceText):
            if hasattr(here, "span"):
                found.append((here, here.span))
            stack += [getattr(here, field.name) for field in dataclasses.fields(here)]
    return found


def cut(source: SourceText, span: Span) -> str:
    lines = source.text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


WHOLE = """gnn 1
schema größe(w: int = 3) {
\tnode "論文 😀" (count = 2) { x: float[w * 2]?, "e\u0301": class[*] }   # عربى
  optional edge "論文 😀" -["עברית"]-> "論文 😀" reverse back { t: time }
  metapath M(count) = "論文 😀" -["עברית"]-> "論文 😀" <-[back]- "論文 😀" budget 2K
}
model m(h: list = [1, -2]) on größe {
  h0 = nodes { "論文 😀": Linear(h, bias = false)  *: MLP(act = relu(1)) } | { *: LayerNorm } | relu
  repeat 2 share { edges(h0) { * -[back]-> *, M: share SAGEConv(4) } combine mean }
  cat(h0, h0)
  drop "論文 😀"
  predict "論文 😀"."e\u0301": MLP(4) weight 0.5
}
train m { epochs: 3 }
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_record_spans_its_own_text(ending: str) -> None:
    source = SourceText("t.gnn", WHOLE.replace("\n", ending))
    parsed = parse(source)
    assert parsed.diagnostics == ()
    found = spans(parsed.file.declarations)
    assert len(found) > 120
    for record, span in found:
        text = cut(source, span)
        assert text == text.strip()
        if isinstance(record, n.Name):
            assert text.strip('"') == record.text
        elif isinstance(record, n.Literal) and isinstance(record.value, int) and record.value in (1, 2, 3, 4):
            assert text == str(record.value)
        elif isinstance(record, n.Wildcard):
            assert text == "*"
        elif isinstance(record, n.Call):
            assert text.startswith(record.name.text)


@pytest.mark.parametrize(
    ("line", "column", "end"),
    [
        ("node a { x: flot }", 15, 19),
        ("\tnode a { x: flot }", 14, 18),
        ('node "論文" { x: flot }', 18, 22),
        ('node "😀😀" { x: flot }', 18, 22),
        ('node "e\u0301" { x: flot }', 18, 22),
        ('node "עברית" { x: flot }', 21, 25),
        ("node größe { x: flot }", 19, 23),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "# größe 😀"])
def test_columns_count_characters(line: str, column: int, end: int, ending: str, start: str) -> None:
    indent = "" if line.startswith("\t") else "  "
    text = ending.join([start, "schema s {", indent + line, "}", ""])
    (found,) = check_source(SourceText("t.gnn", text))
    span = found.primary.span
    assert (span.line, span.column, span.end_line, span.end_column) == (3, column, 3, end)


def test_a_byte_order_mark_is_no_column(tmp_path) -> None:
    from graphdsl import check

    path = tmp_path / "bom.gnn"
    path.write_bytes(b"\xef\xbb\xbfschema s { node a { x: flot } }")
    (found,) = check(path)
    assert (found.primary.span.line, found.primary.span.column) == (1, 24)


def test_places_behind_a_repair_stay() -> None:
    text = "schema s {\n  node a { x: float[3, y: class[2] }\n  node b { x: flot }\n}\n"
    first, second = check_source(SourceText("t.gnn", text))
    assert first.code == "GNN012"
    assert (second.primary.span.line, second.primary.span.column) == (3, 15)
