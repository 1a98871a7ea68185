"""Write `aifb.gnn` and `typed.gnn`, whose schemas list every relation: ``python examples/aifb/build_spec.py``.

Rebuilding gives the same bytes.
"""

import os
import sys
from pathlib import Path

from torch_geometric.data import HeteroData

from graphdsl.syntax.formatting import format_source
from graphdsl.text import SourceText

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

from data import LABEL, aifb, aifb_typed  # noqa: E402

PAPER = """\
# R-GCN on AIFB as in the paper (Schlichtkrull et al., Modeling Relational Data with Graph Convolutional Networks,
# 2018): one kind of node, and weights for each of 45 relations and of their inverses. Written by build_spec.py.
#
#   gnn train examples/aifb/aifb.gnn --data examples/aifb/data.py:aifb
"""

TYPED = """\
# R-GCN on AIFB whose 7 node types are told apart: a relation that joins several types (`name`, `type`) has weights of
# its own for each pair of them, and the last layer is needed for persons alone. Written by build_spec.py.
#
#   gnn train examples/aifb/typed.gnn --data examples/aifb/data.py:aifb_typed
"""

MODEL = """\
# FastRGCNConv is RGCNConv computed for all relations at once. Nodes have no features: in the first layer each is its
# own one-hot vector. The second layer gives the classes, so nothing is left for the head to do.
model rgcn(hidden: int = 16) on {schema} {{
  edges {{ *: FastRGCNConv(hidden) }} | relu
  edges {{ {last}: FastRGCNConv(4) }}
  predict {labelled}.{label}: identity
}}

train rgcn {{
  optimizer: Adam(lr = 0.01)
  epochs: 50
}}
"""


def write_spec(name: str, about: str, data: HeteroData) -> str:
    """The text of a spec for a graph: its schema with an inverse for each relation, and the model of the paper."""
    labelled = next(store._key for store in data.node_stores if LABEL in store)
    splits = f"{{ {LABEL}: class[4], train_mask: mask, test_mask: mask }}"
    heads = {kind: f"node {kind}(count = {data[kind].num_nodes})" for kind in data.node_types}
    nodes = [f"  {head} {splits}" if kind == labelled else f"  {head}" for kind, head in heads.items()]
    edges = [f"  edge {source} -[{name}]-> {target} reverse rev_{name}" for source, name, target in data.edge_types]
    schema = "\n".join([f"schema {name} {{", *nodes, "", *edges, "}"])
    last = f"* -[*]-> {labelled}" if len(data.node_types) > 1 else "*"
    model = MODEL.format(schema=name, labelled=labelled, label=LABEL, last=last)
    source = SourceText(f"{name}.gnn", f"gnn 1\n\n{about}\n{schema}\n\n{model}")
    return format_source(source).text


def main() -> None:
    """Write both specs beside this file."""
    try:
        graphs = (("aifb", "aifb", PAPER, aifb()), ("typed", "aifb_typed", TYPED, aifb_typed()))
    except FileNotFoundError as error:
        sys.exit(str(error))
    for file, name, about, data in graphs:
        path = FOLDER / f"{file}.gnn"
        draft = path.with_suffix(".tmp")
        draft.write_text(write_spec(name, about, data), encoding="utf-8")
        os.replace(draft, path)


if __name__ == "__main__":
    main()
