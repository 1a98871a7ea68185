"""Attention on request: that of PyG's own layers with the same weights; shares that sum to 1."""

import pytest
import torch
from torch import Tensor
from torch_geometric.data import HeteroData
from torch_geometric.utils import scatter

import graphdsl
from graphdsl.backends import AttentionWeights, recording
from graphdsl.data import batch_inputs

SCHEMA = """
schema library {
  node author     { x: float[6], y: class[3] }
  node "web page" { x: float[6] }
  edge author -[writes]-> "web page"  reverse written_by { order: float }
  edge author -[knows]-> author
  edge author -[likes]-> author
  metapath AWA = author -[writes]-> "web page" <-[writes]- author
}
"""
KNOWS, LIKES = ("author", "knows", "author"), ("author", "likes", "author")
WRITES, WRITTEN = ("author", "writes", "web page"), ("web page", "written_by", "author")


@pytest.fixture
def data() -> HeteroData:
    torch.manual_seed(0)
    made = HeteroData()
    made["author"].x, made["web page"].x = torch.randn(9, 6), torch.randn(7, 6)
    made[KNOWS].edge_index, made[LIKES].edge_index = torch.randint(9, (2, 20)), torch.randint(9, (2, 11))
    made[WRITES].edge_index = torch.stack([torch.randint(9, (18,)), torch.randint(7, (18,))])
    made[WRITES].order = torch.rand(18)
    return made


def run(block: str, data: HeteroData) -> tuple[torch.nn.Module, AttentionWeights, dict]:
    torch.manual_seed(1)
    model = graphdsl.loads(SCHEMA + f"model m on library {{ {block} predict author.y }}").compile().eval()
    inputs = batch_inputs(data, model.plan)
    before = model(**inputs)
    with recording(model) as found:
        torch.testing.assert_close(model(**inputs), before, rtol=1e-5, atol=1e-6)
    count = len(found.edges)
    model(**inputs)
    assert len(found.edges) == count
    assert not any(
        module._message_forward_hooks for module in model.modules() if hasattr(module, "_message_forward_hooks")
    )
    return model, found, inputs


def sums(target: Tensor, weight: Tensor) -> Tensor:
    """Weights into each node that receives any, by head."""
    total = scatter(weight, target, reduce="sum")
    return total[scatter(torch.ones_like(target), target, reduce="sum") > 0]


def assert_shares(target: Tensor, weight: Tensor) -> None:
    found = sums(target, weight)
    torch.testing.assert_close(found, torch.ones_like(found))


EDGEWISE = [
    ("GATConv(4, heads = 2)", 2),
    ("GATv2Conv(4, heads = 2, concat = false)", 2),
    ("TransformerConv(4, heads = 2)", 2),
    ("SuperGATConv(4, heads = 2)", 2),
    ("AGNNConv()", 1),
]


@pytest.mark.filterwarnings("ignore:.*GNN320")
@pytest.mark.parametrize(("layer", "heads"), EDGEWISE, ids=[layer for layer, _ in EDGEWISE])
def test_weights_of_edges_sum_to_one(layer: str, heads: int, data: HeteroData) -> None:
    _, found, _ = run(f"edges {{ knows, likes: {layer} }}", data)
    assert set(found.edges) == {("edges1", KNOWS), ("edges1", LIKES)}
    for item in found.edges.values():
        assert item.weight.shape == (item.edge_index.size(1), heads)
        assert not item.weight.requires_grad
        assert_shares(item.edge_index[1], item.weight)


@pytest.mark.parametrize("layer", ["GATConv", "GATv2Conv", "TransformerConv"])
def test_equal_to_what_pyg_returns(layer: str, data: HeteroData) -> None:
    model, found, inputs = run(f"edges {{ written_by: {layer}(4, heads = 2, edge_attr = order) }}", data)
    conv = model.stages["edges1"].conv.convs["<webZ20Zpage___written_by___author>"]
    x = data["web page"].x, data["author"].x
    index = inputs["edge_index_dict"][WRITTEN]
    order = inputs["order_dict"][WRITTEN].view(-1, 1)
    _, (edges, alpha) = conv(x, index, order, return_attention_weights=True)
    item = found.edges["edges1", WRITTEN]
    torch.testing.assert_close(item.weight, alpha.detach())
    assert torch.equal(item.edge_index, edges)


