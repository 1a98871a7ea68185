"""Written loops over links, whole graphs and sampled neighbourhoods: run as a user runs them, beside `gnn train`."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data, HeteroData

import graphdsl
from graphdsl.tooling.cli import main
from graphdsl.training import BatchSource, evaluate, read_supervision

ROOT = Path(__file__).resolve().parents[2]

SHOP = """schema shop {
  node user { x: float[6] }
  node "a film" { x: float[4] }
  edge user -[rates]-> "a film"  reverse back { w: float, stars: class[3] }
}
model m(hidden: int = 16) on shop {
  edges { back: GraphConv(hidden, edge_weight = w) *: SAGEConv(hidden) } | relu
  edges { *: SAGEConv(hidden) }
  predict user -[rates]-> "a film"HEAD
}
train m { optimizer: Adam(lr = 0.02) epochs: 12 SETTINGS }
"""

PAPERS = """schema papers {
  node author { x: float[6] }
  node paper { x: float[4] }
  optional node venue { x: float[3] }
  node tag(count = 3)
  edge author -[writes]-> paper  reverse written_by { w: float }
  edge tag -[on]-> paper
  optional edge venue -[holds]-> paper { kind: float[2] }
  graph { y: LABEL }
}
model m(hidden: int = 16) on papers {
  nodes { tag: Embedding(hidden) *: Linear(hidden) } | relu
  edges { holds: GATConv(hidden, edge_attr = kind) written_by: GraphConv(hidden, edge_weight = w) *: SAGEConv(hidden) } | relu
  predict graph.y from author, paper: readout(sum)
}
train m { optimizer: Adam(lr = 0.01) epochs: 12 SETTINGS }
"""

MOLECULES = """schema molecules {
  node atom { x: float[3] }
  edge atom -[bond]-> atom { kind: float[2] }
  graph { y: class[2], heat: float }
}
model m(hidden: int = 16) on molecules {
  sequential x, edge_index, heat, batch {
    GCNConv(hidden): x, edge_index -> x
    relu
    TopKPooling(ratio = 0.8): x, edge_index, none, batch -> x, edge_index, _, batch, _, _
    global_mean_pool: x, batch -> g
    cat: g, heat -> g
    Linear(2): g -> g
  }
}
model maps(hidden: int = 16) on molecules {
  edges { bond: GATConv(hidden, edge_attr = kind) } | relu
  predict graph.y from atom
}
train m { epochs: 12 }
train maps { epochs: 12 split: [0.7, 0.3] }
"""

CITED = """schema cited { node paper { x: float[3] } edge paper -[cites]-> paper }
model m(hidden: int = 16) on cited {
  sequential x, edge_index {
    GCNConv(hidden): x, edge_index -> x
    relu
    GCNConv(hidden): x, edge_index -> z
  }
  predict paper -[cites]-> paper from z: dot
}
train m { optimizer: Adam(lr = 0.02) epochs: 12 monitor: "val_average_precision" }
"""

SAMPLED = """schema s {
  node a { x: float[6], y: class[3], train_mask: mask, val_mask: mask, test_mask: mask }
  node "b c" { x: float[4] }
  node v(count = 20)
  edge a -[to]-> "b c"  reverse back { w: float }
  edge a -[at]-> v  reverse of
  metapath ABA(count) = a -[to]-> "b c" <-[to]- a
}
model m(hidden: int = 16) on s {
  nodes { v: Embedding(hidden) *: Linear(hidden) }
  edges { back: GraphConv(hidden, edge_weight = w) ABA: GraphConv(hidden) *: SAGEConv(hidden) } | relu
  edges { *: SAGEConv(hidden) }
  predict a.y
}
train m { optimizer: Adam(lr = 0.02) epochs: 12 batch_size: SIZE fanout: FANOUT SETTINGS }
"""


def ratings(both: bool = False) -> HeteroData:
    """Users rate films that are like them."""
    torch.manual_seed(1)
    data = HeteroData()
    data["user"].x, data["a film"].x = torch.randn(60, 6), torch.randn(40, 4)
    likeness = data["user"].x[:, :4] @ data["a film"].x.T
    edges = (likeness > 1.5).nonzero().T
    edges = torch.cat([edges, edges[:, :5]], 1)  # parallel ones, too
    store = data["user", "rates", "a film"]
    store.edge_index, store.w = edges, torch.rand(edges.size(1))
    store.stars = (likeness[edges[0], edges[1]] - 1.5).clamp(0, 2.9).long()
    if both:
        order = torch.randperm(edges.size(1))
        data["a film", "back", "user"].edge_index = edges.flip(0)[:, order]
        back = data["a film", "back", "user"]
        back.w, back.stars = store.w[order], store.stars[order]
    return data


def journals(kind: str) -> list[HeteroData]:
    """Small graphs, most of them without a venue."""
    torch.manual_seed(2)
    graphs = []
    for number in range(40):
        graph = HeteroData()
        graph["author"].x, graph["paper"].x = torch.randn(5, 6), torch.randn(4, 4) + number % 2
        graph["author", "writes", "paper"].edge_index = torch.stack([torch.randint(5, (9,)), torch.randint(4, (9,))])
        graph["author", "writes", "paper"].w = torch.rand(9)
        graph["tag"].num_nodes = 3
        graph["tag", "on", "paper"].edge_index = torch.stack([torch.randint(3, (4,)), torch.randint(4, (4,))])
        if number % 3 == 1:
            graph["venue"].x = torch.randn(2, 3)
            graph["venue", "holds", "paper"].edge_index = torch.tensor([[0, 1], [2, 3]])
            graph["venue", "holds", "paper"].kind = torch.rand(2, 2)
        first = graph["paper"].x.mean(0)[:2]
        graph.y = {"class": torch.tensor([number % 2]), "multilabel": (first > 0.5).float(), "real": first}[kind]
        graphs.append(graph)
    return graphs


def molecules() -> list[Data]:
    torch.manual_seed(3)
    return [
        Data(x=torch.randn(5, 3) + number % 2, edge_index=torch.randint(5, (2, 8)), kind=torch.rand(8, 2),
             y=torch.tensor([number % 2]), heat=torch.rand(1))
        for number in range(40)
    ]  # fmt: skip


def citations() -> Data:
    torch.manual_seed(4)
    x = torch.randn(60, 3)
    return Data(x=x, edge_index=(x @ x.T > 1.5).nonzero().T)


def places() -> HeteroData:
    torch.manual_seed(5)
    data = HeteroData()
    data["a"].x, data["b c"].x, data["v"].num_nodes = torch.randn(90, 6), torch.randn(30, 4), 20
    data["a"].y, part = data["a"].x[:, :3].argmax(1), torch.arange(90) % 3
    data["a"].y[::10] = -1
    data["a"].train_mask, data["a"].val_mask, data["a"].test_mask = part == 0, part == 1, part == 2
    data["a", "to", "b c"].edge_index = torch.stack([torch.arange(90), torch.randint(30, (90,))])
    data["a", "to", "b c"].w = torch.rand(90)
    data["a", "at", "v"].edge_index = torch.stack([torch.arange(90), torch.randint(20, (90,))])
    return data


def run(text: str, data: object, folder: Path, capsys, model: str = "m") -> tuple[list[float], str, list[float]]:
    """Losses of the written program by epoch, what it said of the test, and losses of `gnn train`."""
    spec, program = folder / "s.gnn", folder / "program.py"
    spec.write_text(text, encoding="utf-8")
    plain = [item.to_dict() for item in data] if isinstance(data, list) else data.to_dict()
    torch.save(plain, folder / "data.pt")
    assert main(["build", str(spec), model, "--train", "-o", str(program)]) == 0, capsys.readouterr().err
    done = subprocess.run(
        [sys.executable, str(program), "data.pt", "w.pt"], capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    losses = [float(item) for item in re.findall(r"^epoch \d+: loss ([\d.]+)", done.stdout, re.MULTILINE)]
    asked = [
        "train",
        str(spec),
        "--model",
        model,
        "--data",
        str(folder / "data.pt"),
        "--out",
        str(folder / "run"),
        "--accelerator",
        "cpu",
    ]
    assert main(asked) == 0, capsys.readouterr().err
    with open(folder / "run" / "metrics.csv", encoding="utf-8") as stream:
        wanted = [float(row["train_loss"]) for row in csv.DictReader(stream)]
    return losses, done.stdout.strip().splitlines()[-1], wanted


def same(found: list[float], wanted: list[float], tolerance: float = 1e-3) -> None:
    assert len(found) == len(wanted) == 12
    torch.testing.assert_close(torch.tensor(found), torch.tensor(wanted), rtol=tolerance, atol=1e-5)


@pytest.mark.parametrize("both", [False, True], ids=["inverse made", "inverse stored"])
def test_links_are_learned_as_gnn_train_does(both, tmp_path, capsys) -> None:
    text = SHOP.replace("HEAD", ": distmult negatives 4").replace("SETTINGS", 'disjoint: 0.3 monitor: "val_mrr"')
    data = ratings(both)
    losses, test, wanted = run(text, data, tmp_path, capsys)
    same(losses, wanted, 0.25)  # training edges are compared with other negatives
    spec = graphdsl.loads(text)
    model = spec.compile(data=data)
    model.load_state_dict(torch.load(tmp_path / "w.pt"))
    source = BatchSource(data, model.plan, spec.training(), spec.schema())
    supervision = read_supervision(data, model.plan.heads, False, spec.schema(), spec.training())
    scores = evaluate(model, model.plan, source, supervision)["test"]
    assert test == f"test mrr {scores['test_mrr']:.4f}"


WARMUP = "scheduler: LinearWithWarmupLR(num_warmup_steps = 2, num_training_steps = 9)"


@pytest.mark.parametrize("more", ["class_weights: true", "scheduler: StepLR(step_size = 3, gamma = 0.5)", WARMUP])
def test_labels_of_edges_are_learned_as_gnn_train_does(more, tmp_path, capsys) -> None:
    text = SHOP.replace("HEAD", ".stars: MLP(16, 3)").replace("SETTINGS", more)
    losses, _, wanted = run(text, ratings(), tmp_path, capsys)
    same(losses, wanted)


def test_labels_of_edges_in_one_mini_batch(tmp_path, capsys) -> None:
    text = SHOP.replace("HEAD", ".stars: MLP(16, 3)").replace("SETTINGS", "batch_size: 1000 fanout: [-1]")
    losses, _, wanted = run(text, ratings(True), tmp_path, capsys)
    same(losses, wanted)  # the edges asked for are no messages: the same as in `gnn train`
    text = text.replace("MLP(16, 3)", "MLP(16, 3) keep_target")
    (tmp_path / "kept").mkdir()
    losses, _, wanted = run(text, ratings(True), tmp_path / "kept", capsys)
    same(losses, wanted)  # here they are
    assert "def hide" not in (tmp_path / "kept" / "program.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("more", ["", "disjoint: 0.3 workers: 1"])
def test_links_in_mini_batches(more, tmp_path, capsys) -> None:
    text = SHOP.replace("HEAD", ": distmult negatives 4").replace("SETTINGS", f"batch_size: 32 fanout: [8, 4] {more}")
    losses, test, wanted = run(text, ratings(), tmp_path, capsys)
    assert losses[-1] < losses[0] / 1.5
    assert wanted[-1] < wanted[0] / 1.5
    assert float(test.split()[-1]) > 0.7


def test_mini_batches_of_links_within_a_type(tmp_path, capsys) -> None:
    text = """schema cited { node paper { x: float[3] } edge paper -[cites]-> paper  reverse cited }
    model m(hidden: int = 16) on cited {
      edges { *: SAGEConv(hidden) } | relu
      edges { *: SAGEConv(hidden) }
      predict paper -[cites]-> paper: bilinear
    }
    train m { optimizer: Adam(lr = 0.01) epochs: 12 batch_size: 10000 fanout: [-1] monitor: "val_hits@1" }"""
    losses, test, wanted = run(text, citations(), tmp_path, capsys)
    same(losses, wanted, 0.25)
    assert test.startswith("test hits@1 0.")


def test_edges_with_masks_are_split_by_them(tmp_path, capsys) -> None:
    data = ratings()
    store = data["user", "rates", "a film"]
    part = torch.arange(store.num_edges) % 4
    store.train_mask, store.val_mask, store.test_mask = part == 0, part == 1, part == 2
    text = SHOP.replace("HEAD", ".stars: MLP(16, 3) keep_target").replace("SETTINGS", 'monitor: "val_loss"')
    text = text.replace("stars: class[3]", "stars: class[3], train_mask: mask, val_mask: mask, test_mask: mask")
    losses, _, wanted = run(text, data, tmp_path, capsys)
    same(losses, wanted)


def test_a_block_learns_links_of_a_homogeneous_graph(tmp_path, capsys) -> None:
    losses, test, wanted = run(CITED, citations(), tmp_path, capsys)
    same(losses, wanted, 0.3)
    assert test.startswith("test average_precision 0.")


@pytest.mark.parametrize(
    ("kind", "label", "settings"),
    [
        ("class", "class[2]", ""),
        ("class", "class[2]", 'class_weights: true monitor: "val_f1_macro"'),
        ("multilabel", "multilabel[2]", 'monitor: "val_f1_macro"'),
        ("real", "real[2]", 'scheduler: ReduceLROnPlateau(patience = 0) monitor: "val_mae"'),
    ],
)
def test_graphs_are_learned_as_gnn_train_does(kind, label, settings, tmp_path, capsys) -> None:
    text = PAPERS.replace("LABEL", label).replace("SETTINGS", settings)
    losses, _, wanted = run(text, journals(kind), tmp_path, capsys)
    same(losses, wanted)


def test_graphs_in_mini_batches(tmp_path, capsys) -> None:
    text = PAPERS.replace("LABEL", "class[2]").replace("SETTINGS", "batch_size: 8")
    losses, _, wanted = run(text, journals("class"), tmp_path, capsys)
    assert losses[-1] < losses[0] / 4
    assert wanted[-1] < wanted[0] / 4
    same(losses[:3] * 4, wanted[:3] * 4, 0.35)  # the order of graphs is another one


@pytest.mark.parametrize("model", ["m", "maps"])
def test_homogeneous_graphs(model, tmp_path, capsys) -> None:
    losses, test, wanted = run(MOLECULES, molecules(), tmp_path, capsys, model)
    same(losses, wanted)
    assert test.startswith("test auroc" if model == "m" else "epoch 12")  # two shares: no test


def test_sampled_neighbourhoods_of_all_are_the_whole_graph(tmp_path, capsys) -> None:
    text = SAMPLED.replace("SIZE", "200").replace("FANOUT", "[-1]").replace("SETTINGS", "class_weights: true")
    losses, _, wanted = run(text, places(), tmp_path, capsys)
    same(losses, wanted)


def test_sampled_neighbourhoods(tmp_path, capsys) -> None:
    text = SAMPLED.replace("SIZE", "8").replace("FANOUT", "[3, 2]").replace("SETTINGS", "workers: 1 patience: 50")
    losses, _, wanted = run(text, places(), tmp_path, capsys)
    assert losses[-1] < losses[0] / 4
    assert wanted[-1] < wanted[0] / 4


def test_sampling_without_any_package_is_said(tmp_path) -> None:
    text = SAMPLED.replace("SIZE", "8").replace("FANOUT", "[3, 2]").replace("SETTINGS", "")
    program = graphdsl.loads(text).to_script()
    assert "NeighborLoader(" in program
    alone = [sys.executable, "-c", program]
    done = subprocess.run(alone, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stderr.strip() == "usage: python -c DATA.pt [WEIGHTS.pt]"
    torch.save(places(), tmp_path / "data.pt")
    hidden = f"import sys\nsys.modules['graphdsl'] = None\nsys.argv = ['p', 'data.pt']\nexec({program!r})"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stderr.strip().splitlines()[-1] == "sampling needs pyg-lib, torch-sparse or graphdsl"


def test_layout_is_the_one_of_ruff(tmp_path) -> None:
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    links = [SHOP.replace("HEAD", head) for head in (": dot negatives 2", ".stars: MLP(16, 3)", ".stars keep_target")]
    graphs = [PAPERS.replace("LABEL", label) for label in ("class[2]", "multilabel[3]", "real")]
    settings = ("", 'disjoint: 0.3 batch_size: 8 scheduler: StepLR(step_size = 3) workers: 2 monitor: "val_loss"')
    texts = [text.replace("SETTINGS", more) for text in (*links, *graphs) for more in settings]
    texts += [CITED, SAMPLED.replace("SIZE", "8").replace("FANOUT", "[3, 2]").replace("SETTINGS", "")]
    for number, text in enumerate(texts):
        (tmp_path / f"p{number}.py").write_text(graphdsl.loads(text, "s.gnn").to_script("m"), encoding="utf-8")
    options = ["--isolated", "--no-cache", "--line-length", "100"]
    for command in (["format", "--check", "--diff", *options], ["check", "--extend-select", "I,E501,UP", *options]):
        done = subprocess.run([ruff, *command, "."], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
