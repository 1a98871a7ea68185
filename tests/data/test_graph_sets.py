"""Several graphs of one schema: made alike, batched, inspected, validated, and where they come from."""

import itertools

import pytest
import torch
from small_graphs import without_notes
from torch_geometric.data import Batch, Data, HeteroData, InMemoryDataset
from torch_geometric.datasets import FakeDataset, FakeHeteroDataset

import graphdsl
from graphdsl.data import GraphSet, batch_inputs, inspect, load_source, parse_source, validate
from graphdsl.data.sources import dataset
from graphdsl.text import SpecError

SPEC = graphdsl.loads("""
schema votes {
  node person { x: float[3], age: float }
  optional node club { x: float[2] }
  node place
  optional edge person -[joins]-> club reverse members { since: float }
  edge person -[lives]-> place
  graph { y: class[2], margin: real?, weather: float[2]? }
}
model m on votes {
  nodes { place: Embedding(4)  *: Linear(4) }
  edges { *: SAGEConv(4) }
  predict graph.y from *
}
""")
RINGS = graphdsl.loads("""
schema rings {
  node atom { x: float[2] }
  edge atom -[bond]-> atom { kind: float[4] }
  graph { y: class[3] }
}
model m on rings {
  sequential x, edge_index, kind, batch {
    GATConv(3): x, edge_index, kind -> x
    global_mean_pool: x, batch -> x
  }
}
""")
JOINS, MEMBERS, LIVES = ("person", "joins", "club"), ("club", "members", "person"), ("person", "lives", "place")


def graph(people: int, clubs: int = 0, places: int = 2, y: int = 0) -> HeteroData:
    made = HeteroData()
    made["person"].x, made["person"].age = torch.randn(people, 3), torch.rand(people)
    made["place"].num_nodes = places
    made[LIVES].edge_index = torch.stack([torch.arange(people), torch.zeros(people, dtype=torch.long)])
    if clubs:
        made["club"].x = torch.randn(clubs, 2)
        made[JOINS].edge_index = torch.zeros(2, 1, dtype=torch.long)
        made[JOINS].since = torch.ones(1)
    made.y = y
    return made


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_batches_have_every_type_whichever_graph_comes_first(order) -> None:
    graphs = [graph(2), graph(3, clubs=2), graph(1)]
    batch = GraphSet(graphs, SPEC.schema()).batch(order)
    assert set(batch.node_types) == {"person", "club", "place"}
    assert set(batch.edge_types) == {JOINS, LIVES}
    assert torch.equal(batch["club"].x, graphs[1]["club"].x)
    assert batch["club"].batch.tolist() == [order.index(1)] * 2
    assert batch["place"].n_id.tolist() == [0, 1] * 3
    assert batch["graph_number"].tolist() == list(order)
    start = sum(len(graphs[number]["person"].x) for number in order[: order.index(1)])
    assert batch[JOINS].edge_index.tolist() == [[start], [0]]


def test_an_inverse_that_one_graph_holds_is_made_in_the_others() -> None:
    first, second = graph(2, clubs=1), graph(2, clubs=3)
    second[MEMBERS].edge_index, second[MEMBERS].since = torch.zeros(2, 1, dtype=torch.long), torch.ones(1)
    batch = GraphSet([first, second], SPEC.schema()).batch([0, 1])
    assert batch[MEMBERS].edge_index.tolist() == [[0, 1], [0, 2]]
    assert batch[MEMBERS].since.tolist() == [1.0, 1.0]


def test_what_only_some_graphs_carry_is_left_out() -> None:
    graphs = [graph(1), graph(2)]
    graphs[1].margin = 0.5
    found = GraphSet(graphs, SPEC.schema())
    assert found.values("margin") is None
    assert found.values("y").tolist() == [0, 0]
    graphs[0].margin = torch.tensor([0.25])
    assert found.values("margin").tolist() == [0.25, 0.5]