def test_shared_layers_and_repeats_are_told_apart(data: HeteroData) -> None:
    block = "nodes { *: Linear(6) } repeat 2 share { edges { *: share GATConv(6) } | relu }"
    _, found, inputs = run(block, data)
    stages = {stage for stage, _ in found.edges}
    assert len(stages) == 2
    for (_, edge), item in found.edges.items():
        assert item.edge_index.size(1) == inputs["edge_index_dict"][edge].size(1)
        assert_shares(item.edge_index[1], item.weight)


def test_hgt_shares_over_all_relations_into_a_type(data: HeteroData) -> None:
    _, found, inputs = run("edges { *: HGTConv(4, heads = 2) }", data)
    into = [edge for _, edge in found.edges if edge[2] == "author"]
    assert set(into) == {KNOWS, LIKES, WRITTEN}
    items = [found.edges["edges1", edge] for edge in into]
    for edge, item in zip(into, items, strict=True):
        assert torch.equal(item.edge_index, inputs["edge_index_dict"][edge])
    assert_shares(torch.cat([item.edge_index[1] for item in items]), torch.cat([item.weight for item in items]))


def test_rgat_shares_over_all_relations(data: HeteroData) -> None:
    _, found, _ = run("edges { *: RGATConv(4, heads = 2) }", data)
    items = [item for (_, edge), item in found.edges.items() if edge[2] == "author"]
    assert len(items) == 3
    assert_shares(torch.cat([item.edge_index[1] for item in items]), torch.cat([item.weight for item in items]))


def test_han_at_both_levels(data: HeteroData) -> None:
    model, found, inputs = run("edges { AWA, knows: HANConv(4, heads = 2)  likes: GATConv(4) }", data)
    awa = ("author", "AWA", "author")
    assert set(found.edges) == {("edges1", edge) for edge in (awa, KNOWS, LIKES)}
    for item in found.edges.values():
        assert_shares(item.edge_index[1], item.weight)
    shares = found.relations["edges1", "author"]
    assert list(shares) == [(awa,), (KNOWS,)]
    (conv,) = model.stages["edges1"].joints
    edges = {edge: inputs["edge_index_dict"][edge] for edge in (awa, KNOWS)}
    _, semantic = conv({"author": data["author"].x}, edges, return_semantic_attention_weights=True)
    torch.testing.assert_close(torch.stack(list(shares.values())), semantic["author"].detach())


def test_combine_attention(data: HeteroData) -> None:
    block = "edges { AWA: HANConv(4)  knows, likes: SAGEConv(4)  written_by: GATConv(4) } combine attention(hidden = 3)"
    _, found, _ = run(block, data)
    shares = found.relations["edges1", "author"]
    assert len(shares) == 4
    torch.testing.assert_close(sum(shares.values()), torch.tensor(1.0))
    assert {edge for _, edge in found.edges} == {("author", "AWA", "author"), WRITTEN}


def test_combine_attention_of_each_node(data: HeteroData) -> None:
    _, found, _ = run('edges { knows, likes: SAGEConv(4) } combine attention(hidden = 3, per = "node")', data)
    shares = found.relations["edges1", "author"]
    assert [share.shape for share in shares.values()] == [(9,), (9,)]
    torch.testing.assert_close(sum(shares.values()), torch.ones(9))


@pytest.mark.parametrize("layer", ["SimpleHGNConv(4, heads = 2)", "HetSANNConv(4, heads = 2)"])
@pytest.mark.parametrize("loops", [True, False])
def test_shares_over_all_relations_and_the_loop(layer: str, loops: bool, data: HeteroData) -> None:
    layer = layer if loops else layer[:-1] + ", add_self_loops = false)"
    _, found, inputs = run(f"edges {{ *: {layer} }}", data)
    into = [edge for _, edge in found.edges if edge[2] == "author"]
    assert set(into) == {KNOWS, LIKES, WRITTEN}
    items = [found.edges["edges1", edge] for edge in into]
    for edge, item in zip(into, items, strict=True):
        index = inputs["edge_index_dict"][edge]
        removed = loops and layer.startswith("Simple") and edge != WRITTEN
        assert torch.equal(item.edge_index, index[:, index[0] != index[1]] if removed else index)
        assert item.weight.shape == (item.edge_index.size(1), 2)
    target = torch.cat([item.edge_index[1] for item in items])
    weight = torch.cat([item.weight for item in items])
    assert set(found.loops) == ({("edges1", "author"), ("edges1", "web page")} if loops else set())
    if loops:
        target, weight = torch.cat([target, torch.arange(9)]), torch.cat([weight, found.loops["edges1", "author"]])
    assert_shares(target, weight)


