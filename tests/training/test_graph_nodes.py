"""Labels of nodes on lists of graphs: splits, batches of graphs, and the commands."""

import csv
import json
from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data, HeteroData

import graphdsl
from graphdsl.data import GraphSet, batch_inputs
from graphdsl.model import Training
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main
from graphdsl.training import BatchSource, all_nodes, evaluate, predict, read_supervision
from graphdsl.training.graph_nodes import NodeNumbers

PROTEINS = """
schema ppi {
  node protein { x: float[5], y: multilabel[2] }
  edge protein -[acts_on]-> protein
}
model block(hidden: int = 16) on ppi {
  sequential x, edge_index {
    SAGEConv(hidden): x, edge_index -> x
    relu
    SAGEConv(2): x, edge_index -> x
  }
}
model maps(hidden: int = 16) on ppi {
  edges { acts_on: SAGEConv(hidden) } | relu
  edges { acts_on: SAGEConv(hidden) } | relu
  predict protein.y
}
train block { batch_size: 4  epochs: 30  optimizer: Adam(lr = 0.02)  split: [0.6, 0.2, 0.2] }
train maps { epochs: 40  optimizer: Adam(lr = 0.02)  split: [0.6, 0.2, 0.2] }
"""
SHOPS = """
schema shops {
  node user { x: float[4], y: class[3]? }
  node item { x: float[3] }
  edge item -[bought_by]-> user reverse buys
  edge user -[knows]-> user
}
model m on shops {
  nodes { *: Linear(8) } | relu
  edges {
    knows: GPSConv(SAGEConv(8), heads = 2, norm = none)
    *:     SAGEConv(8)
  }
  predict user.y
}
"""


def proteins(count: int = 20) -> list[Data]:
    """Two labels: of the neighbours' mean, and of the node itself."""
    g = torch.Generator().manual_seed(3)
    made: list[Data] = []
    for number in range(count):
        size = 10 + number % 4
        x = torch.randn(size, 5, generator=g)
        index = torch.randint(size, (2, 4 * size), generator=g)
        mean = torch.zeros(size).index_add(0, index[1], x[index[0], 0])
        y = torch.stack([mean > 0, x[:, 1] > 0], 1).long()
        made.append(Data(x=x, edge_index=index, y=y))
    return made


