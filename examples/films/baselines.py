"""How well is a film's reception predicted without a graph model: ``python examples/films/baselines.py``.

All are fitted on films until 2008 and scored on those from 2011 on, as the model is:

* own: logistic regression on year and runtime;
* kind: the same with genres, countries and languages as columns of 0 and 1;
* everybody: with all 73,093 actors, directors, writers and companies as well;
* track record: instead of names, the share of fresh films among the other training films of a film's actors, of its
  directors and so on (target encoding; a training film never counts itself).

The strength of regularisation is chosen on the validation films. Nothing here is random.
"""

import time
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from data import films
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch_geometric.data import HeteroData

STRENGTHS = (0.01, 0.1, 1.0)
"""Inverse strengths of regularisation (scikit-learn's ``C``) to choose from."""

KIND = (("is_a", "genre"), ("made_in", "country"), ("spoken_in", "language"))
MAKERS = (("stars", "actor"), ("directed_by", "director"), ("written_by", "writer"), ("produced_by", "company"))

PRIOR = 4.0
"""How many films of average reception everybody starts with."""


def incidence(data: HeteroData, relation: str, target: str) -> sp.csr_matrix:
    """1 where a film is joined to a target [movies, targets]."""
    movie, other = data["movie", relation, target].edge_index.numpy()
    return sp.csr_matrix((np.ones(len(movie)), (movie, other)), (data["movie"].num_nodes, data[target].num_nodes))


def track_record(data: HeteroData, relation: str, target: str) -> np.ndarray:
    """How fresh the other training films of a film's people are, and how many these are (log) [movies, 2]."""
    links = incidence(data, relation, target)
    train, fresh = data["movie"].train_mask.numpy().astype(float), data["movie"].fresh.numpy() * 1.0
    mean = fresh[train > 0].mean()
    known, good = links.T @ train, links.T @ (train * (fresh - mean))
    movie, other = links.nonzero()
    others = known[other] - train[movie]  # without the film itself
    surplus = (good[other] - train[movie] * (fresh[movie] - mean)) / (others + PRIOR)
    people = np.maximum(np.bincount(movie, minlength=len(train)), 1)
    columns = [np.bincount(movie, values, len(train)) / people for values in (surplus, np.log1p(others))]
    return np.column_stack(columns)


def fit_logistic(features: sp.csr_matrix, data: HeteroData) -> tuple[float, float]:
    """Test AUC of the logistic regression that does best on the validation films, and its ``C``."""
    label = data["movie"].fresh.numpy()
    train, validation, test = (data["movie"][f"{name}_mask"].numpy() for name in ("train", "val", "test"))
    models = [LogisticRegression(C=strength, max_iter=500).fit(features[train], label[train]) for strength in STRENGTHS]
    best = max(
        models, key=lambda model: roc_auc_score(label[validation], model.decision_function(features[validation]))
    )
    return float(roc_auc_score(label[test], best.decision_function(features[test]))), best.C


def stack(blocks: Sequence[np.ndarray | sp.csr_matrix]) -> sp.csr_matrix:
    """Blocks of columns beside each other."""
    return sp.hstack([sp.csr_matrix(block) for block in blocks], format="csr")


def main() -> None:
    """Print the table."""
    start = time.perf_counter()
    data = films()
    own = data["movie"].x.numpy()
    kind = [own, *(incidence(data, *link) for link in KIND)]
    rows = {
        "own": stack([own]),
        "kind": stack(kind),
        "everybody": stack([*kind, *(incidence(data, *link) for link in MAKERS)]),
        "track record": stack([*kind, *(track_record(data, *link) for link in MAKERS)]),
    }
    table = Table("logistic regression on", "test AUC", "C", title="films: at least 60 % good reviews")
    for name, features in rows.items():
        score, strength = fit_logistic(features, data)
        table.add_row(name, f"{score:.4f}", f"{strength:g}")
    Console().print(table)
    Console().print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
