"""Lowering of relation maps: one module per relation, or one that sees several."""

from collections.abc import Mapping, Sequence

from graphdsl.model import EdgesStage, LayerUse, RelationRule
from graphdsl.plan.bindings import bind_inputs, edge_width
from graphdsl.plan.ir import Combine, Ids, JointStep, RelationStage, RelationStep, Width
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.state import Flow
from graphdsl.plan.typewise import lower_pipe
from graphdsl.text import EdgeKey, Span, report, show_edge



class _MapLowering:
    """Lowers the rules of one relation map."""

    def __init__(self, stage: EdgesStage, flow: Flow) -> None:
        self.stage = stage
        self.flow = flow
        self.before = flow.states[stage.reads]
        self.steps: list[RelationStep] = []
        self.joints: list[JointStep] = []
        self.without: set[tuple[str, Span]] = set()

    def columns(self, name: str, layer: LayerUse, rule: Span) -> int | None:
        """Columns of a type for a layer; a type without features is reported once per rule."""
        width = self.before.get(name)
        if isinstance(width, Ids):
            if (name, rule) not in self.without:
                self.without.add((name, rule))
                self.flow.columns(name, width, layer.span)
            return None
        return width

    def lower(self) -> RelationStage:
        for rule in self.stage.rules:
            if rule.layer.entry.scope == "relation":
                self.add_relations(rule)
            else:
                self.joints.append(self.joint(rule))
        self.steps.sort(key=lambda step: step.edge)
        combined = self.combine()
        stage = self.stage
        pipe, after = lower_pipe(stage.pipe, combined, self.before, self.flow)
        widths = {name: after.get(name, width) for name, width in self.before.items()}
        kind = next(item for item in ("sum", "mean", "max", "min", "cat", "attention") if item == stage.combine)
        return RelationStage(
            key=stage.key,
            reads=stage.reads,
            shares=stage.shares,
            pipe=pipe,
            produced=tuple(sorted(combined)),
            widths=widths,
            span=stage.span,
            steps=tuple(self.steps),
            joints=tuple(self.joints),
            combine=Combine(kind, stage.combine_arguments, stage.combine_span),
            combined=combined,
        )

    # --- one module per relation ---

    def add_relations(self, rule: RelationRule) -> None:
        next_instance = 1 + max((step.instance for step in self.steps), default=-1)
        first: RelationStep | None = None
        for offset, edge in enumerate(rule.edges):
            instance = next_instance if rule.share else next_instance + offset
            step = self.relation(rule, edge, instance)
            if step is None:
                continue
            if rule.share and first is not None and dict(step.module.arguments) != dict(first.module.arguments):
                message = f"one shared `{rule.layer.entry.name}` cannot serve relations of different widths"
                also = [(self.flow.schema.edges[e].span, f"reads {w}") for e, w in self.readings((first, step))]
                helps = ("make the types equally wide before, or leave `share` out",)
                self.flow.unequal(message, rule.span, "shared here", also, helps)
                return
            first = first or step
            self.steps.append(step)

    def readings(self, steps: Sequence[RelationStep]) -> list[tuple[EdgeKey, str]]:
        return [
            (step.edge, f"{step.width_in[0]} → {step.width_in[1]}")
            for step in steps
            if step.edge in self.flow.schema.edges
        ]

    def relation(self, rule: RelationRule, edge: EdgeKey, instance: int) -> RelationStep | None:
        source, _, target = edge
        layer, entry = rule.layer, rule.layer.entry
        between = source != target
        if between and not entry.bipartite:
            self.one_type_only(rule, edge)
            return None
        widths = (self.columns(source, layer, rule.span), self.columns(target, layer, rule.span))
        if between and entry.needs_equal_pair(entry.with_defaults(layer.arguments)) and None not in widths and widths[0] != widths[1]:
            message = f"`{entry.name}` adds source and target, but `{source}` is {widths[0]} wide and `{target}` {widths[1]}"
            helps = ("bring both to one width first: `nodes { *: Linear(…) }`",)
            also = [(self.flow.schema.edges[edge].span, show_edge(edge))] if edge in self.flow.schema.edges else []
            self.flow.unequal(message, layer.span, "needs equal widths", also, helps)
        around = Surroundings(
            width=widths[0],
            pair=widths if between else None,
            edge_width=edge_width(layer, edge, self.flow),
            between_types=between,
        )
        module = build_module(layer, around, self.flow.found)
        inputs = bind_inputs(layer, (edge,), self.flow)
        seen: tuple[Width, Width] = (self.before.get(source), self.before.get(target))
        return RelationStep(edge, module, instance, seen, module.width_out, inputs, rule.span)

    def one_type_only(self, rule: RelationRule, edge: EdgeKey) -> None:
        name = rule.layer.entry.name
        declared = self.flow.schema.edges.get(edge)
        also = [(declared.span, f"`{edge[0]}` and `{edge[2]}` differ")] if declared else []
        helps = ("use `SAGEConv`, `GATConv` or `GraphConv` here, or limit the rule to relations within one type",)
        message = f"`{name}` cannot serve `{show_edge(edge)}`, which joins two node types"
        self.flow.found.append(report("GNN301", message, rule.layer.span, also=also, helps=helps))

    # --- one module for all relations of a rule ---

    def joint(self, rule: RelationRule) -> JointStep:
        types = tuple(sorted({end for edge in rule.edges for end in (edge[0], edge[2])}))
        seen = {name: self.before.get(name) for name in types}
        around = self.joint_surroundings(rule, types, seen)
        module = build_module(rule.layer, around, self.flow.found)
        inputs = bind_inputs(rule.layer, rule.edges, self.flow)
        scope = rule.layer.entry.scope
        return JointStep(rule.edges, types, module, scope, seen, module.width_out, inputs, rule.span)

    def joint_surroundings(self, rule: RelationRule, types: tuple[str, ...], seen: Mapping[str, Width]) -> Surroundings:
        layer = rule.layer
        metadata = (types, rule.edges)
        relations = len(rule.edges)
        edge_columns = edge_width(layer, rule.edges[0], self.flow)
        if layer.entry.accepts_ids and all(isinstance(width, Ids) for width in seen.values()):
            counts = [width.count if isinstance(width, Ids) else None for width in seen.values()]
            total = None if None in counts else sum(count for count in counts if count is not None)
            return Surroundings(
                width=total, relations=relations, metadata=metadata, edge_width=edge_columns, reads_ids=True
            )
        widths = {name: self.columns(name, layer, rule.span) for name in types}
        if layer.entry.scope == "typed":
            self.check_equal(rule, widths)
        width = next((width for width in widths.values() if width is not None), None)
        if None in widths.values():
            width = None
        return Surroundings(
            width=width, widths=widths, relations=relations, metadata=metadata, edge_width=edge_columns
        )

    def check_equal(self, rule: RelationRule, widths: Mapping[str, int | None]) -> None:
        known = {name: width for name, width in widths.items() if width is not None}
        if len(set(known.values())) > 1:
            parts = ", ".join(f"`{name}` {width}" for name, width in known.items())
            message = f"`{rule.layer.entry.name}` sees all types together, so they must be equally wide: {parts}"
            helps = ("bring them to one width first: `nodes { *: Linear(…) }`",)
            self.flow.unequal(message, rule.layer.span, "one joint layer", [], helps)

    # --- where they meet ---

    def combine(self) -> dict[str, int | None]:
        arriving: dict[str, list[tuple[int | None, Span, str]]] = {}
        for step in self.steps:
            arriving.setdefault(step.edge[2], []).append((step.width_out, step.rule, show_edge(step.edge)))
        for joint in self.joints:
            for name in joint.targets:
                arriving.setdefault(name, []).append((joint.width_out, joint.rule, joint.module.name))
        return {name: self.meet(name, items) for name, items in arriving.items()}

    def meet(self, name: str, items: Sequence[tuple[int | None, Span, str]]) -> int | None:
        widths = [width for width, _, _ in items]
        if any(width is None for width in widths):
            return None
        known = [width for width in widths if width is not None]
        if self.stage.combine == "cat":
            return sum(known)
        if len(set(known)) > 1:
            other = next(item for item in items if item[0] != known[0])
            message = f"messages into `{name}` are {known[0]} and {other[0]} wide; `{self.stage.combine}` needs equal widths"
            also = [(items[0][1], f"{items[0][2]} gives {known[0]}")]
            helps = ("give both layers the same width (with heads: out_channels × heads), or `combine cat`",)
            self.flow.unequal(message, other[1], f"{other[2]} gives {other[0]}", also, helps)
        return known[0]


def lower_edges(stage: EdgesStage, flow: Flow) -> RelationStage:
    """Lower a relation map; types that receive nothing are carried through."""
    return _MapLowering(stage, flow).lower()
