"""Films of 1940 to 2014 as a graph, and what was known of them when they came out.

`films()` builds it in seconds from Wikidata's statements in the package bokeh_sampledata (CC0); nothing is downloaded,
written or cached.

    movie     17,453  58 features; fresh: the label; year; the three masks
    actor     53,116  no features, like all the following
    director   8,275
    writer     9,329
    company    2,373
    language     196
    country      136
    genre         21

    movie -[stars]-> actor, -[directed_by]-> director, -[written_by]-> writer, -[produced_by]-> company,
          -[spoken_in]-> language, -[made_in]-> country, -[belongs_to]-> genre

The label says whether at least 60 % of the critics' reviews are positive. Films until 2008 train, those of 2009 and 2010
validate, those from 2011 on test: the model judges films that are newer than all it has learned from.

What makes it honest: nothing of the film's reception (reviews, scores, awards, receipts) is in its features. They say its
year, its length, its genres, languages and countries, and the record of its people: how films that came out *in an earlier
year* were received, among the films that train. A film's own label, or that of a later film, or of any film that validates
or tests, is in no feature.

Known by name only: two people of one name are one node, and a name that contains a comma is cut (except "Jr." and the like).
"""

import importlib.metadata
import importlib.util
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

OLDEST_RELEASE = (2026, 1)
"""The first release of bokeh_sampledata whose films are Wikidata's. Earlier ones hold OMDb's, under CC-BY-NC."""

FRESH = 60
"""A film is fresh from so many percent of positive reviews on."""

TRAIN_UNTIL, VALIDATE_UNTIL = 2008, 2010
"""Last years of the films that train and validate."""

RELATIONS = {
    "stars": ("actor", "Cast"),
    "directed_by": ("director", "Director"),
    "written_by": ("writer", "Writer"),
    "produced_by": ("company", "Production"),
    "spoken_in": ("language", "Language"),
    "made_in": ("country", "Country"),
    "belongs_to": ("genre", "Genre"),
}
"""Relations of a movie: the other node type, and the column of names that it is read from."""

PEOPLE = ("stars", "directed_by", "written_by", "produced_by")
"""Relations along which a film has a record."""

FREQUENT = {"belongs_to": 20, "spoken_in": 12, "made_in": 15}
"""Features of 0 and 1: the so many most frequent genres, languages and countries of the films that train."""

RECORD_SCALE = (8.0, 0.5) * len(PEOPLE)
"""Brings records to the size of the other features. Constants: a deviation over all films would hold their labels."""

DOUBT = 3.0
"""So many films of average reception are added to everybody's record: one success alone says little."""


def find_database() -> Path:
    """Path of `movies.db`, found without importing the package.

    Raises:
        ModuleNotFoundError: bokeh_sampledata is missing, or so old that its films are not free.
    """
    wanted = ".".join(map(str, OLDEST_RELEASE))
    install = f"pip install 'bokeh_sampledata>={wanted}'"
    found = importlib.util.find_spec("bokeh_sampledata")
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"bokeh_sampledata is not installed: {install}")
    version = importlib.metadata.version("bokeh_sampledata")
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_RELEASE:
        raise ModuleNotFoundError(
            f"bokeh_sampledata {version} holds films under a non-commercial licence, {wanted} and newer are CC0: {install}"
        )
    return Path(found.origin).parent / "_data" / "movies.db"


def read_movies(database: Path) -> pd.DataFrame:
    """Films with a score, in the order of their numbers; adds `fresh` (0 or 1) and `part` (train, val, test)."""
    query = (
        "SELECT o.*, t.Meter, t.Production FROM omdb o JOIN tomatoes t USING (ID) WHERE t.Meter IS NOT NULL ORDER BY ID"
    )
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        table = pd.read_sql(query, connection)
    years = [0, TRAIN_UNTIL, VALIDATE_UNTIL, 9999]
    return table.assign(
        fresh=(table.Meter >= FRESH).astype(int), part=pd.cut(table.Year, years, labels=["train", "val", "test"])
    )