def test_every_layer_of_a_module_has_its_record(data: HeteroData) -> None:
    model, found, _ = run("edges { *: SimpleHGNConv(4, num_layers = 2, heads = 2, beta = 0.4) }", data)
    assert {stage for stage, _ in found.edges} == {"edges1.layers.0", "edges1.layers.1"}
    assert {stage.removeprefix("edges1.") for stage, _ in found.edges} <= {
        name for name, _ in model.stages["edges1"].joints[0].named_modules()
    }
    first, second = (found.edges[f"edges1.layers.{number}", WRITTEN].weight for number in (0, 1))
    assert not torch.equal(first, second)


def test_attention_of_rhgnn_within_relations_and_across(data: HeteroData) -> None:
    _, found, _ = run("edges { *: RHGNNConv(4, num_layers = 1, heads = 2) }", data)
    for edge in (KNOWS, LIKES, WRITTEN, WRITES):
        item = found.edges["edges1", edge]
        assert_shares(item.edge_index[1], item.weight)
    shares = found.relations["edges1", "author"]
    assert set(shares) == {(KNOWS,), (LIKES,), (WRITTEN,)}
    assert {share.shape for share in shares.values()} == {(9, 2)}
    torch.testing.assert_close(sum(shares.values()), torch.ones(9, 2))


def test_attention_of_iehgcn_over_relations_and_the_node_itself(data: HeteroData) -> None:
    model, found, inputs = run("edges { *: IEHGCNConv(4) }", data)
    shares = found.relations["edges1", "author"]
    assert set(shares) == {(), (KNOWS,), (LIKES,), (WRITTEN,)}
    torch.testing.assert_close(sum(shares.values()), torch.ones(9))
    # What a relation brings without edges is nothing: its share then multiplies zeros.
    (conv,) = model.stages["edges1"].joints
    assert conv.targets[0] == "author"
    own = conv.lin_self["author"](data["author"].x)
    bare = {edge: index[:, :0] for edge, index in inputs["edge_index_dict"].items()}
    with recording(model) as again:
        out = model.encode(data.x_dict, bare)["author"]
    expected = again.relations["edges1", "author"][()].unsqueeze(-1) * own + conv.bias[0]
    torch.testing.assert_close(out, expected)


def test_attention_in_a_sequential_block() -> None:
    torch.manual_seed(0)
    steps = "GATConv(4, heads = 2): x, edge_index -> x  relu  SAGEConv(4): x, edge_index -> x  GATv2Conv(2): x, edge_index -> x"
    model = graphdsl.loads(
        "schema s { node a { x: float[6], y: class[2] } edge a -[r]-> a }"
        f" model m on s {{ sequential x, edge_index {{ {steps} }} predict a.y }}"
    ).compile()
    model.eval()
    x, index = torch.randn(9, 6), torch.randint(9, (2, 20))
    before = model(x, index)
    with recording(model) as found:
        torch.testing.assert_close(model(x, index), before, rtol=1e-5, atol=1e-6)
    edge = ("a", "r", "a")
    assert set(found.edges) == {("module_0", edge), ("module_3", edge)}
    _, (edges, alpha) = model[0](x, index, return_attention_weights=True)
    item = found.edges["module_0", edge]
    torch.testing.assert_close(item.weight, alpha.detach())
    assert torch.equal(item.edge_index, edges)
    model(x, -index.flip(0) % 9)
    assert found.edges["module_0", edge] is item


def test_attention_inside_a_wrapper(data: HeteroData) -> None:
    _, found, _ = run("edges { knows: GPSConv(GATConv(3, heads = 2), heads = 2) }", data)
    assert set(found.edges) == {("edges1", KNOWS)}
    assert_shares(found.edges["edges1", KNOWS].edge_index[1], found.edges["edges1", KNOWS].weight)
