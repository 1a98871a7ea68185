"""The zoo's architectures as programs with a loop: each runs two epochs on random data, and leaves weights that fit."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from drawing import draw_graph, small
from torch_geometric.data import Data, HeteroData

import graphdsl
from graphdsl.plan import Plan
from graphdsl.text import SpecError

SPECS = Path(__file__).resolve().parents[2] / "specs"
REFUSED = {"label_propagation"}
CASES = [(path.stem, model) for path in sorted(SPECS.glob("*.gnn")) for model in graphdsl.load(path).models]


def with_masks(data: HeteroData) -> HeteroData:
    """A third of the nodes or edges for each split."""
    for store in data.stores:
        for number, name in enumerate(("train_mask", "val_mask", "test_mask")):
            if name in store:
                store[name] = torch.arange(len(store[name])) % 3 == number
    return data


def as_read(data: HeteroData, plan: Plan) -> HeteroData | Data:
    """What the program reads: blocks take homogeneous graphs."""
    block = plan.sequence
    if block is None:
        return data
    made = Data(**{key: value for key, value in data[block.type].items() if key != "num_nodes"})
    made.num_nodes = data[block.type].num_nodes
    for store in (data[block.edge], data._global_store):
        for key, value in store.items():
            made[key] = value
    return made


@pytest.mark.parametrize(("name", "model"), CASES)
@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")  # ASAPooling
@pytest.mark.filterwarnings("ignore:There exist:UserWarning")
def test_a_program_of_the_zoo_trains(name: str, model: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(SPECS)
    spec = small(graphdsl.load(f"{name}.gnn"))
    spec = graphdsl.loads(re.sub(r"epochs: \d+", "epochs: 2", spec.text), spec.name)
    graphs = [with_masks(draw_graph(spec.schema(model), seed)) for seed in range(6)]
    if name in REFUSED:
        with pytest.raises(SpecError, match=r"GNN37[03]"):
            spec.to_script(model, data=graphs[0])
        return
    program, plan = ModuleType("written"), spec.plan(model, data=graphs[0])
    exec(compile(spec.to_script(model, data=graphs[0]), "written.py", "exec"), program.__dict__)
    given: Any = [as_read(graph, plan) for graph in graphs]
    torch.save(given if plan.graph_heads else given[0], tmp_path / "data.pt")
    program.main(str(tmp_path / "data.pt"), str(tmp_path / "weights.pt"))
    said = capsys.readouterr().out
    assert re.match(r"epoch 1: loss \d", said)
    assert "\nepoch 2: loss " in said
    weights = torch.load(tmp_path / "weights.pt")
    spec.compile(model, data=graphs[0]).load_state_dict(weights)
