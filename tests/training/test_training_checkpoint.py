"""Checkpoints tell where they come from, and what does not fit or is damaged is refused."""

import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from training_cases import SPEC, Case, make_case, make_graph

import graphdsl
from graphdsl.data import metadata_from_json
from graphdsl.text import SpecError, render_all
from graphdsl.training import load_weights, read_checkpoint, settings_from_plain, writing
from graphdsl.training.checkpoint import ENTRY, check_schema


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, Path]:
    folder = tmp_path_factory.mktemp("run")
    case = make_case(epochs=2, values={"hidden": 8})
    case.fit(folder)
    return case, folder


def refused(path: Path) -> str:
    with pytest.raises(SpecError) as error:
        read_checkpoint(path)
    (found,) = error.value.diagnostics
    assert found.code == "GNN615"
    return found.message


def test_a_checkpoint_holds_what_is_needed_to_build_the_model_again(trained: tuple[Case, Path]) -> None:
    case, folder = trained
    header = read_checkpoint(folder / "best.ckpt").header
    assert header.spec == case.spec.text
    assert (header.model, header.parameters) == ("m", {"hidden": 8, "dropout": 0.0})
    assert header.schema_text == case.schema.fingerprint_text()
    assert metadata_from_json(header.metadata).nodes["user"].count == 240
    assert settings_from_plain(header.settings).epochs == 2
    assert header.versions["torch"] == torch.__version__
    assert header.metrics["val_accuracy"] >= 0
    assert header.epoch in (1, 2)


def test_weights_come_back(trained: tuple[Case, Path]) -> None:
    case, folder = trained
    header = read_checkpoint(folder / "best.ckpt").header
    spec = graphdsl.loads(header.spec)
    model = spec.compile(header.model, data=case.data, **header.parameters)
    load_weights(read_checkpoint(folder / "best.ckpt"), model, spec.schema("m"))
    again = case.compile()
    again.load_state_dict(dict(read_checkpoint(folder / "best.ckpt").weights))
    x, edges = case.data.x_dict, case.data.edge_index_dict
    assert torch.equal(model(x, edges), again(x, edges))


def test_best_is_smaller_than_last(trained: tuple[Case, Path]) -> None:
    _, folder = trained
    best, last = (torch.load(folder / name, weights_only=True) for name in ("best.ckpt", "last.ckpt"))
    assert "optimizer_states" in last
    assert "optimizer_states" not in best


def test_unreadable_files_are_refused(trained: tuple[Case, Path], tmp_path: Path) -> None:
    _, folder = trained
    whole = (folder / "best.ckpt").read_bytes()
    assert "no such file" in refused(tmp_path / "missing.ckpt")
    assert "it is a folder" in refused(tmp_path)
    broken = tmp_path / "broken.ckpt"
    for content, said in ((b"", "it is empty"), (whole[: len(whole) // 2], "damaged"), (b"text\n" * 99, "damaged")):
        broken.write_bytes(content)
        assert said in refused(broken)


def test_what_others_wrote_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.ckpt"
    for content in ({"state_dict": {}}, [1, 2], torch.zeros(3)):
        torch.save(content, path)
        assert "not written by `gnn train`" in refused(path)
    torch.save({ENTRY: {"format": 1, "spec": 3}}, path)
    assert "entry `spec` is damaged" in refused(path)


def test_a_newer_format_is_refused(trained: tuple[Case, Path], tmp_path: Path) -> None:
    content = torch.load(trained[1] / "best.ckpt", weights_only=True)
    content[ENTRY]["format"] = 2
    torch.save(content, tmp_path / "new.ckpt")
    assert "newer" in refused(tmp_path / "new.ckpt")


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


def test_code_in_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    torch.save({ENTRY: Trap(sprung), "state_dict": {}}, tmp_path / "a.ckpt")
    (tmp_path / "b.ckpt").write_bytes(pickle.dumps({ENTRY: Trap(sprung)}))
    for name in ("a.ckpt", "b.ckpt"):
        assert "damaged, or no checkpoint" in refused(tmp_path / name)
    assert not sprung.exists()


def test_another_schema_is_refused_with_the_difference(trained: tuple[Case, Path]) -> None:
    checkpoint = read_checkpoint(trained[1] / "best.ckpt")
    other = graphdsl.loads(SPEC.format(label="class[4]").replace("float[5]", "float[7]")).schema("m")
    with pytest.raises(SpecError) as error:
        check_schema(checkpoint, other)
    (found,) = error.value.diagnostics
    assert found.code == "GNN614"
    shown = render_all([found])
    assert "- node 'item' 'x': float[5]" in shown
    assert "+ node 'item' 'x': float[7]" in shown
    assert "bought_by" not in shown


def test_another_width_is_refused_with_the_parameters(trained: tuple[Case, Path]) -> None:
    checkpoint = read_checkpoint(trained[1] / "best.ckpt")
    spec = graphdsl.loads(SPEC.format(label="class[3]"))
    model = spec.compile("m", data=make_graph(), hidden=16)
    with pytest.raises(SpecError) as error:
        load_weights(checkpoint, model, spec.schema("m"))
    notes = error.value.diagnostics[0].notes
    assert "- heads.user__y.weight [3, 8]" in notes
    assert "+ heads.user__y.weight [3, 16]" in notes


def test_the_order_of_declarations_and_counts_do_not_matter(trained: tuple[Case, Path]) -> None:
    text = SPEC.format(label="class[3]")
    user, item = (next(line for line in text.splitlines() if f"node {name}" in line) for name in ("user", "item"))
    swapped = (
        text.replace(user, "@").replace(item, user).replace("@", item).replace("node item {", "node item(count = 60) {")
    )
    check_schema(read_checkpoint(trained[1] / "best.ckpt"), graphdsl.loads(swapped).schema("m"))


open_file = open


class Full:
    """A disk that is full after so many bytes."""

    def __init__(self, stream: object, room: int) -> None:
        self.stream, self.room = stream, room

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)

    def __enter__(self) -> "Full":
        return self

    def __exit__(self, *error: object) -> None:
        self.stream.close()  # type: ignore[attr-defined]

    def write(self, data: bytes) -> int:
        self.room -= len(memoryview(data).cast("B"))
        if self.room < 0:
            raise OSError(28, "No space left on device")
        return self.stream.write(data)  # type: ignore[attr-defined]


@pytest.mark.parametrize("room", [0, 100, 5000])
def test_a_full_disk_leaves_the_earlier_checkpoint(
    trained: tuple[Case, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    case, _ = trained
    case.fit(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.ckpt")}
    monkeypatch.setattr(writing, "open", lambda path, mode: Full(open_file(path, mode), room), raising=False)
    with pytest.raises(SpecError) as error:
        case.with_(epochs=4).fit(tmp_path, resume=True)
    (found,) = error.value.diagnostics
    assert found.code == "GNN616"
    assert "no space left on device" in found.message
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.ckpt")} == before
    assert not list(tmp_path.glob(".*"))
    assert case.with_(epochs=4).fit(tmp_path, resume=True).epochs == 4


def test_a_run_cannot_be_written_where_a_file_is(trained: tuple[Case, Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError) as error:
        trained[0].fit(tmp_path / "file" / "run")
    assert [item.code for item in error.value.diagnostics] == ["GNN616"]


def test_checkpoints_are_zip_archives_without_code(trained: tuple[Case, Path]) -> None:
    for name in ("best.ckpt", "last.ckpt"):
        with zipfile.ZipFile(trained[1] / name) as archive:
            assert archive.testzip() is None
