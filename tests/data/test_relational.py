"""Tables with keys: rows are nodes, foreign keys relations; what does not fit is said by table and column."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

import graphdsl
from graphdsl.data import from_tables
from graphdsl.data.relational import from_database
from graphdsl.pulling import pull_text
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main


def tables() -> dict[str, pd.DataFrame]:
    users = pd.DataFrame({"id": ["u3", "u1", "u2"], "age": [20.0, None, 40.0], "plan": ["free", "paid", "free"]})
    films = pd.DataFrame(
        {
            "film": [10, 11],
            "made": pd.to_datetime(["1999-01-01", "2001-01-01"]),
            "title": ["A", "B"],
            "long": [True, False],
        }
    )
    views = pd.DataFrame(
        {
            "user": ["u1", "u2", None, "u1"],
            "film": [11, 10, 10, 11],
            "at": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"]),
            "stars": [1, 2, 3, 4],
        }
    )
    return {"users": users, "films": films, "views": views}


KEYS = {"users": "id", "films": "film"}
LINKS = {("views", "user"): "users", ("views", "film"): "films"}


def test_rows_are_nodes_and_foreign_keys_relations() -> None:
    data = from_tables(tables(), KEYS, LINKS, {"views": "at"})
    assert data["views", "user", "users"].edge_index.tolist() == [[0, 1, 3], [1, 2, 1]]
    assert data["views", "film", "films"].edge_index.tolist() == [[0, 1, 2, 3], [1, 0, 0, 1]]
    assert data["views"].time.tolist() == [1577836800 + 86400 * day for day in range(4)]
    assert data["users"].x.tolist() == [[-1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
    assert data["films"].made.tolist() == [915148800, 978307200]
    assert data["views"].x.mean().abs() < 1e-6
    assert data["views"].x.std(correction=0) == pytest.approx(1)
    assert data["views"].num_nodes == 4


def test_many_different_texts_stay_a_list() -> None:
    frame = pd.DataFrame({"name": [f"n{number}" for number in range(60)]})
    data = from_tables({"a": frame}, {}, {})
    assert data["a"].name[:2] == ["n0", "n1"]
    assert "x" not in data["a"]
    assert [item.where for item in pull_text(data).findings] == ["a.name"]


def test_a_database_of_relbench_is_drawn_and_trains() -> None:
    links: dict[str, dict[str, str]] = {"users": {}, "films": {}, "views": {"user": "users", "film": "films"}}
    database = SimpleNamespace(
        table_dict={
            name: SimpleNamespace(
                df=frame, pkey_col=KEYS.get(name), fkey_col_to_pkey_table=links[name],
                time_col="at" if name == "views" else None,
            )
            for name, frame in tables().items()
        }
    )  # fmt: skip
    data = from_database(database)
    spec = graphdsl.pull(database, "shop", model=True)
    assert set(spec.schema().nodes) == {"users", "films", "views"}
    assert str(spec.schema().nodes["views"].attributes["time"].type) == "time"
    assert spec.validate(data).ok
    model = spec.compile(data=data)
    assert sum(weight.numel() for weight in model.parameters()) > 0


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda t, k, n: k.update(user="id"), "GNN101", "did you mean `users`"),
        (lambda t, k, n: k.update(users="ident"), "GNN101", "no column `ident`"),
        (lambda t, k, n: n.update({("views", "film"): "movies"}), "GNN101", "which is no table"),
        (lambda t, k, n: k.pop("films"), "GNN101", "no key is given"),
        (lambda t, k, n: t["users"].__setitem__("id", ["u1", "u1", "u2"]), "GNN611", "`u1`"),
        (lambda t, k, n: t["views"].__setitem__("film", [11, 10, 12, 13]), "GNN606", "row 2 (`12`), row 3 (`13`)"),
    ],
)
def test_what_does_not_fit_is_said(change, code: str, said: str) -> None:
    given, keys, links = tables(), dict(KEYS), dict(LINKS)
    change(given, keys, links)
    with pytest.raises(SpecError) as caught:
        from_tables(given, keys, links)
    assert {item.code for item in caught.value.diagnostics} == {code}
    assert said in str(caught.value)


def test_tensors_are_of_the_dtypes_that_specs_declare() -> None:
    data = from_tables(tables(), KEYS, LINKS, {"views": "at"})
    assert data["users"].x.dtype == torch.float32
    assert data["views"].time.dtype == torch.int64


def test_files_are_read_as_data_frames_are(tmp_path: Path) -> None:
    frames = {
        "users": pd.DataFrame({"id": ["u1", "u2"], "age": [20.0, 40.0]}),
        "buys": pd.DataFrame({"user": ["u2", "u1", "u2"], "on": ["2020-01-02", "2020-01-01", "2020-01-03"]}),
    }
    for name, frame in frames.items():
        frame.to_csv(tmp_path / f"{name}.csv.gz", index=False)
    files = {name: tmp_path / f"{name}.csv.gz" for name in frames}
    given = {"users": "id"}, {("buys", "user"): "users"}, {"buys": "on"}
    read, made = from_tables(files, *given), from_tables(frames, *given)
    assert read["buys", "user", "users"].edge_index.tolist() == [[0, 1, 2], [1, 0, 1]]
    assert read["buys"].time.tolist() == made["buys"].time.tolist() == [1577923200, 1577836800, 1578009600]
    assert torch.equal(read["users"].x, made["users"].x)


@pytest.mark.parametrize(
    ("name", "content", "code"), [("no.csv", None, "GNN611"), ("empty.csv", "", "GNN611"), ("bad.parquet", "x", None)]
)
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, name: str, content: str | None, code: str | None) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(SpecError) as caught:
        from_tables({"users": str(tmp_path / name)}, {}, {})
    (finding,) = caught.value.diagnostics
    assert finding.code in ({code} if code else {"GNN611", "GNN617"})  # Without pyarrow, no Parquet is read.
    assert name in finding.message


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["free", "2020-01-01", None, "paid"], "in 3 rows: row 0 (`free`), row 2 (empty), row 3 (`paid`)"),
        ([1.0, 2.5, float("nan"), 4.0], "in 2 rows: row 1 (`2.5`), row 2 (empty)"),
    ],
)
def test_a_time_that_is_none_is_said(cells: list[object], said: str) -> None:
    with pytest.raises(SpecError) as caught:
        from_tables({"a": pd.DataFrame({"at": cells})}, {}, {}, {"a": "at"})
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.where) == ("GNN611", "a.at")
    assert said in finding.message


@pytest.mark.parametrize(
    ("cells", "seconds"),
    [
        (["1970-01-02", "1 Jan 1970 01:00"], [86400, 3600]),
        (["1970-01-01T01:00:00+01:00", "1970-01-01T00:00:07Z"], [0, 7]),
        (pd.to_datetime(["1970-01-02", "1970-01-01"]).tz_localize("UTC"), [86400, 0]),
        ([3, (1 << 60) + 1], [3, (1 << 60) + 1]),
        ([3.0, 4.0], [3, 4]),
    ],
)
def test_times_in_all_forms(cells: object, seconds: list[int]) -> None:
    data = from_tables({"a": pd.DataFrame({"at": cells})}, {}, {}, {"a": "at"})
    assert data["a"].time.tolist() == seconds


def test_dates_with_empty_cells_are_features() -> None:
    made = pd.Series(pd.to_datetime(["1999-01-01", None, "1999-01-03"]))
    data = from_tables({"a": pd.DataFrame({"made": made})}, {}, {})
    assert data["a"].x.tolist() == [[-1.0], [0.0], [1.0]]


def save_shop(folder: Path) -> list[str]:
    """Tables in a folder, and the options that say their keys."""
    folder.mkdir()
    for name, frame in tables().items():
        frame.loc[frame.index.repeat(12 if name == "views" else 1)].to_csv(folder / f"{name}.csv", index=False)
    options = {
        "key": ["users=id", "films=film"],
        "link": ["views.user=users", "views.film=films"],
        "time": ["views=at"],
    }
    return [item for name, given in options.items() for text in given for item in (f"--{name}", text)]


def test_keys_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = save_shop(tmp_path / "shop")
    (tmp_path / "specs").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["pull", "shop", *keys, "--model", "--graph", "shop.pt", "-o", "specs/shop.gnn"]) == 0
    spec = graphdsl.load("specs/shop.gnn")
    views = spec.schema().nodes["views"].attributes
    assert str(views["time"].type) == "time"
    assert {edge.key for edge in spec.schema().edges.values()} >= {
        ("views", "user", "users"),
        ("views", "film", "films"),
    }
    assert 'data: "../shop.pt"' in (tmp_path / "specs/shop.gnn").read_text()
    assert main(["validate", "specs/shop.gnn", "shop.pt", "--tier", "structure"]) == 0
    assert main(["train", "specs/shop.gnn", "--set", "epochs=1"]) == 0
    assert main(["pull", "shop", *keys, "--check", "specs/shop.gnn"]) == 0
    capsys.readouterr()
    assert main(["pull", "shop", *keys]) == 0
    assert capsys.readouterr().out.startswith("gnn 1\n\nschema shop {\n")
    assert main(["pull", "shop", *keys, "--graph", "shop.pt"]) == 1
    assert "`shop.pt` is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--key", "users"], "GNN210", "write `--key users=id`"),
        (["--link", "viewsuser=users"], "GNN210", "not of the form TABLE.COLUMN=TABLE"),
        (["--key", "users=id", "--key", "users=age"], "GNN209", "`users` is given twice"),
        (["--key", "user=id"], "GNN101", "did you mean `users`?"),
        (["--key", "users=id", "--link", "views.film=films"], "GNN101", "`--key films=COLUMN` on the command line"),
        (["--graph", "g.pt"], "GNN209", "add `--key`"),
        (["--time", "users=plan"], "GNN611", "`users.plan` is no time in 3 rows"),
    ],
)
def test_wrong_keys_are_said(
    options: list[str], code: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_shop(tmp_path / "shop")
    assert main(["pull", str(tmp_path / "shop"), *options]) == 1
    printed = capsys.readouterr().err
    assert f"error[{code}]" in printed
    assert said in printed


def test_keys_are_about_folders_of_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({}, tmp_path / "g.pt")
    assert main(["pull", str(tmp_path / "g.pt"), "--key", "a=b"]) == 1
    assert "is no folder of them" in capsys.readouterr().err
    assert main(["pull", str(tmp_path), "--key", "a=b"]) == 1
    assert "holds no table" in capsys.readouterr().err
    for name in ("a.csv", "a.csv.gz"):
        pd.DataFrame({"b": [1]}).to_csv(tmp_path / name, index=False)
    assert main(["pull", str(tmp_path), "--key", "a=b"]) == 1
    assert "the same table in several files" in capsys.readouterr().err


def test_cells_that_hold_lists() -> None:
    frame = pd.DataFrame(
        {"vector": [[1, 2], [3, 4]], "words": [["a"], ["b", "c"]], "some": [[1], None], "color": ["red", "blue"]}
    )
    data = from_tables({"a": frame}, {}, {})
    assert data["a"].vector.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert data["a"].words == [["a"], ["b", "c"]]
    assert data["a"].some == [[1], None]
    assert data["a"].x.shape == (2, 2)
    drawn = pull_text(data)
    assert "vector: float[2]" in drawn.text
    assert {item.where for item in drawn.findings} == {"a.words", "a.some"}


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(SpecError, match=r"GNN611.*`users` is a `dict`"):
        from_tables({"users": {"id": [1]}}, {"users": "id"}, {})


def test_labels_and_masks_are_no_features() -> None:
    frame = pd.DataFrame(
        {
            "id": [0, 1, 2, 3],
            "age": [1.0, 2.0, 3.0, 4.0],
            "label": ["b", None, "a", "b"],
            "y": [0, 1, 1, 0],
            "target": [0.5, None, 1.0, 2.0],
            "train_mask": [True, True, False, False],
            "val_mask": [0, 0, 1, 1],
            "half_mask": [0, 1, 2, 3],
        }
    )
    data = from_tables({"a": frame}, {"a": "id"}, {})
    assert data["a"].x.shape == (4, 2)
    assert data["a"].label.tolist() == [1, -1, 0, 1]
    assert data["a"].y.tolist() == [0, 1, 1, 0]
    assert data["a"].target[[0, 2, 3]].tolist() == [0.5, 1.0, 2.0]
    assert data["a"].target.isnan().tolist() == [False, True, False, False]
    assert data["a"].val_mask.tolist() == [False, False, True, True]
    drawn = pull_text(data, model=True)
    assert drawn.findings == ()
    for said in ("label:", "class[2]", "real", "train_mask: mask", "predict a."):
        assert said in " ".join(drawn.text.split())
    assert [item for item in graphdsl.loads(drawn.text).validate(data).findings if item.severity == "error"] == []


def test_whole_numbers_beyond_classes_are_real() -> None:
    data = from_tables({"a": pd.DataFrame({"y": [1000, 2000], "n": [1, 2]})}, {}, {})
    assert data["a"].y.tolist() == [1000.0, 2000.0]


def test_columns_overwrite_nothing() -> None:
    many = [f"text {row}" for row in range(60)]
    days = pd.to_datetime(["2020-01-01"] * 60)
    frame = pd.DataFrame({"age": range(60), "edge_index": many, "x": many, "time": days, "made": days, "num_nodes": 1})
    with pytest.raises(SpecError) as caught:
        from_tables({"a": frame}, {}, {}, {"a": "made"})
    found = caught.value.diagnostics
    assert {(item.code, item.where) for item in found} == {
        ("GNN611", f"a.{key}") for key in ("edge_index", "x", "time")
    }
    renamed = frame.rename(columns={key: f"{key}_" for key in ("edge_index", "x", "time")})
    data = from_tables({"a": renamed}, {}, {}, {"a": "made"})
    assert (data["a"].num_nodes, data["a"].x.shape, data["a"].time_.shape) == (60, (60, 2), (60,))


def test_rows_called_x_stand_beside_numbers() -> None:
    data = from_tables({"a": pd.DataFrame({"x": [[1.0, 2.0], [3.0, 4.0]], "age": [1, 3]})}, {}, {})
    assert data["a"].x.tolist() == [[1.0, 2.0, -1.0], [3.0, 4.0, 1.0]]


def test_infinite_numbers_stay_for_validation_to_find() -> None:
    data = from_tables({"a": pd.DataFrame({"n": [1.0, 3.0, float("inf"), None]})}, {}, {})
    assert data["a"].x.tolist() == [[-1.0], [1.0], [float("inf")], [0.0]]
    assert [(item.code, item.where) for item in graphdsl.pull(data).validate(data).findings] == [("GNN622", "a.x")]


def test_spans_of_time_are_numbers_and_complex_ones_are_told() -> None:
    frame = pd.DataFrame({"span": pd.to_timedelta([1, 3], unit="D"), "wave": np.array([1j, 2 + 1j])})
    data = from_tables({"a": frame}, {}, {})
    assert data["a"].x.tolist() == [[-1.0], [1.0]]
    assert [item.where for item in pull_text(data).findings] == ["a.wave"]


def test_columns_are_named_by_anything_but_the_same() -> None:
    users, views = pd.DataFrame([[7, 1.0], [9, 3.0]]), pd.DataFrame({"user": [9, 7]})
    data = from_tables({"users": users, "views": views}, {"users": 0}, {"views.user": "users"})  # type: ignore[arg-type]
    assert data["views", "user", "users"].edge_index.tolist() == [[0, 1], [1, 0]]
    with pytest.raises(SpecError, match="the column `a` twice"):
        from_tables({"users": pd.DataFrame([[1, 2]], columns=["a", "a"])}, {}, {})
    with pytest.raises(SpecError, match="names no column of a table"):
        from_tables({"users": users}, {}, {"user": "users"})  # type: ignore[arg-type]


def test_keys_of_another_kind_are_said() -> None:
    with pytest.raises(SpecError) as caught:
        from_tables(
            {"users": pd.DataFrame({"id": [1, 2]}), "views": pd.DataFrame({"user": ["1", "2"]})},
            {"users": "id"},
            {("views", "user"): "users"},
        )
    (found,) = caught.value.diagnostics
    assert (found.code, found.where) == ("GNN606", "views.user")
    assert "the key holds numbers, the column texts" in found.helps[0]
