"""From `predict TYPE.LABEL: LabelPropagation(along = RELATION, …)` to what spreads labels, and along what."""

from dataclasses import dataclass, replace

from graphdsl.model.layers import LayerReader
from graphdsl.model.program import LayerUse, Spread
from graphdsl.model.schema import Attribute, NodeType, Schema
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, EdgeKey, Span, did_you_mean, listing, renaming, report, show_edge, show_name

TRAIN_MASK = "train_mask"
"""The attribute that tells whose labels may be spread."""


@dataclass(frozen=True, slots=True)
class SpreadReader:
    """Reads what stands behind the colon of one prediction.

    Attributes:
        schema: the relations and metapaths that there are.
        layers: reads arguments.
        found: where problems go.
    """

    schema: Schema
    layers: LayerReader
    found: list[Diagnostic]

    def read(self, call: n.Call, target: n.LabelTarget) -> tuple[Spread, LayerUse | None] | None:
        """What spreads labels, and the head whose predictions it corrects; None after a report."""
        use = self.layers.read_spreader(call)
        node = self.schema.nodes[target.type.text]
        label = node.attributes[target.attribute.text]
        self.check_label(call, node, label)
        if use is None:
            return None
        (along,) = (item for item in use.inputs if item.input.name == "along")
        edge = self.relation(along.attribute, along.span, node)
        if edge is None:
            return None
        arguments = dict(use.arguments)
        head = arguments.pop("head", None)
        inputs = tuple(item for item in use.inputs if item is not along)
        return Spread(replace(use, arguments=arguments, inputs=inputs), edge), head

    def check_label(self, call: n.Call, node: NodeType, label: Attribute) -> None:
        """Labels that are shares of classes, and a mask that tells whose are known."""
        if label.type.kind not in ("class", "multilabel"):
            message = f"`{call.name.text}` spreads shares of classes, and `{label.name}` is `{label.type}`"
            helps = ("predict it by a layer: `MLP(64, 1)`",)
            also = ((label.span, "declared here"),)
            self.found.append(report("GNN347", message, call.name.span, also=also, helps=helps))
        mask = node.attributes.get(TRAIN_MASK)
        if mask is None:
            message = (
                f"`{call.name.text}` spreads the labels of training nodes, and `{node.name}` declares no `{TRAIN_MASK}`"
            )
            helps = (f"declare it: `node {show_name(node.name)} {{ …, {TRAIN_MASK}: mask }}`",)
            also = ((node.span, "declared here"),)
            self.found.append(report("GNN346", message, call.name.span, also=also, helps=helps))

    def relation(self, name: str, span: Span, node: NodeType) -> EdgeKey | None:
        """The relation or metapath of a name that joins nodes of the predicted type."""
        every = (*self.schema.edges, *(path.key for path in self.schema.metapaths.values()))
        alike = [key for key in every if key[1] == name]
        fitting = [key for key in alike if key[0] == key[2] == node.name]
        if fitting:
            return fitting[0]
        known = [key[1] for key in every if key[0] == key[2] == node.name]
        notes = listing(f"relations and metapaths within `{node.name}`", known)
        if not alike:
            helps, fix = did_you_mean(name, known), renaming(span, name, known, lambda it: f"along = {show_name(it)}")
            self.found.append(report("GNN101", f"unknown relation `{name}`", span, helps=helps, notes=notes, fix=fix))
            return None
        edge = alike[0]
        message = f"labels of `{node.name}` spread among its nodes, and `{show_edge(edge)}` leaves them"
        back = f"metapath NAME = {show_name(node.name)} -[r]-> t <-[r]- {show_name(node.name)}"
        helps = (
            (f"name one of them: `along = {known[0]}`",) if known else (f"declare a metapath there and back: `{back}`",)
        )
        also = ((self.schema.place(edge), "declared here"),)
        self.found.append(report("GNN345", message, span, also=also, helps=helps, notes=notes))
        return None
