"""IMDB as MAGNN prepared it and as `torch_geometric.datasets.IMDB` has it: films, their directors and their actors.

PyG downloads the prepared dataset. Without a network it can be made from the table that it was made of: get
`data/raw/IMDB/movie_metadata.csv` of https://github.com/cynricfu/MAGNN, put it into a folder `imdb`, and let the
environment variable `GRAPHDSL_DATA` name the folder that holds `imdb` (without it, `../shared/data` is looked at,
relative to this repository). The table states no licence, so it is no part of this project.

The steps are those of MAGNN's notebook `preprocess_IMDB.ipynb`: films that have a director, a first actor and one of
three genres; words of their plot keywords as features; directors and actors have the mean of their films.
"""

import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import HeteroData

SOURCE = "https://github.com/cynricfu/MAGNN (data/raw/IMDB/movie_metadata.csv)"
GENRES = ("Action", "Comedy", "Drama")
"""The classes; the first of these in a film's list is its own."""

ACTORS = ["actor_1_name", "actor_2_name", "actor_3_name"]
SEED = 1566911444
"""Of MAGNN's split."""

VALIDATED, TESTED = 400, 3478


def imdb() -> HeteroData:
    """The graph, with the types and relations of PyG's dataset.

    Returns:
        `movie` (4,278): `x` [4278, 3066] float, `y` [4278] 0 … 2, `train_mask` (400), `val_mask` (400), `test_mask`
        (3,478); `director` (2,081) and `actor` (5,257) with `x` of the same columns; edges `to` between `movie` and
        both, in both directions: 4,278 and 12,828.
    """
    films = read_films(find_table())
    data = HeteroData()
    movie = data["movie"]
    words = count_words(films.plot_keywords.fillna(""))
    movie.x = torch.from_numpy(words)
    movie.y = torch.from_numpy(films.genre.to_numpy().copy())
    for name, columns in (("director", ["director_name"]), ("actor", ACTORS)):
        credits = films[columns].stack().dropna()  # Index: film and column; films lack some actors.
        people, persons = np.unique(credits.to_numpy(dtype=str), return_inverse=True)
        pairs = np.unique(np.stack([credits.index.get_level_values(0).to_numpy(), persons]), axis=1)
        edges = torch.from_numpy(np.ascontiguousarray(pairs))
        data[name].x = mean_by(movie.x, edges, len(people))
        data["movie", "to", name].edge_index = edges
        data[name, "to", "movie"].edge_index = edges[:, np.lexsort((pairs[0], pairs[1]))].flip(0)
    for mask, rows in split(len(films)).items():
        movie[mask] = torch.zeros(len(films), dtype=torch.bool)
        movie[mask][torch.from_numpy(rows)] = True
    return data


def find_table() -> Path:
    """The table of films.

    Raises:
        FileNotFoundError: saying where to get it.
    """
    root = os.environ.get("GRAPHDSL_DATA") or Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
    path = Path(root).resolve() / "imdb" / "movie_metadata.csv"
    if not path.is_file():
        raise FileNotFoundError(f"no {path}: get {SOURCE}, or set GRAPHDSL_DATA to the parent of `imdb`")
    return path


def read_films(path: Path) -> pd.DataFrame:
    """Films with a director, a first actor and one of the genres, which becomes the column `genre` (0 … 2)."""
    films = pd.read_csv(path, encoding="utf-8").dropna(subset=["actor_1_name", "director_name"])
    numbers = {name: number for number, name in enumerate(GENRES)}
    found = films.genres.map(lambda listed: next((numbers[it] for it in listed.split("|") if it in numbers), -1))
    return films.assign(genre=found.astype("int64"))[found >= 0].reset_index(drop=True)


def count_words(texts: pd.Series) -> np.ndarray:
    """How often each word stands in each text, for words of two letters or more that are in two texts at least.

    Returns:
        [num_texts, num_words] float32, words in alphabetical order: what scikit-learn's `CountVectorizer(min_df=2)`
        gives.
    """
    listed = [Counter(re.findall(r"(?u)\b\w\w+\b", text.lower())) for text in texts]
    spread = Counter(word for words in listed for word in words)
    columns = {word: place for place, word in enumerate(sorted(word for word, count in spread.items() if count > 1))}
    counts = np.zeros((len(listed), len(columns)), dtype=np.float32)
    for row, words in enumerate(listed):
        for word, count in words.items():
            if word in columns:
                counts[row, columns[word]] = count
    return counts


def mean_by(x: torch.Tensor, edges: torch.Tensor, count: int) -> torch.Tensor:
    """Mean of the rows that each of `count` targets is joined with, [count, width]."""
    total = torch.zeros(count, x.size(1)).index_add_(0, edges[1], x[edges[0]])
    return total / torch.bincount(edges[1], minlength=count).unsqueeze(1)


def split(films: int) -> dict[str, np.ndarray]:
    """Numbers of films by mask, as scikit-learn's `train_test_split` with MAGNN's seed draws them, in two steps."""
    first = np.random.RandomState(SEED).permutation(films)
    held, rest = first[:VALIDATED], first[VALIDATED:]
    second = np.random.RandomState(SEED).permutation(len(rest))
    return {"train_mask": rest[second[TESTED:]], "val_mask": held, "test_mask": rest[second[:TESTED]]}
