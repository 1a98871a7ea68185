"""What is known about a film's reception without a graph model: ``python examples/films/baselines.py``.

On the split of the spec, from "no information" to "everything one hop away", with scikit-learn alone:

* majority: the most frequent class of the films that train;
* the film itself: logistic regression on year, length, genres, languages and countries (50 columns);
* names: the same, and which people and companies made it (73,093 more columns of 0 and 1);
* target encoding: the film itself, and the record of its people (58 columns: what the graph models get);
* target encoding, boosted trees: the same columns for gradient boosting, its settings not tuned;
* target encoding and names: everything at once.

The strength of regularisation is chosen on the films that validate, by the area under the ROC curve.
"""

import time
from typing import Any

import numpy as np
import scipy.sparse as sp
from data import PEOPLE, RELATIONS, films
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from torch_geometric.data import HeteroData

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Inverse strengths of regularisation (scikit-learn's ``C``) to choose from."""

RECORDS = 2 * len(PEOPLE)
"""The last columns of the features: the record of a film's people."""

Row = tuple[float, float, str]
"""Test AUC, test accuracy, and what was chosen on the films that validate."""


def read_names(data: HeteroData) -> Any:
    """Sparse columns of 0 and 1 [movies, people and companies]."""
    parts = []
    for relation in PEOPLE:
        target = RELATIONS[relation][0]
        movie, name = data["movie", relation, target].edge_index.numpy()
        shape = (data["movie"].num_nodes, data[target].num_nodes)
        parts.append(sp.csr_matrix((np.ones(len(movie), dtype=np.float32), (movie, name)), shape=shape))
    return sp.hstack(parts, format="csr")


def splits(data: HeteroData) -> tuple[np.ndarray, ...]:
    """Masks of the films that train, validate and test."""
    return tuple(data["movie"][f"{name}_mask"].numpy() for name in ("train", "val", "test"))


def area(model: LogisticRegression, features: Any, label: np.ndarray) -> float:
    """Area under the ROC curve."""
    return float(roc_auc_score(label, model.decision_function(features)))


def fit_logistic(features: Any, data: HeteroData) -> Row:
    """The logistic regression with the best validation AUC; `features` is dense or sparse [movies, columns]."""
    label, (train, validation, test) = data["movie"].fresh.numpy(), splits(data)
    models = [LogisticRegression(C=value, max_iter=3000).fit(features[train], label[train]) for value in STRENGTHS]
    best = max(models, key=lambda model: area(model, features[validation], label[validation]))
    return area(best, features[test], label[test]), float(best.score(features[test], label[test])), f"C = {best.C:g}"


def fit_trees(features: np.ndarray, data: HeteroData) -> Row:
    """Gradient boosting."""
    label, (train, _, test) = data["movie"].fresh.numpy(), splits(data)
    trees = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.05, early_stopping=False, random_state=0)
    chance = trees.fit(features[train], label[train]).predict_proba(features[test])[:, 1]
    return float(roc_auc_score(label[test], chance)), float(accuracy_score(label[test], chance > 0.5)), ""


def majority(data: HeteroData) -> Row:
    """Always the most frequent class of the films that train."""
    label, (train, _, test) = data["movie"].fresh.numpy(), splits(data)
    return 0.5, float((label[test] == np.bincount(label[train]).argmax()).mean()), ""


def main() -> None:
    """Print the table."""
    start = time.process_time()
    data = films()
    features, names = data["movie"].x.numpy(), read_names(data)
    own, both = sp.csr_matrix(features[:, :-RECORDS]), sp.csr_matrix(features)
    rows = {
        "majority": majority(data),
        "the film itself, logistic regression": fit_logistic(own, data),
        "names, logistic regression": fit_logistic(sp.hstack([own, names], format="csr"), data),
        "target encoding, logistic regression": fit_logistic(both, data),
        "target encoding, boosted trees": fit_trees(features, data),
        "target encoding and names, logistic regression": fit_logistic(sp.hstack([both, names], format="csr"), data),
    }
    table = Table("baseline", "test AUC", "test accuracy", "chosen", title="films: will the critics like it")
    for name, (score, accuracy, choice) in rows.items():
        table.add_row(name, f"{100 * score:.2f}", f"{100 * accuracy:.2f}", choice)
    Console(width=100).print(table)
    Console().print(f"{time.process_time() - start:.1f} CPU seconds")


if __name__ == "__main__":
    main()
