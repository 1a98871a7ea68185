"""What PyTorch and PyG do with any module works on compiled ones: saving, copying, summaries."""

import copy
import io

import pytest
import torch
from torch import nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import summary

import graphdsl
from graphdsl.data import batch_inputs

SPEC = """
schema library {
  node author { x: float[6], y: class[3] }
  node paper  { x: float[4] }
  node venue(count = 3)
  edge author -[writes]-> paper  reverse written_by
  edge paper  -[in]-> venue      reverse holds
  metapath APA = author -[writes]-> paper <-[writes]- author
}
model mixed on library {
  nodes { venue: Embedding(8)  *: Linear(8) } | relu
  repeat 2 share {
    edges {
      APA:                HANConv(8, heads = 2)
      writes, written_by: GATConv(8)
      *:                  SAGEConv(8)
    } combine attention(hidden = 4) | BatchNorm | relu | dropout(0.3) | residual
  }
  predict author.y: MLP(8, 3)
}
model hgt on library {
  nodes { venue: Embedding(8)  *: Linear(8) }
  edges { *: HGTConv(8, heads = 2) }
  predict author.y
}
"""


@pytest.fixture
def data() -> HeteroData:
    torch.manual_seed(0)
    made = HeteroData()
    made["author"].x, made["paper"].x = torch.randn(9, 6), torch.randn(7, 4)
    made["venue"].num_nodes = 3
    made["author", "writes", "paper"].edge_index = torch.stack([torch.randint(9, (18,)), torch.randint(7, (18,))])
    made["paper", "in", "venue"].edge_index = torch.stack([torch.arange(7), torch.arange(7) % 3])
    return made


def compiled(name: str, data: HeteroData) -> tuple[nn.Module, dict]:
    torch.manual_seed(1)
    model = graphdsl.loads(SPEC).compile(name, data=data).eval()
    return model, batch_inputs(data, model.plan)


@pytest.mark.parametrize("name", ["mixed", "hgt"])
def test_a_whole_module_is_saved_and_loaded(name: str, data: HeteroData) -> None:
    model, inputs = compiled(name, data)
    expected = model(**inputs)
    stream = io.BytesIO()
    torch.save(model, stream)
    stream.seek(0)
    loaded = torch.load(stream, weights_only=False)
    torch.testing.assert_close(loaded(**inputs), expected, rtol=0, atol=0)
    assert loaded.plan == model.plan


@pytest.mark.parametrize("name", ["mixed", "hgt"])
def test_a_state_dict_is_saved_and_loaded_without_code(name: str, data: HeteroData) -> None:
    model, inputs = compiled(name, data)
    stream = io.BytesIO()
    torch.save(model.state_dict(), stream)
    stream.seek(0)
    torch.manual_seed(5)
    other = graphdsl.loads(SPEC).compile(name, data=data).eval()
    assert not torch.equal(other(**inputs), model(**inputs))
    other.load_state_dict(torch.load(stream, weights_only=True))
    torch.testing.assert_close(other(**inputs), model(**inputs), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["mixed", "hgt"])
def test_a_copy_shares_nothing(name: str, data: HeteroData) -> None:
    model, inputs = compiled(name, data)
    before = model(**inputs)
    twin = copy.deepcopy(model)
    torch.testing.assert_close(twin(**inputs), before, rtol=0, atol=0)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(1.0)
    torch.testing.assert_close(model(**inputs), before, rtol=0, atol=0)
    assert {id(p) for p in model.parameters()}.isdisjoint(id(p) for p in twin.parameters())


@pytest.mark.parametrize("name", ["mixed", "hgt"])
def test_summary_counts_every_parameter(name: str, data: HeteroData) -> None:
    model, inputs = compiled(name, data)
    pytest.importorskip("tabulate")
    shown = summary(model, inputs["x_dict"], inputs["edge_index_dict"], max_depth=3)
    rows = [line.split("|")[1:-1] for line in shown.splitlines() if line.startswith("|")]
    total = sum(parameter.numel() for parameter in model.parameters())
    assert rows[2][0].strip() == "CompiledModel"
    assert int(rows[2][-1].replace(",", "")) == total
    assert any("(edges1)FusedRelationMap" in row[0] for row in rows)