def test_inputs_of_a_batch_give_what_the_graphs_give_alone() -> None:
    torch.manual_seed(0)
    graphs = [graph(2, clubs=1), graph(4), graph(3, clubs=2)]
    model = SPEC.compile("m", data=graphs).eval()
    together = GraphSet(graphs, SPEC.schema())
    whole = model(**batch_inputs(together.batch([0, 1, 2]), model.plan))
    alone = torch.cat([model(**batch_inputs(together.batch([number]), model.plan)) for number in range(3)])
    torch.testing.assert_close(whole, alone)


def test_inspection_joins_the_graphs() -> None:
    metadata = inspect([graph(2, y=1), graph(3, clubs=2, places=2)], SPEC.schema())
    assert metadata.graph.count == 2
    assert metadata.graph.tensors["y"].classes == 2
    assert metadata.nodes["person"].count is None
    assert metadata.nodes["place"].count == 2
    assert metadata.nodes["club"].tensors["x"].width == 2
    from graphdsl.model.metadata_file import metadata_from_json, metadata_to_json

    assert metadata_from_json(metadata_to_json(metadata)) == metadata


def test_validation_names_the_graphs() -> None:
    graphs = [graph(2), graph(2), graph(2), graph(2)]
    for number in (1, 3):
        graphs[number]["person"].x = torch.randn(2, 5)
    graphs[2].y = 7
    found = validate(SPEC.schema(), graphs)
    assert [(item.code, item.where) for item in found] == [("GNN604", "graph 1: person.x"), ("GNN608", "graph.y")]
    assert found[0].message.startswith("graph 1: `person.x` has 5 columns")
    assert found[0].notes == ("likewise in 1 of 4 graphs: 3",)
    assert "row 2 (7)" in found[1].message


def test_batches_and_datasets_of_labelled_graphs_raise_no_alarm() -> None:
    """PyG hands out graphs as pieces of one long `edge_index`, and batches their labels as rows."""
    for graphs in (FakeDataset(num_graphs=3, avg_num_nodes=20), FakeHeteroDataset(num_graphs=3, avg_num_nodes=20)):
        spec = graphdsl.pull(graphs)
        batch = Batch.from_data_list(list(graphs))
        assert "graph { y: class" in spec.text
        assert without_notes(spec.validate(graphs).findings) == []
        assert without_notes(spec.validate(batch).findings) == []
        assert "graph { y: class" in graphdsl.pull(batch).text
        batch.y[1] = 99
        assert {item.code for item in without_notes(spec.validate(batch).findings)} == {"GNN608"}


def test_validation_of_labels_that_are_missing_or_too_many() -> None:
    graphs = [graph(1), graph(1)]
    del graphs[1].y
    assert [item.code for item in validate(SPEC.schema(), graphs)] == ["GNN603"]
    graphs[1].y = torch.tensor([0, 1])
    (found,) = without_notes(validate(SPEC.schema(), graphs))
    assert found.message == "graph 1 carries 2 values in `y`, not 1"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "there is no graph in the list"),
        ([HeteroData(), "graph"], "a graph is a `HeteroData` or a pair"),
    ],
)
def test_what_is_no_list_of_graphs(data, message: str) -> None:
    found = validate(SPEC.schema(), data)
    if data:
        assert found[0].message.startswith(message)
    else:
        with pytest.raises(SpecError, match="no graph in the list"):
            GraphSet(data, SPEC.schema())


def ring(size: int, y: int = 0) -> Data:
    index = torch.arange(size)
    edges = torch.stack([index, index.roll(1)])
    return Data(x=torch.randn(size, 2), edge_index=edges, kind=torch.randn(size, 4), y=torch.tensor([y]))


