"""A loop over signs of edges, on the whole graph: PyG's `SignedGCN` and its example."""

from collections.abc import Iterator
from typing import Final

from graphdsl.model import Training
from graphdsl.plan import LinkHead, Plan
from graphdsl.source.block import Block
from graphdsl.source.context import Context
from graphdsl.source.expressions import Expression, call, flat, listing
from graphdsl.source.loop import Loop
from graphdsl.source.loop_data import edge_type, write_inputs, write_load
from graphdsl.source.loop_links import write_split
from graphdsl.source.loop_nodes import PATH
from graphdsl.text import show_edge

_INNER: Final = """
def predict(split: str, parts: list[Tensor]) -> tuple[Tensor, Tensor]:
    y = [torch.full((part.size(1),), code) for code, part in enumerate(parts)]
    return model(**inputs[split], edge_label_index=torch.cat(parts, dim=1)), torch.cat(y)

def learn() -> tuple[Tensor, Tensor]:
    # Edges, as many pairs that are none, and beside each edge its source with a third node.
    both = torch.cat(edges["train"], dim=1)
    none = negative_sampling(every, size, both.size(1))
    thirds = [structured_negative_sampling(part, size) for part in edges["train"]]
    beside = [torch.stack([source, third]) for source, _, third in thirds]
    return predict("train", [*edges["train"], none, *beside])
"""


def unsigned(plan: Plan, training: Training) -> Iterator[str]:
    """What a loop over signs does not know."""
    for head in plan.link_heads:
        if head.negative is None:
            continue
        for item in plan.derived:
            if item.inverse_of is not None and {item.edge, item.inverse_of} & {head.edge, head.negative}:
                yield f"a written loop does not hide inverses of signed edges, such as `{show_edge(item.edge)}`"
        for name in ("disjoint", "class_weights"):
            if getattr(training, name):
                yield f"a written loop of signs does not know `{name}`"


def signs(head: LinkHead, context: Context, training: Training) -> Loop:
    """One step an epoch: all training edges of both signs, on the graph without those of the other splits."""
    assert head.negative is not None
    for path in ("seed_everything", "utils.negative_sampling", "utils.structured_negative_sampling"):
        context.imports.use(f"torch_geometric.{path}")
    both: list[Expression] = [edge_type(head.edge), edge_type(head.negative)]
    context.constants["SIGNS"] = listing(both)
    context.constants["LAMB"] = repr(float(head.module.arguments.get("lamb", 5.0)))
    block = Block(4)
    block.write("data = load(path)")
    block.write("roles = [split_edges(data[edge]) for edge in SIGNS]")
    block.write("every = torch.cat([data[edge].edge_index for edge in SIGNS], dim=1)")
    block.write("size = data[SIGNS[0][0]].num_nodes")
    block.write("inputs, edges = {}, {}")
    block.write('for number, name in enumerate(("train", "val", "test")):')
    inner = Block(8)
    inner.write("chosen = [role == number for role in roles]")
    inner.write("if not all(part.any() for part in chosen):")
    inner.write("continue", 4)
    if head.keep_target:
        inner.write("inputs[name] = inputs_of(data)")
    else:
        inner.write("last = 1 if number == 2 else 0")
        inner.write("passing = [(role <= last) | (role == 3) for role in roles]")
        inner.write("kept = dict(zip(SIGNS, passing, strict=True))")
        inner.write("inputs[name] = inputs_of(data.edge_subgraph(kept))")
    inner.write("pairs = zip(SIGNS, chosen, strict=True)")
    inner.write("edges[name] = [data[edge].edge_index[:, part] for edge, part in pairs]")
    block.extend(inner.lines)
    functions = (write_load(context, False), write_inputs(context), write_split(head, context, training))
    steps = (flat(call("seed_everything", str(training.seed))), "", *_INNER.strip("\n").split("\n"), "")
    return Loop(functions, PATH, block, steps, "edges", "", "learn()", 'predict("{split}", edges["{split}"])')


__all__ = ["signs", "unsigned"]
