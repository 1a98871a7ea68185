"""What is known about a plane's builder without a graph model: ``python examples/planes/baselines.py``.

Three baselines on the split of the spec, from "no information" to "everything one hop away":

* majority: the most frequent class of the training planes;
* airline: logistic regression on which airlines operate the plane (16 columns);
* one hop: logistic regression on which airlines operate it and where it flies (16 + 106 columns).

The strength of regularisation is chosen on the validation planes. Nothing here is random.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression

DATA = Path(__file__).parent / "data"
STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""Inverse strengths of regularisation (scikit-learn's ``C``) to choose from."""


def read_ids(planes: pd.DataFrame, relation: str) -> sp.csr_matrix:
    """Incidence matrix [planes, targets] of ``relation``: 1 where a plane is joined to a target."""
    target = relation.rsplit("-", 1)[-1]
    edges = pd.read_csv(DATA / f"{relation}.csv.gz")
    targets = pd.read_csv(DATA / f"{target}.csv.gz")
    row = pd.Index(planes.id).get_indexer(edges.source)
    column = pd.Index(targets.id).get_indexer(edges.target)
    return sp.csr_matrix((np.ones(len(edges)), (row, column)), shape=(len(planes), len(targets)))


def fit_logistic(features: sp.csr_matrix, planes: pd.DataFrame) -> tuple[float, str]:
    """Test accuracy of the logistic regression that does best on the validation planes, and its ``C``."""
    label = planes.manufacturer.to_numpy()
    train, validation, test = (planes[f"{name}_mask"].to_numpy() == 1 for name in ("train", "val", "test"))
    models = [
        LogisticRegression(C=strength, max_iter=5000).fit(features[train], label[train]) for strength in STRENGTHS
    ]
    best = max(models, key=lambda model: model.score(features[validation], label[validation]))
    return float(best.score(features[test], label[test])), f"C = {best.C:g}"


def majority(planes: pd.DataFrame) -> tuple[float, str]:
    """Test accuracy of always answering with the most frequent class of the training planes."""
    most_frequent = planes[planes.train_mask == 1].manufacturer.mode()[0]
    return float((planes[planes.test_mask == 1].manufacturer == most_frequent).mean()), ""


def main() -> None:
    """Print the table."""
    start = time.perf_counter()
    planes = pd.read_csv(DATA / "plane.csv.gz")
    airline = read_ids(planes, "plane-operated_by-airline")
    airport = read_ids(planes, "plane-flies_to-airport")
    rows = {
        "majority": majority(planes),
        "airline, logistic regression": fit_logistic(airline, planes),
        "one hop, logistic regression": fit_logistic(sp.hstack([airline, airport], format="csr"), planes),
    }
    table = Table("baseline", "test accuracy", "chosen on validation", title="planes: who built it")
    for name, (accuracy, choice) in rows.items():
        table.add_row(name, f"{100 * accuracy:.1f} %", choice)
    Console().print(table)
    Console().print(f"{time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
