"""Predictions behind a `sequential` block: each reads a value by name, or what the last step gives."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from graphdsl.backends.modules import build_module, run_module
from graphdsl.backends.pairs import Pairs, pairs_by_name, score
from graphdsl.backends.places import located
from graphdsl.plan import AnyHead, LinkHead, Plan


class BlockHeads(nn.ModuleDict):
    """The layers of predictions by key; an identity where a value is the prediction itself.

    Args:
        plan: a model in the sequential form.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__({head.key: build_module(head.module) for head in plan.heads})
        self.plan = plan

    def head(self, name: str) -> AnyHead:
        """The prediction of a name.

        Raises:
            KeyError: there is none.
        """
        known = {head.name: head for head in self.plan.heads}
        if name not in known:
            raise KeyError(f"model '{self.plan.model}' has no prediction '{name}' (predictions: {', '.join(known)})")
        return known[name]

    def forward(self, values: Mapping[str | None, Any], out: Any, pairs: Pairs) -> Tensor | dict[str, Tensor]:
        """Predict.

        Args:
            values: by name, as the block leaves them.
            out: what its last step gives.
            pairs: what link predictions score.

        Returns:
            The tensor of the only prediction, or a dictionary by prediction name.
        """
        wanted = pairs_by_name(self.plan, pairs)
        found: dict[str, Tensor] = {}
        for head in self.plan.heads:
            value = values[head.value] if head.value else out
            with located(f"prediction `{head.name}` of model `{self.plan.model}`", head.span):
                if isinstance(head, LinkHead):
                    found[head.name] = score(head, self[head.key], {head.edge[0]: value}, wanted[head.name])
                else:
                    found[head.name] = run_module(self[head.key], value, head.size)
        return next(iter(found.values())) if len(found) == 1 else found
