"""Layers with weights for each relation as steps: one edge index, and a number for each edge that says of which kind it is."""

from types import ModuleType

import pytest
import torch
from torch_geometric import nn as pyg

import graphdsl

SPEC = """
schema world {{
  node thing {{ x: float[6], sort: int, y: class[3] }}
  edge thing -[touches]-> thing {{ kind: int, how: float[4] }}
}}
model m on world {{
  sequential x, edge_index, sort, kind, how {{
    {layer}: {inputs} -> x
  }}
  predict thing.y from x: Linear(3)
}}
"""
TYPED, VALUED, SORTED = "x, edge_index, kind", "x, edge_index, kind, how", "x, edge_index, sort, kind, how"
ROWS = (
    ("RGCNConv(8, num_relations = 5)", TYPED, lambda: pyg.RGCNConv(6, 8, 5)),
    ('RGCNConv(8, 5, num_bases = 2, aggr = "sum")', TYPED, lambda: pyg.RGCNConv(6, 8, 5, num_bases=2, aggr="sum")),
    ("FastRGCNConv(8, 5, num_blocks = 2)", TYPED, lambda: pyg.FastRGCNConv(6, 8, 5, num_blocks=2)),
    ("RGATConv(8, num_relations = 5, heads = 2)", VALUED, lambda: pyg.RGATConv(6, 8, 5, heads=2, edge_dim=4)),
    ("RGATConv(8, num_relations = 5)", TYPED, lambda: pyg.RGATConv(6, 8, 5)),
    ("HEATConv(8, 2, 5, 3, 7, heads = 2)", SORTED, lambda: pyg.HEATConv(6, 8, 2, 5, 3, 4, 7, heads=2)),
)


def spec_of(layer: str, inputs: str) -> graphdsl.Spec:
    return graphdsl.loads(SPEC.format(layer=layer, inputs=inputs))


def data() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    edge_index = torch.randint(9, (2, 30))
    kinds, sorts = torch.randint(5, (30,)), torch.randint(2, (9,))
    return {"x": torch.randn(9, 6), "edge_index": edge_index, "sort": sorts, "kind": kinds, "how": torch.randn(30, 4)}


@pytest.mark.parametrize(("layer", "inputs", "hand"), ROWS, ids=[f"{layer}: {inputs}" for layer, inputs, _ in ROWS])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_equal_by_hand_and_as_a_program(layer: str, inputs: str, hand) -> None:
    spec, given, theirs = spec_of(layer, inputs), data(), hand()
    model, program = spec.compile("m"), ModuleType("written")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-1, 1)
    state = {key.partition(".")[2]: value for key, value in model.state_dict().items() if key.startswith("module_0.")}
    theirs.load_state_dict(state)
    named = [name.strip() for name in inputs.split(",")]
    wanted = theirs(*(given[name] for name in named))
    ours = model.encode(**given)["x"]
    torch.testing.assert_close(ours, wanted)
    (ours**2).sum().backward()
    (wanted**2).sum().backward()
    for mine, other in zip(model[0].parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad)
    exec(compile(spec.to_python("m"), "written.py", "exec"), program.__dict__)
    written = program.M()
    written.load_state_dict(model.state_dict())
    torch.testing.assert_close(written.eval()(**given), model.eval()(**given))


@pytest.mark.parametrize(("number", "said"), [(5, "num_relations = 6"), (-1, "count from 0")])
def test_a_kind_that_the_layer_does_not_know(number: int, said: str) -> None:
    """PyG's layer would send nothing along such an edge, and say nothing."""
    model, given = spec_of("RGCNConv(8, num_relations = 5)", TYPED).compile("m"), data()
    given["kind"][7] = number
    with pytest.raises(graphdsl.SpecError) as error:
        model(**given)
    (finding,) = error.value.diagnostics
    assert finding.code == "GNN542"
    assert said in finding.helps[0]


def test_a_kind_is_a_number_of_each_edge() -> None:
    with pytest.raises(graphdsl.SpecError) as error:
        spec_of("RGCNConv(8, num_relations = 5)", "x, edge_index, how")
    (finding,) = error.value.diagnostics
    assert finding.code == "GNN531"
    assert "pass `kind`" in finding.helps


def test_how_many_kinds_there_are_must_be_said() -> None:
    with pytest.raises(graphdsl.SpecError) as error:
        spec_of("RGCNConv(8)", TYPED)
    (finding,) = error.value.diagnostics
    assert "num_relations" in finding.message


POOLED = """
schema molecules {
  node atom { x: float[6] }
  edge atom -[bond]-> atom { kind: int }
  graph { y: class[2] }
}
model m on molecules {
  sequential x, edge_index, kind, batch {
    RGCNConv(8, num_relations = 3): x, edge_index, kind -> x
    POOLING(ratio = 0.5): x, edge_index, kind, batch -> x, edge_index, kind, batch, _, _
    RGCNConv(8, num_relations = 3): x, edge_index, kind -> x
    global_mean_pool: x, batch -> x
    Linear(2)
  }
}
"""


@pytest.mark.parametrize("pooling", ["TopKPooling", "SAGPooling"])
def test_kinds_of_the_edges_that_a_pooling_leaves(pooling: str) -> None:
    spec, program = graphdsl.loads(POOLED.replace("POOLING", pooling)), ModuleType("written")
    model = spec.compile("m").eval()
    x, edge_index, kind = torch.randn(12, 6), torch.randint(12, (2, 60)), torch.randint(3, (60,))
    batch = torch.arange(12) // 6
    h = model[0](x, edge_index, kind)
    h, edges, kinds, left, _, _ = model[1](h, edge_index, kind, batch)
    wanted = model[4](pyg.global_mean_pool(model[2](h, edges, kinds), left))
    for given in (kind, kind.unsqueeze(1)):
        torch.testing.assert_close(model(x, edge_index, given, batch), wanted)
    exec(compile(spec.to_python("m"), "written.py", "exec"), program.__dict__)
    written = program.M().eval()
    written.load_state_dict(model.state_dict())
    torch.testing.assert_close(written(x, edge_index, kind, batch), wanted)
