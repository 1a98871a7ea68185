"""Reading `predict graph.y from author, paper: readout(mean, head = MLP(64, 2))`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from graphdsl.catalog import find, names, seek
from graphdsl.model.labels import is_graph_label
from graphdsl.model.layers import LayerReader
from graphdsl.model.program import LayerUse
from graphdsl.model.schema import Schema
from graphdsl.model.schemas import unknown_type
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, did_you_mean, listing, report, show_name

GRAPH = "graph"
KINDS = {
    "mean": "MeanAggregation",
    "sum": "SumAggregation",
    "add": "SumAggregation",
    "max": "MaxAggregation",
    "min": "MinAggregation",
}
"""Readouts by their short names."""

_POOLS = {
    "global_mean_pool": "MeanAggregation",
    "global_add_pool": "SumAggregation",
    "global_max_pool": "MaxAggregation",
}
"""PyG's functions, which `sequential` blocks call, and the module that computes the same."""


@dataclass(frozen=True, slots=True)
class GraphTarget:
    """What a prediction of whole graphs reads, and how."""

    sources: tuple[str, ...]
    readout: LayerUse
    head: LayerUse | None


class GraphTargetReader:
    """Reads predictions of whole graphs; problems go to `found`.

    Args:
        schema: what there is to read.
        dropped: types that ended earlier, with the place.
        layers: reads readouts and heads.
        found: where problems go.
    """

    def __init__(
        self, schema: Schema, dropped: Mapping[str, Span], layers: LayerReader, found: list[Diagnostic]
    ) -> None:
        self.schema = schema
        self.dropped = dropped
        self.layers = layers
        self.found = found

    def read(self, statement: n.PredictStatement, target: n.LabelTarget) -> GraphTarget | None:
        """The types, the readout and the head of a prediction, or None after a report."""
        before = len(self.found)
        if target.type.text != GRAPH:
            name = f"{show_name(target.type.text)}.{show_name(target.attribute.text)}"
            helps = (f"leave `from …` out of `predict {name}`, or predict a label of the graph: `predict graph.LABEL`",)
            message = f"`from` says which types a whole graph is read from; `{name}` is a label of nodes"
            self.found.append(report("GNN107", message, target.span, helps=helps))
            return None
        is_graph_label(target, self.schema, self.found)
        sources = self.sources(target)
        readout, head = self.readout(statement)
        if len(self.found) > before or readout is None or not sources:
            return None
        return GraphTarget(sources, readout, head)

    def sources(self, target: n.LabelTarget) -> tuple[str, ...]:
        """The types that are read, in canonical order."""
        if target.sources is None:
            name = f"graph.{show_name(target.attribute.text)}"
            first = next(iter(self.schema.nodes), "TYPE")
            helps = (f"write `predict {name} from {show_name(first)}`, or `from *` for all types",)
            message = f"`{name}` is a label of whole graphs: say which types it is read from"
            self.found.append(report("GNN535", message, target.span, helps=helps))
            return ()
        if isinstance(target.sources, n.Wildcard):
            left = tuple(sorted(name for name in self.schema.nodes if name not in self.dropped))
            if not left:
                helps = ("read the graph out before its last type is dropped",) if self.dropped else ()
                message = "there is no node type left to read a graph from"
                self.found.append(report("GNN106", message, target.sources.span, helps=helps))
            return left
        seen: dict[str, Span] = {}
        for name in target.sources:
            if name.text not in self.schema.nodes:
                self.found.append(unknown_type(name, self.schema.nodes))
            elif name.text in seen:
                also = ((seen[name.text], "first named here"),)
                self.found.append(report("GNN102", f"`{name.text}` is read twice", name.span, also=also))
            elif name.text in self.dropped:
                also = ((self.dropped[name.text], "dropped here"),)
                message = f"`{name.text}` was dropped and cannot be read out"
                self.found.append(report("GNN503", message, name.span, also=also))
            seen.setdefault(name.text, name.span)
        return tuple(sorted(seen))

    def readout(self, statement: n.PredictStatement) -> tuple[LayerUse | None, LayerUse | None]:
        """The readout (`mean` by default) and the head of a statement."""
        call = statement.head
        if call is None:
            return self.named(n.Name("mean", statement.target.span)), None
        if call.name.text != "readout":
            said = f"{call.name.text}(…)" if call.arguments else call.name.text
            helps = (f"write `readout(mean, head = {said})`",)
            message = "a label of whole graphs is predicted from a readout of their nodes"
            self.found.append(report("GNN107", message, call.name.span, helps=helps))
            return None, None
        kinds = [item for item in call.arguments if item.name is None]
        heads = [item for item in call.arguments if item.name is not None]
        if len(kinds) != 1:
            helps = ("write `readout(mean)`, or another kind",)
            message = "`readout` takes one kind" if kinds else "`readout` needs a kind"
            code, span = ("GNN201", kinds[1].span) if kinds else ("GNN203", call.span)
            self.found.append(report(code, message, span, helps=helps, notes=listing("kinds", KINDS)))
            return None, None
        return self.kind(kinds[0].value), self.head(heads)

    def kind(self, value: n.Expression) -> LayerUse | None:
        """The aggregation of an argument: a short name, or a readout of the catalogue."""
        if isinstance(value, n.Reference):
            if value.name.text in KINDS or seek(value.name.text) is None:
                return self.named(value.name)
            value = n.Call(value.name, (), value.span)
        if not isinstance(value, n.Call):
            helps = ("write `readout(mean)`",)
            self.found.append(report("GNN202", "a readout is named, not given as a value", value.span, helps=helps))
            return None
        use = self.layers.read(value, "readout")
        module = find(_POOLS.get(use.entry.name, "")) if use is not None else None
        return use if use is None or module is None else replace(use, entry=module)

    def named(self, name: n.Name) -> LayerUse | None:
        """The aggregation of a short name."""
        entry = find(KINDS.get(name.text, ""))
        if entry is None:
            known = (*KINDS, *names("readout"))
            helps, notes = did_you_mean(name.text, known), listing("kinds", known)
            self.found.append(report("GNN101", f"unknown readout `{name.text}`", name.span, helps=helps, notes=notes))
            return None
        return LayerUse(entry, {}, {}, (), name.span)

    def head(self, options: list[n.Argument]) -> LayerUse | None:
        """The layer behind the readouts."""
        result: LayerUse | None = None
        for place, item in enumerate(options):
            name = item.name.text if item.name else ""
            if name != "head":
                helps = ("`readout` takes a kind and `head = LAYER`",)
                self.found.append(report("GNN201", f"`readout` has no argument `{name}`", item.span, helps=helps))
            elif place > 0:
                self.found.append(report("GNN209", "`head` is given twice", item.span))
            else:
                value = item.value
                call = n.Call(value.name, (), value.span) if isinstance(value, n.Reference) else value
                if isinstance(call, n.Call):
                    result = self.layers.read(call, "head")
                else:
                    helps = ("such as `head = MLP(64, 2)`",)
                    self.found.append(report("GNN202", "`head` is a layer", value.span, helps=helps))
        return result
