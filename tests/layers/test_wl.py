"""`WLConv` and colours: PyG's own up to the names of colours, and nothing remembered."""

import copy

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.nn import WLConv as Theirs
from torch_geometric.utils import to_undirected

import graphdsl
from graphdsl.kernels.colors import argmax, color_bucket, color_histogram, one_hot
from graphdsl.layers import WLConv

SPEC = """
schema s {
  node atom { x: float[4], kind: int }
  edge atom -[bond]-> atom
  graph { y: class[2] }
}

model kernel on s {
  sequential kind, edge_index, batch {
    repeat 2 {
      WLConv: kind, edge_index -> kind
    }
    color_histogram(num_colors = 4096): kind, batch -> x
    Linear(2)
  }
}

model rows on s {
  sequential x, edge_index, batch {
    argmax: x -> c
    WLConv: c, edge_index -> c
    color_bucket(32): c -> z
    one_hot(32): z -> h
    cat: x, h -> x
    global_add_pool: x, batch -> x
    Linear(2)
  }
}
"""


def graphs() -> list[Data]:
    torch.manual_seed(0)
    found = []
    for nodes in (5, 9, 7, 6):
        index = to_undirected(torch.randint(nodes, (2, 2 * nodes)))
        kind = torch.randint(4, (nodes,))
        x = torch.nn.functional.one_hot(kind, 4).float()
        found.append(Data(x=x, kind=kind, edge_index=index, y=torch.tensor([nodes % 2])))
    return found


def same_partition(ours: Tensor, theirs: Tensor) -> bool:
    return torch.equal(ours.unsqueeze(0) == ours.unsqueeze(1), theirs.unsqueeze(0) == theirs.unsqueeze(1))


def test_colours_are_those_of_pyg_but_for_their_names() -> None:
    batch = Batch.from_data_list(graphs())
    ours, theirs, rounds = batch.kind, batch.kind, [Theirs() for _ in range(3)]
    for their in rounds:
        ours, theirs = WLConv()(ours, batch.edge_index), their(theirs, batch.edge_index)
        assert same_partition(ours, theirs)
    assert len(ours.unique()) > len(batch.kind.unique())


def test_directions_and_parallel_edges_count() -> None:
    index = torch.tensor([[0, 0, 1, 2], [3, 3, 4, 0]])
    start = torch.zeros(5, dtype=torch.long)
    ours, theirs = WLConv()(start, index), Theirs()(start, index)
    assert same_partition(ours, theirs)
    assert len(ours.unique()) == 3


def test_histograms_are_those_of_pyg_but_for_the_order_of_columns() -> None:
    batch, their = Batch.from_data_list(graphs()), Theirs()
    wanted = their.histogram(their(batch.kind, batch.edge_index), batch.batch, norm=True)
    colors = WLConv()(batch.kind, batch.edge_index)
    found = color_histogram(colors, batch.batch, num_colors=4096, norm=True)
    torch.testing.assert_close(found @ found.T, wanted @ wanted.T)
    plain = color_histogram(colors, batch.batch, 6, num_colors=7)
    assert plain.sum(1).tolist() == [5, 9, 7, 6, 0, 0]


def test_a_colour_means_the_same_in_every_graph_and_run() -> None:
    one, batch = graphs()[1], Batch.from_data_list(graphs())
    alone = WLConv()(one.kind, one.edge_index)
    torch.testing.assert_close(alone, WLConv()(batch.kind, batch.edge_index)[batch.batch == 1])
    assert not WLConv().state_dict()
    assert int(WLConv()(torch.tensor([3]), torch.zeros(2, 0, dtype=torch.long))) == 4031222253709338677


def test_numbers_and_rows_are_each_others_inverse() -> None:
    z = torch.tensor([2, 0, 3])
    torch.testing.assert_close(argmax(one_hot(z, 4)), z)
    assert color_bucket(torch.arange(1000), 8).bincount().min() > 80
    with pytest.raises(RuntimeError):
        one_hot(z, 3)


@pytest.mark.parametrize("name", ["kernel", "rows"])
def test_a_spec_equals_the_same_by_hand(name: str) -> None:
    model = graphdsl.loads(SPEC).compile(name)
    batch = Batch.from_data_list(graphs())
    linear = copy.deepcopy(model[len(model) - 1])
    if name == "kernel":
        kind = batch.kind
        for _ in range(2):
            kind = WLConv()(kind, batch.edge_index)
        wanted = linear(color_histogram(kind, batch.batch, num_colors=4096))
        found = model(batch.kind, batch.edge_index, batch.batch)
    else:
        colors = color_bucket(WLConv()(batch.kind, batch.edge_index), 32)
        rows = torch.cat([batch.x, torch.nn.functional.one_hot(colors, 32).float()], dim=1)
        wanted = linear(torch.zeros(4, 36).index_add(0, batch.batch, rows))
        found = model(batch.x, batch.edge_index, batch.batch)
    torch.testing.assert_close(found, wanted)
    assert list(model.state_dict()) == [f"module_{len(model) - 1}.weight", f"module_{len(model) - 1}.bias"]
