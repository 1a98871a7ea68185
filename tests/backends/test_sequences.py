"""Compiled `sequential` blocks against `Sequential`s of PyG written by hand: same weights, same numbers and gradients."""

import copy
import io

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.nn import (
    DenseGCNConv,
    DenseSAGEConv,
    DNAConv,
    GATConv,
    GCN2Conv,
    GCNConv,
    JumpingKnowledge,
    Linear,
    SAGPooling,
    Sequential,
    TopKPooling,
    dense_diff_pool,
    global_mean_pool,
)
from torch_geometric.utils import to_dense_adj, to_dense_batch

import graphdsl
from graphdsl.text import SpecError

SCHEMA = """
schema mutag {
  node atom { x: float[7], charge: real[3] }
  edge atom -[bond]-> atom { edge_attr: float[4], w: float }
  graph { y: class[2] }
}
"""
SIZES = (6, 4, 5)


@pytest.fixture
def graphs() -> dict[str, Tensor]:
    """Three graphs in one batch."""
    torch.manual_seed(0)
    batch = torch.repeat_interleave(torch.arange(len(SIZES)), torch.tensor(SIZES))
    edges, start = [], 0
    for size in SIZES:
        edges.append(start + torch.stack([torch.randperm(size).repeat(3), torch.arange(size).repeat(3)]))
        start += size
    edge_index = torch.cat(edges, 1)
    count = edge_index.size(1)
    return {
        "x": torch.randn(start, 7, requires_grad=True),
        "edge_index": edge_index,
        "batch": batch,
        "edge_attr": torch.randn(count, 4),
        "w": torch.rand(count),
    }


def compiled(block: str, **parameters):
    spec = graphdsl.loads(SCHEMA + f"model m on mutag {{ {block} }}")
    assert not spec.findings
    return spec.compile("m", **parameters)


def compare(model, by_hand, graphs: dict[str, Tensor], names: tuple[str, ...]) -> None:
    """Same numbers and gradients with the weights of the compiled model."""
    by_hand.load_state_dict(model.state_dict())
    inputs = [graphs[name] for name in names]
    model.eval()
    by_hand.eval()
    ours, theirs = model(*inputs), by_hand(*inputs)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(model(**dict(zip(names, inputs, strict=True))), theirs)
    target = torch.randn_like(ours)
    grads = [
        torch.autograd.grad((out * target).sum(), [graphs["x"], *module.parameters()], allow_unused=True)
        for out, module in ((ours, model), (theirs, by_hand))
    ]
    for mine, other in zip(*grads, strict=True):
        assert (mine is None) == (other is None)
        if mine is not None:
            torch.testing.assert_close(mine, other)


def test_graphs_with_top_k_pooling(graphs) -> None:
    model = compiled("""
      sequential x, edge_index, batch {
        GCNConv(16): x, edge_index -> x
        relu
        TopKPooling(ratio = 0.8): x, edge_index, none, batch -> x, edge_index, _, batch, _, _
        GCNConv(16): x, edge_index -> x
        global_mean_pool: x, batch -> x
        Linear(2)
      } predict graph.y""")
    by_hand = Sequential(
        "x, edge_index, batch",
        [
            (GCNConv(7, 16), "x, edge_index -> x"),
            nn.ReLU(),
            (TopKPooling(16, ratio=0.8), "x, edge_index, None, batch -> x, edge_index, _, batch, _, _"),
            (GCNConv(16, 16), "x, edge_index -> x"),
            (global_mean_pool, "x, batch -> x"),
            nn.Linear(16, 2),
        ],
    )
    assert isinstance(model, Sequential)
    assert repr(model).splitlines()[3] == repr(by_hand).splitlines()[3]
    compare(model, by_hand, graphs, ("x", "edge_index", "batch"))
    assert model(graphs["x"], graphs["edge_index"], graphs["batch"]).shape == (3, 2)


