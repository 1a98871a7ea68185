"""`# gnn: allow …`: which findings it covers, and what it says of itself."""

import pytest

from graphdsl.api import check_source, loads
from graphdsl.checking import fix_source
from graphdsl.syntax.comments import Commented
from graphdsl.syntax.formatting import format_source
from graphdsl.text import SourceText

SPEC = """schema s {{
  node a {{ x: float[3], y: class[2] }}
  node b {{ x: float[3] }}
  edge a -[r]-> b reverse q
}}
model m on s {{
  edges {{
    {before}
    r: SAGEConv(3){behind}
    {between}
    q: SAGEConv(3)
  }}
  predict a.y
}}
"""


def codes(before: str = "", behind: str = "", between: str = "", ending: str = "\n") -> list[str]:
    text = SPEC.format(before=before, behind=behind, between=between).replace("\n", ending)
    return [item.code for item in check_source(SourceText("t.gnn", text))]


ALLOW = "# gnn: allow GNN507 -- it is pretrained"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_comment_behind_code_or_before_it_covers_that_line(ending: str) -> None:
    assert codes(ending=ending) == ["GNN507"]
    assert codes(behind=f"  {ALLOW}", ending=ending) == []
    assert codes(before=ALLOW, ending=ending) == []
    assert codes(before=f"{ALLOW}\n\n    # another comment\n", ending=ending) == []


def test_a_comment_elsewhere_covers_nothing_and_says_so() -> None:
    assert codes(between=ALLOW) == ["GNN507", "GNN024"]
    assert codes(before=f"{ALLOW}\n    {ALLOW}") == ["GNN024"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("r: SAGEConv(  {}\n      3\n    )", []),
        ("r: SAGEConv(\n      3\n    )  {}", []),
        ("r: SAGEConv(\n      3  {}\n    )", ["GNN507", "GNN024"]),
        ("{}\n    r: SAGEConv(\n      3\n    )", []),
        ("r: SAGEConv(\n      3\n    {}\n    )", ["GNN507", "GNN024"]),
    ],
)
def test_of_what_goes_over_several_lines_it_is_about_the_whole(lines: str, expected: list[str]) -> None:
    text = SPEC.format(before="", behind="", between="").replace("r: SAGEConv(3)", lines.format(ALLOW))
    assert [item.code for item in check_source(SourceText("t.gnn", text))] == expected


def test_a_map_is_one_statement_and_a_block_is_its_head() -> None:
    plain = SPEC.format(before="", behind="", between="")
    for old, new in (
        ("edges {", f"edges {{  {ALLOW}"),
        ("  }\n  predict", f"  }}  {ALLOW}\n  predict"),
        ("  edges", f"  {ALLOW}\n  edges"),
    ):
        assert check_source(SourceText("t.gnn", plain.replace(old, new))) == ()
    for old, new in (("on s {", f"on s {{  {ALLOW}"), ("model", f"{ALLOW}\nmodel"), ("a.y\n}", f"a.y\n}}  {ALLOW}")):
        assert sorted(item.code for item in check_source(SourceText("t.gnn", plain.replace(old, new)))) == [
            "GNN024",
            "GNN507",
        ]
    head = plain.replace("model m on s {", "model m(\n  unused: int = 3,\n) on s {  # gnn: allow GNN108, GNN507 -- r")
    assert sorted(item.code for item in check_source(SourceText("t.gnn", head))) == ["GNN024", "GNN507"]


def test_formatting_changes_nothing_of_it() -> None:
    long = "that the reason is so long that no line can hold it with the code before it, however it is laid out"
    text = (
        SPEC.format(before="", behind="", between="")
        .replace(
            "edges {\n    \n    r: SAGEConv(3)\n    \n    q: SAGEConv(3)\n  }",
            f'edges {{ r: SAGEConv(3, aggr = "mean", bias = false) q: SAGEConv(3, aggr = "mean", bias = false) }}  {ALLOW} {long}\n'
            f'  # gnn: allow dead-relation -- {long}\n  edges {{ r: SAGEConv(3, aggr = "mean", bias = false) q: SAGEConv(3, aggr = "mean") }}',
        )
        .replace("model m", "model m(first: int = 3, second: int = 4, third: int = 5, fourth: int = 6, fifth: int = 7)")
        .replace("on s {", f"on s {{  # gnn: allow GNN108 -- {long}")
    )
    source = SourceText("t.gnn", text)
    laid_out = SourceText("t.gnn", format_source(source).text)
    assert laid_out.text.count("\n") > text.count("\n") + 3
    assert [item.code for item in check_source(source)] == [item.code for item in check_source(laid_out)] == ["GNN024"]


@pytest.mark.parametrize(
    "name", ["GNN507", "gnn507", "dead-relation", "Dead-Relation", "GNN108,GNN507", "dead-relation , GNN108"]
)
def test_codes_and_names_in_any_case_several_by_commas(name: str) -> None:
    unused = ["GNN024"] if "108" in name else []
    assert codes(behind=f"#gnn:allow {name} -- r") == unused
    assert codes(behind=f"  #  gnn:  allow  {name}  --  r  ") == unused


