"""Findings for programs: JSON, SARIF, GitHub annotations."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from sarif_schema import mismatches

from graphdsl.api import check
from graphdsl.text import Edit, Facts, Fix, Span, explain, report
from graphdsl.tooling.cli import main
from graphdsl.tooling.output import FORMATS, show_findings

ROOT = Path(__file__).resolve().parents[2]
BAD = sorted((ROOT / "tests" / "golden" / "bad").glob("*.gnn"))
SPEC = """schema s {
  node "é😀" { x: float[3], y: class[2] }
  node b { x: float[3] }
  edge b -[r]-> "é😀"
}
model m on s {
  edges { b -[r]-> "é😀": GATConv(3, add_self_loops = true) }
  predict "é😀".y
}
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.gnn").write_text(SPEC, encoding="utf-8")
    return "a b.gnn"


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_sarif_of_every_bad_spec_follows_the_schema(path: Path) -> None:
    found = check(path)
    log = json.loads(show_findings(found, "sarif"))
    assert mismatches(log) == []
    (run,) = log["runs"]
    assert len(run["results"]) == len(found)
    for item, result in zip(found, run["results"], strict=True):
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert (rule["id"], rule["name"]) == (result["ruleId"], item.name) == (item.code, item.name)
        assert rule["help"]["markdown"] == explain(item.code)
        assert len(result.get("relatedLocations", [])) == sum(not label.primary for label in item.labels)
        assert ("fixes" in result) == (item.fix is not None)


def test_sarif_says_what_text_says(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", "sarif", spec]) == 1
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == spec
    assert place["artifactLocation"]["uri"] == "a%20b.gnn"
    # Python's characters are code points; in UTF-16 the column would be one more.
    assert place["region"] == {"startLine": 7, "startColumn": 37, "endLine": 7, "endColumn": 58}
    assert SPEC.splitlines()[6][36:57] == "add_self_loops = true"
    assert result["relatedLocations"][0]["message"]["text"] == "`b` and `é😀` differ"
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"]["text"] == "add_self_loops = false"


def test_sarif_of_nothing_and_of_places_without_text() -> None:
    empty = json.loads(show_findings((), "sarif"))
    assert mismatches(empty) == []
    assert empty["runs"][0]["results"] == []
    found = [report("GNN606", "edge {0} of [a](b) points nowhere", where="author -[writes]-> paper")]
    log = json.loads(show_findings(found, "sarif"))
    assert mismatches(log) == []
    (result,) = log["runs"][0]["results"]
    assert result["message"]["text"] == r"edge {{0}} of \[a\](b) points nowhere"
    assert result["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "author -[writes]-> paper"}]}]


def test_the_schema_of_the_test_refuses() -> None:
    log = json.loads(show_findings([report("GNN101", "x", Span("a.gnn", 1, 1, 1, 2))], "sarif"))
    log["runs"][0]["columnKind"] = "bytes"
    result = log["runs"][0]["results"][0]
    result["extra"] = 1
    del result["message"]
    result["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert len(mismatches(log)) == 4


def test_github_annotations(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", "github", spec]) == 1
    assert capsys.readouterr().out == (
        "::error file=a b.gnn,line=7,endLine=7,col=37,endColumn=58,title=GNN303 self-loops-between-types::"
        "`GATConv` adds self-loops, but `r` joins two node types%0A"
        "help: leave `add_self_loops` out: it is off between two types\n"
    )
    Path(spec).write_text("schema s { node a { x: float[3] } }\n")
    assert main(["check", "--format", "github", spec]) == 0
    assert capsys.readouterr().out == ""


def test_github_escapes_what_the_runner_reads() -> None:
    found = [
        report("GNN601", "100 %\r\nof it: a, b", Span("a,b:c.gnn", 3, 5, 4, 2), helps=("x\ny",)),
        report("GNN602", "extra", where="a::b"),
    ]
    first, second = show_findings(found, "github").splitlines()
    properties = "file=a%2Cb%3Ac.gnn,line=3,endLine=4,title=GNN601 missing-type"
    assert first == f"::error {properties}::100 %25%0D%0Aof it: a, b%0Ahelp: x%0Ay"
    assert second == "::warning title=GNN602 extra-type::a::b: extra"


def test_json_has_the_fields_that_the_documentation_names() -> None:
    fix = Fix("mend it", (Edit(Span("a.gnn", 1, 1, 1, 2), "x"),))
    found = [report("GNN101", "x", Span("a.gnn", 1, 1, 1, 2), "here", fix=fix, facts=Facts("a", "b", 1, (0,)))]
    (item,) = json.loads(show_findings(found, "json"))
    text = (ROOT / "graphdsl" / "tooling" / "README.md").read_text(encoding="utf-8")
    table = text.split("## JSON", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    nested = [item["labels"][0], item["labels"][0]["span"], item["fix"], item["fix"]["edits"][0], item["facts"]]
    assert rows == [*item, *(name for record in nested for name in record)]


@pytest.mark.parametrize("style", FORMATS)
@pytest.mark.parametrize("command", ["plan", "validate", "train"])
def test_every_command_says_what_it_finds_in_every_format(
    command: str, style: str, spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, spec, "--format", style]) == 1
    out, err = capsys.readouterr()
    said, other = (err, out) if style == "text" else (out, err)
    assert "GNN303" in said
    assert other == ""
