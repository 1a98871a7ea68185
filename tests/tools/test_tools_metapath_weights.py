"""How much metapaths, their instances and hops counted: shares that sum to 1, and give the layer's result again."""

import copy
import pickle

import pytest
import torch
from test_tools_attention import KNOWS, LIKES, SCHEMA, WRITES, WRITTEN, assert_shares, data, run
from torch_geometric.data import HeteroData
from torch_geometric.utils import scatter

import graphdsl
from graphdsl.backends import recording
from graphdsl.data import batch_inputs

__all__ = ["data"]
AWA = ("author", "AWA", "author")


def test_instances_and_metapaths_of_magnn(data: HeteroData) -> None:
    model, found, _ = run('edges { AWA, knows: MAGNNConv(4, heads = 2, encoder = "mean") }', data)
    assert set(found.instances) == {("edges1", AWA), ("edges1", KNOWS)}
    written = data[WRITES].edge_index.T.tolist()
    item = found.instances["edges1", AWA]
    assert item.weight.shape == (item.nodes.size(1), 2)
    assert_shares(item.nodes[-1], item.weight)
    pages = {page for _, page in written}
    wanted = sorted((a, p, b) for p in pages for a, q in written if q == p for b, r in written if r == p)
    assert sorted(map(tuple, item.nodes.T.tolist())) == wanted
    shares = found.relations["edges1", "author"]
    assert set(shares) == {(AWA,), (KNOWS,)}
    assert float(sum(shares.values())) == pytest.approx(1)
    # The layer's result, from the weights.
    arrived = []
    for key, stops in ((AWA, ("author", "web page", "author")), (KNOWS, ("author", "author"))):
        held = found.instances["edges1", key]
        means = torch.stack([data[name].x[row] for name, row in zip(stops, held.nodes, strict=True)]).mean(0)
        weighed = held.weight.unsqueeze(-1) * means.unsqueeze(1)
        rows = scatter(weighed, held.nodes[-1], dim_size=9, reduce="sum")
        arrived.append(shares[key,] * torch.nn.functional.elu(rows).flatten(1))
    layer = model.stages["edges1"].joints[0].targets["author"]
    wanted = layer.lin(torch.stack(arrived).sum(0))
    state = model.encode(**batch_inputs(data, model.plan))
    torch.testing.assert_close(state["author"], wanted)


def test_attention_among_metapaths_of_sehgnn(data: HeteroData) -> None:
    _, found, _ = run("edges { AWA, knows, written_by: SeHGNNConv(8, heads = 2) }", data)
    item = found.fused["edges1", "author"]
    assert item.inputs[0] == ("x", None)
    assert set(item.inputs[1:]) == {("x", AWA), ("x", KNOWS), ("x", WRITTEN)}
    assert item.weight.shape == (9, 2, 4, 4)
    torch.testing.assert_close(item.weight.sum(-1), torch.ones(9, 2, 4))


@pytest.mark.parametrize("layer", ["FastGTNConv", "GTNConv"])
def test_relations_at_each_hop_of_learned_metapaths(layer: str, data: HeteroData) -> None:
    model, found, _ = run(f"edges {{ *: {layer}(4, num_channels = 3, num_layers = 2) }}", data)
    choice = model.stages["edges1"].joints[0].choice.detach().softmax(-1)
    assert set(found.hops) == {("edges1", hop) for hop in range(1, len(choice) + 1)}
    for shares in found.hops.values():
        assert set(shares) == {(KNOWS,), (LIKES,), (WRITES,), (WRITTEN,), ()}
        torch.testing.assert_close(torch.stack([*shares.values()]).sum(0), torch.ones(3))
    first = choice[0] if layer == "FastGTNConv" else choice[-1]  # GTNConv multiplies matrices from the left
    torch.testing.assert_close(found.hops["edges1", 1][()], first[:, -1])


def test_subsets_of_nars(data: HeteroData) -> None:
    model, found, _ = run("edges { *: NARSConv(4, num_hops = 2, num_subsets = 3) }", data)
    layer = model.stages["edges1"].joints[0]
    assert set(found.hops) == {("edges1", 0), ("edges1", 1), ("edges1", 2)}
    for (_, hop), weights in found.hops.items():
        assert len(weights) == 3
        torch.testing.assert_close(torch.stack([*weights.values()]), layer.weight[hop].detach())
    order = [edge for edge in model.plan.relations if any(edge in subset for subset in found.hops["edges1", 1])]
    inside = [[edge in subset for edge in order] for subset in found.hops["edges1", 1]]
    assert sorted(map(sum, inside)) == sorted(layer.subsets.sum(1).tolist())


def test_names_that_containers_refuse_and_turns_of_a_repeat(data: HeteroData) -> None:
    block = 'metapath PAP = "web page" <-[writes]- author -[writes]-> "web page" }'
    schema = SCHEMA.rstrip().removesuffix("}") + block
    text = (
        schema
        + """model m on library {
      repeat 2 share { edges { PAP, AWA: MAGNNConv(6) } }
      edges { written_by: SAGEConv(4) } predict author.y }"""
    )
    model = graphdsl.loads(text).compile().eval()
    with recording(model) as found:
        model(**batch_inputs(data, model.plan))
    pap = ("web page", "PAP", "web page")
    assert len({stage for stage, _ in found.instances}) == 2
    assert any(key == pap for _, key in found.instances)
    assert any(name == "web page" for _, name in found.relations)
    copy.deepcopy(model)
    pickle.dumps(model.stages)
