"""The end of the forward pass: predictions."""

from typing import Final

from graphdsl.plan import AnyHead, GraphHead, Head, LinkHead, ObjectiveHead
from graphdsl.source.block import Block
from graphdsl.source.context import Context, place
from graphdsl.source.expressions import Expression, call, each, listing, mapping, quote
from graphdsl.source.labels import write_spread
from graphdsl.source.page_ranks import score_around

_PLAIN: Final = ("MeanAggregation", "SumAggregation", "MaxAggregation", "MinAggregation")
"""Readouts that give zeros for graphs without nodes by themselves."""


def write_predictions(context: Context, block: Block) -> None:
    """Score what the predictions read, and return it."""
    heads = context.plan.heads
    if context.plan.graph_heads:
        _write_graphs(context, block)
    found: dict[str, Expression] = {}
    for head in heads:
        block.blank()
        block.comment(f"{head.name}: {place(head.span)}")
        found[quote(head.name)] = _predict(head, len(context.plan.link_heads) > 1, context, block)
        if len(heads) == 1:
            block.give(found[quote(head.name)])
            return
        variable = context.names.variable(head.key)
        block.assign(variable, found[quote(head.name)])
        found[quote(head.name)] = variable
    block.give(mapping(found))


def _predict(head: AnyHead, several: bool, context: Context, block: Block) -> Expression:
    if isinstance(head, Head) and head.spread is not None:
        return write_spread(head, head.spread, context.states[head.state], context, block)
    values, module = context.states[head.state], f"self.heads[{quote(head.key)}]"
    if isinstance(head, Head):
        return call(module, f"{values}[{context.name(head.type)}]")
    if isinstance(head, GraphHead):
        rows = [
            _read_out(item.type, item.module.name, item.width_out, module, values, context) for item in head.readouts
        ]
        read = rows[0] if len(rows) == 1 else call("torch.cat", listing(rows), dim="-1")
        return call(f'{module}["head"]', read)
    if isinstance(head, ObjectiveHead):
        return _vectors(head, values, module, context)
    if head.reads_graph:
        return score_around(head, values, context, block)
    source, target = (f"{values}[{context.name(end)}]" for end in (head.edge[0], head.edge[2]))
    return score(head, several, source, target, block)


def _vectors(head: ObjectiveHead, values: str, module: str, context: Context) -> Expression:
    """What an objective learns: the state that it contrasts, or vectors of its own."""
    if head.kind == "infomax":
        return f"{values}[{context.name(head.type)}]"
    return call(module, quote(head.type)) if head.module.name == "MetaPath2Vec" else call(module)


def _read_out(name: str, kind: str, width: int | None, module: str, values: str, context: Context) -> Expression:
    key = context.name(name)
    readout, x, batch = f'{module}["readouts"][{key}]', f"{values}[{key}]", f"batch_dict[{key}]"
    if kind in _PLAIN:
        return call(readout, x, batch, dim_size="num_graphs")
    context.helpers.add("read_out")
    return call("read_out", readout, x, batch, "num_graphs", str(width))


def _write_graphs(context: Context, block: Block) -> None:
    """The graph of each node, and how many graphs there are."""
    block.blank()
    types = sorted({name for head in context.plan.graph_heads for name in head.types})
    values = context.states[context.plan.graph_heads[0].state]
    block.comment("Without `batch_dict`, all nodes are one graph.")
    block.write("if not batch_dict:")
    empty = f"{values}[name].new_zeros({values}[name].size(0), dtype=torch.long)"
    block.statement(each("name", empty, "name", context.types(types)), "batch_dict = ", deeper=4)
    block.write("num_graphs = 1 if num_graphs is None else num_graphs", 4)
    block.write("if num_graphs is None:")
    block.write("num_graphs = max(int(batch.max()) + 1 for batch in batch_dict.values() if batch.numel())", 4)


def score(head: LinkHead, several: bool, source: str, target: str, block: Block) -> Expression:
    """Score pairs of two values; `several` says that pairs are given by the name of the prediction."""
    module = f"self.heads[{quote(head.key)}]"
    pairs = f"edge_label_index[{quote(head.name)}]" if several else "edge_label_index"
    block.assign("source", f"{source}[{pairs}[0]]")
    block.assign("target", f"{target}[{pairs}[1]]")
    if head.scorer == "dot":
        kept = "" if head.kind == "link" else ", keepdim=True"
        return f"(source * target).sum(dim=-1{kept})"
    if head.scorer == "signed":
        block.assign("logits", call(module, call("torch.cat", listing(["source", "target"]), dim="-1")))
        block.assign("distance", "(source - target).square().sum(dim=-1, keepdim=True)")
        return call("torch.cat", listing(["logits", "distance"]), dim="-1")
    if head.scorer == "attract_repel":
        block.assign("attract, repel", call(f"{module}.encode", "source"))
        block.assign("attracted, repelled", call(f"{module}.encode", "target"))
        return "(attract * attracted).sum(dim=-1) - (repel * repelled).sum(dim=-1)"
    both = ["torch.cat([source, target], dim=-1)"] if head.scorer == "module" else ["source", "target"]
    scores = call(module, *both)
    if head.kind != "link":
        return scores
    block.assign("scores", scores)
    return "scores.squeeze(-1)"
