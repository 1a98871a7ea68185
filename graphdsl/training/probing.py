"""Judging vectors that were learned without labels: a linear model reads the labels off them.

As PyG's `test` of `MetaPath2Vec`, `Node2Vec` and `DeepGraphInfomax`: fitted on the training nodes, scored on the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from graphdsl.data.view import open_data
from graphdsl.model import LABEL_KINDS, Attribute, Schema
from graphdsl.plan import Head, ModuleSpec, ObjectiveHead, Plan
from graphdsl.text import Diagnostic, encode, show_name
from graphdsl.training.baselines import Baseline, input_features, score_features
from graphdsl.training.batches import BatchSource
from graphdsl.training.prediction import all_nodes, predict
from graphdsl.training.splits import Targets, read_targets
from graphdsl.training.task import HeadTask, head_task

MEASURED = ("val", "test")
"""Splits that are scored; the linear model is fitted on the training nodes."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A label that vectors are judged by.

    Attributes:
        objective: what the vectors were learned for.
        type: the type that has them.
        task: of the label.
        targets: the label and its splits.
    """

    objective: ObjectiveHead
    type: str
    task: HeadTask
    targets: Targets

    def name(self, metric: str) -> str:
        """`author.y_accuracy`."""
        return f"{self.task.head.name}_{metric}"


def find_probes(data: Any, plan: Plan, schema: Schema) -> list[Probe]:
    """The labels of types with learned vectors that have training nodes, and that the model does not predict itself."""
    view = open_data(data)
    predicted = {(head.type, head.attribute) for head in plan.node_heads}
    found: list[Probe] = []
    for objective in plan.objectives:
        for name in objective.embedded:
            for key, attribute in schema.nodes[name].attributes.items():
                if attribute.type.kind not in LABEL_KINDS or (name, key) in predicted or key not in view.keys(name):
                    continue
                problems: list[Diagnostic] = []
                label = _label(objective, name, key, attribute, view.read(name, key))
                targets = read_targets(view, label, problems, None)
                if targets is not None and "train" in targets.nodes and len(targets.nodes) > 1:
                    found.append(Probe(objective, name, head_task(label), targets))
    return found


def _label(objective: ObjectiveHead, name: str, key: str, attribute: Attribute, labels: Any) -> Head:
    """A label as if it were predicted."""
    kind, values = attribute.type.kind, torch.as_tensor(labels)
    size = attribute.type.size if isinstance(attribute.type.size, int) else None
    if size is None and kind == "class":
        size = int(values.max()) + 1 if len(values) else 1
    elif size is None:
        size = values.reshape(len(values), -1).size(1)
    return Head(
        name=f"{show_name(name)}.{show_name(key)}",
        key=f"{encode(name)}__{encode(key)}",
        type=name,
        attribute=key,
        kind="class" if kind == "class" else "multilabel" if kind == "multilabel" else "real",
        size=size,
        state=objective.state,
        module=ModuleSpec("Linear", "", {}, size, objective.span),
        weight=0.0,
        span=objective.span,
    )


def probe(
    model: nn.Module,
    plan: Plan,
    source: BatchSource,
    data: Any,
    schema: Schema,
    seed: int = 0,
    device: torch.device | None = None,
) -> dict[str, dict[str, float]]:
    """Scores of linear models on learned vectors, by split, then by names such as `test_author.y_accuracy`.

    Args:
        model: a compiled model with trained weights.
        plan: its plan.
        source: batches of the graph.
        data: the graph.
        schema: says which attributes are labels.
        seed: of the solver.
        device: where to compute vectors.

    Returns:
        Nothing for a split that the data does not have, or where no type with vectors has a label.
    """
    probes = find_probes(data, plan, schema) if plan.objectives else []
    if not probes:
        return {}
    vectors: dict[tuple[str, str], Tensor] = {
        (item.head.name, item.type): item.outputs
        for item in predict(model, plan, source, all_nodes(data, plan), device)
    }
    found: dict[str, dict[str, float]] = {}
    for item in probes:
        features = vectors[item.objective.name, item.type].numpy()
        for split in MEASURED:
            if split in item.targets.nodes:
                scored = score_features(item.task, item.targets, "", features, seed, split)
                named = {f"{split}_{item.name(metric)}": value for metric, value in scored.scores.items()}
                found.setdefault(split, {}).update(named)
    return found


def probe_baselines(data: Any, plan: Plan, schema: Schema, seed: int = 0) -> Iterator[Baseline]:
    """The same linear models without the vectors: on the types' own features and one-hop ids."""
    for item in find_probes(data, plan, schema):
        for name, features in input_features(data, plan, item.task, item.targets):
            scored = score_features(item.task, item.targets, name, features, seed)
            named = {item.name(metric): value for metric, value in scored.scores.items()}
            yield Baseline(item.objective.name, name, named, scored.seconds, scored.note)
