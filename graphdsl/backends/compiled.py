"""The compiled model: stages in order over typed maps, then the predictions. The same for every backend."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor, nn
from torch_geometric.nn.inits import reset

from graphdsl.backends.derivation import DerivationCache
from graphdsl.backends.forecasts import foresee_all
from graphdsl.backends.graph import Graph, Values, read_graph
from graphdsl.backends.memories import looked, remembered
from graphdsl.backends.modules import build_module, run_module
from graphdsl.backends.naming import module_key
from graphdsl.backends.objectives import build_objective, vectors_of
from graphdsl.backends.pairs import Pairs, pairs_by_name, score
from graphdsl.backends.penalties import Given, Kept, compute
from graphdsl.backends.places import located
from graphdsl.backends.readouts import GraphReadout, Grouping
from graphdsl.backends.spreading import spread_labels
from graphdsl.backends.trimming import EdgeCounts, NodeCounts, Trim, find_trim
from graphdsl.kernels.events import EventMemory
from graphdsl.model import TRAIN_MASK
from graphdsl.plan import (
    AnyHead,
    DropStage,
    GraphHead,
    Head,
    Ids,
    LinkHead,
    ObjectiveHead,
    Plan,
    Spread,
    Stage,
    attribute_reads,
    forecast_head,
    given_labels,
)
from graphdsl.plan.hopping import hop_candidates
from graphdsl.plan.requirements import find_requirements
from graphdsl.plan.walk import tells_graphs_apart
from graphdsl.text import EdgeKey

StageBuilder = Callable[[Stage], nn.Module]
"""Makes the module of a stage. Called with (stage, states, graph, live), it returns the values that the stage made;
the stage is an argument because `repeat n share` runs several stages on one module."""


class CompiledModel(nn.Module):
    """A plan as a module, with PyG's calling convention.

    Shapes:
        - `x_dict`: features [num_nodes, width] by node type; types without features have no entry.
        - `edge_index_dict`: [2, num_edges] by relation. Inverses and metapaths that are missing are derived, and kept
          while the tensors live; optional relations that are missing count as having no edges.
        - `<attribute>_dict`: attributes that layers read (see `input_names`), by relation or node type.
        - `n_id_dict`: numbers [num_nodes] of the nodes of types without features; without it, all nodes in order.
        - `edge_label_index`: pairs [2, num_pairs] that a link prediction scores.
        - `y_dict` (by the label's name) and `train_mask_dict` where labels of training nodes spread: only the labels of
          nodes in the mask are read.
        - `batch_dict`: the graph [num_nodes] of each node, by node type, where whole graphs are predicted, or
          attention is kept within each (`GPSConv`); without it, all nodes are one graph.
        - result: [num_nodes, size] of the predicted type; [num_graphs, size] for a label of graphs; [num_pairs] for a
          link, [num_pairs, size] for what edges carry; vectors [num_nodes, size] of the type that an objective learns
          of, for walks that where they begin (`encode(prediction = …)` gives those of all types); of events [2, num_events,
          num_nodes], logarithms of probabilities of targets and of sources.

    Parameters stand in the state dict as `stages.<stage>.…` and `heads.<prediction>.…`.

    Attributes:
        plan: what it computes.

    Args:
        plan: a model whose widths are all known.
        build_stage: the backend.
    """

    def __init__(self, plan: Plan, build_stage: StageBuilder) -> None:
        super().__init__()
        self.plan = plan
        self.stages = nn.ModuleDict()
        self._owners: list[str | None] = []
        for stage in plan.stages:
            self._owners.append(self._own(stage, build_stage))
        self.heads = nn.ModuleDict({head.key: _build_head(head) for head in plan.heads})
        self.spreads = nn.ModuleDict(
            {item.key: build_module(item.spread.module) for item in plan.node_heads if item.spread is not None}
        )
        self._live = find_requirements(plan, live=True)
        self._all = find_requirements(plan, live=False)
        self._along_hops = hop_candidates(plan)
        self._cache = DerivationCache()
        self._kept = Kept()
        self._input_names = _input_names(plan)

    def _own(self, stage: Stage, build_stage: StageBuilder) -> str | None:
        """Key of the module that runs a stage, made now unless an earlier stage lends its own."""
        if stage.shares is not None:
            return self._owners[stage.shares]
        if isinstance(stage, DropStage):
            return None
        key = module_key(stage.key)
        if key in self.stages:
            raise ValueError(f"two stages are called '{stage.key}'")
        with located(f"stage `{stage.key}` of model `{self.plan.model}`", stage.span):
            self.stages[key] = build_stage(stage)
        return key

    @property
    def input_names(self) -> tuple[str, ...]:
        """Keywords of the further dictionaries that the model reads, sorted: `("n_id_dict", "year_dict")`."""
        return self._input_names

    @property
    def penalties(self) -> dict[str, Tensor]:
        """Penalties of the latest forward pass by name, without their weights: scalars connected to its graph.

        Training adds them to the loss, weighted. Without a forward pass, and in a copy of the model, there are none. In
        eval mode they are what the layers give there: `SuperGATConv` gives 0.
        """
        return dict(self._kept.values)

    def forward(
        self,
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        edge_label_index: Pairs = None,
        num_graphs: int | None = None,
        num_sampled_nodes_dict: NodeCounts | None = None,
        num_sampled_edges_dict: EdgeCounts | None = None,
        **inputs: Mapping[Any, Tensor],
    ) -> Tensor | dict[str, Tensor]:
        """Predict.

        Told how many nodes and edges each hop of a sampled batch added, as PyG's loaders count them, it computes no more
        than the predictions of the seeds need, and gives those of the seeds alone. They are the numbers of the whole
        batch: layers that read more than a node's neighbours (batch norms in training, graph norms, the attention of
        `HANConv`, `GPSConv`) see all nodes, and so does what comes before them.

        Args:
            x_dict: features by node type.
            edge_index_dict: edges by relation.
            edge_label_index: the pairs [2, num_pairs] to score, or a dictionary of them by name of link prediction.
            num_graphs: how many graphs there are; by default as many as `batch_dict` numbers.
            num_sampled_nodes_dict: by node type, how many nodes each hop added, the seeds first.
            num_sampled_edges_dict: by relation, how many edges each hop added; those of others are all followed.
            **inputs: further dictionaries, see the class.

        Returns:
            The tensor of the only prediction, or a dictionary by prediction name (`author.y`).

        Raises:
            SpecError: GNN618 if something is missing, GNN604 or GNN607 if a tensor has another shape.
            TypeError: for a keyword that the model does not read.
        """
        if (events := forecast_head(self.plan)) is not None:
            return self._foresee(events, edge_index_dict, inputs)
        pairs = pairs_by_name(self.plan, edge_label_index)
        grouping = Grouping(inputs.get("batch_dict", {}), num_graphs) if self.plan.graph_heads else Grouping({}, None)
        given: list[Given] | None = [] if self.plan.penalties else None
        counts = (num_sampled_nodes_dict or {}, num_sampled_edges_dict or {})
        states, graph, trim = self._run(x_dict, edge_index_dict, inputs, live=True, given=given, counts=counts)
        self._kept.values = compute(self.plan.penalties, states, given, grouping) if given is not None else {}
        outputs: dict[str, Tensor] = {}
        for head in self.plan.heads:
            values, module = states[head.state], self.heads[head.key]
            values = remembered(head, module) if isinstance(module, EventMemory) else values
            values = values if trim is None else trim.read(values, head)
            values = looked(head, module, values, graph.edge_index, pairs.get(head.name))
            with located(f"prediction `{head.name}` of model `{self.plan.model}`", head.span):
                if isinstance(head, LinkHead):
                    outputs[head.name] = score(head, module, values, pairs[head.name])
                elif isinstance(module, GraphReadout):
                    outputs[head.name] = module(values, grouping)
                elif isinstance(head, ObjectiveHead):
                    outputs[head.name] = vectors_of(head, module, values)[head.type]
                elif isinstance(head, Head) and head.spread is not None:
                    outputs[head.name] = self._spread(head, head.spread, values, graph)
                else:
                    made = run_module(module, values[head.types[0]], head.size)
                    outputs[head.name] = made if trim is None else trim.seeds(made, head)
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def _foresee(self, head: LinkHead, edges: Mapping[EdgeKey, Tensor], inputs: Mapping[str, Any]) -> Tensor:
        """Who takes part in events, which are no messages."""
        with located(f"prediction `{head.name}` of model `{self.plan.model}`", head.span):
            return foresee_all(head, self.heads[head.key], edges, inputs)

    def _spread(self, head: Head, spread: Spread, values: Values, graph: Graph) -> Tensor:
        """A prediction to which labels of training nodes spread: always, or once what corrects it is in eval mode."""
        module = self.spreads[head.key]
        if spread.alone:
            return spread_labels(head, spread, module, graph, None)
        logits = run_module(self.heads[head.key], values[head.type], head.size)
        return logits if self.training else spread_labels(head, spread, module, graph, logits)

    def encode(
        self,
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        *,
        prediction: str | None = None,
        **inputs: Mapping[Any, Tensor],
    ) -> dict[str, Tensor]:
        """The typed map before the predictions: the last state, everything computed that the spec says.

        Args:
            x_dict: features by node type.
            edge_index_dict: edges by relation.
            prediction: name of a prediction: give what it reads instead, and compute no more than predictions need.
            **inputs: further dictionaries, see the class. What hops added (`num_sampled_nodes_dict`) does not matter: all
                rows are given.

        Returns:
            [num_nodes, width] by node type; a type that has nothing but node numbers to the end is left out.
        """
        inputs = {name: value for name, value in inputs.items() if not name.startswith("num_sampled_")}
        if prediction is not None:
            head = self._head(prediction)
            states, graph, _ = self._run(x_dict, edge_index_dict, inputs, live=True)
            values = looked(head, self.heads[head.key], states[head.state], graph.edge_index)
            if isinstance(head, ObjectiveHead):
                return vectors_of(head, self.heads[head.key], values)
            if isinstance(module := self.heads[head.key], EventMemory):
                return remembered(head, module)
            return {name: values[name] for name in head.types}
        last = self._run(x_dict, edge_index_dict, inputs, live=False)[0][-1]
        widths = self.plan.widths(len(self.plan.stages))
        return {name: value for name, value in last.items() if not isinstance(widths[name], Ids)}

    def score(self, h: Mapping[str, Tensor], name: str, edge_label_index: Tensor) -> Tensor:
        """Score pairs from what `encode` gave, without passing messages again.

        Args:
            h: the values that the prediction reads, by node type: `model.encode(…, prediction=name)`.
            name: of a link prediction, as in `author -[writes]-> paper`.
            edge_label_index: numbers of sources and targets, shape [2, num_pairs].

        Returns:
            [num_pairs] for a link (logits), [num_pairs, size] for a label of edges.
        """
        head = self._head(name)
        if not isinstance(head, LinkHead):
            raise TypeError(f"'{name}' is no link prediction of model '{self.plan.model}'")
        pairs = pairs_by_name(replace(self.plan, heads=(head,)), edge_label_index)[name]
        with located(f"prediction `{name}` of model `{self.plan.model}`", head.span):
            return score(head, self.heads[head.key], h, pairs)

    def _head(self, name: str) -> AnyHead:
        known = {head.name: head for head in self.plan.heads}
        if name not in known:
            raise KeyError(f"model '{self.plan.model}' has no prediction '{name}' (predictions: {', '.join(known)})")
        return known[name]

    def _run(
        self,
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        inputs: Mapping[str, Mapping[Any, Tensor]],
        live: bool,
        given: list[Given] | None = None,
        counts: tuple[NodeCounts, EdgeCounts] = ({}, {}),
    ) -> tuple[list[Values], Graph, Trim | None]:
        """All states, the graph, how it was trimmed; losses that a stage's module has of its own are appended to `given`."""
        several = ("batch_dict",) if tells_graphs_apart(self.plan) else ()
        unknown = sorted(inputs.keys() - {"n_id_dict", *several, *self.input_names})
        if unknown:
            known = ", ".join(self.input_names) or "none"
            raise TypeError(f"model '{self.plan.model}' does not read '{unknown[0]}' (further inputs: {known})")
        requirements = self._live if live else self._all
        left = {} if counts[0] else self._along_hops  # What was sampled is not a graph's.
        values, graph = read_graph(self.plan, requirements, x_dict, edge_index_dict, inputs, self._cache, left)
        states = [values]
        modules = [self.stages[owner] if owner is not None else None for owner in self._owners]
        trim = find_trim(self.plan, *counts, values, graph, modules, self.heads)  # type: ignore[arg-type]
        for index, (stage, owner) in enumerate(zip(self.plan.stages, self._owners, strict=True)):
            with located(f"stage `{stage.key}` of model `{self.plan.model}`", stage.span):
                seen = (states, graph) if trim is None else trim.narrow(index, stage, states, graph)
                made = self.stages[owner](stage, *seen, live) if owner is not None else {}
                states.append(self._advance(stage, states, made))
                if given is not None:
                    take = getattr(self.stages[owner], "penalties", None) if owner is not None else None
                    given.append(take() if take is not None else {})
        return states, graph, trim

    def _advance(self, stage: Stage, states: list[Values], made: Values) -> Values:
        """The state behind a stage: what it made, and what it carries through."""
        carried = {name: states[stage.reads][name] for name in stage.carried if name in states[stage.reads]}
        return {name: {**carried, **made}[name] for name in stage.widths if name in carried or name in made}

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for module in (*self.stages.values(), *self.heads.values()):
            reset(module)

    def extra_repr(self) -> str:
        """The spec that it was compiled from."""
        files = sorted({place.span.file for place in (*self.plan.stages, *self.plan.heads)})
        source = f" from {', '.join(files)}" if files else ""
        return f"model '{self.plan.model}' on '{self.plan.schema}'{source}"


def _build_head(head: AnyHead) -> nn.Module:
    if isinstance(head, ObjectiveHead):
        return build_objective(head)
    if isinstance(head, Head) and head.spread is not None and head.spread.alone:
        return nn.Identity()
    return GraphReadout(head) if isinstance(head, GraphHead) else build_module(head.module)


def _input_names(plan: Plan) -> tuple[str, ...]:
    names = {f"{found.item.attribute}_dict" for found in attribute_reads(plan)}
    for head in plan.node_heads:
        if head.spread:
            names |= {f"{name}_dict" for name in (head.attribute, TRAIN_MASK, head.spread.weight) if name}
    if (events := forecast_head(plan)) is not None and events.events is not None:
        names |= {f"{events.events.time}_dict", f"{events.events.message}_dict"}
    names |= {f"{name}_dict" for _, label in given_labels(plan) for name in (label, TRAIN_MASK)}
    names.discard("x_dict")
    if plan.graph_heads:
        names.add("batch_dict")
    if any(isinstance(width, Ids) for width in plan.inputs.values()):
        names.add("n_id_dict")
    return tuple(sorted(names))
