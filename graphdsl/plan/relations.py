"""Lowering of relation maps: one module per relation, or one that sees several."""

from collections.abc import Mapping, Sequence

from graphdsl.model import EdgesStage, LayerUse, RelationRule
from graphdsl.plan.bindings import bind_inputs, check_inputs, edge_width
from graphdsl.plan.ir import Combine, JointStep, RelationStage, RelationStep
from graphdsl.plan.module_spec import Ids, Width
from graphdsl.plan.modules import Surroundings, build_module, show_width
from graphdsl.plan.state import Flow, listed
from graphdsl.plan.typewise import lower_pipe
from graphdsl.text import EdgeKey, Edit, Fix, Span, report, show_edge

_SHOWN = 3


class _MapLowering:
    """Lowers the rules of one relation map."""

    def __init__(self, stage: EdgesStage, flow: Flow) -> None:
        self.stage = stage
        self.flow = flow
        self.before = flow.states[stage.reads]
        self.steps: list[RelationStep] = []
        self.instances = 0
        self.joints: list[JointStep] = []

    def columns(self, name: str, layer: LayerUse) -> int | None:
        """Columns of a type for a layer."""
        return self.flow.columns(name, self.before.get(name), layer.span)

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
            combine=Combine(stage.combine, stage.combine_arguments, stage.combine_span),
            combined=combined,
        )

    # --- one module per relation ---

    def add_relations(self, rule: RelationRule) -> None:
        before = len(self.flow.found)
        edges = self.servable(rule)
        check_inputs(rule.layer, edges, self.before, self.flow)
        first = self.instances
        self.instances += 1 if rule.share else len(edges)
        # One instance for relations within a type and between two: it takes one width for both ends.
        mixed = rule.share and len({edge[0] == edge[2] for edge in edges}) > 1
        steps = [
            self.relation(rule, edge, first if rule.share else first + offset, mixed)
            for offset, edge in enumerate(edges)
        ]
        self.steps += steps
        if rule.share and len(self.flow.found) == before:
            self.check_shared(rule, steps)

    def servable(self, rule: RelationRule) -> tuple[EdgeKey, ...]:
        """Relations of a rule that its layer can serve; reports those that join two types, where it cannot."""
        entry = rule.layer.entry
        between = [edge for edge in rule.edges if edge[0] != edge[2]]
        if between and not entry.bipartite:
            message = f"`{entry.name}` cannot serve {listed(map(show_edge, between))}: it works within one node type"
            helps = ("use `SAGEConv`, `GATConv` or `GraphConv` here, or limit the rule to relations within one type",)
            also = self.ends(between)
            self.flow.found.append(report("GNN301", message, rule.layer.span, also=also, helps=helps))
            return tuple(edge for edge in rule.edges if edge[0] == edge[2])
        if between and entry.self_loops and rule.layer.arguments.get("add_self_loops") is True:
            place = rule.layer.places["add_self_loops"]
            message = f"`{entry.name}` adds self-loops, but `{between[0][1]}` joins two node types"
            helps = ("leave `add_self_loops` out: it is off between two types",)
            fix = Fix("switch self-loops off", (Edit(place, "add_self_loops = false"),))
            also = self.ends(between)
            self.flow.found.append(report("GNN303", message, place, "asked for here", also=also, helps=helps, fix=fix))
        return rule.edges

    def ends(self, edges: Sequence[EdgeKey]) -> list[tuple[Span, str]]:
        """Where relations are declared, with their two types."""
        declared = [(self.flow.schema.place(edge), edge) for edge in edges[:_SHOWN]]
        return [(place, f"`{edge[0]}` and `{edge[2]}` differ") for place, edge in declared]

    def check_shared(self, rule: RelationRule, steps: Sequence[RelationStep]) -> None:
        """One instance has one set of widths."""
        other = next((step for step in steps if dict(step.module.arguments) != dict(steps[0].module.arguments)), None)
        if other is not None:
            message = f"one shared `{rule.layer.entry.name}` cannot serve relations of different widths"
            also = [
                (
                    self.flow.schema.place(step.edge),
                    f"reads {show_width(step.width_in[0])}, {show_width(step.width_in[1])}",
                )
                for step in (steps[0], other)
            ]
            helps = ("make the types equally wide before, or leave `share` out",)
            self.flow.unequal(message, rule.span, "shared here", also, helps)

    def relation(self, rule: RelationRule, edge: EdgeKey, instance: int, mixed: bool) -> RelationStep:
        source, _, target = edge
        layer, entry = rule.layer, rule.layer.entry
        between = source != target
        widths = (self.columns(source, layer), self.columns(target, layer))
        equal = mixed or entry.needs_equal_pair(entry.with_defaults(layer.arguments))
        if between and equal and None not in widths and widths[0] != widths[1]:
            reads = "has one width for both ends" if mixed else "adds source and target"
            message = f"`{entry.name}` {reads}, but `{source}` is {widths[0]} wide and `{target}` {widths[1]}"
            helps = ("bring both to one width first: `nodes { *: Linear(…) }`",)
            also = [(self.flow.schema.place(edge), show_edge(edge))]
            self.flow.unequal(message, layer.span, "needs equal widths", also, helps)
        around = Surroundings(
            width=widths[0],
            pair=widths if between and not mixed else None,
            edge_width=edge_width(layer, edge, self.flow),
            between_types=between or mixed,
        )
        module = build_module(layer, around, self.flow.found)
        inputs = bind_inputs(layer, (edge,), self.flow)
        seen: tuple[Width, Width] = (self.before.get(source), self.before.get(target))
        return RelationStep(edge, module, instance, seen, module.width_out, inputs, rule.span)

    # --- one module for all relations of a rule ---

    def joint(self, rule: RelationRule) -> JointStep:
        types = tuple(sorted({end for edge in rule.edges for end in (edge[0], edge[2])}))
        seen = {name: self.before.get(name) for name in types}
        check_inputs(rule.layer, rule.edges, self.before, self.flow)
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
        widths = {name: self.columns(name, layer) for name in types}
        if layer.entry.scope == "typed":
            self.check_equal(rule, widths)
        width = next((width for width in widths.values() if width is not None), None)
        if None in widths.values():
            width = None
        return Surroundings(width=width, widths=widths, relations=relations, metadata=metadata, edge_width=edge_columns)

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
        unequal: dict[tuple[Span, Span], list[str]] = {}
        combined = {name: self.meet(name, items, unequal) for name, items in arriving.items()}
        for names in unequal.values():
            self.report_unequal(names, arriving[names[0]])
        return combined

    def meet(
        self, name: str, items: Sequence[tuple[int | None, Span, str]], unequal: dict[tuple[Span, Span], list[str]]
    ) -> int | None:
        """Width of a type after combining; types into which unequal widths arrive go to `unequal` by the two rules."""
        known = [width for width, _, _ in items if width is not None]
        if len(known) < len(items):
            return None
        if self.stage.combine == "cat":
            return sum(known)
        other = next((rule for width, rule, _ in items if width != known[0]), None)
        if other is not None:
            unequal.setdefault((items[0][1], other), []).append(name)
        return known[0]

    def report_unequal(self, names: Sequence[str], items: Sequence[tuple[int | None, Span, str]]) -> None:
        width, rule, said = items[0]
        other = next(item for item in items if item[0] != width)
        message = (
            f"messages into {listed(names)} are {width} and {other[0]} wide; `{self.stage.combine}` needs equal widths"
        )
        also = [(rule, f"{said} gives {width}")]
        helps = ("give both layers the same width (with heads: out_channels × heads), or `combine cat`",)
        self.flow.unequal(message, other[1], f"{other[2]} gives {other[0]}", also, helps)


def lower_edges(stage: EdgesStage, flow: Flow) -> RelationStage:
    """Lower a relation map; types that receive nothing are carried through."""
    return _MapLowering(stage, flow).lower()
