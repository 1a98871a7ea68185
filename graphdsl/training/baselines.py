"""Honest baselines without message passing, on the same splits: what a graph model has to beat.

For links: how often each target is linked in training.

The majority class (or the mean), a linear model on the node's own features, and linear models on *one-hop ids*: which
nodes of another type a node is joined to, as a sparse matrix with a column for each of them.
"""

import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graphdsl.data.derivation import with_derived
from graphdsl.data.graph_set import GraphSet
from graphdsl.data.view import GraphView, open_data
from graphdsl.plan import LinkHead, ObjectiveHead, Plan
from graphdsl.text import EdgeKey, show_edge
from graphdsl.training.graph_baselines import graph_features
from graphdsl.training.graph_nodes import takes_nodes_of_graphs
from graphdsl.training.link_targets import LinkTargets
from graphdsl.training.pairs import WantedPairs, rows_of
from graphdsl.training.scores import Scores
from graphdsl.training.sign_task import most_frequent_sign
from graphdsl.training.splits import Supervision, Targets
from graphdsl.training.task import HeadTask

LARGEST = 100_000
"""Training rows that a linear model is fitted on; more are subsampled, and the row says so."""

LARGEST_DENSE = 100_000_000
"""Numbers in the dense features of those rows."""

_ITERATIONS = 300
_EVENTS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline and what it scores on the test nodes.

    Attributes:
        prediction: the prediction's name.
        name: what it looks at, such as "majority class".
        scores: by metric name, without a split's prefix.
        seconds: time to fit and score.
        note: what to know about it, such as that rows were subsampled.
    """

    prediction: str
    name: str
    scores: Mapping[str, float]
    seconds: float
    note: str = ""


def run_baselines(data: Any, plan: Plan, supervision: Supervision, seed: int = 0) -> Iterator[Baseline]:
    """Fit and score the baselines of each prediction, one after the other.

    Args:
        data: the graph that the model trained on.
        plan: the model's plan: its heads, and the relations that it reads.
        supervision: labels and splits; scores are on the test nodes, or the validation nodes without any.
        seed: for subsampling and solvers.
    """
    if plan.graph_heads and isinstance(data, GraphSet):
        yield from _of_graphs(data, supervision, seed)
        return
    together = data.batch(range(len(data))) if takes_nodes_of_graphs(data, plan) else data
    view = with_derived(open_data(together), plan)
    metapaths = {item.edge for item in plan.derived if item.metapath is not None}
    for task in supervision.task.heads:
        if task.head.name in supervision.links:
            yield _of_links(task, supervision.links[task.head.name], seed)
            continue
        if isinstance(task.head, ObjectiveHead):
            continue  # judged by labels that it does not know: `graphdsl.training.probing`
        targets = supervision.targets[task.head.name]
        for name, features in _inputs(view, task, len(targets.labels), metapaths):
            yield score_features(task, targets, name, features, seed)


def _of_graphs(graphs: GraphSet, supervision: Supervision, seed: int) -> Iterator[Baseline]:
    """Baselines of predictions of whole graphs."""
    features = list(graph_features(graphs))
    for task in supervision.task.heads:
        targets = supervision.targets[task.head.name]
        name = "mean" if task.head.kind == "real" else "majority class"
        for each, columns in ((name, None), *features):
            yield score_features(task, targets, each, columns, seed)


def _of_links(task: HeadTask, links: LinkTargets, seed: int) -> Baseline:
    """How often each target is linked, or, for what edges carry, the majority class or the mean."""
    start = time.monotonic()
    head = task.head
    assert isinstance(head, LinkHead)
    train = links.edges["train"]
    split = "test" if "test" in links.edges else "val" if "val" in links.edges else "train"
    scores = Scores(task, sync=False)
    if links.labels is not None and head.kind == "signed":
        name, asked = "most frequent sign", links.edges[split]
        scores.update(most_frequent_sign(links.labels[train], len(asked)), links.labels[asked])
    elif head.kind == "event":
        name = "popularity"
        _score_popularity(scores, links, train, links.edges[split], head.size or 0)
    elif links.labels is not None:
        name = "mean" if head.kind == "real" else "majority class"
        asked = links.edges[split]
        scores.update(_fit(task, None, links.labels, train, asked, seed), links.labels[asked])
    else:
        name = "target popularity"
        drawn = WantedPairs(head, links, links.edges[split]).draw(0)
        known = torch.cat([train, links.edges["val"]]) if split == "test" and "val" in links.edges else train
        targets = drawn.index()[1]
        count = torch.bincount(links.edge_index[1, known], minlength=int(targets.max()) + 1).double()
        rows = rows_of(head, len(drawn.labels), len(drawn.labels))
        scores.update(count.log1p()[targets][rows], drawn.labels)
    return Baseline(head.name, name, scores.compute(), time.monotonic() - start)


def _score_popularity(scores: Scores, links: LinkTargets, train: Tensor, asked: Tensor, size: int) -> None:
    """How often each node was the target of an event, and the source of one."""
    for ends in links.edge_index.flip(0):
        chance = torch.bincount(ends[train], minlength=size).float().clamp(min=0.1).log()
        for part in asked.split(_EVENTS_AT_ONCE):
            scores.update(chance.expand(len(part), -1), ends[part])


def input_features(data: Any, plan: Plan, task: HeadTask, targets: Targets) -> Iterator[tuple[str, Any]]:
    """What each baseline of a label looks at: its name and a matrix with a row for each node (None for the majority)."""
    metapaths = {item.edge for item in plan.derived if item.metapath is not None}
    yield from _inputs(with_derived(open_data(data), plan), task, len(targets.labels), metapaths)


def _inputs(view: GraphView, task: HeadTask, rows: int, metapaths: set[EdgeKey]) -> Iterator[tuple[str, Any]]:
    """What each baseline looks at: its name and a matrix with a row for each node (None for the majority)."""
    (target,) = task.head.types
    yield ("mean" if task.head.kind == "real" else "majority class"), None
    if "x" in view.keys(target):
        yield "own features", _tensor(view.read(target, "x")).reshape(rows, -1).float().numpy()
    blocks = []
    for edge in view.edge_types:
        if edge[2] != target or edge in metapaths:
            continue
        block = _incidence(view, edge, rows)
        blocks.append(block)
        yield f"ids over {show_edge(edge)}", block
    if len(blocks) > 1:
        yield "one-hop ids", sp.hstack(blocks, format="csr")


def _incidence(view: GraphView, edge: EdgeKey, rows: int) -> sp.csr_matrix:
    """Row = target node, column = source node, 1 where they are joined."""
    source, target = _tensor(view.connectivity(edge)).numpy()
    width = max(view.count(edge[0]) or 0, int(source.max()) + 1 if len(source) else 0)
    matrix = sp.csr_matrix((np.ones(len(source), np.float32), (target, source)), shape=(rows, width))
    matrix.data[:] = 1.0  # repeated edges
    return matrix


def _rows(features: Any, train: Tensor, test: Tensor) -> tuple[Any, Any]:
    """The rows of training and test nodes; dense columns scaled by what the training nodes show."""
    known, asked = features[train.numpy()], features[test.numpy()]
    if sp.issparse(known):
        return known, asked
    known, asked = np.nan_to_num(known), np.nan_to_num(asked)
    middle, spread = known.mean(0), known.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    return (known - middle) / spread, (asked - middle) / spread


def _tensor(value: Any) -> Tensor:
    return value.detach().cpu() if isinstance(value, Tensor) else torch.from_numpy(np.asarray(value))


def score_features(
    task: HeadTask, targets: Targets, name: str, features: Any, seed: int, split: str | None = None
) -> Baseline:
    """Fit a linear model on the training nodes and score it.

    Args:
        task: of the label.
        targets: the label and its splits.
        name: of the baseline.
        features: a row for each node, dense or sparse; None = the majority class or the mean.
        seed: for subsampling and solvers.
        split: what to score; None = the test nodes, or the validation nodes without any.
    """
    start = time.monotonic()
    train = targets.nodes["train"]
    test = targets.nodes[split] if split else targets.nodes.get("test", targets.nodes.get("val", train))
    note = ""
    limit = LARGEST if features is None or sp.issparse(features) else min(LARGEST, LARGEST_DENSE // features.shape[1])
    if features is not None and len(train) > limit:
        note = f"fitted on {limit:,} of {len(train):,} training nodes"
        train = train[torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:limit]]
    outputs = _fit(task, features, targets.labels, train, test, seed)
    scores = Scores(task, sync=False)
    scores.update(outputs, targets.labels[test])
    return Baseline(task.head.name, name, scores.compute(), time.monotonic() - start, note)


def _fit(task: HeadTask, features: Any, labels: Tensor, train: Tensor, test: Tensor, seed: int) -> Tensor:
    """Outputs for the test nodes as a model's head would give them: logits or numbers, `[test, size]`."""
    known = labels[train]
    if task.head.kind == "real":
        return _regress(features, known, train, test)
    if task.head.kind == "class":
        return _classify(features, known, task.size, train, test, seed)
    columns = [
        _classify(features, known[:, label], 2, train, test, seed, known[:, label] >= 0) for label in range(task.size)
    ]
    return torch.stack([column[:, 1] - column[:, 0] for column in columns], 1)