def test_nodes_with_edge_attributes_and_weights(graphs) -> None:
    model = compiled("""
      sequential x, edge_index, edge_attr, w {
        GATConv(8, heads = 2): x, edge_index, edge_attr -> x0
        elu: x0 -> x
        GCN2Conv(16, alpha = 0.1): x, x0, edge_index, w -> x
        Linear(3)
      } predict atom.charge""")
    by_hand = Sequential(
        "x, edge_index, edge_attr, w",
        [
            (GATConv(7, 8, heads=2, edge_dim=4), "x, edge_index, edge_attr -> x0"),
            (nn.ELU(), "x0 -> x"),
            (GCN2Conv(16, alpha=0.1), "x, x0, edge_index, w -> x"),
            (nn.Linear(16, 3), "x -> x"),
        ],
    )
    compare(model, by_hand, graphs, ("x", "edge_index", "edge_attr", "w"))


def test_dense_pooling(graphs) -> None:
    model = compiled("""
      sequential x, edge_index, batch {
        to_dense_batch: x, batch -> x, mask
        to_dense_adj: edge_index, batch -> adj
        DenseSAGEConv(3): x, adj, mask -> s
        DenseSAGEConv(16): x, adj, mask -> x
        relu
        dense_diff_pool: x, adj, s, mask -> x, adj, link, ent
        DenseGCNConv(8): x, adj -> x
        dense_mean_pool: x -> x
        Linear(2)
      } penalty link penalty ent predict graph.y""")
    by_hand = Sequential(
        "x, edge_index, batch",
        [
            (to_dense_batch, "x, batch -> x, mask"),
            (to_dense_adj, "edge_index, batch -> adj"),
            (DenseSAGEConv(7, 3), "x, adj, mask -> s"),
            (DenseSAGEConv(7, 16), "x, adj, mask -> x"),
            (nn.ReLU(), "x -> x"),
            (dense_diff_pool, "x, adj, s, mask -> x, adj, a, b"),
            (DenseGCNConv(16, 8), "x, adj -> x"),
            (lambda x: x.mean(dim=1), "x -> x"),
            nn.Linear(8, 2),
        ],
    )
    compare(model, by_hand, graphs, ("x", "edge_index", "batch"))


class Listed(JumpingKnowledge):
    """What a lambda does in PyG's documentation."""

    def forward(self, *xs: Tensor) -> Tensor:
        return super().forward(list(xs))


@pytest.mark.parametrize("mode", ["cat", "max", "lstm"])
def test_jumping_knowledge(graphs, mode: str) -> None:
    model = compiled(f"""
      sequential x, edge_index, batch {{
        GCNConv(8): x, edge_index -> x1
        relu
        GCNConv(8): x1, edge_index -> x2
        jump(mode = "{mode}"): x1, x2 -> x
        global_mean_pool: x, batch -> x
        Linear(2)
      }} predict graph.y""")
    by_hand = Sequential(
        "x, edge_index, batch",
        [
            (GCNConv(7, 8), "x, edge_index -> x1"),
            (nn.ReLU(), "x1 -> x1"),
            (GCNConv(8, 8), "x1, edge_index -> x2"),
            (Listed(mode, 8, 2), "x1, x2 -> x"),
            (global_mean_pool, "x, batch -> x"),
            nn.Linear(16 if mode == "cat" else 8, 2),
        ],
    )
    compare(model, by_hand, graphs, ("x", "edge_index", "batch"))


def test_pooled_edge_attributes(graphs) -> None:
    model = compiled("""
      sequential x, edge_index, edge_attr, batch {
        SAGPooling(ratio = 2): x, edge_index, edge_attr, batch -> x, edge_index, edge_attr, batch, _, _
        GATConv(8): x, edge_index, edge_attr -> x
        global_mean_pool: x, batch -> x
        Linear(2)
      } predict graph.y""")
    by_hand = Sequential(
        "x, edge_index, edge_attr, batch",
        [
            (
                SAGPooling(7, ratio=2),
                "x, edge_index, edge_attr, batch -> x, edge_index, edge_attr, batch, perm, score",
            ),
            (GATConv(7, 8, edge_dim=4), "x, edge_index, edge_attr -> x"),
            (global_mean_pool, "x, batch -> x"),
            nn.Linear(8, 2),
        ],
    )
    compare(model, by_hand, graphs, ("x", "edge_index", "edge_attr", "batch"))


