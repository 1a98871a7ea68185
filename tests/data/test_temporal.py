"""Events as PyG's `TemporalData`, as graphs of a relation."""

import pytest
import torch
import torch_geometric.datasets
from torch_geometric.data import HeteroData, InMemoryDataset, TemporalData

import graphdsl
from graphdsl.data import validate
from graphdsl.data.graph_set import read_data
from graphdsl.data.sources.dataset import load_dataset
from graphdsl.model import DataSource
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main

TWO = "schema s { node user node page edge user -[edits]-> page reverse edited_by { t: time, msg: float[2] } }"
ONE = "schema s { node person edge person -[writes]-> person { t: time, msg: float[2] } }"
MORE = "schema s { node user node page node bot edge user -[edits]-> page { t: time, msg: float[2] } }"
EDITS = ("user", "edits", "page")


def events(behind: int = 3) -> TemporalData:
    return TemporalData(
        src=torch.tensor([0, 2, 1]),
        dst=torch.tensor([0, 1, 0]) + behind,
        t=torch.tensor([5, 7, 7]),
        msg=torch.eye(3, 2),
    )


class JODIEDataset(InMemoryDataset):
    """What PyG's data set of this name gives, without a download."""

    def __init__(self, root: str, name: str) -> None:
        super().__init__()
        self.name, self.given = name, root

    def len(self) -> int:
        return 1

    def get(self, idx: int) -> TemporalData:
        return events()


@pytest.mark.parametrize("behind", [0, 3])
def test_numbers_of_targets_begin_at_zero(behind: int) -> None:
    schema = graphdsl.loads(TWO).schema()
    made = read_data(events(behind), schema)
    assert isinstance(made, HeteroData)
    assert (made["user"].num_nodes, made["page"].num_nodes) == (3, 2)
    assert made[EDITS].edge_index.tolist() == [[0, 2, 1], [0, 1, 0]]
    assert made[EDITS].t.tolist() == [5, 7, 7]
    assert made[EDITS].msg.shape == (3, 2)
    assert not [item for item in validate(schema, made) if item.severity == "error"]


def test_one_type_keeps_its_numbers() -> None:
    made = read_data(events(), graphdsl.loads(ONE).schema())
    assert made["person"].num_nodes == 5
    assert made["person", "writes", "person"].edge_index.tolist() == [[0, 2, 1], [3, 4, 3]]


def test_data_sets_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_geometric.datasets, "JODIEDataset", JODIEDataset)
    source = DataSource("pyg", "JODIEDataset", {"root": "data", "name": "wikipedia"})
    made = load_dataset(source, graphdsl.loads(TWO).schema())
    assert isinstance(made, HeteroData)
    assert made[EDITS].num_edges == 3
    with pytest.raises(SpecError, match="GNN611"):
        load_dataset(source, graphdsl.loads(MORE).schema())


@pytest.mark.parametrize("as_dict", [False, True])
def test_files_hold_events(as_dict: bool, tmp_path, capsys) -> None:
    torch.save(events().to_dict() if as_dict else events(), tmp_path / "graph.pt")
    (tmp_path / "two.gnn").write_text(TWO, encoding="utf-8")
    (tmp_path / "more.gnn").write_text(MORE, encoding="utf-8")
    graph = str(tmp_path / "graph.pt")
    assert main(["validate", str(tmp_path / "two.gnn"), graph]) == 0
    capsys.readouterr()
    assert main(["validate", str(tmp_path / "more.gnn"), graph]) == 1
    said = "".join(capsys.readouterr())
    assert "holds a `TemporalData`, the events of one relation, and `s` has more" in said
    assert "Traceback" not in said
    assert main(["pull", graph]) == 0
    drawn = capsys.readouterr().out
    assert "edge source -[to]-> target { msg: float[2], t: time }" in drawn
    (tmp_path / "drawn.gnn").write_text(drawn, encoding="utf-8")
    assert main(["validate", str(tmp_path / "drawn.gnn"), graph]) == 0


def test_events_within_one_type_are_drawn_as_such() -> None:
    assert "edge node -[to]-> node { msg: float[2], t: time }" in graphdsl.pull(events(1)).text
