"""The films example: sizes, an honest split, and that only free releases are read."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "films"


@pytest.fixture(scope="module")
def module() -> ModuleType:
    found = importlib.util.spec_from_file_location("films_example", FOLDER / "data.py")
    assert found is not None
    assert found.loader is not None
    loaded = importlib.util.module_from_spec(found)
    found.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def graph(module: ModuleType) -> HeteroData:
    if importlib.util.find_spec("bokeh_sampledata") is None:
        pytest.skip("bokeh_sampledata is not installed: pip install 'graphdsl[examples]'")
    return module.films()


def test_spec_is_clean() -> None:
    assert graphdsl.check(FOLDER / "films.gnn") == ()


@pytest.mark.parametrize("version", ["2024.2", "2025.0", "2026.0.5", "1.0"])
def test_releases_that_are_not_free_are_refused(module: ModuleType, version: str) -> None:
    with pytest.raises(RuntimeError, match=rf"{re.escape(version)} holds films under CC BY-NC"):
        module.check_version(version)


@pytest.mark.parametrize("version", ["2026.1", "2026.1.3", "2027.0"])
def test_free_releases_are_taken(module: ModuleType, version: str) -> None:
    module.check_version(version)


def test_missing_package_is_named(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'bokeh_sampledata>=2026\.1'"):
        module.find_database()


def test_names_are_split_at_commas_but_not_before_a_suffix(module: ModuleType) -> None:
    names = module.split_names(pd.Series(["Ann, Robert Downey, Jr., Bo", "", None, "Sammy Davis, Jr.", "Bo, Bo"]))
    assert list(names.itertuples(index=False, name=None)) == [
        (0, "Ann"),
        (0, "Robert Downey Jr."),
        (0, "Bo"),
        (3, "Sammy Davis Jr."),
        (4, "Bo"),
    ]


def test_graph_has_the_sizes_that_the_module_states(graph: HeteroData) -> None:
    counts = {name: graph[name].num_nodes for name in graph.node_types}
    assert counts == {
        "movie": 17_453,
        "actor": 53_116,
        "director": 8_275,
        "writer": 9_329,
        "company": 2_373,
        "language": 196,
        "country": 136,
        "genre": 21,
    }
    links = {edge[1]: graph[edge].edge_index.size(1) for edge in graph.edge_types}
    assert sum(links.values()) == 326_198
    text = (FOLDER / "data.py").read_text(encoding="utf-8")
    assert all(f"{count:,}" in text for count in [*counts.values(), *links.values()])


def test_graph_fits_the_spec(graph: HeteroData) -> None:
    report = graphdsl.load(FOLDER / "films.gnn").validate(graph, model="makers")
    assert report.ok, str(report)


def test_split_is_by_year(graph: HeteroData) -> None:
    movie = graph["movie"]
    masks = torch.stack([movie.train_mask, movie.val_mask, movie.test_mask])
    assert (masks.sum(0) == 1).all()
    assert masks.sum(1).tolist() == [12_761, 1_321, 3_371]
    year = movie.x[:, 0]
    assert year[masks[0]].max() < year[masks[1]].min()
    assert year[masks[1]].max() < year[masks[2]].min()


def test_what_is_known_after_the_release_is_no_feature(module: ModuleType, graph: HeteroData) -> None:
    movies = module.read_movies(module.find_database())
    assert set(movies.columns) == {"Year", "Runtime", "Meter", *module.LINKS}
    shuffled = movies.assign(Meter=movies.Meter.to_numpy()[::-1])
    assert (module.movie_features(shuffled) == graph["movie"].x.numpy()).all()
