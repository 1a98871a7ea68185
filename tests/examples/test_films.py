"""The films example: its graph has the stated sizes, is honest about time, fits the spec, and trains."""

import importlib.metadata
import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import inspect
from graphdsl.training import Origin, fit

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "films"

SIZES = {
    "movie": 17_453,
    "actor": 53_116,
    "director": 8_275,
    "writer": 9_329,
    "company": 2_373,
    "language": 196,
    "country": 136,
    "genre": 21,
}
LINKS = {
    "stars": 194_027,
    "directed_by": 18_958,
    "written_by": 20_996,
    "produced_by": 14_064,
    "spoken_in": 19_457,
    "made_in": 23_267,
    "belongs_to": 35_429,
}


@pytest.fixture(scope="module")
def source() -> ModuleType:
    spec = importlib.util.spec_from_file_location("films_data", FOLDER / "data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data(source: ModuleType) -> HeteroData:
    try:
        source.find_database()
    except ModuleNotFoundError as missing:
        pytest.skip(str(missing))
    return source.films()


@pytest.fixture(scope="module")
def spec() -> graphdsl.Spec:
    return graphdsl.load(FOLDER / "films.gnn")


def test_the_graph_has_the_stated_sizes(data: HeteroData) -> None:
    assert {name: data[name].num_nodes for name in data.node_types} == SIZES
    assert {edge[1]: data[edge].edge_index.size(1) for edge in data.edge_types} == LINKS
    assert torch.isfinite(data["movie"].x).all()


def test_splits_are_disjoint_and_ordered_by_year(data: HeteroData) -> None:
    movie = data["movie"]
    masks = [movie.train_mask, movie.val_mask, movie.test_mask]
    assert (torch.stack(masks).int().sum(0) == 1).all()
    assert [int(mask.sum()) for mask in masks] == [12_761, 1_321, 3_371]
    assert movie.year[masks[0]].max() < movie.year[masks[1]].min()
    assert movie.year[masks[1]].max() < movie.year[masks[2]].min()


def test_the_record_counts_earlier_training_films_only(source: ModuleType) -> None:
    parts = ["train", "train", "train", "train", "val", "test"]
    movies = pd.DataFrame({"Year": [2000, 2001, 2001, 2005, 2010, 2012], "fresh": [1, 0, 1, 1, 1, 0], "part": parts})
    record = source.earlier_record(movies, pd.DataFrame({"movie": range(6), "name": "Ann"}))
    assert np.expm1(record[:, 1]).round(6).tolist() == [0, 1, 1, 3, 4, 4]


def test_the_record_is_relative_to_the_films_of_earlier_years(source: ModuleType) -> None:
    movies = pd.DataFrame({"Year": [2000, 2000, 2001, 2002], "fresh": [1, 0, 1, 0], "part": "train"})
    links = pd.DataFrame({"movie": [0, 1, 2, 3], "name": ["Ann", "Bob", "Ann", "Ann"]})
    share = source.earlier_record(movies, links)[:, 0]
    assert share == pytest.approx([0.0, 0.0, (1 - 1 / 2) / (1 + 3), (2 - 2 * 2 / 3) / (2 + 3)])


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_no_feature_holds_a_label_of_the_same_or_a_later_year(data: HeteroData, source: ModuleType, part: str) -> None:
    movies = source.read_movies(source.find_database())
    links = {relation: source.read_links(movies, column) for relation, (_, column) in source.RELATIONS.items()}
    year = movies.Year[movies.part == part].max()
    other = movies.assign(fresh=movies.fresh.where(movies.Year < year, 1 - movies.fresh))
    found, old = source.movie_features(other, links), movies.Year <= year
    assert np.array_equal(found[old], data["movie"].x.numpy()[old])
    assert np.array_equal(found, data["movie"].x.numpy()) == (part != "train")


@pytest.mark.parametrize("model", ["han", "sage"])
def test_the_spec_is_clean_and_fits_the_data(spec: graphdsl.Spec, data: HeteroData, model: str) -> None:
    assert spec.findings == ()
    assert spec.training(model).temporal
    report = spec.validate(data)
    assert report.ok, str(report)
    assert not report.findings, str(report)


def test_two_epochs_of_training_learn_something(spec: graphdsl.Spec, data: HeteroData, tmp_path: Path) -> None:
    training = replace(spec.training("han"), epochs=2)
    torch.manual_seed(0)
    model = spec.compile("han", data=data)
    schema, plan = spec.schema(), model.plan
    origin = Origin(spec.text, spec.name, plan.model, plan.parameters, schema, inspect(data, schema))
    done = fit(model, plan, data, training, origin, tmp_path)
    assert done.best_epoch in (1, 2)
    assert done.metrics["val_auroc"] > 0.7


def test_an_old_release_is_refused_in_one_line(source: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    found = type("Found", (), {"origin": "/somewhere/bokeh_sampledata/__init__.py"})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2025.0")
    with pytest.raises(ModuleNotFoundError, match="non-commercial licence") as refused:
        source.find_database()
    assert "pip install 'bokeh_sampledata>=2026.1'" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_package_is_named(source: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="bokeh_sampledata is not installed: pip install"):
        source.find_database()