def read_links(movies: pd.DataFrame, column: str) -> pd.DataFrame:
    """Distinct pairs of `movie` (row number) and `name` from a column of names with commas between them."""
    joined = movies[column].fillna("").str.replace(r", (Jr\.|Sr\.|I+)(?=,|$)", r" \1", regex=True)
    names = joined.str.split(", ").explode()
    links = names[names != ""].rename_axis("movie").reset_index(name="name")
    return links.drop_duplicates(ignore_index=True)


def earlier_record(movies: pd.DataFrame, links: pd.DataFrame) -> np.ndarray:
    """How the earlier training films of a film's people were received [movies, 2].

    Args:
        movies: with `Year`, `fresh` and `part`.
        links: pairs of `movie` and `name`.

    Returns:
        The mean over the film's people of their shares of fresh films, minus the average share (0: nothing known), and
        the logarithm of one plus the number of their films. Only films of earlier years count, for the average too.
    """
    known = (movies.part == "train").to_numpy()
    films = pd.DataFrame({"year": movies.Year, "known": known, "good": known * movies.fresh}).astype(float)
    table = links.assign(**films.iloc[links.movie].reset_index(drop=True))
    record = table.merge(before(table, ["name", "year"]), on=["name", "year"], suffixes=("_now", ""))
    average = before(films, ["year"]).set_index("year")
    rate = record.year.map((average.good / average.known).fillna(0.0))
    record["share"] = (record.good - rate * record.known) / (record.known + DOUBT)
    people = record.groupby("movie").agg(share=("share", "mean"), known=("known", "sum")).reindex(movies.index)
    return np.column_stack([people.share.fillna(0.0), np.log1p(people.known.fillna(0.0))])


def before(films: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Sums of `known` and `good` over all years before, for each combination of `keys`, the last of which is the year."""
    yearly = films.groupby(keys)[["known", "good"]].sum()
    total = yearly.groupby(keys[:-1]).cumsum() if keys[:-1] else yearly.cumsum()
    return pd.DataFrame(total - yearly).reset_index()


def multi_hot(movies: pd.DataFrame, links: pd.DataFrame, count: int) -> np.ndarray:
    """Columns of 0 and 1 [movies, count] for the most frequent names of the films that train."""
    train = (movies.part == "train").to_numpy()
    frequent = links.name[train[links.movie]].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    column = frequent.index[:count].get_indexer(links.name)
    found = np.zeros((len(movies), count))
    found[links.movie[column >= 0], column[column >= 0]] = 1.0
    return found


def movie_features(movies: pd.DataFrame, links: dict[str, pd.DataFrame]) -> np.ndarray:
    """Year, length, whether the length is known; genres, languages, countries; records [movies, 58]."""
    train = (movies.part == "train").to_numpy()
    length = movies.Runtime.clip(40, 240)
    own = np.column_stack([(movies.Year - 1990) / 20, length.fillna(length[train].median()) / 30 - 3, length.notna()])
    known = [multi_hot(movies, links[relation], count) for relation, count in FREQUENT.items()]
    records = np.column_stack([earlier_record(movies, links[relation]) for relation in PEOPLE])
    return np.column_stack([own, *known, records * RECORD_SCALE]).astype(np.float32)


def _tensor(values: np.ndarray | pd.Series) -> Tensor:
    return torch.from_numpy(np.array(values, order="C"))  # a copy: pandas hands out arrays that must not be written to


def films() -> HeteroData:
    """The whole graph, as `films.gnn` declares it."""
    movies = read_movies(find_database())
    links = {relation: read_links(movies, column) for relation, (_, column) in RELATIONS.items()}
    data = HeteroData()
    data["movie"].x = _tensor(movie_features(movies, links))
    data["movie"].year = _tensor(movies.Year)
    data["movie"].fresh = _tensor(movies.fresh)
    for name in ("train", "val", "test"):
        data["movie"][f"{name}_mask"] = _tensor((movies.part == name).to_numpy())
    for relation, (target, _) in RELATIONS.items():
        number, names = pd.factorize(links[relation].name, sort=True)
        data[target].num_nodes = len(names)
        data["movie", relation, target].edge_index = _tensor(np.stack([links[relation].movie.to_numpy(), number]))
    return data