def _classify(
    features: Any, known: Tensor, classes: int, train: Tensor, test: Tensor, seed: int, has: Tensor | None = None
) -> Tensor:
    """Log-probabilities `[test, classes]` by logistic regression, or by class frequencies without features."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if has is not None:
        known, train = known[has], train[has]
    count = torch.bincount(known, minlength=classes).double()
    present = count.nonzero().reshape(-1)
    if features is None or len(present) < 2:
        return (count / count.sum().clamp(min=1)).clamp(min=1e-12).log().expand(len(test), -1)
    model = LogisticRegression(max_iter=_ITERATIONS, C=1.0, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # So many steps are enough for a baseline.
        fitted, asked = _rows(features, train, test)
        model.fit(fitted, known.numpy())
    outputs = torch.full((len(test), classes), -27.6, dtype=torch.float64)  # log of 1e-12
    outputs[:, present] = torch.from_numpy(np.asarray(model.predict_log_proba(asked), dtype=np.float64))
    return outputs.clamp(min=-27.6)


def _regress(features: Any, known: Tensor, train: Tensor, test: Tensor) -> Tensor:
    """Numbers `[test, targets]` by ridge regression, or the means without features."""
    from sklearn.linear_model import Ridge

    columns = []
    for column in known.double().T:
        has = ~column.isnan()
        mean = float(column[has].mean()) if bool(has.any()) else 0.0
        if features is None or not bool(has.any()):
            columns.append(torch.full((len(test),), mean, dtype=torch.float64))
            continue
        model = Ridge(alpha=1.0, solver="lsqr", max_iter=_ITERATIONS)
        fitted, asked = _rows(features, train[has], test)
        model.fit(fitted, column[has].numpy())
        columns.append(torch.from_numpy(np.asarray(model.predict(asked), dtype=np.float64)))
    return torch.stack(columns, 1)
