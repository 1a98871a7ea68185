"""Written loops of what is learned without labels: they run alone, and learn what `gnn train` learns."""

import re
from types import ModuleType

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.text import SpecError

SPEC = """
schema library {{
  node paper(count = 40) {{ x: float[6] }}
  node author(count = 20)
  edge author -[writes]-> paper  reverse written_by
  edge paper  -[cites]-> paper
  metapath PAP = paper -[written_by]-> author -[writes]-> paper
}}
model m on library {{
  {model}
}}
train m {{ {settings} }}
"""
WALKS = "learn PAP: MetaPath2Vec(8, walk_length = 6, context_size = 3, walks_per_node = 4, sparse = true)"
SECOND = "learn paper -[cites]-> paper: Node2Vec(8, walk_length = 6, context_size = 3, walks_per_node = 4, p = 0.5)"
CONTRAST = """nodes { author: Embedding(8) *: Linear(8) }
  edges { *: SAGEConv(8) } | relu
  learn paper: DeepGraphInfomax"""
SPARSE = "optimizer: SparseAdam(lr = 0.05) epochs: 12 batch_size: 10"


def two_groups() -> HeteroData:
    """Papers and authors of two groups that have nothing to do with each other."""
    torch.manual_seed(4)
    data = HeteroData()
    side = torch.arange(40) % 2
    data["paper"].x = torch.randn(40, 6) + 3 * side.unsqueeze(1)
    data["author"].num_nodes = 20
    author = torch.randint(10, (120,)) * 2
    paper = torch.randint(20, (120,)) * 2
    odd = torch.arange(120) % 2
    data["author", "writes", "paper"].edge_index = torch.stack([author + odd, paper + odd])
    first, last = torch.randint(20, (2, 160)) * 2 + torch.arange(160) % 2
    data["paper", "cites", "paper"].edge_index = torch.stack([first, last])
    return data


def train(model: str, settings: str, tmp_path, capsys, data: HeteroData) -> tuple[list[float], torch.nn.Module]:
    spec = graphdsl.loads(SPEC.format(model=model, settings=settings), "m.gnn")
    program, text = ModuleType("written"), spec.to_script("m")
    exec(compile(text, "written.py", "exec"), program.__dict__)
    torch.save(data, tmp_path / "data.pt")
    program.main(str(tmp_path / "data.pt"), str(tmp_path / "weights.pt"))
    losses = [float(it) for it in re.findall(r"^epoch \d+: loss ([\d.]+)", capsys.readouterr().out, re.MULTILINE)]
    compiled = spec.compile("m")
    compiled.load_state_dict(torch.load(tmp_path / "weights.pt"))
    return losses, compiled


def apart(vectors: torch.Tensor) -> float:
    """How much more alike vectors of one group are than those of two."""
    alike = torch.nn.functional.normalize(vectors.detach()) @ torch.nn.functional.normalize(vectors.detach()).T
    same = (torch.arange(40) % 2).unsqueeze(0) == (torch.arange(40) % 2).unsqueeze(1)
    return float(alike[same].mean() - alike[~same].mean())


@pytest.mark.parametrize("model", [WALKS, SECOND.replace(")", ", sparse = true)")], ids=["metapath", "second order"])
@pytest.mark.parametrize("workers", ["", "workers: 1"])
def test_walks(model: str, workers: str, tmp_path, capsys) -> None:
    """The data has no `written_by`: it is `writes`, turned around."""
    losses, compiled = train(model, f"{SPARSE} {workers}", tmp_path, capsys, two_groups())
    assert len(losses) == 12
    assert losses[-1] < 0.7 * losses[0]
    assert apart(compiled({}, {})) > 0.2


def test_all_walks_in_one_step(tmp_path, capsys) -> None:
    losses, _ = train(SECOND, "optimizer: Adam(lr = 0.05) epochs: 5 scheduler: StepLR(2)".replace("(2)", "(step_size = 2)"),
                      tmp_path, capsys, two_groups())  # fmt: skip
    assert losses[-1] < losses[0]


def test_a_relation_without_edges(tmp_path, capsys) -> None:
    data = two_groups()
    del data["author", "writes", "paper"]
    losses, _ = train(WALKS, SPARSE, tmp_path, capsys, data)
    assert len(losses) == 12


def test_a_contrast(tmp_path, capsys) -> None:
    data = two_groups()
    data["paper", "written_by", "author"].edge_index = data["author", "writes", "paper"].edge_index.flip(0)
    losses, _ = train(CONTRAST, "optimizer: Adam(lr = 0.02) epochs: 30", tmp_path, capsys, data)
    assert losses[-1] < 0.9 * losses[0]


def test_the_best_epoch_is_kept_when_asked_for() -> None:
    spec = graphdsl.loads(SPEC.format(model=WALKS, settings=f'{SPARSE} monitor: "train_loss" patience: 3'), "m.gnn")
    text = spec.to_script("m")
    assert "torch.save(kept, weights)" in text
    assert "where the weights of the best epoch go" in text


@pytest.mark.parametrize(
    ("model", "settings", "said"),
    [
        (CONTRAST, "batch_size: 8", "contrasts whole graphs: it does not know `batch_size`"),
        (CONTRAST, 'monitor: "val_loss"', "does not compute `val_loss`; it knows train_loss"),
        (CONTRAST, "class_weights: true", "there are no classes"),
    ],
)
def test_what_such_a_loop_cannot_do_is_said(model: str, settings: str, said: str) -> None:
    spec = graphdsl.loads(SPEC.format(model=model, settings=settings), "m.gnn")
    with pytest.raises(SpecError) as caught:
        spec.to_script("m")
    assert said in caught.value.diagnostics[0].message
