"""Links predicted behind a `sequential` block: trained, tested, and looked for among all pairs."""

import torch
from test_link_training import run
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.training import BatchSource, find_ends, predict_top

TEXT = """
schema net {
  node user { x: float[5], y: class[5] }
  edge user -[knows]-> user
}
model m on net {
  sequential x, edge_index {
    GraphConv(16): x, edge_index -> x
    relu
    Linear(8): x -> z
    Linear(5): x -> y
  }
  predict user -[knows]-> user from z: bilinear
  predict user.y from y weight 0.1
}
"""


def friends(users: int = 100, each: int = 8) -> HeteroData:
    """People of five groups who know mostly their own."""
    g = torch.Generator().manual_seed(3)
    data = HeteroData()
    group = torch.arange(users) % 5
    data["user"].x = torch.eye(5)[group] + 0.1 * torch.randn(users, 5, generator=g)
    data["user"].y = group
    for number, split in enumerate(("train", "val", "test")):
        data["user"][f"{split}_mask"] = torch.arange(users) % 3 == number
    source = torch.arange(users).repeat_interleave(each)
    target = torch.randint(users // 5, (len(source),), generator=g) * 5 + group[source]
    data["user", "knows", "user"].edge_index = torch.stack([source, target])
    return data


def test_training_and_prediction(tmp_path) -> None:
    data = friends()
    _, scores = run(tmp_path, text=TEXT.replace("y: class[5]", MASKS), data=data, epochs=60)
    assert scores["test_user -[knows]-> user_auroc"] > 0.8
    assert scores["test_user.y_accuracy"] > 0.8


MASKS = "y: class[5], train_mask: mask, val_mask: mask, test_mask: mask"


def test_best_new_pairs(tmp_path) -> None:
    data, text = friends(), TEXT.replace("y: class[5]", MASKS)
    spec = graphdsl.loads(text)
    plan, schema = spec.plan("m", data=data), spec.schema("m")
    torch.manual_seed(0)
    model = spec.compile("m", data=data).eval()
    head = plan.link_heads[0]
    source = BatchSource(data, plan, graphdsl.model.Training("m"), schema)
    ends = find_ends(data, head, schema)
    found = predict_top(model, source, head, ends, 3, torch.device("cpu"))
    assert found.pairs.size(1) == 300
    edges = data["user", "knows", "user"].edge_index
    known = {(int(a), int(b)) for a, b in edges.T}
    assert not known & {(int(a), int(b)) for a, b in found.pairs.T}
    out = model(data["user"].x, edges, edge_label_index=found.pairs)[head.name]
    torch.testing.assert_close(out.detach(), found.outputs.squeeze(-1))
