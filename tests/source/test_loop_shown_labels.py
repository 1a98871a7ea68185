"""Written loops of models that read labels: a node is either shown with its label or learned."""

import math
import re
from types import ModuleType

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.text import SpecError

SPEC = """
schema s {{
  node paper {{ x: float[4], y: class[2], z: class[2], train_mask: mask, val_mask: mask, test_mask: mask }}
  edge paper -[cites]-> paper
}}
model m on s {{
  nodes {{ paper: MaskLabel(4, y = y, ratio = 0.5, method = "concat") }}
  edges {{ cites: SAGEConv(16) }} | relu
  predict paper.{label}
}}
train m {{ optimizer: Adam(lr = 0.05) epochs: 60 {settings} }}
"""


def pairs() -> HeteroData:
    """Papers without features: each is cited by its twin, which has the same label `z`, and any label `y`."""
    torch.manual_seed(1)
    data, count = HeteroData(), 400
    data["paper"].x = torch.ones(count, 4)
    data["paper"].y = torch.randint(2, (count,))
    data["paper"].z = data["paper"].y.view(2, -1).flip(0).flatten()
    twin = torch.arange(count).view(2, -1).flip(0).flatten()
    data["paper", "cites", "paper"].edge_index = torch.stack([twin, torch.arange(count)])
    for number, name in enumerate(("train_mask", "val_mask", "test_mask")):
        part = torch.arange(count) // 20 % 5
        data["paper"][name] = part < 3 if number == 0 else part == number + 2
    return data


def losses(label: str, tmp_path, capsys) -> list[float]:
    spec, program = graphdsl.loads(SPEC.format(label=label, settings=""), "m.gnn"), ModuleType("written")
    exec(compile(spec.to_script("m"), "written.py", "exec"), program.__dict__)
    torch.save(pairs(), tmp_path / "data.pt")
    program.main(str(tmp_path / "data.pt"), str(tmp_path / "weights.pt"))
    spec.compile("m").load_state_dict(torch.load(tmp_path / "weights.pt"))
    said = capsys.readouterr().out
    assert "test auroc" in said
    return [float(item) for item in re.findall(r"^epoch \d+: loss ([\d.]+)", said, re.MULTILINE)]


def test_no_node_is_shown_its_own_label(tmp_path, capsys) -> None:
    """Nothing else tells the label: what is learned stays as good as a guess."""
    assert sum(losses("y", tmp_path, capsys)[-10:]) / 10 > 0.95 * math.log(2)


def test_labels_are_shown(tmp_path, capsys) -> None:
    """Half of the twins tell `z`."""
    assert sum(losses("z", tmp_path, capsys)[-10:]) / 10 < 0.8 * math.log(2)


def test_mini_batches_are_refused() -> None:
    with pytest.raises(SpecError, match="does not know `batch_size` beside `MaskLabel`"):
        graphdsl.loads(SPEC.format(label="y", settings="batch_size: 8")).to_script("m")
