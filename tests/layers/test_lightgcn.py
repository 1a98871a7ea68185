"""LightGCN over users and items as two types against PyG's, which numbers them together."""

import pytest
import torch
from torch_geometric.nn import models

import graphdsl
from graphdsl.text import SpecError

USERS, ITEMS = 6, 9
BUYS, BOUGHT = ("user", "buys", "item"), ("item", "bought_by", "user")
SPEC = f"""
schema shop {{
  node item(count = {ITEMS})
  node user(count = {USERS}) {{ x: float[4] }}
  edge user -[buys]-> item reverse bought_by {{ rating: float }}
}}
model m on shop {{
  edges {{ buys, bought_by: LightGCN(8, num_layers = 3ARGUMENTS) }}
  predict user -[buys]-> item: dot
}}
"""


@pytest.mark.parametrize(
    ("written", "given"), [("", {}), (", alpha = 0.5", {"alpha": 0.5}), (", edge_weight = rating", {})]
)
def test_scores_and_gradients_are_those_of_pyg(written: str, given: dict[str, float]) -> None:
    torch.manual_seed(0)
    ours = graphdsl.loads(SPEC.replace("ARGUMENTS", written)).compile("m")
    theirs = models.LightGCN(ITEMS + USERS, 8, 3, **given)
    layer = ours.stages["edges1"].joints[0]
    assert {key: value.shape for key, value in layer.state_dict().items()} == {
        key: value.shape for key, value in theirs.state_dict().items()
    }
    theirs.load_state_dict(layer.state_dict())
    buys = torch.stack([torch.randint(USERS, (20,)), torch.randint(ITEMS, (20,))])
    rating = torch.rand(20)
    # Items come first in the order of types.
    together = torch.stack([buys[0] + ITEMS, buys[1]])
    both = torch.cat([together.flip(0), together], 1)
    pairs = torch.tensor([[0, 5, 3], [8, 1, 0]])
    weighted = {"rating_dict": {BUYS: rating, BOUGHT: rating}} if "rating" in written else {}
    found = ours({}, {BUYS: buys, BOUGHT: buys.flip(0)}, edge_label_index=pairs, **weighted)
    weights = torch.cat([rating, rating]) if weighted else None
    expected = theirs(both, torch.stack([pairs[0] + ITEMS, pairs[1]]), weights)
    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(layer.embedding.weight.grad, theirs.embedding.weight.grad)


def test_nodes_of_a_batch_are_read_by_their_numbers() -> None:
    torch.manual_seed(0)
    model = graphdsl.loads(SPEC.replace("ARGUMENTS", "")).compile("m")
    numbers = {"user": torch.tensor([4, 1]), "item": torch.tensor([7, 0, 2])}
    none = {BUYS: torch.zeros(2, 0, dtype=torch.long), BOUGHT: torch.zeros(2, 0, dtype=torch.long)}
    h = model.encode({}, none, prediction="user -[buys]-> item", n_id_dict=numbers)
    vectors = model.stages["edges1"].joints[0].embedding.weight / 4
    torch.testing.assert_close(h["item"], vectors[numbers["item"]])
    torch.testing.assert_close(h["user"], vectors[ITEMS + numbers["user"]])


def test_behind_another_layer_it_is_refused() -> None:
    text = SPEC.replace("ARGUMENTS", "").replace(
        "  edges {", "  nodes { user: Linear(8)  item: Embedding(8) }\n  edges {"
    )
    with pytest.raises(SpecError) as refused:
        graphdsl.loads(text).compile("m")
    assert [item.code for item in refused.value.diagnostics] == ["GNN512"]
