"""Written loops over signs of edges: the loss, the splits and the scores of `gnn train`."""

import re
from types import ModuleType
from typing import Any

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.text import SpecError
from graphdsl.training import BatchSource, evaluate, read_supervision
from graphdsl.training.task import head_task

SPEC = """
schema people {{
  node person {{ x: float[8] }}
  edge person -[trusts]-> person {back}
  edge person -[distrusts]-> person
}}
model m(hidden: int = 16) on people {{
  edges {{ trusts, distrusts: SignedConv(hidden / 2, first_aggr = true, positive = "trusts") }} | relu
  edges {{ trusts, distrusts: SignedConv(hidden / 2, first_aggr = false, positive = "trusts") }} | relu
  predict person -[trusts]-> person: signed(negative = "distrusts", lamb = 2.5) {keep}
}}
train m {{ optimizer: Adam(lr = 0.02) epochs: 25 {settings} }}
"""


def two_camps() -> HeteroData:
    """People trust those of their own camp, and distrust the others."""
    torch.manual_seed(0)
    data, camp = HeteroData(), torch.arange(60) % 2
    data["person"].x = torch.randn(60, 8) + camp.unsqueeze(1)
    pairs = torch.randint(60, (2, 900))
    alike = camp[pairs[0]] == camp[pairs[1]]
    data["person", "trusts", "person"].edge_index = pairs[:, alike]
    data["person", "distrusts", "person"].edge_index = pairs[:, ~alike]
    return data


def spec_of(settings: str = "", keep: str = "", back: str = "") -> graphdsl.Spec:
    return graphdsl.loads(SPEC.format(settings=settings, keep=keep, back=back), "m.gnn")


def written(spec: graphdsl.Spec) -> Any:
    program = ModuleType("written")
    exec(compile(spec.to_script("m"), "written.py", "exec"), program.__dict__)
    return program


@pytest.mark.parametrize(
    "settings", ["", 'monitor: "val_f1"', 'monitor: "val_auroc_of_signs" patience: 5', "split: [0.8, 0.2]"]
)
@pytest.mark.parametrize("keep", ["", "keep_target"])
@pytest.mark.parametrize("masks", [False, True])
def test_scores_are_those_of_evaluate(settings: str, keep: str, masks: bool, tmp_path, capsys) -> None:
    data = two_camps()
    if masks:
        for store in data.edge_stores:
            for number, name in enumerate(("train_mask", "val_mask", "test_mask")):
                store[name] = (torch.arange(store.num_edges) % 5 - 2).clamp(min=0) == number
    torch.save(data, tmp_path / "data.pt")
    spec = spec_of(settings, keep)
    if masks:
        mask = "train_mask: mask, val_mask: mask, test_mask: mask"
        text = re.sub(r"(edge person -\[\w+\]-> person)", rf"\1 {{ {mask} }}", spec.text)
        spec = graphdsl.loads(text, "m.gnn")
    written(spec).main(str(tmp_path / "data.pt"), str(tmp_path / "weights.pt"))
    said = capsys.readouterr().out
    losses = [float(item) for item in re.findall(r"^epoch \d+: loss ([\d.]+)", said, re.MULTILINE)]
    assert losses[-1] < 0.9 * losses[0]
    found = re.search(r"^test (\w+) ([\d.]+)$", said, re.MULTILINE)
    if "0.2]" in settings and not masks:
        assert found is None
        return
    model = spec.compile("m", data=data)
    model.load_state_dict(torch.load(tmp_path / "weights.pt"))
    source = BatchSource(data, model.plan, spec.training(), spec.schema())
    supervision = read_supervision(data, model.plan.heads, False, spec.schema(), spec.training())
    scores = evaluate(model, model.plan, source, supervision)["test"]
    assert found is not None
    assert float(found[2]) == pytest.approx(scores[f"test_{found[1]}"], abs=6e-5)


def test_the_loss_is_that_of_training() -> None:
    spec = spec_of()
    task, program = head_task(spec.plan("m").heads[0]), written(spec)
    torch.manual_seed(1)
    for codes in (torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4]), torch.tensor([0, 1, 1])):
        out = torch.randn(len(codes), 4)
        wanted = task.loss(out, codes)
        torch.testing.assert_close(program.loss_of(out, codes), wanted.total / wanted.weight)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"settings": "batch_size: 8"}, "is learned on the whole graph"),
        ({"settings": "disjoint: 0.2"}, "does not know `disjoint`"),
    ],
)
def test_what_it_cannot_do_is_said(changes: dict[str, str], said: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec_of(**changes).to_script("m")
    assert said in caught.value.diagnostics[0].message


def test_inverses_that_are_read_would_tell() -> None:
    text = spec_of(back="reverse trusted_by").text
    assert "kept = dict(" in graphdsl.loads(text).to_script("m")  # nothing reads it
    read = text.replace("  predict person", "  edges { trusted_by: SAGEConv(16) }\n  predict person")
    with pytest.raises(
        SpecError, match=r"does not hide inverses of signed edges, such as `person -.trusted_by.-> person`"
    ):
        graphdsl.loads(read).to_script("m")
