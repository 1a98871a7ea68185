"""Which tensors a plan reads, by node type and relation."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphdsl.model import TRAIN_MASK
from graphdsl.plan import Ids, Plan, attribute_reads, given_labels
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class Needs:
    """What a plan reads from a graph besides connectivity.

    Attributes:
        features: node types whose `x` is read.
        numbered: node types whose node numbers are read, because they have no features.
        nodes: attributes of node types that are bound to forward arguments, sorted.
        edges: attributes of relations that are bound to forward arguments, sorted.
        labels: attributes that are predicted, by node type, sorted.
        known: labels that are spread and the mask that tells whose, by node type, sorted; read as they are.
        scalars: names of attributes that are passed as one number a node or edge wherever they are bound.
    """

    features: tuple[str, ...]
    numbered: tuple[str, ...]
    nodes: Mapping[str, tuple[str, ...]]
    edges: Mapping[EdgeKey, tuple[str, ...]]
    labels: Mapping[str, tuple[str, ...]]
    known: Mapping[str, tuple[str, ...]]
    scalars: frozenset[str]


def find_needs(plan: Plan) -> Needs:
    """Read a plan's needs off its inputs, its bound forward arguments and its predictions."""
    nodes: dict[str, set[str]] = {}
    edges: dict[EdgeKey, set[str]] = {}
    labels: dict[str, set[str]] = {}
    known: dict[str, set[str]] = {}
    vectors: set[str] = set()
    scalars: set[str] = set()
    for found in attribute_reads(plan):
        attribute = found.item.attribute
        for place in found.places:
            if isinstance(place, str):
                nodes.setdefault(place, set()).add(attribute)
            else:
                edges.setdefault(place, set()).add(attribute)
        (scalars if found.item.scalar else vectors).add(attribute)
    for name, label in given_labels(plan):
        known.setdefault(name, set()).update((label, TRAIN_MASK))
    for head in plan.node_heads:
        labels.setdefault(head.type, set()).add(head.attribute)
        if head.spread is not None:
            known.setdefault(head.type, set()).update((head.attribute, TRAIN_MASK))
            if head.spread.weight:
                edges.setdefault(head.spread.edge, set()).add(head.spread.weight)
                scalars.add(head.spread.weight)
    return Needs(
        features=tuple(sorted(name for name, width in plan.inputs.items() if not isinstance(width, Ids))),
        numbered=tuple(sorted(name for name, width in plan.inputs.items() if isinstance(width, Ids))),
        nodes={name: tuple(sorted(nodes[name])) for name in sorted(nodes)},
        edges={edge: tuple(sorted(edges[edge])) for edge in sorted(edges)},
        labels={name: tuple(sorted(labels[name])) for name in sorted(labels)},
        known={name: tuple(sorted(known[name])) for name in sorted(known)},
        scalars=frozenset(scalars - vectors),
    )
