"""How well are delays predicted without a graph model: ``python examples/flights/baselines.py`` (2–3 minutes).

All are fitted on January to September and scored on November and December, as the model is:

* timetable: logistic regression on hour, weekday, airline and origin;
* weather at departure: the same and the weather of the very hour of departure, which nobody knows an hour before;
* news: the timetable, the weather that was known, and each kind of news averaged by hand, with logistic regression and with
  gradient boosting. These read exactly what the graph model reads, one step away.

Gradient boosting draws its bins at random: mean over three seeds.
"""

import time
from collections.abc import Iterator

import numpy as np
from data import HORIZON, HOUR, NEWS, find_package, flights, read_flights, read_weather, weather_before
from rich.console import Console
from rich.table import Table
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch_geometric.data import HeteroData

SEEDS = (0, 1, 2)


def average_over(index: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Mean [count, k] over the edges `index` [2, E] of the rows `values` [sources, k] that end in each node; 0 without any."""
    source, target = index
    incidence = sparse.csr_matrix((np.ones(len(source), np.float32), (target, source)), (count, len(values)))
    degree = np.maximum(np.bincount(target, minlength=count), 1)
    return (incidence @ values) / degree[:, None]


def average_news(data: HeteroData) -> np.ndarray:
    """By hand what a graph layer learns: mean report, mean age and number of reports for each kind of news [flights, 28]."""
    count, reports = data["flight"].num_nodes, data["report"].x.numpy()
    columns = []
    for relation in NEWS:
        store = data["report", relation, "flight"]
        source, target = store.edge_index.numpy()
        heard = np.bincount(target, minlength=count)
        age = np.bincount(target, store.age.numpy(), minlength=count) / np.maximum(heard, 1)
        columns += [average_over(np.stack([source, target]), reports, count), age[:, None], heard[:, None]]
    return np.concatenate(columns, axis=1)


def weather_at_departure() -> np.ndarray:
    """Weather of the hour that a flight leaves in [flights, 10]: the reading that is complete an hour after its start."""
    source = find_package()
    table = read_flights(source)
    weather = read_weather(source, int(table.time[table.month <= 9].max()))
    end_of_hour = (table.time + HORIZON) // HOUR * HOUR + HOUR
    edges = weather_before(weather, table.assign(time=end_of_hour))
    return average_over(edges[::-1], weather.filter(regex=r"^x\d+$").to_numpy(), len(table))


def score(model: object, features: np.ndarray, data: HeteroData) -> float:
    """Area under the ROC curve on the test flights after fitting on the training flights."""
    label = data["flight"].late.numpy()
    train, test = data["flight"].train_mask.numpy(), data["flight"].test_mask.numpy()
    model.fit(features[train], label[train])  # type: ignore[attr-defined]
    return float(roc_auc_score(label[test], model.predict_proba(features[test])[:, 1]))  # type: ignore[attr-defined]


def logistic() -> object:
    """Logistic regression on scaled columns."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))


def run(data: HeteroData) -> Iterator[tuple[str, list[float]]]:
    """Name and scores of each baseline, one score a seed where chance plays a part."""
    timetable = data["flight"].x.numpy()
    count = len(timetable)
    yield "timetable, logistic regression", [score(logistic(), timetable, data)]
    leaving = np.hstack([timetable, weather_at_departure()])
    yield "+ weather at departure (not known yet), logistic regression", [score(logistic(), leaving, data)]
    known = average_over(data["flight", "under", "weather"].edge_index.numpy()[::-1], data["weather"].x.numpy(), count)
    news = np.hstack([timetable, known, average_news(data)])
    yield "+ known weather + averaged news, logistic regression", [score(logistic(), news, data)]
    boosted = [score(HistGradientBoostingClassifier(random_state=seed), news, data) for seed in SEEDS]
    yield "+ known weather + averaged news, gradient boosting", boosted


def main() -> None:
    """Print the table."""
    start = time.perf_counter()
    console = Console()
    table = Table("baseline", "test AUC", title="flights: at least 15 minutes late, an hour ahead")
    for name, scores in run(flights()):
        spread = f" ± {np.std(scores, ddof=1):.4f}" if len(scores) > 1 else ""
        table.add_row(name, f"{np.mean(scores):.4f}{spread}")
    console.print(table)
    console.print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
