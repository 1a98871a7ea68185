"""From the text of a spec to a module: the front end and this backend together."""

import pytest
import torch
from torch_geometric import nn as pyg
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.text import SpecError

LIBRARY = """
schema library {
  node author { x: float[5], y: class[3] }
  node paper  { x: float[7] }
  optional node venue(count = 4)
  edge author -[writes]-> paper  reverse written_by { order: float[2], share: float }
  edge paper -[cites]-> paper    reverse cited_by
  optional edge paper -[appears_in]-> venue  reverse publishes { year: float[3] }
  metapath APA = author -[writes]-> paper <-[writes]- author
  metapath AVA(count) = author -[writes]-> paper -[appears_in]-> venue <-[appears_in]- paper -[written_by]-> author
}
"""


def compile_model(body: str, **options) -> torch.nn.Module:
    torch.manual_seed(0)
    return graphdsl.loads(f"{LIBRARY}\nmodel m on library {{ {body} }}", "library.gnn").compile("m", **options)


def library() -> HeteroData:
    torch.manual_seed(1)
    data = HeteroData()
    data["author"].x, data["paper"].x = torch.randn(6, 5), torch.randn(9, 7)
    data["venue"].num_nodes = 4
    data["author", "writes", "paper"].edge_index = torch.stack([torch.randint(6, (20,)), torch.randint(9, (20,))])
    data["author", "writes", "paper"].order = torch.randn(20, 2)
    data["author", "writes", "paper"].share = torch.rand(20)
    data["paper", "cites", "paper"].edge_index = torch.randint(9, (2, 15))
    data["paper", "appears_in", "venue"].edge_index = torch.stack([torch.arange(9), torch.randint(4, (9,))])
    data["paper", "appears_in", "venue"].year = torch.randn(9, 3)
    return data


def call(model: torch.nn.Module, data: HeteroData, **changes):
    return model(data.x_dict, data.edge_index_dict, **attributes(model, data), **changes)


def attributes(model: torch.nn.Module, data: HeteroData) -> dict:
    """Further inputs, as far as the data holds them."""
    stored = {key for store in data.stores for key in store}
    wanted = {name: name.removesuffix("_dict") for name in model.input_names if name != "n_id_dict"}
    return {name: data.collect(key) if key in stored else {} for name, key in wanted.items()}


BODIES = {
    "heterogeneous": """
        h0 = nodes { venue: Embedding(8)  *: Linear(8) } | relu
        repeat 2 {
          edges {
            writes, written_by: GATv2Conv(4, heads = 2, edge_attr = order)
            appears_in, publishes: TransformerConv(8, edge_attr = year)
            *: SAGEConv(8)
          } combine attention(hidden = 4) | { venue: BatchNorm  *: LayerNorm(mode = "node") } | relu | residual
        }
        predict author.y""",
    "han": "edges { APA: HANConv(8, heads = 2) }\n predict author.y",
    "hgt": """
        nodes { venue: Embedding(8)  *: Linear(8) }
        repeat 2 { edges { *: HGTConv(8, heads = 2) } }
        predict author.y""",
    "rgcn": """
        nodes { venue: Embedding(8)  *: Linear(8) }
        repeat 2 share { edges { *: RGCNConv(8) } | relu }
        predict author.y""",
    "counted": "h = nodes { author: Linear(8) } edges { AVA: GraphConv(8) } combine max\n cat(h, h)\n predict author.y",
    "shared": """
        nodes { venue: Embedding(8)  *: Linear(8) }
        edges { *: share SAGEConv(8, aggr = ["mean", "max"]) }
        predict author.y: MLP(8, 3)""",
}


@pytest.mark.parametrize("name", BODIES)
def test_specs_compile_run_and_learn(name):
    model, data = compile_model(BODIES[name]), library()
    out = call(model, data)
    assert out.shape == (6, 3)
    out.square().sum().backward()
    assert any(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("name", ["heterogeneous", "hgt", "rgcn", "counted"])
def test_what_is_optional_may_be_absent(name):
    model, data = compile_model(BODIES[name]).eval(), library()
    there = library()
    there["paper", "appears_in", "venue"].edge_index = torch.zeros(2, 0, dtype=torch.long)
    there["paper", "appears_in", "venue"].year = torch.zeros(0, 3)
    del data["paper", "appears_in", "venue"]
    absent = call(model, data)
    torch.testing.assert_close(absent, call(model, there))


def test_path_counts_weigh_messages():
    data = library()
    model = compile_model("edges { AVA: GraphConv(3) }\n predict author.y: Linear(3)")
    writes, appears = (
        data[key].edge_index for key in (("author", "writes", "paper"), ("paper", "appears_in", "venue"))
    )
    a = torch.zeros(6, 9).index_put_(tuple(writes), torch.ones(20), accumulate=True)
    v = torch.zeros(9, 4).index_put_(tuple(appears), torch.ones(9), accumulate=True)
    counts = a @ v @ v.t() @ a.t()
    conv = pyg.GraphConv(5, 3)
    conv.load_state_dict(model.get_submodule("stages.edges1.conv.convs.<author___AVA___author>").state_dict())
    pairs = counts.nonzero().t()
    expected = conv(data["author"].x, pairs, counts[tuple(pairs)])
    values = model.encode(data.x_dict, data.edge_index_dict)
    torch.testing.assert_close(values["author"], expected)


def test_a_missing_relation_points_into_the_spec():
    model, data = compile_model(BODIES["rgcn"]), library()
    del data["paper", "cites", "paper"]
    with pytest.raises(SpecError) as caught:
        call(model, data)
    (found,) = caught.value.diagnostics
    assert found.code == "GNN618"
    assert found.primary.span.file == "library.gnn"


def test_metapath_over_its_budget_points_at_the_metapath():
    spec = graphdsl.loads(
        LIBRARY.replace("<-[writes]- author\n", "<-[writes]- author budget 3\n")
        + "model m on library { edges { APA: GCNConv(3) } predict author.y }"
    )
    with pytest.raises(SpecError) as caught:
        call(spec.compile("m"), library())
    assert caught.value.diagnostics[0].code == "GNN402"
