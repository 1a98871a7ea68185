"""The models that `gnn bench` measures, as specs: what is measured is what users write. Torch-free."""

from collections.abc import Callable, Mapping
from typing import Final

from graphdsl.benching.shapes import INVERSE, Links, Shape, inverse
from graphdsl.text import EdgeKey, show_edge

HEADS: Final = 8

Rules = Callable[[Shape], list[str]]

_LAYERS: Final[Mapping[str, str]] = {
    "sage": "SAGEConv(hidden)",
    "sage_max": 'SAGEConv(hidden, aggr = "max")',
    "gcn": "GCNConv(hidden)",
    "gin": "GINConv(nn = MLP(hidden, hidden, norm = none))",
    "gat": "GATConv(hidden / heads, heads = heads)",
    "gatv2": "GATv2Conv(hidden / heads, heads = heads)",
    "rgcn": "RGCNConv(hidden)",
    "hgt": "HGTConv(hidden, heads = heads)",
    "han": "HANConv(hidden, heads = heads)",
}
MODELS: Final = (*_LAYERS, "mixed")
"""As `--model` takes them."""


def kind_of(edge: EdgeKey) -> str:
    """The layer of a relation in the model `mixed`, as in the example of PyG's `HeteroConv`.

    >>> kind_of(("paper", "cites", "paper")), kind_of(("author", "writes", "paper"))
    ('gcn', 'sage')
    >>> kind_of(("paper", "rev_writes", "author"))
    'gat'
    """
    if edge[0] == edge[2]:
        return "gat" if edge[1].startswith(INVERSE) or edge[1] == "PAP" else "gcn"
    return "gat" if edge[1].startswith(INVERSE) else "sage"


def why_not(shape: Shape, model: str) -> str:
    """Why a model cannot be on a shape; empty where it can.

    >>> from graphdsl.benching.shapes import NAMES
    >>> why_not(NAMES["mag"], "gcn"), why_not(NAMES["acm"], "gcn")
    ('GCNConv takes no relation between two types', '')
    """
    if model == "gcn" and any(edge[0] != edge[2] for edge in shape.edges):
        return "GCNConv takes no relation between two types"
    return ""


def spec_text(shape: Shape, model: str) -> str:
    """A spec: the schema of a shape, and two layers of a model.

    Args:
        shape: see `shapes`.
        model: one of `MODELS`.
    """
    rules = "\n".join(f"      {line}" for line in _rules(shape, model))
    bare = sorted(name for name in shape.types if shape.nodes[name].width is None)
    begin = ""
    if bare:
        embedded = "\n".join(f"    {name}: Embedding(hidden)" for name in bare)
        others = "" if len(bare) == len(shape.types) else "\n    *: Linear(hidden)"
        begin = f"  nodes {{\n{embedded}{others}\n  }} | relu\n"
    heads = f", heads: int = {HEADS}" if "heads" in rules else ""
    return (
        f"schema graph {{\n{_schema(shape)}}}\n\n"
        f"model {model}(hidden: int = {shape.hidden}{heads}) on graph {{\n{begin}"
        f"  repeat 2 {{\n    edges {{\n{rules}\n    }} | relu\n  }}\n"
        f"  predict {shape.target}.{shape.label}\n}}\n"
    )


def _schema(shape: Shape) -> str:
    lines: list[str] = []
    for name, nodes in shape.nodes.items():
        attributes = [f"x: float[{nodes.width}]"] if nodes.width is not None else []
        attributes += [f"{shape.label}: class[{shape.classes}]"] if name == shape.target else []
        lines.append(f"node {name}" + (f" {{ {', '.join(attributes)} }}" if attributes else ""))
    lines += [_edge(links, bool(shape.metapaths)) for links in shape.links]
    lines += [f"metapath {name} = {path}  budget 20M" for name, path in shape.metapaths.items()]
    return "".join(f"  {line}\n" for line in lines)


def _edge(links: Links, alone: bool) -> str:
    return f"edge {show_edge(links.edge)}" + ("" if alone else f"  reverse {inverse(links.edge)[1]}")


def _rules(shape: Shape, model: str) -> list[str]:
    if model == "mixed":
        return [f"{_pattern(edge, shape)}: {_LAYERS[kind_of(edge)]}" for edge in shape.edges]
    served = ", ".join(sorted(shape.metapaths)) or "*"
    return [f"{served}: {_LAYERS[model]}"]


def _pattern(edge: EdgeKey, shape: Shape) -> str:
    return edge[1] if edge[1] in shape.metapaths else show_edge(edge)


__all__ = ["HEADS", "MODELS", "kind_of", "spec_text", "why_not"]
