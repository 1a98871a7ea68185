"""One prediction as a module that PyG's explainers take."""

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor, nn

from graphdsl.backends.compiled import CompiledModel
from graphdsl.backends.naming import edge_key, module_key
from graphdsl.plan import RelationStep
from graphdsl.plan.requirements import find_requirements, running
from graphdsl.text import EdgeKey


class Explainable(nn.Module):
    """A prediction of a compiled model, for `torch_geometric.explain`.

    PyG's explainers mask features by node type and edges by relation, want a gradient for every mask, and call the model
    with both dictionaries and nothing else. So the attributes that layers read are held here, and what no mask could
    change is, too: types and relations that the prediction does not depend on, and relations that only joint layers see
    (`HANConv`, `HGTConv`, `RGCNConv`: they send all relations through one module, and PyG's masks are per module).

    Attributes:
        x_dict: features [num_nodes, width] to explain, by node type.
        edge_index_dict: relations [2, num_edges] whose edges can be explained; inverses and metapaths stand for themselves.

    Args:
        model: a compiled model; a `sequential` block needs no such view, explainers take it as it is.
        inputs: what it is called with, as `graphdsl.data.batch_inputs(data, model.plan)` gives it.
        prediction: name of the prediction, such as `paper.y`; may be left out where there is one.

    Raises:
        KeyError: if there is no such prediction.

    >>> import graphdsl, torch
    >>> spec = graphdsl.loads("schema s { node a { x: float[3], y: class[2] } edge a -[r]-> a }"
    ...                       " model m on s { edges { *: SAGEConv(4) } predict a.y }")
    >>> inputs = {"x_dict": {"a": torch.zeros(2, 3)}, "edge_index_dict": {("a", "r", "a"): torch.tensor([[0], [1]])}}
    >>> view = Explainable(spec.compile(), inputs)
    >>> view(view.x_dict, view.edge_index_dict).shape
    torch.Size([2, 2])
    """

    def __init__(self, model: CompiledModel, inputs: Mapping[str, Any], prediction: str | None = None) -> None:
        super().__init__()
        plan = model.plan
        known = [head.name for head in plan.heads]
        name = prediction or known[0]
        if name not in known or (prediction is None and len(known) > 1):
            raise KeyError(f"name one of the predictions of model '{plan.model}': {', '.join(known)}")
        self.model = model
        self.prediction = name
        self.relations = _Relations(_layers(model))
        read = find_requirements(plan, live=True).types
        features: Mapping[str, Tensor] = inputs["x_dict"]
        edges: Mapping[EdgeKey, Tensor] = inputs["edge_index_dict"]
        self.x_dict = {name: x for name, x in features.items() if name in read and x.is_floating_point()}
        self.edge_index_dict = {edge: index for edge, index in edges.items() if edge in self.relations.layers}
        # Masks are of all edges, so a sampled batch is not trimmed.
        self._inputs = {name: value for name, value in inputs.items() if not name.startswith("num_sampled_")}

    def forward(self, x_dict: Mapping[str, Tensor], edge_index_dict: Mapping[EdgeKey, Tensor]) -> Tensor:
        """The prediction with other features and edges; what is not given stays as it was."""
        given = {
            **self._inputs,
            "x_dict": {**self._inputs["x_dict"], **x_dict},
            "edge_index_dict": {**self._inputs["edge_index_dict"], **edge_index_dict},
        }
        made = self.model(**given)
        return made[self.prediction] if isinstance(made, dict) else made


class _Relations(nn.ModuleDict):
    """Layers by relation, under the relations' own names: containers hold them under encoded ones, and PyG looks there.

    It owns none of them: the model does.
    """

    def __init__(self, layers: Mapping[EdgeKey, list[nn.Module]]) -> None:
        super().__init__()
        self.layers = layers

    def __contains__(self, key: object) -> bool:
        return key in self.layers

    def __getitem__(self, key: Any) -> nn.Module:
        return nn.ModuleList(self.layers[key])


def _layers(model: CompiledModel) -> dict[EdgeKey, list[nn.Module]]:
    """The layers of single relations that the predictions depend on."""
    found: dict[EdgeKey, list[nn.Module]] = {}
    for _, stage in model.plan.relation_stages():
        owner = stage
        while owner.shares is not None:
            owner = cast(Any, model.plan.stages[owner.shares])
        for step in running(stage, live=True):
            if isinstance(step, RelationStep):
                convs = model.get_submodule(f"stages.{module_key(owner.key)}.conv.convs")
                found.setdefault(step.edge, []).append(cast(Any, convs)[edge_key(step.edge)])
    return found
