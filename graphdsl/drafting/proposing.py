"""A model to begin with: two layers of GraphSAGE on all relations, for whatever the data has labels of."""

from dataclasses import dataclass, replace
from typing import Literal

from graphdsl.drafting.draft import Draft, DraftEdges, DraftNodes, Remark
from graphdsl.model import LABEL_KINDS
from graphdsl.text import show_edge, show_name

LARGE = 100_000
"""Nodes from which on training goes by mini-batches."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the model is to predict.

    Attributes:
        kind: labels of nodes, of graphs, or links.
        text: the prediction, as a spec says it.
        type: the node type, of labels of nodes: the last layer serves it alone.
    """

    kind: Literal["nodes", "graphs", "links"]
    text: str
    type: str = ""


def with_inverses(draft: Draft) -> Draft:
    """The draft with a declared inverse for each relation that runs one way: messages then run both ways.

    Made at run time from the edges that are there, so the data stays as it is.
    """
    names = {item.key[1] for item in draft.edges} | {item.inverse for item in draft.edges}
    edges: list[DraftEdges] = []
    for item in draft.edges:
        if item.inverse is None and not item.symmetric:
            name = f"rev_{item.key[1]}"
            while name in names:
                name += "_"
            item = replace(item, inverse=name)
        edges.append(item)
    return replace(draft, edges=tuple(edges))


def find_target(draft: Draft) -> Target | Remark:
    """What a model of the data can learn; a remark where there is nothing to learn from."""
    for node in draft.nodes:
        label = _label(node)
        if label is not None and node.attribute("train_mask") is not None:
            return Target("nodes", f"{show_name(node.name)}.{show_name(label)}", node.name)
    for item in draft.graph:
        if item.type is not None and item.type.kind in LABEL_KINDS and not item.type.optional:
            return Target("graphs", f"graph.{show_name(item.name)} from *")
    edge = next(iter(sorted(draft.edges, key=lambda item: item.key[0] == item.key[2])), None)
    if draft.graph:
        return Remark(draft.name, "has several graphs, none of whose labels is there for each")
    if edge is None:
        return Remark(draft.name, "has no label with a `train_mask`, and no relation to predict")
    return Target("links", f"{show_edge(edge.key)}: dot")


def propose(draft: Draft, target: Target, data: str = "") -> str:
    """The text of a model that trains on the data, and of its train block.

    Args:
        draft: with the inverses that the model is to use.
        target: what it predicts.
        data: the source as a train block names it; empty where it cannot.
    """
    name = show_name(draft.name)
    features = [node for node in draft.nodes if _has_features(node)]
    bare = [show_name(node.name) for node in draft.nodes if not _has_features(node)]
    maps = [f"    {item}: Embedding(hidden)" for item in bare]
    if features:
        maps.append("    *: Linear(hidden)")
    lines = [f"model start(hidden: int = 64, dropout: float = 0.5) on {name} {{"]
    lines += ["  nodes {", *maps, "  } | relu"] if len(maps) > 1 else [f"  nodes {{ {maps[0].strip()} }} | relu"]
    if draft.edges:
        lines += [
            "  edges { *: SAGEConv(hidden) } | relu | dropout(dropout)",
            f"  edges {{ {_last_pattern(draft, target)}: SAGEConv(hidden) }}",
        ]
    lines += [f"  predict {target.text}", "}", "", "train start {"]
    lines += (
        [f"  data: {data}"] if data else ["  # The data is given on the command line: `gnn train SPEC --data SOURCE`."]
    )
    lines += ["  optimizer: Adam(lr = 0.01)", "  epochs: 100"]
    if target.kind == "graphs":
        lines += ["  batch_size: 32"]
    elif sum(node.count or 0 for node in draft.nodes) > LARGE:
        lines += ["  batch_size: 1024", "  fanout: [10, 10]"]
    return "\n".join([*lines, "}", ""])


def _last_pattern(draft: Draft, target: Target) -> str:
    """Relations of the last layer: what does not end in the predicted type would be computed for nothing."""
    ends = {item.key[2] for item in draft.edges} | {item.key[0] for item in draft.edges if item.inverse is not None}
    return f"* -[*]-> {show_name(target.type)}" if target.type in ends else "*"


def _label(node: DraftNodes) -> str | None:
    found = (item for item in node.attributes if item.type is not None and item.type.kind in LABEL_KINDS)
    return next((item.name for item in found), None)


def _has_features(node: DraftNodes) -> bool:
    x = node.attribute("x")
    return x is not None and x.type is not None and x.type.kind == "float" and not x.type.optional
