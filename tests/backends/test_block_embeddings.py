"""`Embedding` as a step: whole numbers of nodes and edges are looked up, as in PyG's examples of molecules."""

import pytest
import torch
from torch import nn
from torch_geometric.data import Data
from torch_geometric.nn import MLP, BatchNorm, GINEConv, global_add_pool

import graphdsl
from graphdsl.data import batch_inputs
from graphdsl.data.graph_set import read_data

SPEC = """
schema zinc {
  node atom { x: int }
  edge atom -[bond]-> atom { kind: int }
  graph { y: real }
}
model gine(hidden: int = 8) on zinc {
  sequential x, edge_index, kind, batch {
    Embedding(28, hidden, padding_idx = 0): x -> x
    Embedding(4, hidden): kind -> e
    GINEConv(nn = MLP(hidden, hidden)): x, edge_index, e -> h
    BatchNorm: h -> h
    relu
    add: x, h -> x
    global_add_pool: x, batch -> x
    MLP(hidden, 1, norm = none)
  }
}
train gine { epochs: 2  batch_size: 8 }
"""


class ByHand(nn.Module):
    """The same as in PyG's `examples/pna.py`, with one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.module_0 = nn.Embedding(28, 8, padding_idx=0)
        self.module_1 = nn.Embedding(4, 8)
        self.module_2 = GINEConv(MLP([8, 8, 8]), edge_dim=8)
        self.module_3 = BatchNorm(8)
        self.module_7 = MLP([8, 8, 1], norm=None)

    def forward(self, x, edge_index, kind, batch):
        x, e = self.module_0(x.squeeze(-1)), self.module_1(kind)
        x = x + self.module_3(self.module_2(x, edge_index, e)).relu()
        return self.module_7(global_add_pool(x, batch))


def molecules(count: int = 6) -> list[Data]:
    g = torch.Generator().manual_seed(1)
    made = []
    for number in range(count):
        atoms = 4 + number % 3
        made.append(
            Data(
                x=torch.randint(28, (atoms, 1), generator=g),
                edge_index=torch.randint(atoms, (2, 9), generator=g),
                kind=torch.randint(4, (9,), generator=g),
                y=torch.randn(1, generator=g),
            )
        )
    return made


def test_equal_to_a_network_by_hand() -> None:
    spec = graphdsl.loads(SPEC)
    model, theirs = spec.compile("gine"), ByHand()
    assert model.state_dict().keys() == theirs.state_dict().keys()
    theirs.load_state_dict(model.state_dict())
    batch = torch.tensor([0] * 5 + [1] * 7)
    x, kind, edge_index = torch.randint(28, (12, 1)), torch.randint(4, (30,)), torch.randint(12, (2, 30))
    ours, other = model(x, edge_index, kind, batch), theirs(x, edge_index, kind, batch)
    torch.testing.assert_close(ours, other)
    ours.sum().backward()
    other.sum().backward()
    for (name, mine), (_, own) in zip(model.named_parameters(), theirs.named_parameters(), strict=True):
        torch.testing.assert_close(mine.grad, own.grad, msg=name)
    space: dict = {}
    exec(compile(spec.to_python("gine"), "program", "exec"), space)
    program = space["Gine"]()
    program.load_state_dict(model.state_dict())
    torch.testing.assert_close(program.eval()(x, edge_index, kind, batch), model.eval()(x, edge_index, kind, batch))


def test_data_of_graphs() -> None:
    spec = graphdsl.loads(SPEC)
    graphs = read_data(molecules(), spec.schema("gine"))
    assert spec.validate(molecules()).ok
    inputs = batch_inputs(graphs.batch([0, 1, 2]), spec.plan("gine"))
    assert inputs["x"].dtype == inputs["kind"].dtype == torch.long
    assert spec.compile("gine")(**inputs).shape == (3, 1)


@pytest.mark.parametrize(("number", "said"), [(28, "Embedding(29, …)"), (-1, "count from 0")])
def test_a_number_without_a_vector(number: int, said: str) -> None:
    model = graphdsl.loads(SPEC).compile("gine")
    x, edge_index = torch.tensor([number, 3, 5]), torch.tensor([[0, 1], [1, 2]])
    with pytest.raises(graphdsl.SpecError) as error:
        model(x, edge_index, torch.tensor([0, 1]))
    (finding,) = error.value.diagnostics
    assert (finding.code, finding.primary.span.line) == ("GNN542", 9)
    assert said in finding.helps[0]