@pytest.mark.parametrize("join", ["add", "mul", "mean", "max"])
def test_joins(graphs, join: str) -> None:
    model = compiled(f"""
      sequential x, edge_index {{
        GCNConv(3): x, edge_index -> x1
        GCNConv(3): x, edge_index -> x2
        {join}: x1, x2 -> x
      }} predict atom.charge""")
    x, edge_index = graphs["x"], graphs["edge_index"]
    both = torch.stack([model[0](x, edge_index), model[1](x, edge_index)])
    expected = {"add": both.sum(0), "mul": both.prod(0), "mean": both.mean(0), "max": both.amax(0)}[join]
    torch.testing.assert_close(model(x, edge_index), expected)


def test_shared_repeats_have_one_set_of_weights(graphs) -> None:
    model = compiled("""
      sequential x, edge_index {
        Linear(3): x -> x
        repeat 3 share { GCNConv(3): x, edge_index -> x  relu }
      } predict atom.charge""")
    assert list(model.state_dict()) == ["module_0.weight", "module_0.bias", "module_1.bias", "module_1.lin.weight"]
    x, edge_index = graphs["x"], graphs["edge_index"]
    expected = model[0](x)
    for _ in range(3):
        expected = model[1](expected, edge_index).relu()
    torch.testing.assert_close(model(x, edge_index), expected)
    copied = copy.deepcopy(model)
    with torch.no_grad():
        copied.module_1.bias.add_(1)
    assert not torch.allclose(copied(x, edge_index), model(x, edge_index))
    stored = io.BytesIO()
    torch.save(model.state_dict(), stored)
    stored.seek(0)
    copied.load_state_dict(torch.load(stored, weights_only=True))
    torch.testing.assert_close(copied(x, edge_index), model(x, edge_index))


def test_two_models_of_one_seed_stay_apart(graphs) -> None:
    """PyG sets a rendered forward pass on the class; ours is written out."""
    import random

    random.seed(1)
    first = compiled("sequential x, edge_index { GCNConv(3): x, edge_index -> x  relu } predict atom.charge")
    random.seed(1)
    second = compiled("sequential x, edge_index { GCNConv(3): x, edge_index -> x  tanh } predict atom.charge")
    second.load_state_dict(first.state_dict())
    x, edge_index = graphs["x"], graphs["edge_index"]
    torch.testing.assert_close(first(x, edge_index), first[0](x, edge_index).relu())
    torch.testing.assert_close(second(x, edge_index), first[0](x, edge_index).tanh())


def test_without_batch_there_is_one_graph(graphs) -> None:
    model = compiled("""
      sequential x, batch {
        GraphNorm: x, batch -> x
        global_mean_pool: x, batch -> x
        Linear(2)
      } predict graph.y""")
    x = graphs["x"]
    torch.testing.assert_close(model(x), model(x, torch.zeros(len(x), dtype=torch.long)))


def test_batch_size_counts_empty_graphs(graphs) -> None:
    model = compiled("""
      sequential x, batch, batch_size {
        global_mean_pool: x, batch, batch_size -> x
        Linear(2)
      }
      predict graph.y""")
    assert model(graphs["x"], graphs["batch"], 5).shape == (5, 2)


