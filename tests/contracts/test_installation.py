"""The wheel holds everything: it works without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from graphdsl.text import CODES

ROOT = Path(__file__).resolve().parents[2]
SPEC = "schema s { node a { x: float[3], y: class[2] } } model m on s { predict a.y }\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT], check=True, timeout=300)
    return next(folder.glob("*.whl"))


def test_wheel_holds_grammar_and_type_marker(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "graphdsl/grammar/gnn.lark",
        "graphdsl/grammar/README.md",
        "graphdsl/grammar/gnn.schema.json",
        "graphdsl/py.typed",
        "graphdsl/examples/planes/data/plane.csv.gz",
    } <= names
    assert {f"graphdsl/text/explanations/{item.code}.md" for item in CODES} <= names
    assert {f"graphdsl/specs/{path.name}" for path in (ROOT / "specs").glob("*.gnn")} <= names
    assert not any(name.startswith(("tests/", "examples/")) for name in names)


def test_installed_wheel_checks_a_spec_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    (tmp_path / "a.gnn").write_text(SPEC, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(site)}
    where = [
        sys.executable,
        "-c",
        "import graphdsl, graphdsl.syntax.grammar as g; print(graphdsl.__file__, g.grammar_file())",
    ]
    done = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert all(path.startswith(str(site)) for path in done.stdout.split())
    command = [sys.executable, "-m", "graphdsl", "check", "a.gnn"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("no findings\n", 0)
    command = [sys.executable, "-m", "graphdsl", "zoo", "gcn"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ((ROOT / "specs" / "gcn.gnn").read_text(encoding="utf-8"), 0)


def test_checkout_finds_the_grammar_beside_the_package() -> None:
    from graphdsl.syntax.grammar import grammar_file

    assert grammar_file().samefile(ROOT / "grammar" / "gnn.lark")