def shops(count: int = 7) -> list[HeteroData]:
    """Graph 2 has no user, graph 4 no labels."""
    g = torch.Generator().manual_seed(4)
    made: list[HeteroData] = []
    for number in range(count):
        users, items = 0 if number == 2 else 4 + number, 3
        graph = HeteroData()
        graph["user"].x = torch.randn(users, 4, generator=g)
        if number != 4:
            graph["user"].y = torch.randint(3, (users,), generator=g)
        graph["item"].x = torch.randn(items, 3, generator=g)
        edges = 9 if users else 0
        pairs = torch.rand(2, edges, generator=g)
        graph["item", "bought_by", "user"].edge_index = (pairs * torch.tensor([[items], [users]])).long()
        graph["user", "knows", "user"].edge_index = (torch.rand(2, edges, generator=g) * users).long()
        made.append(graph)
    return made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "ppi.gnn").write_text(PROTEINS)
    here = str(Path(__file__).parent)
    (tmp_path / "make.py").write_text(
        f"import sys\nsys.path.insert(0, {here!r})\nfrom test_graph_nodes import proteins\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("model", ["block", "maps"])
def test_the_commands(folder, model: str, capsys) -> None:
    data = ["--data", "make.py:proteins", "--accelerator", "cpu"]
    assert main(["train", "ppi.gnn", "--model", model, "--out", "run", "--baselines", *data]) == 0
    printed = capsys.readouterr().out
    assert "all graphs in each step" in printed or "batches of 4 graphs" in printed
    result = json.loads((folder / "run" / "result.json").read_text())
    scores = result["runs"][0]["metrics"]
    own = next(item for item in result["baselines"] if item["name"] == "own features")
    assert scores["test_f1_micro"] > own["metrics"]["f1_micro"]
    checkpoint = str(folder / "run" / "best.ckpt")
    assert main(["evaluate", checkpoint, *data, "--format", "json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["test"]["test_f1_micro"] == pytest.approx(scores["test_f1_micro"], abs=1e-6)
    assert main(["predict", checkpoint, *data, "--output", "y.csv"]) == 0
    with (folder / "y.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    sizes = [graph.num_nodes or 0 for graph in proteins()]
    expected = [(str(graph), str(node)) for graph, size in enumerate(sizes) for node in range(size)]
    assert [(row["graph"], row["node"]) for row in rows] == expected


@pytest.mark.parametrize("batch_size", [None, 1, 3])
def test_each_graph_is_predicted_as_if_it_were_alone(batch_size: int | None) -> None:
    """Attention stays within a graph, and rows are those of the right nodes."""
    spec = graphdsl.loads(SHOPS)
    graphs = GraphSet(shops(), spec.schema())
    torch.manual_seed(0)
    model = spec.compile("m", data=graphs).eval()
    source = BatchSource(graphs, model.plan, Training("m", batch_size=batch_size), spec.schema())
    (found,) = predict(model, model.plan, source, all_nodes(graphs, model.plan))
    assert found.graphs is not None
    assert 2 not in found.graphs
    for number in (0, 1, 3, 4, 5, 6):
        alone = model(**batch_inputs(graphs.batch([number]), model.plan))
        torch.testing.assert_close(found.outputs[found.graphs == number], alone.detach())
        assert found.nodes[found.graphs == number].tolist() == list(range(len(alone)))


def test_the_loss_is_that_of_the_labelled_nodes() -> None:
    spec = graphdsl.loads(SHOPS)
    graphs = GraphSet(shops(), spec.schema())
    model = spec.compile("m", data=graphs).eval()
    training = Training("m", batch_size=2, split=(0.5, 0.25, 0.25))
    supervision = read_supervision(graphs, model.plan.heads, schema=spec.schema(), training=training)
    source = BatchSource(graphs, model.plan, training, spec.schema())
    measured = evaluate(model, model.plan, source, supervision)
    numbers = NodeNumbers(graphs, "user")
    seen: set[int] = set()
    for split, nodes in supervision.targets["user.y"].nodes.items():
        chosen = sorted(set(numbers.split(nodes)[0].tolist()))
        assert not seen & set(chosen)
        seen |= set(chosen)
        outputs = [model(**batch_inputs(graphs.batch([number]), model.plan)) for number in chosen]
        labels = [graphs[number]["user"].y for number in chosen]
        wanted = torch.nn.functional.cross_entropy(torch.cat(outputs), torch.cat(labels))
        assert measured[split][f"{split}_loss"] == pytest.approx(wanted.item(), abs=1e-6)
    assert seen == {0, 1, 3, 5, 6}  # graph 2 has no node, graph 4 no label


def test_masks_of_nodes_come_before_masks_of_graphs_and_these_before_chance() -> None:
    spec = graphdsl.loads(PROTEINS)
    heads = spec.plan("maps").heads
    graphs = proteins(4)
    for number, graph in enumerate(graphs):
        for split, mine in (("train", number < 2), ("val", number == 2), ("test", number == 3)):
            graph[f"{split}_mask"] = torch.tensor(mine)
    schema = graphdsl.loads(
        PROTEINS.replace(
            "acts_on]-> protein\n}",
            "acts_on]-> protein\n  graph { train_mask: mask, val_mask: mask, test_mask: mask }\n}",
        )
    ).schema()
    found = read_supervision(graphs, heads, schema=schema).targets["protein.y"].nodes
    assert {split: (int(rows[0]), len(rows)) for split, rows in found.items()} == {
        "train": (0, 21),
        "val": (21, 12),
        "test": (33, 13),
    }
    for graph in graphs:
        for split, first in (("train", 0), ("val", 4), ("test", 7)):
            mask = torch.zeros(graph.num_nodes or 0, dtype=torch.bool)
            mask[first : first + 3] = True
            graph[f"{split}_mask"] = mask
    masked = PROTEINS.replace("multilabel[2] }", "multilabel[2], train_mask: mask, val_mask: mask, test_mask: mask }")
    found = read_supervision(graphs, heads, schema=graphdsl.loads(masked).schema()).targets["protein.y"].nodes
    assert found["val"].tolist() == [4, 5, 6, 14, 15, 16, 25, 26, 27, 37, 38, 39]


def test_what_cannot_be_split_says_so() -> None:
    spec = graphdsl.loads(PROTEINS)
    with pytest.raises(SpecError, match="no graph with labelled nodes is left for the split `val`"):
        read_supervision(proteins(2), spec.plan("maps").heads, schema=spec.schema())


@pytest.mark.parametrize("batch_size", [None, 2])
def test_labels_as_inputs_are_those_of_training_nodes_of_the_batch(batch_size: int | None) -> None:
    spec = graphdsl.loads("""
      schema s {
        node protein { x: float[5], y: class[2], train_mask: mask }
        edge protein -[acts_on]-> protein
      }
      model m on s {
        nodes { protein: MaskLabel(5, y = y) }
        edges { acts_on: SAGEConv(4) }
        predict protein.y
      }""")
    graphs = proteins(5)
    for graph in graphs:
        graph.y = graph.y[:, 0]
        graph.train_mask = torch.arange(graph.num_nodes or 0) % 2 == 0
    listed = GraphSet(graphs, spec.schema())
    model = spec.compile("m", data=listed).eval()
    source = BatchSource(listed, model.plan, Training("m", batch_size=batch_size), spec.schema())
    before = predict(model, model.plan, source, all_nodes(listed, model.plan))[0].outputs
    for graph in graphs:
        graph.y = torch.where(graph.train_mask, graph.y, 1 - graph.y)
    other = GraphSet(graphs, spec.schema())
    source = BatchSource(other, model.plan, Training("m", batch_size=batch_size), spec.schema())
    torch.testing.assert_close(predict(model, model.plan, source, all_nodes(other, model.plan))[0].outputs, before)
    for graph in graphs:
        graph.y = 1 - graph.y
    shown = GraphSet(graphs, spec.schema())
    source = BatchSource(shown, model.plan, Training("m", batch_size=batch_size), spec.schema())
    assert not torch.allclose(predict(model, model.plan, source, all_nodes(shown, model.plan))[0].outputs, before)


def test_links_need_one_graph() -> None:
    spec = graphdsl.loads(PROTEINS.replace("predict protein.y\n}", "predict protein -[acts_on]-> protein\n}"))
    with pytest.raises(SpecError, match="one graph is needed, and here are 3"):
        read_supervision(proteins(3), spec.plan("maps").heads, schema=spec.schema())


def test_norms_over_all_nodes_are_told_apart_where_the_schema_has_graphs() -> None:
    text = PROTEINS.replace("acts_on]-> protein\n}", "acts_on]-> protein\n  graph { size: float }\n}")
    text = text.replace("edges { acts_on: SAGEConv(hidden) } | relu\n  predict", "nodes { *: LayerNorm }\n  predict")
    assert [item.code for item in graphdsl.loads(text).findings] == ["GNN533"]
