"""Programs of models that go over events or read the graph around a pair: the compiled module's numbers, and `gnn train`'s."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from drawing import draw_graph, small
from torch_geometric.data import HeteroData, TemporalData

import graphdsl
from graphdsl.data import batch_inputs
from graphdsl.plan import event_head
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main
from graphdsl.training import BatchSource, evaluate, read_supervision
from graphdsl.training.events import keep_memory, memory_of
from graphdsl.training.module import measured_outputs, wanted_rows

ROOT = Path(__file__).resolve().parents[2]
WIKI = """schema wiki {{
  node user
  node page
  edge user -[edits]-> page {{ at: time, "what it says": float[4] }}
}}
model tgn on wiki {{ predict user -[edits]-> page: tgn(12, 8, 16, num_neighbors = 5{more}){behind} }}
train tgn {{ optimizer: Adam(lr = 0.003) epochs: 3 batch_size: 50 split: [0.7, 0.15, 0.15] }}
"""
MAIL = """schema mail {{
  node person(count = 30)
  edge person -[writes]-> person {{ at: time, msg: float }}
}}
model tgn on mail {{ predict person -[writes]-> person: tgn(8, 8, 8{more}){behind} }}
train tgn {{ epochs: 3 batch_size: 50 }}
"""
TEXT = ', msg = "what it says"'
WORLD = """schema world {
  node actor
  edge actor -[acts]-> actor { "on day": time, what: class[3] }
}
model renet on world { predict actor -[acts]-> actor: renet(16, rel = "what", seq_len = 4, dropout = 0.2) }
train renet { optimizer: Adam(lr = 0.01) epochs: 6 batch_size: 50 split: [0.7, 0.15, 0.15] }
"""
CASES = [
    WIKI.format(more=f"{TEXT}, dropout = 0.0", behind=""),
    WIKI.format(more=f'{TEXT}, dropout = 0.0, conv = "GATv2Conv"', behind=" negatives 3 weight 2"),
    WIKI.format(more=', message = "mlp", aggregator = "mean"', behind=""),
    MAIL.format(more=', msg = "msg", conv = "GATConv", dropout = 0.0', behind=" negatives 2"),
    MAIL.format(more=', message = "mlp", dropout = 0.0', behind=""),
]
NEAR = """schema papers { node paper { x: float[8] } edge paper -[cites]-> paper }
model near on papers { nodes { paper: Linear(16) } | relu  predict paper -[cites]-> paper: lpformer(16) negatives 2 }
train near { epochs: 12 optimizer: Adam(lr = 0.01) split: [0.7, 0.15, 0.15] monitor: "val_mrr" MORE }
"""


def happened(text: str, count: int = 400) -> HeteroData:
    """Events in any order, a few of them at a time."""
    torch.manual_seed(0)
    data = HeteroData()
    edge = ("user", "edits", "page") if "wiki" in text else ("person", "writes", "person")
    sizes = (20, 15) if "wiki" in text else (30, 30)
    data[edge[0]].num_nodes, data[edge[2]].num_nodes = sizes
    store = data[edge]
    source = torch.randint(sizes[0], (count,))
    store.edge_index = torch.stack([source, (source + torch.randint(2, (count,))) % sizes[1]])
    store.at = torch.randperm(count) // 3
    store["what it says"], store.msg = torch.rand(count, 4), torch.rand(count)
    return data


def world(count: int = 400) -> HeteroData:
    """What one actor does to another follows from the kind, mostly."""
    torch.manual_seed(0)
    data = HeteroData()
    data["actor"].num_nodes = 12
    store = data["actor", "acts", "actor"]
    source, store.what = torch.randint(12, (count,)), torch.randint(3, (count,))
    target = torch.where(torch.rand(count) < 0.2, torch.randint(12, (count,)), (source + store.what + 1) % 12)
    store.edge_index = torch.stack([source, target])
    store["on day"] = torch.randperm(count) // 6
    return data


def read(text: str, name: str) -> dict[str, Any]:
    """What a program defines."""
    program = ModuleType(name)
    exec(compile(text, f"{name}.py", "exec"), program.__dict__)
    return program.__dict__


def both(text: str, data: HeteroData, tmp_path: Path) -> tuple[Any, Any, dict[str, Any], Any, BatchSource]:
    """The compiled and the written model with the same weights, the program, and the splits."""
    spec = graphdsl.loads(text, "s.gnn")
    torch.manual_seed(0)
    compiled = spec.compile("tgn", data=data)
    torch.manual_seed(0)
    program = read(spec.to_script("tgn", data=data), "written_events")
    written = program["Tgn"]()
    for name, value in compiled.state_dict().items():
        torch.testing.assert_close(written.state_dict()[name], value, msg=f"{name} is drawn otherwise")
    torch.save(data, tmp_path / "data.pt")
    schema, training = spec.schema(), spec.training()
    supervision = read_supervision(data, compiled.plan.heads, False, schema, training)
    return compiled, written, program, supervision, BatchSource(data, compiled.plan, training, schema)


@pytest.mark.parametrize("text", CASES)
def test_events_are_scored_as_the_compiled_module_does(text: str, tmp_path: Path) -> None:
    data = happened(text)
    compiled, written, program, supervision, source = both(text, data, tmp_path)
    head = event_head(compiled.plan)
    edge_index, *values, edges = program["in_order"](program["load"](str(tmp_path / "data.pt")))
    offset = memory_of(compiled, head).offset
    for split in ("train", "val", "test"):
        compiled.train(split == "train")
        written.train(split == "train")
        if split == "train":
            written.forget()
        seed = 0 if split == "train" else None
        (batches,) = source.batches(
            wanted_rows(supervision, compiled.plan, split, seed or 0), graph=supervision.graph(split)
        )
        for batch in batches:
            first, last, others = (batch.inputs[name] for name in ("first", "last", "others"))
            real = edge_index[:, first:last]
            drawn = torch.stack([real[0].unsqueeze(1).expand_as(others), others - offset]).flatten(1)
            torch.manual_seed(1)  # dropout
            theirs = measured_outputs(compiled, compiled.plan, batch)[head.name]
            torch.manual_seed(1)
            ours = written(torch.cat([real, drawn], dim=1), *values)
            torch.testing.assert_close(ours, theirs)
            written.learn(real, *(value[first:last] for value in values))
            if split == "train":
                for model, out in ((compiled, theirs), (written, ours)):
                    model.zero_grad()
                    (out * torch.linspace(-1, 1, out.numel())).sum().backward()
                known = dict(compiled.named_parameters())
                for name, parameter in written.named_parameters():
                    torch.testing.assert_close(parameter.grad, known[name].grad, msg=f"gradient of {name}")
        assert first <= int(edges[split][-1]) < last
        if split == "train":
            keep_memory(compiled, compiled.plan)
            written.keep()
        for name, value in compiled.state_dict().items():
            if not name.endswith("_assoc"):
                torch.testing.assert_close(written.state_dict()[name], value, msg=f"{name} behind {split}")


SPECS = ("specs/tgn.gnn", "specs/renet.gnn", "tests/golden/good/events.gnn", "tests/golden/good/forecast.gnn")


@pytest.mark.parametrize("path", SPECS)
def test_specs_of_the_repository_are_what_is_compiled(path: str) -> None:
    spec = small(graphdsl.load(ROOT / path))
    data = draw_graph(spec.schema())
    torch.manual_seed(0)
    compiled = spec.compile(data=data).eval()
    torch.manual_seed(0)
    program = read(spec.to_python(data=data), "written_spec")
    written = program[spec.models[0].title()]().eval()
    for name, value in compiled.state_dict().items():
        torch.testing.assert_close(written.state_dict()[name], value, msg=f"{name} is drawn otherwise")
    other = program[spec.models[0].title()]().eval()
    other.load_state_dict(compiled.state_dict(), strict=True)
    store = next(iter(data.edge_stores))
    if spec.models[0] == "renet":
        kind, time = ("kind", "at") if "forecast" in path else ("rel", "t")
        seen = program["EventHistories"](store.edge_index, store[kind], store[time], 5 if "forecast" in path else 10)
        ours = other(seen.batch(torch.arange(len(store[kind]))))
        theirs = compiled(**batch_inputs(data, compiled.plan))
    else:  # of which nothing has happened yet
        pairs = torch.randint(12, (2, 7))
        ours, theirs = other(pairs, store.t, store.msg), compiled({}, {}, edge_label_index=pairs)
    torch.testing.assert_close(ours, theirs)


def test_evaluation_begins_where_training_ended(tmp_path: Path) -> None:
    data = happened(CASES[0])
    _, written, program, *_ = both(CASES[0], data, tmp_path)
    edge_index, t, msg, edges = program["in_order"](program["load"](str(tmp_path / "data.pt")))
    later, pairs = edges["val"][0], edge_index[:, edges["val"]]
    for part in edges["train"].split(50):
        written.learn(edge_index[:, part], t[part], msg[part])
    written.keep()
    with torch.no_grad():
        wanted = written(pairs, t, msg)
        written.learn(edge_index[:, later:], t[later:], msg[later:])
        assert not torch.equal(written(pairs, t, msg), wanted)
        written.recall(edge_index)
        torch.testing.assert_close(written(pairs, t, msg), wanted)
        other = program["Tgn"]().eval()
        other.load_state_dict(written.state_dict())
        other.recall(edge_index)
        torch.testing.assert_close(other(pairs, t, msg), wanted)


def run(text: str, model: str, data: Any, folder: Path) -> tuple[list[float], str]:
    """Losses of a written program by epoch, and what it said of the test."""
    program = graphdsl.loads(text, "s.gnn").to_script(model, data=data)
    assert "graphdsl" not in re.sub(r'^""".*?"""', "", program, flags=re.DOTALL)
    torch.save(data, folder / "data.pt")
    (folder / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py", "data.pt", "w.pt"], capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert not done.stderr
    losses = [float(item) for item in re.findall(r"^epoch \d+: loss ([\d.]+)", done.stdout, re.MULTILINE)]
    return losses, done.stdout.strip().splitlines()[-1]


def scores(text: str, model: str, data: Any, weights: Path) -> dict[str, float]:
    """What `gnn evaluate` says of the weights that a program has left."""
    spec = graphdsl.loads(text, "s.gnn")
    compiled = spec.compile(model, data=data)
    compiled.load_state_dict(torch.load(weights))
    supervision = read_supervision(data, compiled.plan.heads, False, spec.schema(), spec.training())
    source = BatchSource(data, compiled.plan, spec.training(), spec.schema())
    return evaluate(compiled, compiled.plan, source, supervision, ("test",))["test"]


def test_forecasts_are_those_of_the_compiled_module() -> None:
    data, spec = world(), graphdsl.loads(WORLD, "s.gnn")
    torch.manual_seed(0)
    compiled = spec.compile(data=data).eval()
    torch.manual_seed(0)
    program = read(spec.to_python(data=data), "written_forecasts")
    written = program["Renet"]().eval()
    for name, value in compiled.state_dict().items():
        torch.testing.assert_close(written.state_dict()[name], value, msg=f"{name} is drawn otherwise")
    written.load_state_dict(compiled.state_dict(), strict=True)
    edge = ("actor", "acts", "actor")
    store = data[edge]
    seen = program["EventHistories"](store.edge_index, store.what, store["on day"], 4)
    given = {"what_dict": {edge: store.what}, "on day_dict": {edge: store["on day"]}}
    theirs, ours = compiled({}, {edge: store.edge_index}, **given), written(seen.batch(torch.arange(400)))
    torch.testing.assert_close(ours, theirs)
    some = torch.tensor([3, 399, 7])
    torch.testing.assert_close(written(seen.batch(some)), theirs[:, some])
    for out in (ours, theirs):
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    for ours, theirs in zip(written.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("monitor", ["val_mrr", "val_hits@3", "val_loss"])
def test_a_loop_of_forecasts_scores_as_gnn_evaluate(monitor: str, tmp_path: Path) -> None:
    text, name = WORLD.replace("epochs", f'monitor: "{monitor}" epochs'), monitor.removeprefix("val_")
    losses, test = run(text, "renet", world(), tmp_path)
    assert len(losses) == 6
    assert losses[-1] < losses[0] / 1.1
    assert test == f"test {name} {scores(text, 'renet', world(), tmp_path / 'w.pt')[f'test_{name}']:.4f}"


@pytest.mark.parametrize("text", [CASES[0], CASES[2], CASES[3]])
def test_a_loop_of_events_scores_as_gnn_evaluate(text: str, tmp_path: Path) -> None:
    data = happened(text)
    losses, test = run(text, "tgn", data, tmp_path)
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert test == f"test auroc {scores(text, 'tgn', data, tmp_path / 'w.pt')['test_auroc']:.4f}"


def test_a_loop_reads_temporal_data_and_masks(tmp_path: Path) -> None:
    data = happened(CASES[0])
    store = data["user", "edits", "page"]
    order = store.at.argsort(stable=True)
    source, target = store.edge_index[:, order]
    events = TemporalData(
        src=source, dst=target + 20, at=store.at[order], **{"what it says": store["what it says"][order]}
    )
    program = read(graphdsl.loads(CASES[0]).to_script("tgn", data=data), "written_events")
    torch.save(data.to_dict(), tmp_path / "graph.pt")
    torch.save(events, tmp_path / "events.pt")
    found, wanted = (program["in_order"](program["load"](str(tmp_path / f"{name}.pt"))) for name in ("events", "graph"))
    for ours, theirs in zip(found[:3], wanted[:3], strict=True):
        assert torch.equal(ours, theirs)
    assert {name: len(rows) for name, rows in found[3].items()} == {name: len(rows) for name, rows in wanted[3].items()}
    store.train_mask, store.val_mask = store.at < 50, (store.at >= 50) & (store.at < 90)
    edge_index, t, _, edges = program["in_order"](store)
    assert t[edges["train"]].max() == 49
    assert t[edges["val"]].min() == 50
    assert "test" not in edges
    assert edge_index.size(1) == 400
    store.train_mask, store.val_mask = store.at >= 90, store.at < 50
    with pytest.raises(SystemExit, match="masks follow each other in time"):
        program["in_order"](store)


@pytest.mark.parametrize("more", ["batch_size: 40", "disjoint: 0.4"])
def test_a_loop_of_pairs_in_a_graph_scores_as_gnn_evaluate(more: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    group, data = torch.randint(4, (60,)), HeteroData()
    data["paper"].x = torch.randn(60, 8)
    chance = torch.where(group[:, None] == group[None, :], 0.35, 0.01)
    data["paper", "cites", "paper"].edge_index = (torch.rand(60, 60) < chance).triu(1).nonzero().T.contiguous()
    text = NEAR.replace("MORE", more)
    losses, test = run(text, "near", data, tmp_path)
    assert len(losses) == 12
    assert losses[-1] < losses[0] / 1.15
    assert test == f"test mrr {scores(text, 'near', data, tmp_path / 'w.pt')['test_mrr']:.4f}"


def test_what_would_take_events_out_of_their_order_is_said() -> None:
    data = happened(CASES[0])
    for change, code in (("batch_size: 50", "GNN644"), ("epochs: 3", "GNN645")):
        text = CASES[0].replace(change, "" if code == "GNN644" else "workers: 2")
        with pytest.raises(SpecError, match=code):
            graphdsl.loads(text).to_script("tgn", data=data)
    with pytest.raises(SpecError, match="GNN679"):
        graphdsl.loads(NEAR.replace("MORE", "")).to_script("near")


def test_layout_is_the_one_of_ruff(tmp_path: Path) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    for number, text in enumerate(CASES):
        program = graphdsl.loads(text, "s.gnn").to_script("tgn", data=happened(text))
        (tmp_path / f"p{number}.py").write_text(program, encoding="utf-8")
    for number, more in enumerate(("batch_size: 40", "disjoint: 0.4")):
        program = graphdsl.loads(NEAR.replace("MORE", more), "s.gnn").to_script("near")
        (tmp_path / f"n{number}.py").write_text(program, encoding="utf-8")
    program = graphdsl.loads(WORLD, "s.gnn").to_script("renet", data=world())
    (tmp_path / "w.py").write_text(program, encoding="utf-8")
    options = ["--isolated", "--no-cache", "--line-length", "100"]
    for command in (["format", "--check", "--diff", *options], ["check", "--extend-select", "I,E501,UP", *options]):
        done = subprocess.run([ruff, *command, "."], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


def test_the_command_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.gnn").write_text(CASES[0], encoding="utf-8")
    assert main(["build", str(tmp_path / "s.gnn")]) == 1
    assert "GNN508" in capsys.readouterr().err
    torch.save(happened(CASES[0]), tmp_path / "data.pt")
    assert main(["build", str(tmp_path / "s.gnn"), "--data", str(tmp_path / "data.pt")]) == 0
    assert "TGNMemory(35, 4, 12, 8, IdentityMessage(4, 12, 8), LastAggregator())" in capsys.readouterr().out