def test_calls_that_do_not_fit(graphs) -> None:
    model = compiled("sequential x, edge_index { GCNConv(3): x, edge_index -> x } predict atom.charge")
    x, edge_index = graphs["x"], graphs["edge_index"]
    with pytest.raises(TypeError, match="takes 2 arguments"):
        model(x, edge_index, None)
    with pytest.raises(TypeError, match="does not read 'batch'"):
        model(x, edge_index, batch=None)
    with pytest.raises(TypeError, match="multiple values for argument 'x'"):
        model(x, edge_index, x=x)
    with pytest.raises(SpecError) as missing:
        model(x)
    assert missing.value.diagnostics[0].message == "the model was called without `edge_index`"
    with pytest.raises(SpecError) as narrow:
        model(x[:, :5], edge_index)
    assert narrow.value.diagnostics[0].message == "`x` has 5 columns, the model reads 7"
    with pytest.raises(RuntimeError) as failed:
        model(x, edge_index + 100)
    assert any("`GCNConv` of model `m`" in note for note in failed.value.__notes__)


def test_an_edge_attribute_of_one_column_serves_weights_and_features(graphs) -> None:
    model = compiled("""
      sequential x, edge_index, w {
        GCNConv(8): x, edge_index, w -> x
        GATConv(3): x, edge_index, w -> x
      } predict atom.charge""")
    x, edge_index, w = (graphs[name] for name in ("x", "edge_index", "w"))
    torch.testing.assert_close(model(x, edge_index, w), model(x, edge_index, w.view(-1, 1)))


def test_a_u_net_written_by_hand(graphs) -> None:
    model = compiled("""
      sequential x, edge_index, batch {
        GCNConv(8): x, edge_index -> x0
        relu
        TopKPooling(ratio = 0.6): x0, edge_index, none, batch -> x1, e1, _, b1, p1, _
        GCNConv(8): x1, e1 -> x1
        TopKPooling(ratio = 2): x1, e1, none, b1 -> x2, e2, _, _, p2, _
        GCNConv(8): x2, e2 -> x2
        unpool: x2, p2, x1 -> up
        add: x1, up -> x1
        GCNConv(8): x1, e1 -> x1
        unpool: x1, p1, x0 -> up
        cat: x0, up -> x
        GCNConv(3): x, edge_index -> x
      } predict atom.charge""")

    class ByHand(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module_0, self.module_2 = GCNConv(7, 8), TopKPooling(8, 0.6)
            self.module_3, self.module_4 = GCNConv(8, 8), TopKPooling(8, 2)
            self.module_5, self.module_8, self.module_11 = GCNConv(8, 8), GCNConv(8, 8), GCNConv(16, 3)

        def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor) -> Tensor:
            x0 = self.module_0(x, edge_index).relu()
            x1, e1, _, b1, p1, _ = self.module_2(x0, edge_index, None, batch)
            x1 = self.module_3(x1, e1)
            x2, e2, _, _, p2, _ = self.module_4(x1, e1, None, b1)
            up = torch.zeros_like(x1)
            up[p2] = self.module_5(x2, e2)
            x1 = self.module_8(x1 + up, e1)
            up = torch.zeros_like(x0)
            up[p1] = x1
            return self.module_11(torch.cat([x0, up], -1), edge_index)

    compare(model, ByHand(), graphs, ("x", "edge_index", "batch"))


def test_a_stack_of_values(graphs) -> None:
    model = compiled("""
      sequential x, edge_index, w {
        Linear(8): x -> x0
        stack: x0 -> s
        DNAConv(heads = 2): s, edge_index, w -> x1
        stack: x0, x1 -> s
        DNAConv: s, edge_index -> x2
        Linear(3)
      } predict atom.charge""")

    class ByHand(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module_0, self.module_2, self.module_4 = Linear(7, 8), DNAConv(8, heads=2), DNAConv(8)
            self.module_5 = Linear(8, 3)

        def forward(self, x: Tensor, edge_index: Tensor, w: Tensor) -> Tensor:
            x0 = self.module_0(x)
            x1 = self.module_2(x0.unsqueeze(1), edge_index, w)
            return self.module_5(self.module_4(torch.stack([x0, x1], 1), edge_index))

    compare(model, ByHand(), graphs, ("x", "edge_index", "w"))
