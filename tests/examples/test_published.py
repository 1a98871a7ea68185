"""The examples that are measured against published figures: what they read, and that they learn."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import batch_inputs

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
WITHOUT = "the data is not there (set GRAPHDSL_DATA to its folder): "


def load_module(folder: str, name: str) -> ModuleType:
    """A file of an example, as a program would be: each example has its own `data.py` on the path."""
    path = EXAMPLES / folder / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"example_{folder or 'examples'}_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    path_before, data_before = list(sys.path), sys.modules.pop("data", None)
    sys.modules[spec.name] = module  # Where dataclasses look for it.
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = path_before
        sys.modules.pop("data", None)
        if data_before is not None:
            sys.modules["data"] = data_before
    return module


def read(load: Callable[[], HeteroData]) -> HeteroData:
    try:
        return load()
    except FileNotFoundError as error:
        pytest.skip(WITHOUT + str(error))


@pytest.fixture(scope="module")
def aifb() -> HeteroData:
    return read(load_module("aifb", "data").aifb)


@pytest.fixture(scope="module")
def aifb_typed() -> HeteroData:
    return read(load_module("aifb", "data").aifb_typed)


@pytest.fixture(scope="module")
def imdb() -> HeteroData:
    return read(load_module("imdb", "data").imdb)


@pytest.fixture(scope="module")
def mutag() -> HeteroData:
    return read(load_module("mutag", "data").mutag)


@pytest.fixture(scope="module")
def acm() -> HeteroData:
    return read(load_module("acm", "data").acm)


def count_edges(data: HeteroData) -> int:
    return sum(store.num_edges for store in data.edge_stores)


def splits(data: HeteroData, kind: str) -> list[int]:
    return [int(data[kind][f"{name}_mask"].sum()) for name in ("train", "val", "test") if f"{name}_mask" in data[kind]]


# --- AIFB ---


def test_aifb_has_the_published_counts(aifb: HeteroData) -> None:
    assert aifb.node_types == ["entity"]
    assert aifb["entity"].num_nodes == 8284
    assert len(aifb.edge_types) == 45
    assert count_edges(aifb) == 29043
    assert splits(aifb, "entity") == [140, 36]
    assert aifb["entity"].affiliation.add(1).bincount().tolist() == [8284 - 176, 73, 28, 60, 15]


def test_aifb_labels_are_where_the_splits_are(aifb: HeteroData) -> None:
    entity = aifb["entity"]
    assert torch.equal(entity.affiliation >= 0, entity.train_mask ^ entity.test_mask)
    # What the label is made of must not be among the relations.
    assert {"affiliation", "employs"}.isdisjoint(relation for _, relation, _ in aifb.edge_types)


def test_aifb_typed_holds_the_same_graph(aifb: HeteroData, aifb_typed: HeteroData) -> None:
    counts = {kind: aifb_typed[kind].num_nodes for kind in aifb_typed.node_types}
    assert counts == {
        "literal": 5449,
        "ontology": 288,
        "organization": 33,
        "person": 1058,
        "project": 78,
        "publication": 1232,
        "topic": 146,
    }
    assert sum(counts.values()) == aifb["entity"].num_nodes
    per_relation: dict[str, int] = {}
    for _, relation, _ in aifb_typed.edge_types:
        per_relation.setdefault(relation, 0)
    for kind in aifb_typed.edge_types:
        per_relation[kind[1]] += aifb_typed[kind].num_edges
    assert per_relation == {kind[1]: aifb[kind].num_edges for kind in aifb.edge_types}
    assert splits(aifb_typed, "person") == [140, 36]


def test_aifb_specs_are_what_their_script_writes(aifb: HeteroData, aifb_typed: HeteroData) -> None:
    script = load_module("aifb", "build_spec")
    for file, name, about, data in (
        ("aifb", "aifb", script.PAPER, aifb),
        ("typed", "aifb_typed", script.TYPED, aifb_typed),
    ):
        written = (EXAMPLES / "aifb" / f"{file}.gnn").read_text(encoding="utf-8")
        assert script.write_spec(name, about, data) == written


def test_aifb_model_reads_each_relation_both_ways(aifb: HeteroData) -> None:
    plan = graphdsl.load(EXAMPLES / "aifb" / "aifb.gnn").plan()
    edges = batch_inputs(aifb, plan)["edge_index_dict"]
    assert len(edges) == 90
    assert sum(index.size(1) for index in edges.values()) == 58086
    author = edges["entity", "author", "entity"]
    assert torch.equal(edges["entity", "rev_author", "entity"], author.flip(0))


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "graph"), [("aifb", "aifb"), ("typed", "aifb_typed")])
def test_r_gcn_learns_affiliations(spec: str, graph: str, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(graph)
    loaded = graphdsl.load(EXAMPLES / "aifb" / f"{spec}.gnn")
    assert not loaded.validate(data).findings
    trial = load_module("", "seeds").train_once(loaded, data, seed=0, epochs=4)
    assert trial.epoch == 4
    # The largest class has 15 of the 36 test persons.
    assert trial.test["accuracy"] > 0.7


# --- ACM ---


def test_acm_has_the_published_counts(acm: HeteroData) -> None:
    assert {kind: acm[kind].num_nodes for kind in acm.node_types} == {"paper": 4019, "author": 7167, "subject": 60}
    assert acm["paper"].x.shape == (4019, 1902)
    assert {kind[1]: acm[kind].num_edges for kind in acm.edge_types} == {"written_by": 13407, "is_about": 4019}
    assert splits(acm, "paper") == [180, 1000, 1000]
    assert acm["paper"].y[acm["paper"].train_mask].bincount().tolist() == [60, 60, 60]


def test_acm_splits_are_disjoint(acm: HeteroData) -> None:
    masks = torch.stack([acm["paper"][f"{name}_mask"] for name in ("train", "val", "test")])
    assert int(masks.sum(0).max()) == 1


@pytest.mark.parametrize(("name", "each"), [("acm_20", 20), ("acm_40", 40)])
def test_acm_has_smaller_splits(name: str, each: int) -> None:
    data = read(getattr(load_module("acm", "data"), name))
    assert data["paper"].y[data["paper"].train_mask].bincount().tolist() == [each] * 3
    assert splits(data, "paper") == [3 * each, 1000, 1000]


def test_acm_metapaths_have_the_published_counts(acm: HeteroData) -> None:
    plan = graphdsl.load(EXAMPLES / "acm" / "acm.gnn").plan()
    edges = batch_inputs(acm, plan)["edge_index_dict"]
    assert {kind[1]: index.size(1) for kind, index in edges.items()} == {"PAP": 57853, "PSP": 4338213}


@pytest.mark.slow
def test_han_learns_fields(acm: HeteroData) -> None:
    loaded = graphdsl.load(EXAMPLES / "acm" / "acm.gnn")
    assert {item.code for item in loaded.validate(acm).findings} == {"GNN667"}  # HeCo labels few papers on purpose.
    trial = load_module("", "seeds").train_once(loaded, acm, seed=0, epochs=15)
    # The largest class has 484 of the 1,000 test papers.
    assert trial.test["accuracy"] > 0.6


# --- IMDB ---


def test_imdb_has_the_counts_of_pyg(imdb: HeteroData) -> None:
    assert {kind: tuple(imdb[kind].x.shape) for kind in imdb.node_types} == {
        "movie": (4278, 3066),
        "director": (2081, 3066),
        "actor": (5257, 3066),
    }
    counts = {kind: imdb[kind].num_edges for kind in imdb.edge_types}
    assert counts == {
        ("movie", "to", "director"): 4278,
        ("director", "to", "movie"): 4278,
        ("movie", "to", "actor"): 12828,
        ("actor", "to", "movie"): 12828,
    }
    assert splits(imdb, "movie") == [400, 400, 3478]
    assert imdb["movie"].y.bincount().tolist() == [1135, 1584, 1559]
    (own,) = graphdsl.load(ROOT / "specs" / "han.gnn").validate(imdb).findings
    assert (own.code, own.severity) == ("GNN680", "note")  # Movies that share no director and no actor with another.


def test_imdb_people_have_the_mean_of_their_films(imdb: HeteroData) -> None:
    films = imdb["movie", "to", "actor"].edge_index
    for actor in (0, 2500, 5256):
        own = films[0, films[1] == actor]
        assert torch.allclose(imdb["actor"].x[actor], imdb["movie"].x[own].mean(0))
    back = imdb["actor", "to", "movie"].edge_index.flip(0)
    assert {*map(tuple, back.T.tolist())} == {*map(tuple, films.T.tolist())}


def test_words_are_counted_as_by_scikit_learn() -> None:
    counts = load_module("imdb", "data").count_words(pd.Series(["a Cat|cat", "dog cat", "dog's 42", ""]))
    assert counts.tolist() == [[2, 0], [1, 1], [0, 1], [0, 0]]  # cat, dog; `42` stands in one text alone


# --- MUTAG ---


def test_mutag_has_the_published_counts(mutag: HeteroData) -> None:
    entity = mutag["entity"]
    assert entity.num_nodes == 23644
    assert len(mutag.edge_types) == 23
    assert count_edges(mutag) == 74227
    assert splits(mutag, "entity") == [272, 68]
    assert entity.mutagenic.add(1).bincount().tolist() == [23644 - 340, 211, 129]
    assert not graphdsl.load(EXAMPLES / "mutag" / "mutag.gnn").validate(mutag).findings


# --- the zoo ---


def test_score_is_written_once_behind_the_other_comments(tmp_path: Path) -> None:
    script = load_module("", "zoo_scores")
    seeds = sys.modules["seeds"]
    path = tmp_path / "a.gnn"
    path.write_text("# Name: A\n# Score: old and so\n#   long\ngnn 1\nschema s { node a }\n", encoding="utf-8")
    trials = [seeds.Trial(seed, 1, {"accuracy": 0.5 + seed / 10, "f1_macro": 0.25}, 1.0) for seed in range(2)]
    for _ in range(2):
        script.write_score(path, script.score_line(trials))
    head = "# Name: A\n# Score: accuracy 55.00 ± 7.07, macro F1 25.00 ± 0.00 (2 seeds)\n"
    assert path.read_text(encoding="utf-8") == head + "gnn 1\nschema s { node a }\n"


def test_specs_with_known_data_are_measurable() -> None:
    assert "han" in load_module("", "zoo_scores").measurable()


# --- without the data ---


@pytest.mark.parametrize(
    ("folder", "load"), [("aifb", "aifb"), ("aifb", "aifb_typed"), ("acm", "acm"), ("imdb", "imdb"), ("mutag", "mutag")]
)
def test_missing_data_is_told_in_one_line(
    folder: str, load: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHDSL_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError) as caught:
        getattr(load_module(folder, "data"), load)()
    message = str(caught.value)
    assert str(tmp_path / folder) in message
    assert "https://" in message
    assert "GRAPHDSL_DATA" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("folder", "script"), [("aifb", "reproduce"), ("aifb", "build_spec"), ("acm", "reproduce"), ("mutag", "reproduce")]
)
def test_scripts_say_what_data_is_missing(
    folder: str, script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHDSL_DATA", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [script])
    with pytest.raises(SystemExit, match=f"^no .* in {tmp_path / folder}: get https://"):
        load_module(folder, script).main()