def test_a_string_holds_no_comment() -> None:
    text = (
        SPEC.format(before="", behind="", between="")
        .replace("reverse q", 'reverse "# gnn: allow GNN507 -- r"')
        .replace("q:", '"# gnn: allow GNN507 -- r":')
    )
    assert [item.code for item in check_source(SourceText("t.gnn", text))] == ["GNN507"]
    found = Commented.of(SourceText("t", 'a "x\\"# no" # yes # still\n "# open\n  # own\n\n'))
    assert [(item.line, item.start, item.text) for item in found.comments] == [
        (1, 12, "# yes # still"),
        (3, 2, "# own"),
    ]
    assert found.code == (1, 2)


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# gnn: ignore GNN507 -- r", ["GNN507", "GNN020"]),
        ("# gnn: noqa", ["GNN507", "GNN020"]),
        ("# gnn: silence GNN507", ["GNN507", "GNN020"]),
        ("# gnn: allow", ["GNN507", "GNN020"]),
        ("# gnn: allow -- r", ["GNN507", "GNN020"]),
        ("# gnn: heterogeneous layers", ["GNN507"]),
        ("# gnn 1", ["GNN507"]),
        ("# see gnn: allow GNN507 -- r", ["GNN507"]),
        ("# gnn: allow GNN507", ["GNN021"]),
        ("# gnn: allow GNN507 --", ["GNN021"]),
        ("# gnn: allow GNN507 - because", ["GNN021"]),
        ("# gnn: allow GNN507: because", ["GNN021"]),
        ("# gnn: allow GNN507 GNN108 -- r", ["GNN021"]),
        ("# gnn: allow GNN999 -- r", ["GNN507", "GNN022"]),
        ("# gnn: allow GNN303 -- r", ["GNN507", "GNN023"]),
        ("# gnn: allow GNN021, GNN507", ["GNN021", "GNN023"]),
        ("# gnn: allow GNN621 -- only data can tell", ["GNN507"]),
    ],
)
def test_what_is_wrong_with_a_comment(comment: str, expected: list[str]) -> None:
    assert sorted(codes(behind=f"  {comment}")) == sorted(expected)


@pytest.mark.parametrize(
    ("comment", "fixed"),
    [
        ("  # gnn: ignore GNN507 -- r", "  # gnn: allow GNN507 -- r"),
        ("  # gnn: allow GNN507 - because", "  # gnn: allow GNN507 -- because"),
        ("  # gnn: allow GNN507, GNN108 -- r", "  # gnn: allow GNN507 -- r"),
        ("  # gnn: allow GNN108, GNN507 -- r", "  # gnn: allow GNN507 -- r"),
        ("  # gnn: allow ded-relation -- r", "  # gnn: allow dead-relation -- r"),
        ("  # gnn: allow GNN303, GNN108 -- r", ""),
        ("  # gnn: allow nonsense -- r", ""),
    ],
)
def test_comments_are_mended(comment: str, fixed: str) -> None:
    done = fix_source(SourceText("t.gnn", SPEC.format(before="", behind=comment, between="")), check_source)
    assert done.source.text == SPEC.format(before="", behind=fixed, between="")


def test_a_line_of_its_own_goes_with_its_end() -> None:
    text = "schema s { node a { x: float[3] } }\n  # gnn: allow GNN108 -- r\n"
    assert fix_source(SourceText("t.gnn", text), check_source).source.text == "schema s { node a { x: float[3] } }\n"
    assert (
        fix_source(SourceText("t.gnn", text.rstrip("\n")), check_source).source.text
        == "schema s { node a { x: float[3] } }\n"
    )


def test_nothing_is_unused_while_there_are_errors() -> None:
    text = SPEC.format(before="", behind="  # gnn: allow GNN108 -- r", between="").replace("a.y", "a.z")
    assert {item.code for item in check_source(SourceText("t.gnn", text)) if item.is_error} == {"GNN101"}
    assert "GNN024" not in {item.code for item in check_source(SourceText("t.gnn", text))}


def test_loaded_specs_and_data_heed_it() -> None:
    import torch
    from torch_geometric.data import HeteroData

    assert not loads(SPEC.format(before="", behind=f"  {ALLOW}", between="")).findings
    text = "schema s {\n  node a { x: float[2], train_mask: mask,\n    test_mask: mask  # gnn: allow GNN621 -- a toy\n  }\n}\n"
    data = HeteroData()
    data["a"].x = torch.eye(2)
    data["a"].train_mask = data["a"].test_mask = torch.tensor([True, False])
    assert loads(text).validate(data).findings == ()
    assert [item.code for item in loads(text.replace("GNN621", "GNN619")).validate(data).findings] == ["GNN621"]
