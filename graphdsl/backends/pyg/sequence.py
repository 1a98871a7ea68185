"""The sequential form as PyG's own `Sequential`, called as its header says."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from importlib import import_module
from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn import JumpingKnowledge, Sequential
from torch_geometric.nn.inits import reset

from graphdsl.backends.block_heads import BlockHeads
from graphdsl.backends.modules import build_module
from graphdsl.backends.own_losses import own_losses, take_losses
from graphdsl.backends.pairs import Pairs, score
from graphdsl.backends.penalties import Kept, function_of
from graphdsl.backends.places import located
from graphdsl.backends.pyg.counted import check_numbers
from graphdsl.catalog import find
from graphdsl.kernels.unpooling import stack
from graphdsl.model import SequenceInput
from graphdsl.plan import LinkHead, Plan, SequenceStage, SequenceStep
from graphdsl.text import SpecError, did_you_mean, listing, report


class Jump(JumpingKnowledge):
    """`JumpingKnowledge` of values side by side, instead of a list of them."""

    def forward(self, *xs: Tensor) -> Tensor:  # type: ignore[override]
        """Join values of one shape, the last dimension aside."""
        return super().forward(list(xs))


class Cat:
    """Columns side by side."""

    def __call__(self, *xs: Tensor) -> Tensor:
        """Join values of one shape, the last dimension aside."""
        return torch.cat(xs, dim=-1)


class Reduce:
    """Sum, product, mean or maximum of several values, element by element.

    Args:
        kind: "add", "mul", "mean" or "max".
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, *xs: Tensor) -> Tensor:
        """Join values of one shape."""
        if self.kind == "mul":
            return reduce(torch.mul, xs)
        stacked = torch.stack(xs)
        return stacked.amax(0) if self.kind == "max" else stacked.sum(0) if self.kind == "add" else stacked.mean(0)

    def __repr__(self) -> str:
        return f"Reduce({self.kind!r})"


class ByName:
    """A function of PyG whose arguments stand between its inputs, as in `knn_graph(x, k, batch)`.

    Args:
        function: what to call.
        names: what it calls its inputs.
        arguments: by name; tuples become the lists that PyG takes.
    """

    def __init__(self, function: Callable[..., Any], names: Sequence[str], arguments: Mapping[str, Any]) -> None:
        self.function = function
        self.names = names
        self.arguments = {key: list(value) if isinstance(value, tuple) else value for key, value in arguments.items()}

    def __call__(self, *inputs: Any) -> Any:
        """Run it."""
        return self.function(**dict(zip(self.names, inputs, strict=False)), **self.arguments)

    def __repr__(self) -> str:
        return "".join((self.function.__name__, "(", ", ".join(f"{k}={v!r}" for k, v in self.arguments.items()), ")"))


class Again:
    """A further use of a module that belongs to an earlier step: it adds nothing to the state dict."""

    def __init__(self, module: Callable[..., Any]) -> None:
        self.module = module

    def __call__(self, *inputs: Any) -> Any:
        """Run it."""
        return self.module(*inputs)

    def __repr__(self) -> str:
        return repr(self.module)


