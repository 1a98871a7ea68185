"""Imports: read once, never from outside the project, and kept whole in one text."""

import os
from pathlib import Path

import pytest

from graphdsl import check, load, loads
from graphdsl.checking.imports import MAX_FILES, project_of
from graphdsl.text import SpecError

SHOP = """schema shop {
  node user { x: float[8], y: class[3] }
  node item { x: float[5] }
  edge user -[buys]-> item reverse bought_by
}
"""
MODEL = """model sage(hidden: int = 16) on shop {
  nodes { *: Linear(hidden) }
  edges { *: SAGEConv(hidden) }
  predict user.y
}
train sage { data: tables("tables"), epochs: 7 }
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "schemas").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "schemas" / "shop.gnn").write_text(SHOP)
    (tmp_path / "models" / "sage.gnn").write_text('import "../schemas/shop.gnn"\n' + MODEL)
    return tmp_path


def codes(path: Path) -> list[str]:
    return [item.code for item in check(path)]


def test_names_of_imported_files_are_there(project: Path) -> None:
    spec = load(project / "models" / "sage.gnn")
    assert spec.schemas == ("shop",)
    assert spec.plan().widths(0) == {"item": 5, "user": 8}


def test_a_file_on_two_ways_is_read_once(project: Path) -> None:
    top = project / "top.gnn"
    top.write_text('import "models/sage.gnn"\nimport "schemas/shop.gnn"\nmodel big amends sage { hidden = 32 }\n')
    assert check(top) == ()
    assert load(top).model().name == "big"
    assert load(top).plan().parameters["hidden"] == 32
    assert load(top).plan("sage").parameters["hidden"] == 16


def test_train_blocks_come_along_with_their_own_folder(project: Path) -> None:
    top = project / "top.gnn"
    top.write_text('import "models/sage.gnn"\nmodel big amends sage { hidden = 32 }\n')
    training = load(top).training("big")
    assert (training.model, training.epochs) == ("big", 7)
    assert training.data is not None
    assert training.data.base == project / "models"
    top.write_text('import "models/sage.gnn"\ntrain sage { epochs: 9 }\n')
    assert load(top).training("sage").epochs == 9


def test_one_text_says_it_all(project: Path) -> None:
    top = project / "top.gnn"
    top.write_text(
        'import "models/sage.gnn"\nmodel big amends sage { hidden = 32 } # beside\ntrain big { epochs: 2 }\n'
    )
    spec = load(top)
    alone = loads(spec.text)
    assert "import" not in spec.text
    for model in ("sage", "big"):
        assert str(alone.plan(model)).split("\n")[0] == str(spec.plan(model)).split("\n")[0]
        assert alone.plan(model).stages[1].widths == spec.plan(model).stages[1].widths
        assert alone.schema(model).fingerprint_text() == spec.schema(model).fingerprint_text()
    assert loads(alone.text).text == alone.text


def test_links_and_dots_stay_in_the_project(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.gnn").write_text(SHOP)
    (project / "link.gnn").symlink_to(outside / "secret.gnn")
    (project / "folder").symlink_to(outside)
    (project / "inside.gnn").symlink_to(project / "schemas" / "shop.gnn")
    relative = os.path.relpath(outside / "secret.gnn", project)
    for name in ("link.gnn", "folder/secret.gnn", relative, str(outside / "secret.gnn")):
        top = project / "top.gnn"
        top.write_text(f'import "{name}"\nmodel m on shop {{ nodes {{ *: Linear(3) }} predict user.y }}\n')
        assert codes(top) == ["GNN111"], name
    top.write_text('import "inside.gnn"\nmodel m on shop { nodes { *: Linear(3) } predict user.y }\n')
    assert check(top) == ()


def test_without_marks_the_project_is_the_folder_of_the_spec(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    if project_of(str(tmp_path / "b.gnn")) != tmp_path:
        pytest.skip("a folder above the temporary one is a project")
    (tmp_path / "shop.gnn").write_text(SHOP)
    (tmp_path / "a" / "top.gnn").write_text('import "../shop.gnn"\nmodel m on shop { predict user.y }\n')
    assert codes(tmp_path / "a" / "top.gnn") == ["GNN111"]


def test_a_chain_of_imports_needs_no_recursion_and_has_an_end(project: Path) -> None:
    for number in range(MAX_FILES + 5):
        (project / f"c{number}.gnn").write_text(f'import "c{number + 1}.gnn"\nschema s{number} {{ node a }}\n')
    found = check(project / "c0.gnn")
    assert [item.code for item in found] == ["GNN111"]
    assert f"more than {MAX_FILES}" in found[0].message


def test_findings_of_imported_files_are_shown_where_they_are(project: Path) -> None:
    (project / "schemas" / "shop.gnn").write_text(SHOP.replace("float[5]", "flot[5]"))
    with pytest.raises(SpecError) as refused:
        load(project / "models" / "sage.gnn")
    (found,) = refused.value.diagnostics
    assert found.primary is not None
    assert Path(found.primary.span.file).resolve() == project / "schemas" / "shop.gnn"
    assert "node item { x: flot[5] }" in str(refused.value)


def test_warnings_of_imported_models_are_not_repeated(project: Path) -> None:
    path = project / "models" / "sage.gnn"
    path.write_text(path.read_text().replace("hidden: int = 16", "hidden: int = 16, spare: int = 1"))
    top = project / "top.gnn"
    top.write_text('import "models/sage.gnn"\nmodel big amends sage { hidden = 32 }\n')
    assert codes(path) == ["GNN108"]
    assert check(top) == ()


def test_an_imported_file_that_cannot_be_read_is_said_once(project: Path) -> None:
    top = project / "top.gnn"
    for content in (None, b"\xff\xfe", b"node a \0", b"x" * 1_000_001):
        if content is not None:
            (project / "other.gnn").write_bytes(content)
        top.write_text('import "other.gnn"\nmodel m on shop { nodes { *: Linear(3) } predict user.y }\n')
        (found,) = check(top)
        assert found.code in ("GNN001", "GNN002", "GNN003")
        assert found.primary is not None
        assert found.primary.span.line == 1
