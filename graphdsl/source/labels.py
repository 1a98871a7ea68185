"""Labels of training nodes in a program: shown to layers, carried along metapaths, spread behind a prediction."""

from graphdsl.model import TRAIN_MASK
from graphdsl.plan import Head, JointStep, NodeStep, Plan, ShownLabels, Spread, read_labels
from graphdsl.source.block import Block
from graphdsl.source.constructors import construct
from graphdsl.source.context import Context
from graphdsl.source.expressions import Expression, call, flat, mapping, quote
from graphdsl.source.naming import identifier

TINY = "1e-12"
"""The share of a class that no label has reached, so that it has a logarithm; as the compiled module has it."""


def label_inputs(plan: Plan) -> tuple[str, ...]:
    """Labels that the forward pass reads, and the mask that tells whose."""
    read = read_labels(plan)
    return tuple(sorted({TRAIN_MASK, *(label for _, label in read)})) if read else ()


def spread_weights(plan: Plan) -> tuple[str, ...]:
    """Attributes of edges that weigh how labels spread."""
    return tuple(sorted({head.spread.weight for head in plan.node_heads if head.spread and head.spread.weight}))


def shown(step: NodeStep, labels: ShownLabels, read: str, context: Context) -> Expression:
    """`MaskLabel` on the values of a type."""
    context.helpers.add("known_classes")
    key = context.name(step.type)
    given = flat(call("known_classes", *_given(step.type, labels.attribute, context)))
    return call(f'stage["nodes"][{key}]', f"{read}[{key}]", f"*{given}")


def carried(step: JointStep, targets: tuple[str, ...], context: Context) -> Expression:
    """Labels that a walk carries, by type."""
    labels = step.labels
    assert labels is not None
    found: dict[str, Expression] = {}
    for name in targets:
        if name in labels.kinds:
            several = labels.kinds[name] == "multilabel"
            made = _shares(name, labels.attribute, several, labels.sizes[name], context)
            found[context.name(name)] = f"{flat(made)}[0]"
    return mapping(found)


def write_spreads(context: Context, block: Block) -> None:
    """The modules that spread labels, in `__init__`."""
    heads = [(head, head.spread) for head in context.plan.node_heads if head.spread is not None]
    if not heads:
        return
    context.imports.use("torch.nn.ModuleDict")
    block.blank()
    block.write("self.spreads = ModuleDict()")
    for head, spread in heads:
        block.assign(f"self.spreads[{quote(head.key)}]", construct(spread.module, context.imports))


def write_spread(head: Head, spread: Spread, values: str, context: Context, block: Block) -> Expression:
    """A prediction to which labels of training nodes spread, as logits; lines that it takes are written."""
    several = head.kind == "multilabel"
    module, shares = f"self.spreads[{quote(head.key)}]", _shares(head.type, head.attribute, several, head.size, context)
    if spread.alone:
        block.assign("shares, known", shares)
        edges, weight = _edges(spread, context, block)
        block.assign("shares", call(module, "shares", edges, "known", *([weight] if weight else [])))
        return _logits("shares", several)
    block.assign("logits", call(f"self.heads[{quote(head.key)}]", f"{values}[{context.name(head.type)}]"))
    block.write("if not self.training:")
    inner = Block(block.indent + 4)
    inner.assign("shares, known", shares)
    edges, weight = _edges(spread, context, inner)
    inner.assign("soft", "logits.sigmoid()" if several else "logits.softmax(dim=-1)")
    known = ("shares[known].to(soft.dtype)", "known", edges, *([weight] if weight else []))
    inner.assign("soft", call(module, "soft", *known))
    inner.assign("logits", _logits("soft", several))
    block.extend(inner.lines)
    return "logits"


def _given(name: str, attribute: str, context: Context) -> tuple[str, str]:
    return tuple(f"{_table(key)}[{context.name(name)}]" for key in (attribute, TRAIN_MASK))  # type: ignore[return-value]


def _table(attribute: str) -> str:
    return f"{identifier(attribute).removesuffix('_')}_dict"


def _shares(name: str, attribute: str, several: bool, size: int | None, context: Context) -> Expression:
    helper = "label_shares" if several else "class_shares"
    context.helpers.add(helper)
    return call(helper, *_given(name, attribute, context), *([] if several else [str(size or 0)]))


def _edges(spread: Spread, context: Context, block: Block) -> tuple[Expression, Expression | None]:
    edges = f"edge_index_dict[{context.index(spread.edge)}]"
    if not spread.weight:
        return edges, None
    weight = f"{_table(spread.weight)}[{context.index(spread.edge)}].flatten().to(shares.dtype)"
    if not spread.normalize:
        return edges, weight
    gcn_norm = context.imports.use("torch_geometric.nn.conv.gcn_conv.gcn_norm")
    block.assign("edge_weight", weight)
    block.assign("edges, edge_weight", call(gcn_norm, edges, "edge_weight", "shares.size(0)", add_self_loops="False"))
    return "edges", "edge_weight"


def _logits(shares: str, several: bool) -> Expression:
    if several:
        return f"{shares}.clamp({TINY}, 1 - torch.finfo({shares}.dtype).eps).logit()"
    return f"{shares}.clamp(min={TINY}).log()"


__all__ = ["carried", "label_inputs", "shown", "spread_weights", "write_spread", "write_spreads"]
