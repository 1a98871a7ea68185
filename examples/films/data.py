"""Films and who made them, from Wikidata (CC0): `films()` reads the `movies.db` that bokeh_sampledata brings.

    movie 17,453  year and runtime; fresh: whether at least 60 % of its reviews are good
    actor 53,116, director 8,275, writer 9,329, company 2,373, language 196, country 136, genre 21: no features

    movie -[stars]->       actor    194,027      movie -[spoken_in]-> language 19,457
    movie -[directed_by]-> director  18,958      movie -[made_in]->   country  23,267
    movie -[written_by]->  writer    20,996      movie -[is_a]->      genre    35,429
    movie -[produced_by]-> company   14,064

Train on films until 2008, validate on 2009 and 2010, test on 2011 to 2014. Reviews, scores, awards and receipts are known
only after the release: they are no features. 19 films without a score are left out.
"""

import importlib.metadata
import importlib.util
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import HeteroData

OLDEST = (2026, 1)
"""The first release whose films come from Wikidata; those of older releases may not be used commercially."""

FRESH = 60
"""Percent of good reviews from which a film counts as fresh."""

LINKS = {
    "Cast": ("stars", "actor"),
    "Director": ("directed_by", "director"),
    "Writer": ("written_by", "writer"),
    "Production": ("produced_by", "company"),
    "Language": ("spoken_in", "language"),
    "Country": ("made_in", "country"),
    "Genre": ("is_a", "genre"),
}
"""Columns of the tables, and the relation and node type that each becomes."""

YEARS = {"train": (1940, 2008), "val": (2009, 2010), "test": (2011, 2014)}


def find_database() -> Path:
    """Path of `movies.db`, found without importing bokeh_sampledata.

    Raises:
        ModuleNotFoundError: bokeh_sampledata is not installed.
        RuntimeError: it is too old: its films come from a source that is not free.
    """
    found = importlib.util.find_spec("bokeh_sampledata")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("bokeh_sampledata is not installed: pip install 'bokeh_sampledata>=2026.1'")
    check_version(importlib.metadata.version("bokeh_sampledata"))
    return Path(found.origin).parent / "_data" / "movies.db"


def check_version(version: str) -> None:
    """Refuse releases whose films are not free.

    Raises:
        RuntimeError: the release is older than 2026.1, whose films are CC0.
    """
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        message = f"bokeh_sampledata {version} holds films under CC BY-NC: pip install 'bokeh_sampledata>=2026.1' (CC0)"
        raise RuntimeError(message)


def read_movies(database: Path) -> pd.DataFrame:
    """Films with a score, in the order of their id: columns `Year`, `Runtime`, `Meter` (percent) and those of `LINKS`."""
    query = """select o.Year, o.Runtime, o."Cast", o.Director, o.Writer, o.Language, o.Country, o.Genre,
                      t.Meter, t.Production
               from omdb o join tomatoes t on o.ID = t.ID where t.Meter is not null order by o.ID"""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return pd.read_sql(query, connection)


def split_names(column: pd.Series) -> pd.DataFrame:
    """One row for each film and name of a column of lists ("A, B"): `movie` (row number), `name`."""
    # The comma of "Robert Downey, Jr." belongs to the name.
    whole = column.fillna("").str.replace(r", (Jr\.|Sr\.|I+)(?=,|$)", r" \1", regex=True)
    names = whole.str.split(", ").explode().rename("name").rename_axis("movie").reset_index()
    return names[names.name != ""].drop_duplicates(ignore_index=True)


def movie_features(movies: pd.DataFrame) -> np.ndarray:
    """Year and runtime, scaled on the training films, and whether the runtime is known [movies, 3]."""
    known = movies.Runtime.notna()
    values = movies[["Year", "Runtime"]].assign(Runtime=movies.Runtime.clip(upper=240))
    fitted = values[movies.Year <= YEARS["train"][1]]
    scaled = ((values - fitted.mean()) / fitted.std()).fillna(0.0)
    return np.column_stack([scaled, known]).astype(np.float32)


def films() -> HeteroData:
    """The whole graph, as `films.gnn` declares it."""
    movies = read_movies(find_database())
    data = HeteroData()
    data["movie"].x = torch.from_numpy(movie_features(movies))
    data["movie"].fresh = torch.from_numpy((movies.Meter >= FRESH).to_numpy(np.int64))
    for name, (first, last) in YEARS.items():
        data["movie"][f"{name}_mask"] = torch.from_numpy(movies.Year.between(first, last).to_numpy(copy=True))
    for column, (relation, target) in LINKS.items():
        links = split_names(movies[column])
        number, names = pd.factorize(links.name, sort=True)
        data[target].num_nodes = len(names)
        data["movie", relation, target].edge_index = torch.from_numpy(np.stack([links.movie.to_numpy(), number]))
    return data
