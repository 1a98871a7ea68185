"""The `CuGraph…` layers hand PyG's own what these ask for; the kernels themselves need a GPU and `pylibcugraphops`."""

import pytest
import torch
from torch_geometric import EdgeIndex
from torch_geometric import nn as pyg
from torch_geometric.nn.conv.cugraph import base, gat_conv, rgcn_conv, sage_conv

import graphdsl
from graphdsl.catalog import packages

SPEC = """
schema s {{
  node a {{ x: float[6], y: class[3] }}
  edge a -[near]-> a
  edge a -[far]-> a
}}

model m on s {{
  edges {{ {rule} }}
  predict a.y
}}
"""
NEAR, FAR = ("a", "near", "a"), ("a", "far", "a")
EDGES = {NEAR: torch.tensor([[0, 1, 2, 4], [1, 1, 3, 3]]), FAR: torch.tensor([[3, 0], [0, 2]])}


@pytest.fixture(autouse=True)
def kernels(monkeypatch):
    """What cuGraph's kernels compute, written plainly; a graph is the edges that PyG would hand them."""
    monkeypatch.setattr(packages, "_is_here", lambda item: True)
    monkeypatch.setattr(base, "HAS_PYLIBCUGRAPHOPS", True)

    def graph(self, edge_index, max_num_neighbors=None):
        assert isinstance(edge_index, EdgeIndex)
        assert edge_index.sparse_size() == (5, 5)
        return edge_index.as_subclass(torch.Tensor)

    def typed(self, edge_index, edge_type, num_edge_types, max_num_neighbors=None):
        return graph(self, edge_index), edge_type, num_edge_types

    def sage(x, edges, aggr):
        assert aggr == "mean"
        return torch.cat([pyg.SimpleConv(aggr="mean")(x, edges), x], dim=1)

    def gat(x, att, edges, heads, activation, slope, concat, edge_feat):
        assert (activation, edge_feat) == ("LeakyReLU", None)
        source, target = att.view(2, heads, -1)
        h = x.view(len(x), heads, -1)
        score = (h * source).sum(-1)[edges[0]] + (h * target).sum(-1)[edges[1]]
        weight = torch.exp(torch.nn.functional.leaky_relu(score, slope))
        total = torch.zeros(len(x), heads).index_add(0, edges[1], weight)
        message = h[edges[0]] * (weight / total[edges[1]]).unsqueeze(-1)
        out = torch.zeros_like(h).index_add(0, edges[1], message)
        return out.flatten(1) if concat else out.mean(1)

    def rgcn(x, comp, given, concat_own, norm_by_out_degree):
        edges, kind, count = given
        assert comp is None
        assert norm_by_out_degree
        parts = [pyg.SimpleConv(aggr="mean")(x, edges[:, kind == number]) for number in range(count)]
        return torch.cat([*parts, *([x] if concat_own else [])], dim=1)

    monkeypatch.setattr(base.CuGraphModule, "get_cugraph", graph)
    monkeypatch.setattr(base.CuGraphModule, "get_typed_cugraph", typed)
    monkeypatch.setattr(sage_conv, "SAGEConvAgg", sage, raising=False)
    monkeypatch.setattr(gat_conv, "GATConvAgg", gat, raising=False)
    monkeypatch.setattr(gat_conv, "LEGACY_MODE", False, raising=False)
    monkeypatch.setattr(rgcn_conv, "RGCNConvAgg", rgcn, raising=False)


def compiled(rule: str):
    torch.manual_seed(0)
    model = graphdsl.loads(SPEC.format(rule=rule)).compile("m")
    x = torch.randn(5, 6)
    return model, x, model.encode({"a": x}, EDGES, prediction="a.y")["a"]


def test_sage_is_that_of_pyg() -> None:
    model, x, made = compiled("near: CuGraphSAGEConv(4)")
    theirs, (ours,) = pyg.SAGEConv(6, 4), model.stages["edges1"].conv.convs.values()
    with torch.no_grad():
        theirs.lin_l.weight.copy_(ours.lin.weight[:, :6])
        theirs.lin_r.weight.copy_(ours.lin.weight[:, 6:])
        theirs.lin_l.bias.copy_(ours.lin.bias)
    torch.testing.assert_close(made, theirs(x, EDGES[NEAR]))


@pytest.mark.parametrize("concat", [True, False])
def test_gat_is_that_of_pyg(concat) -> None:
    model, x, made = compiled(f"near: CuGraphGATConv(4, heads = 2, concat = {str(concat).lower()})")
    theirs = pyg.GATConv(6, 4, heads=2, concat=concat, add_self_loops=False)
    (ours,) = model.stages["edges1"].conv.convs.values()
    source, target = ours.att.detach().view(2, 1, 2, 4)
    with torch.no_grad():
        theirs.lin.weight.copy_(ours.lin.weight)
        theirs.att_src.copy_(source)
        theirs.att_dst.copy_(target)
    torch.testing.assert_close(made, theirs(x, EDGES[NEAR]))


def test_rgcn_is_that_of_pyg() -> None:
    model, x, made = compiled("near, far: CuGraphRGCNConv(4)")
    theirs, ours = pyg.RGCNConv(6, 4, 2), model.stages["edges1"].joints[0]
    with torch.no_grad():
        theirs.weight.copy_(ours.weight[:2])
        theirs.root.copy_(ours.weight[2])
    order = sorted(EDGES)  # relations are numbered in sorted order
    kind = torch.cat([torch.full((EDGES[edge].size(1),), number) for number, edge in enumerate(order)])
    torch.testing.assert_close(made, theirs(x, torch.cat([EDGES[edge] for edge in order], 1), kind))