class CompiledSequence(Sequential):
    """A `sequential` block as a module: PyG's `Sequential` with the steps' headers.

    Shapes, by the names of the block's header, positionally or by keyword:
        - attributes of nodes: [num_nodes, width], of edges: [num_edges, width] or [num_edges];
        - `edge_index`: [2, num_edges]; `batch`: [num_nodes], the graph of each node; without it, one graph;
        - `batch_size`: the number of graphs.
        - `edge_label_index`: pairs [2, num_pairs] that a link prediction scores.
        - result: [num_nodes, size] or [num_graphs, size], as the label asks; [num_pairs] for a link.

    Parameters stand in the state dict as in a hand-written `Sequential`: `module_0.lin.weight`, one number per step,
    repeats unrolled; those of predictions with a layer of their own as `heads.<prediction>.…`.

    The forward pass is written out here: PyG renders one from a template for each instance, which cannot pass `None`
    without it, and sets it on the class, where it would serve all instances.

    Attributes:
        plan: what it computes.

    Args:
        plan: a model whose widths are all known.
        stage: its block.
    """

    def __init__(self, plan: Plan, stage: SequenceStage) -> None:
        built: list[Callable[..., Any]] = []
        for step in stage.steps:
            with located(f"`{step.module.name}` of model `{plan.model}`", step.rule):
                built.append(_build(step, built))
        headers = [f"{_names(step.inputs, 'None')} -> {_names(step.outputs, '_')}" for step in stage.steps]
        super().__init__(_names([item.name for item in stage.inputs], "_"), list(zip(built, headers, strict=True)))
        self.plan = plan
        self.stage = stage
        self.heads = BlockHeads(plan)
        self._own = own_losses(self)
        self._kept = Kept()

    @property
    def penalties(self) -> dict[str, Tensor]:
        """Penalties of the latest forward pass by name, without their weights; see `CompiledModel.penalties`."""
        return dict(self._kept.values)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the arguments of `forward`, in order."""
        return tuple(item.name for item in self.stage.inputs)

    def forward(self, *args: Any, edge_label_index: Pairs = None, **kwargs: Any) -> Tensor | dict[str, Tensor]:
        """Run the steps, and predict from what they give.

        Args:
            *args: in the order of the block's header.
            edge_label_index: the pairs [2, num_pairs] to score, or a dictionary of them by name of link prediction.
            **kwargs: the same as `args` by name.

        Returns:
            The tensor of the only prediction, or a dictionary by prediction name (`atom.y`).

        Raises:
            TypeError: for too many arguments, or one that the header does not name.
            SpecError: GNN618 for one that is missing, GNN604 for another width, GNN607 for pairs of another shape.
        """
        return self.heads(*self._run(args, kwargs), edge_label_index)

    def encode(self, *args: Any, prediction: str | None = None, **kwargs: Any) -> dict[str, Any]:
        """The values of the block before the predictions.

        Args:
            *args: in the order of the block's header.
            prediction: name of a prediction: give what it reads instead, under the name of the node type (`graph`
                for a label of graphs).
            **kwargs: the same as `args` by name.

        Returns:
            The values by name, as the last step leaves them.
        """
        values, out = self._run(args, kwargs)
        if prediction is None:
            return {name: value for name, value in values.items() if name is not None}
        head = self.heads.head(prediction)
        return dict.fromkeys(head.types or ("graph",), values[head.value] if head.value else out)

    def score(self, h: Mapping[str, Tensor], name: str, edge_label_index: Tensor) -> Tensor:
        """Score pairs from what `encode` gave, without running the block again; see `CompiledModel.score`."""
        head = self.heads.head(name)
        if not isinstance(head, LinkHead):
            raise TypeError(f"'{name}' is no link prediction of model '{self.plan.model}'")
        with located(f"prediction `{name}` of model `{self.plan.model}`", head.span):
            return score(head, self.heads[head.key], h, edge_label_index)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        reset(self.heads)

    def _run(self, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[dict[str | None, Any], Any]:
        """All values by name behind the last step, and what it gives."""
        values: dict[str | None, Any] = {**self._inputs(args, kwargs), None: None}
        losses: dict[tuple[int, int], Tensor] = {}
        wanted = {place for item in self.plan.penalties for place in item.outputs}
        take_losses(self._own)
        out: Any = None
        for place, step in enumerate(self.stage.steps):
            with located(f"`{step.module.name}` of model `{self.plan.model}`", step.rule):
                given = [_shaped(values[name], shape) for name, shape in zip(step.inputs, step.shapes, strict=True)]
                check_numbers(step, given)
                made = self[place](*given)
            made = (made,) if len(step.outputs) == 1 else made
            values.update((name, value) for name, value in zip(step.outputs, made, strict=True) if name is not None)
            losses.update(((place, number), made[number]) for number in range(len(made)) if (place, number) in wanted)
            out = made[0] if step.kind != "loss" else out
        self._keep(losses)
        return values, out

    def _keep(self, losses: Mapping[tuple[int, int], Tensor]) -> None:
        """Keep the penalties of a pass: of what steps gave, and of layers with a loss of their own."""
        own = take_losses(self._own)
        for item in self.plan.penalties:
            values = [losses[place] for place in item.outputs] or [own[item.own]]
            self._kept.values[item.name] = torch.stack(values).sum()

    def _inputs(self, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str | None, Any]:
        """Arguments by name, completed and checked."""
        names = self.input_names
        if len(args) > len(names):
            raise TypeError(f"model '{self.plan.model}' takes {len(names)} arguments (got {len(args)})")
        values: dict[str | None, Any] = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name in values:
                raise TypeError(f"model '{self.plan.model}' got multiple values for argument '{name}'")
            if name not in names:
                known = ", ".join(names)
                raise TypeError(f"model '{self.plan.model}' does not read '{name}' (arguments: {known})")
            values[name] = value
        rows = next((values[it.name] for it in self.stage.inputs if it.source == "node" and it.name in values), None)
        for item in self.stage.inputs:
            values[item.name] = self._input(item, values.get(item.name), rows)
        return values

    def _input(self, item: SequenceInput, value: Any, rows: Tensor | None) -> Any:
        if value is None and item.source == "batch" and rows is not None:
            return torch.zeros(rows.size(0), dtype=torch.long, device=rows.device)
        if value is None and item.source == "batch_size":
            return None
        if value is None:
            helps = did_you_mean(item.name, self.input_names)
            notes = listing("arguments", self.input_names)
            message = f"the model was called without `{item.name}`"
            raise SpecError([report("GNN618", message, item.span, "read here", helps=helps, notes=notes)])
        if (
            item.kind not in ("numbers", "edge numbers")
            and item.source in ("node", "edge", "graph")
            and not value.is_floating_point()
        ):
            value = value.to(torch.get_default_dtype())
        width = self.plan.inputs[self.stage.type]
        if item.name == "x" and item.source == "node" and isinstance(width, int):
            columns = value.size(1) if value.dim() == 2 else 1
            if columns != width:
                message = f"`x` has {columns} columns, the model reads {width}"
                helps = ("compile the spec with this data, or state the width in the schema",)
                raise SpecError([report("GNN604", message, item.span, "read here", helps=helps)])
        return value

    def extra_repr(self) -> str:
        """The spec that it was compiled from."""
        return f"model '{self.plan.model}' on '{self.plan.schema}' from {self.stage.span.file}"


def _build(step: SequenceStep, earlier: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """What a step calls."""
    if step.shares is not None:
        return Again(earlier[step.shares])
    if step.call == "function":
        entry = find(step.module.name)
        if entry is None or entry.kind != "search":
            return function_of(step.module)
        module, _, name = entry.path.rpartition(".")
        return ByName(getattr(import_module(module), name), [slot.name for slot in entry.takes], step.module.arguments)
    if step.call == "module":
        return build_module(step.module)
    if step.module.name == "jump":
        return Jump(**step.module.arguments)
    if step.module.name == "stack":
        return stack
    return Cat() if step.module.name == "cat" else Reduce(step.module.name)


def _names(names: Sequence[str | None], absent: str) -> str:
    return ", ".join(name or absent for name in names)


def _shaped(value: Any, shape: str) -> Any:
    """A value in the shape that the layer reads: values of edges come as [rows] or [rows, 1]."""
    if not isinstance(value, Tensor):
        return value
    if shape == "numbers":
        return value.reshape(-1).long()
    if shape and not value.is_floating_point():
        value = value.to(torch.get_default_dtype())
    if shape == "flat":
        return value.reshape(-1)
    return value.unsqueeze(-1) if shape == "columns" and value.dim() == 1 else value