def test_homogeneous_graphs_get_the_names_of_the_schema() -> None:
    graphs = [ring(3), ring(5, 2)]
    assert not without_notes(validate(RINGS.schema(), graphs))
    made = GraphSet(graphs, RINGS.schema())
    assert made[1]["atom"].x.shape == (5, 2)
    assert made[1]["atom", "bond", "atom"].kind.shape == (5, 4)
    model = RINGS.compile("m", data=graphs).eval()
    out = model(**batch_inputs(made.batch([1, 0]), model.plan))
    expected = torch.cat(
        [model(it.x, it.edge_index, it.kind, torch.zeros(len(it.x), dtype=torch.long)) for it in graphs[::-1]]
    )
    torch.testing.assert_close(out, expected)


def test_a_homogeneous_graph_needs_a_schema_of_one_type() -> None:
    (found,) = without_notes(validate(SPEC.schema(), [ring(3)]))
    assert found.code == "GNN611"
    assert "has one type of nodes and of edges" in found.message


@pytest.mark.parametrize("form", ["objects", "dictionaries", "homogeneous"])
def test_files_hold_lists(form: str, tmp_path) -> None:
    spec = RINGS if form == "homogeneous" else SPEC
    graphs = [ring(3), ring(4)] if form == "homogeneous" else [graph(2), graph(1, clubs=1)]
    torch.save([item.to_dict() for item in graphs] if form == "dictionaries" else graphs, tmp_path / "graphs.pt")
    found = load_source(parse_source("graphs.pt", tmp_path), spec.schema())
    assert isinstance(found, GraphSet)
    assert found.values("y").tolist() == [0, 0]
    assert not without_notes(validate(spec.schema(), found))


def test_a_file_with_a_list_of_something_else(tmp_path) -> None:
    torch.save([1, 2], tmp_path / "graphs.pt")
    with pytest.raises(SpecError) as failed:
        load_source(parse_source("graphs.pt", tmp_path), SPEC.schema())
    assert "holds a `list` that is no graph" in failed.value.diagnostics[0].message


def test_functions_return_lists(tmp_path) -> None:
    (tmp_path / "make.py").write_text(
        "import torch\nfrom torch_geometric.data import Data\n"
        "def rings():\n"
        "    e = torch.tensor([[0, 1], [1, 0]])\n"
        "    return [Data(x=torch.zeros(2, 2), edge_index=e, kind=torch.zeros(2, 4), y=1) for _ in range(3)]\n"
    )
    found = load_source(parse_source("make.py:rings", tmp_path), RINGS.schema())
    assert len(found) == 3


class TUDataset(InMemoryDataset):
    """What PyG would download."""

    def __init__(self, root: str, name: str) -> None:
        super().__init__(root)
        self.name = name
        self.data, self.slices = self.collate([ring(3), ring(4, 1)])


@pytest.mark.parametrize("source", ['pyg("MUTAG", root="d")', 'pyg("TUDataset", root="d", name="MUTAG")'])
def test_datasets_of_graphs(source: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(dataset, "_look_up", lambda name: TUDataset if name == "TUDataset" else None)
    found = load_source(parse_source(source, tmp_path), RINGS.schema())
    assert isinstance(found, GraphSet)
    assert found.values("y").tolist() == [0, 1]
    assert not without_notes(validate(RINGS.schema(), found))


def test_a_sparse_adjacency_is_not_taken_for_no_edges() -> None:
    """A `Data` after `ToSparseTensor` holds `adj_t` alone."""
    spec = graphdsl.loads("schema s { node a { x: float[2] } edge a -[r]-> a }")
    edges = torch.tensor([[0, 1], [1, 2]])
    data = Data(
        x=torch.rand(3, 2), adj_t=torch.sparse_coo_tensor(edges.flip(0), torch.ones(2), (3, 3), check_invariants=True)
    )
    (finding,) = validate(spec.schema(), data)
    assert (finding.code, finding.message) == ("GNN603", "`a -[r]-> a` has no `edge_index`")
    assert "adj_t" in finding.helps[0]
    assert "edge node -[to]-> node" in graphdsl.pull(data).text
