"""Layers that propagate several times in mini-batches, and layers that need the whole graph."""

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import batch_inputs, seed_loader
from graphdsl.model import Training
from graphdsl.text import SpecError

SPEC = """
schema library {{
  node author {{ x: float[3], y: class[2], train_mask: mask }}
  node paper  {{ x: float[3] }}
  edge author -[writes]-> paper reverse written_by
  edge paper -[cites]-> paper
  metapath APA = author -[writes]-> paper <-[writes]- author
}}
model m on library {{
  edges {{ {rule} }}
  predict author.y
}}
"""


def graph() -> HeteroData:
    torch.manual_seed(0)
    data = HeteroData()
    data["author"].x, data["paper"].x = torch.randn(12, 3), torch.randn(9, 3)
    data["author"].y = torch.randint(2, (12,))
    data["author", "writes", "paper"].edge_index = torch.stack([torch.randint(12, (20,)), torch.randint(9, (20,))])
    data["paper", "cites", "paper"].edge_index = torch.randint(9, (2, 12))
    return data


@pytest.mark.parametrize(
    "layer",
    [
        "FastGTNConv(4, num_layers = 3)",
        "GTNConv(4, num_layers = 2)",
        "NARSConv(4, num_hops = 3, num_subsets = 3)",
    ],
)
def test_batches_with_all_neighbours_give_what_the_whole_graph_gives(layer: str) -> None:
    spec, data = graphdsl.loads(SPEC.format(rule=f"*: {layer}")), graph()
    model, plan = spec.compile("m").eval(), spec.plan("m")
    with torch.no_grad():
        whole = model(**batch_inputs(data, plan))
        loader = seed_loader(data, plan, ("author", torch.arange(12)), Training("m", batch_size=5, fanout=(-1,)))
        rows = [model(**batch_inputs(batch, plan))[: batch["author"].batch_size] for batch in loader]
    torch.testing.assert_close(torch.cat(rows), whole)


@pytest.mark.parametrize("layer", ["SeHGNNConv(8)", 'MAGNNConv(8, encoder = "mean")'])
def test_walks_are_not_sampled(layer: str) -> None:
    spec, data = graphdsl.loads(SPEC.format(rule=f"APA: {layer}")), graph()
    plan = spec.plan("m")
    with pytest.raises(SpecError) as raised:
        seed_loader(data, plan, ("author", torch.arange(12)), Training("m", batch_size=5))
    (found,) = raised.value.diagnostics
    assert found.code == "GNN360"
    assert layer.split("(")[0] in found.message
    assert torch.isfinite(spec.compile("m")(**batch_inputs(data, plan))).all()
