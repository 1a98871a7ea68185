"""Lowering of relation maps: one module per relation, or one that sees several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from graphdsl.model import UNKNOWN, EdgesStage, LayerUse, RelationRule
from graphdsl.plan.bindings import bind_inputs, check_inputs, check_one_encoder, edge_width, input_columns
from graphdsl.plan.degrees import known_degrees
from graphdsl.plan.ir import Combine, JointStep, RelationStage, RelationStep
from graphdsl.plan.module_spec import Ids, ModuleSpec, Stacked, Width
from graphdsl.plan.modules import Surroundings, build_module, show_width
from graphdsl.plan.origin import Maker, explain_width, origin, origin_modules, side_by_side
from graphdsl.plan.state import Flow, listed
from graphdsl.plan.typewise import lower_pipe
from graphdsl.plan.walked_labels import lower_walked
from graphdsl.text import EdgeKey, Edit, Fix, Span, report, show_edge, show_name

_SHOWN = 3


def _hops(layer: LayerUse) -> int:
    """How far a layer looks, 1 while an argument that decides it is unknown."""
    filled = layer.entry.with_defaults(layer.arguments)
    return 1 if any(value is UNKNOWN for value in filled.values()) else layer.entry.hops(filled)


class _MapLowering:
    """Lowers the rules of one relation map."""

    def __init__(self, stage: EdgesStage, flow: Flow) -> None:
        self.stage = stage
        self.flow = flow
        self.before = flow.states[stage.reads]
        self.steps: list[RelationStep] = []
        self.instances = 0
        self.known_origins: dict[str, tuple[tuple[Span, str], ...]] = {}
        self.joints: list[JointStep] = []
        self.unserved: set[str] = set()

    def columns(self, name: str, layer: LayerUse) -> int | None:
        """Columns of a type for a layer; of each of its states where the layer reads a stack."""
        width = self.before.get(name)
        if not layer.entry.stacked:
            return self.flow.columns(name, width, layer.span)
        if isinstance(width, Stacked):
            return width.columns
        if layer.span not in self.flow.stacked:
            self.flow.stacked.add(layer.span)
            message = f"`{layer.entry.name}` reads a stack of states, and `{show_name(name)}` is none"
            helps = ("stack the states first: `s = stack(h0, h1)`, then `edges(s) { … }`",)
            self.flow.found.append(report("GNN510", message, layer.span, helps=helps))
        return None

    def lower(self) -> RelationStage:
        for rule in self.stage.rules:
            if rule.layer.entry.scope == "relation":
                self.add_relations(rule)
            else:
                self.joints.append(self.joint(rule))
        self.steps.sort(key=lambda step: step.edge)
        combined = self.combine()
        stage = self.stage
        pipe, after = lower_pipe(stage.pipe, combined, stage.reads, self.flow, self.makers())
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
        check_inputs(rule.layer, edges, self.stage.reads, self.flow)
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
            self.unserved |= {edge[2] for edge in between}
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
            return
        check_one_encoder(rule.layer, rule.edges, self.flow)

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
            also = [*self.origins(source), *self.origins(target)]
            helps = self.heads(source, target) or helps
            self.flow.unequal(message, layer.span, f"on `{show_edge(edge)}`", also, helps)
        around = Surroundings(
            width=widths[0],
            pair=widths if between and not mixed else None,
            edge_width=edge_width(layer, edge, self.flow),
            degrees=known_degrees(edge, self.flow),
            inputs=input_columns(layer, edge, self.flow),
            between_types=between or mixed,
            origin=self.origins(source),
        )
        module = build_module(layer, around, self.flow.found)
        inputs = bind_inputs(layer, (edge,), self.flow)
        seen: tuple[Width, Width] = (self.before.get(source), self.before.get(target))
        hops = _hops(layer)
        return RelationStep(edge, module, instance, seen, module.width_out, inputs, rule.span, hops=hops)

    # --- one module for all relations of a rule ---

    def joint(self, rule: RelationRule) -> JointStep:
        entry = rule.layer.entry
        paths = {edge: self.flow.schema.hops(edge) for edge in rule.edges} if entry.scope == "walk" else {}
        ends = {end for edge in rule.edges for end in (edge[0], edge[2])}
        stops = {end for hops in paths.values() for hop in hops for end in (hop.edge[0], hop.edge[2])}
        on_the_way = entry.reads_stops or any(rule.layer.arguments.get(name) is True for name in entry.reads_stops_if)
        types = tuple(sorted(ends | stops if on_the_way else ends))
        seen = {name: self.before.get(name) for name in types}
        check_inputs(rule.layer, rule.edges, self.stage.reads, self.flow)
        declared = self.flow.schema.metapaths.values()
        budgets = {path.key: path.budget for path in declared if path.key in paths and path.budget is not None}
        labels = lower_walked(rule.layer, rule.edges, self.flow)
        around = replace(
            self.joint_surroundings(rule, types, seen),
            paths=paths,
            budgets=budgets,
            groups=self.groups(rule.edges),
            label_sizes=labels.sizes if labels is not None else {},
        )
        module = build_module(rule.layer, around, self.flow.found)
        inputs = bind_inputs(rule.layer, rule.edges, self.flow)
        width, hops = module.width_out, max([_hops(rule.layer), *map(len, paths.values())])
        return JointStep(
            rule.edges, types, module, entry.scope, seen, width, inputs, rule.span,
            hops=hops, paths=paths, partial=entry.partial, tells_types="types" in entry.derived.values(),
            labels=labels,
        )  # fmt: skip

    def groups(self, edges: Sequence[EdgeKey]) -> tuple[tuple[int, ...], ...]:
        """Numbers of relations, each together with its inverse if that is there too."""
        place = {edge: number for number, edge in enumerate(edges)}
        declared = self.flow.schema.edges
        pairs = {edge: {edge, declared[edge].inverse} if edge in declared else {edge} for edge in edges}
        numbers = [tuple(sorted(place[item] for item in pairs[edge] if item in place)) for edge in edges]
        return tuple(dict.fromkeys(numbers))

    def joint_surroundings(self, rule: RelationRule, types: tuple[str, ...], seen: Mapping[str, Width]) -> Surroundings:
        layer = rule.layer
        sees = Surroundings(
            relations=len(rule.edges),
            types=len(types),
            inverses=self.originals(rule.edges),
            metadata=(types, rule.edges),
            edge_width=edge_width(layer, rule.edges[0], self.flow),
            inputs=input_columns(layer, rule.edges[0], self.flow),
        )
        if layer.entry.accepts_ids and all(isinstance(width, Ids) for width in seen.values()):
            counts = [width.count if isinstance(width, Ids) else None for width in seen.values()]
            total = None if None in counts else sum(count for count in counts if count is not None)
            return replace(sees, width=total, count=total, reads_ids=True)
        if layer.entry.embeds:
            late = [name for name, width in seen.items() if not isinstance(width, Ids)]
            self.flow.late.setdefault(rule.span, []).extend(late)
            return sees
        widths = {name: self.columns(name, layer) for name in types}
        if "width" in layer.entry.derived.values():
            self.check_equal(rule, widths)
        width = next((width for width in widths.values() if width is not None), None)
        if None in widths.values():
            width = None
        return replace(sees, width=width, widths=widths)

    def originals(self, edges: Sequence[EdgeKey]) -> tuple[int, ...]:
        """For each relation the number of the one that it is the declared inverse of, -1 if that is not among them."""
        numbers = {edge: number for number, edge in enumerate(edges)}
        declared = [self.flow.schema.edges.get(edge) for edge in edges]  # metapaths are no edge types
        return tuple(
            numbers.get(item.inverse, -1) if item is not None and item.derived and item.inverse else number
            for number, item in enumerate(declared)
        )

    def check_equal(self, rule: RelationRule, widths: Mapping[str, int | None]) -> None:
        known = {name: width for name, width in widths.items() if width is not None}
        if len(set(known.values())) > 1:
            parts = ", ".join(f"`{name}` {width}" for name, width in known.items())
            message = f"`{rule.layer.entry.name}` sees all types together, so they must be equally wide: {parts}"
            helps = ("bring them to one width first: `nodes { *: Linear(…) }`",)
            first = next(iter(known))
            other = next(name for name, width in known.items() if width != known[first])
            also = [*self.origins(first), *self.origins(other)]
            self.flow.unequal(message, rule.layer.span, "one joint layer", also, self.heads(first, other) or helps)

    # --- where they meet ---

    def combine(self) -> dict[str, int | None]:
        arriving: dict[str, list[_Arrival]] = {}
        for step in self.steps:
            said = f"{show_edge(step.edge)}: {explain_width(step.module)}"
            arriving.setdefault(step.edge[2], []).append(_Arrival(step.width_out, step.rule, said, step.module))
        for joint in self.joints:
            for name in joint.targets:
                said = explain_width(joint.module)
                arriving.setdefault(name, []).append(_Arrival(joint.width_out, joint.rule, said, joint.module))
        unequal: dict[tuple[Span, Span], list[str]] = {}
        combined = {name: self.meet(name, items, unequal) for name, items in arriving.items()}
        combined |= dict.fromkeys(self.unserved)  # What a refused layer would have made is not known.
        for names in unequal.values():
            self.report_unequal(names, arriving[names[0]])
        return combined

    def meet(self, name: str, items: Sequence["_Arrival"], unequal: dict[tuple[Span, Span], list[str]]) -> int | None:
        """Width of a type after combining; types into which unequal widths arrive go to `unequal` by the two rules."""
        known = [item.width for item in items if item.width is not None]
        if len(known) < len(items):
            return None
        if self.stage.combine == "cat":
            return sum(known)
        other = next((item.rule for item in items if item.width != known[0]), None)
        if other is not None:
            unequal.setdefault((items[0].rule, other), []).append(name)
            return None
        return known[0]

    def report_unequal(self, names: Sequence[str], items: Sequence["_Arrival"]) -> None:
        first = items[0]
        other = next(item for item in items if item.width != first.width)
        message = (
            f"messages into {listed(names)} are {first.width} and {other.width} wide; "
            f"`{self.stage.combine}` needs equal widths"
        )
        also = [(first.rule, first.said)]
        wanted = min(width for width in (first.width, other.width) if width is not None)
        heads = side_by_side([item.module for item in items], wanted)
        helps = (*(heads or ("give both layers the same width",)), "or keep them side by side: `combine cat`")
        self.flow.unequal(message, other.rule, other.said, also, helps)

    # --- where widths come from ---

    def makers(self) -> dict[str, tuple[Maker, ...]]:
        """What makes each type in this map."""
        made: dict[str, tuple[Maker, ...]] = {}
        for step in self.steps:
            made[step.edge[2]] = (*made.get(step.edge[2], ()), (step.rule, step.module))
        for joint in self.joints:
            made |= {name: (*made.get(name, ()), (joint.rule, joint.module)) for name in joint.targets}
        return made

    def origins(self, name: str) -> tuple[tuple[Span, str], ...]:
        """Where a type that the map reads became as wide as it is."""
        if name not in self.known_origins:  # asked for every relation of the type
            self.known_origins[name] = origin(self.flow, self.stage.reads, name)
        return self.known_origins[name]

    def heads(self, *names: str) -> tuple[str, ...]:
        """What to do when heads side by side made one of the types wider than meant."""
        return side_by_side([item for name in names for item in origin_modules(self.flow, self.stage.reads, name)])


@dataclass(frozen=True, slots=True)
class _Arrival:
    """What a rule sends to a type: its width, the rule, why it is so wide."""

    width: int | None
    rule: Span
    said: str
    module: ModuleSpec


def lower_edges(stage: EdgesStage, flow: Flow) -> RelationStage:
    """Lower a relation map; types that receive nothing are carried through."""
    return _MapLowering(stage, flow).lower()
