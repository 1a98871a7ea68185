"""The page of `gnn validate --html`: what it holds, that nothing in it is live, and how a browser lays it out."""

import json
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data.statistics import describe_graph
from graphdsl.pages import validation_page
from graphdsl.pages.picture import HEIGHT, WIDTH, draw_relations, place_types
from graphdsl.tooling.cli import main

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

from real_graphs import karate

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--window-size=1000,1400", "--virtual-time-budget=3000",
)  # fmt: skip


def page_of(spec: graphdsl.Spec, data: HeteroData) -> str:
    found = spec.validate(data).findings
    return validation_page("spec and data", spec.text, found, describe_graph(data, spec.schema()), "1.0")


def broken() -> tuple[graphdsl.Spec, HeteroData]:
    """An error, a warning and a note, and a type that nobody declared."""
    real = karate()
    data, item = real.data, real.item
    data[item].x = data[item].x[:, :3]
    data[item].val_mask[:] = False
    data[real.near].edge_index[:, 2] = 5
    data["stranger"].num_nodes = 2
    return real.spec, data


def test_findings_and_statistics_are_on_the_page() -> None:
    spec, data = broken()
    page = unescape(page_of(spec, data))
    for item in spec.validate(data).findings:
        assert item.code in page
        assert item.message.replace("`", "") in re.sub(r"</?code>", "", page)
    assert page.index("is-error") < page.index("is-warning") < page.index("is-note")
    assert "34 nodes" in page
    assert "stranger" in page
    assert "not declared" in page
    assert "156 edges" in page
    assert "expected: 4 columns · found: 3 columns" in page


def test_numbers_are_those_of_the_data() -> None:
    real = karate()
    made = describe_graph(real.data, real.spec.schema())
    item = next(entry for entry in made.nodes if entry.name == real.item)
    by_name = {entry.name: entry for entry in item.attributes}
    assert by_name["y"].classes == (17, 17)
    assert by_name["train_mask"].chosen == int(real.data[real.item].train_mask.sum())
    assert by_name["size"].low == int(real.data[real.item].size.min())
    assert by_name["score"].mean == pytest.approx(float(real.data[real.item].score.mean()))
    near = next(entry for entry in made.edges if entry.key == real.near)
    degrees = torch.bincount(real.data[real.near].edge_index[0], minlength=34)
    assert near.sent is not None
    assert (near.sent.high, near.sent.without) == (int(degrees.max()), int((degrees == 0).sum()))
    assert sum(near.sent.histogram) == 34
    assert near.sent.histogram[1] == int((degrees == 1).sum())
    assert near.sent.histogram[2] == int(((degrees == 2) | (degrees == 3)).sum())


def test_whatever_the_data_holds_is_described() -> None:
    data = HeteroData()
    data["a"].x = torch.tensor([[1.0, float("nan")]])
    data["a"].title, data["a"].wave = ["A"], torch.zeros(1, dtype=torch.complex64)
    data["a"].number, data["a"].none = torch.tensor(3), torch.zeros(0, 2)
    data["a", "r", "b"].edge_index = torch.tensor([[5], [0]])
    spec = graphdsl.loads("schema s { node a { x: float[2] } node b  edge a -[r]-> b }")
    made = describe_graph(data, spec.schema())
    assert made.nodes[0].attributes[0].low is None
    assert made.edges[0].sent is None
    assert "GNN606" in page_of(spec, data) or "GNN610" in page_of(spec, data)


def test_nothing_of_the_data_becomes_markup() -> None:
    evil = '"><script>alert(1)</script>'
    data = HeteroData()
    data[evil].x = torch.randn(2, 2)
    data[evil][evil] = torch.randn(2)
    data[evil, evil, evil].edge_index = torch.tensor([[0], [1]])
    name = json.dumps(evil)
    spec = graphdsl.loads(f"schema s {{ node {name} {{ x: float[3] }} edge {name} -[{name}]-> {name} }}")
    page = page_of(spec, data)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in re.sub(r"http-equiv|http://www\.w3\.org", "", page)


def test_types_stand_within_the_picture() -> None:
    for many in (1, 2, 3, 12):
        boxes = place_types([f"type {number}" for number in range(many)], {}, set())
        assert all(box.half < box.x < WIDTH - box.half and 25 < box.y < HEIGHT - 25 for box in boxes.values())
        names = list(boxes)
        keys = [(a, f"r{n}", b) for a in names for b in names for n in range(2)]
        arrows = draw_relations(keys, {}, boxes, set())
        assert len({arrow.path for arrow in arrows}) == len(keys)


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_a_browser_lays_it_out(tmp_path: Path) -> None:
    """In a real browser: all is visible, nothing sticks out, the switch hides what is no error."""
    spec, data = broken()
    page = page_of(spec, data)
    probe = """<script>
const seen = () => [...document.querySelectorAll(".finding")].filter(item => item.offsetHeight > 0).length;
const all = seen();
document.getElementById("only-errors").click();
const errors = seen();
const frame = document.querySelector("svg").getBoundingClientRect();
const inside = [...document.querySelectorAll("svg rect, svg text")].every(item => {
  const box = item.getBoundingClientRect();
  return box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom; });
document.body.innerHTML = "<p id=probe>" + JSON.stringify({all, errors, inside,
  overflow: document.documentElement.scrollWidth - window.innerWidth}) + "</p>";
</script></body>"""
    live = re.sub(r"<meta http-equiv[^>]*>", "", page).replace("</body>", probe)
    (tmp_path / "page.html").write_text(live, encoding="utf-8")
    command = [
        str(BROWSER),
        *FLAGS,
        f"--user-data-dir={tmp_path / 'profile'}",
        "--dump-dom",
        (tmp_path / "page.html").as_uri(),
    ]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    match = re.search(r'<p id="probe">(.*?)</p>', shown)
    assert match, shown[:500]
    found = json.loads(unescape(match[1]))
    severities = [item.severity for item in spec.validate(data).findings]
    assert found["all"] == len(severities)
    assert found["errors"] == severities.count("error") < len(severities)
    assert found["inside"]
    assert found["overflow"] <= 0


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, data = broken()
    (tmp_path / "spec.gnn").write_text(spec.text)
    torch.save(data.to_dict(), tmp_path / "graph.pt")
    words = ["validate", str(tmp_path / "spec.gnn"), str(tmp_path / "graph.pt"), "--html", str(tmp_path / "page.html")]
    assert main(words) == 1
    assert "GNN604" in capsys.readouterr().out
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert main([*words[:-1], str(tmp_path / "none" / "page.html")]) == 1
    assert "GNN616" in capsys.readouterr().err
    (tmp_path / "metadata.json").write_text("{}")
    assert main([*words[:2], str(tmp_path / "metadata.json"), "--html", "x.html"]) == 1
    assert "GNN209" in capsys.readouterr().err
