"""Whole models in specs against PyG's own, with copied weights: same numbers, same gradients, same state dict."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import models
from torch_geometric.utils import degree
from whole_models import EDGE, ROWS, SIZES, WIDTH, Row, graphs

import graphdsl
from graphdsl.catalog import entries

SCHEMA = f"""
schema graphs {{
  node atom(count = {sum(SIZES)}) {{ x: float[{WIDTH}], y: real[{{width}}] }}
  edge atom -[bond]-> atom {{ edge_attr: float[{EDGE}], w: float }}
  graph {{ label: real[{{width}}] }}
}}
"""
ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.layer)


def compare(ours: nn.Module, theirs: nn.Module, x: Tensor, run_ours, run_theirs) -> None:
    """Same numbers and gradients in training and evaluation; `theirs` gets the weights of `ours`."""
    for training in (True, False):
        ours.train(training)
        theirs.train(training)
        outputs, grads = [], []
        for module, run in ((ours, run_ours), (theirs, run_theirs)):
            torch.manual_seed(7)
            out = run()
            weights = torch.arange(out.numel(), dtype=out.dtype).view_as(out).cos()
            parameters = [item for item in module.parameters() if item.requires_grad]
            outputs.append(out)
            grads.append(torch.autograd.grad((out * weights).sum(), [x, *parameters], allow_unused=True))
        torch.testing.assert_close(*outputs)
        for mine, other in zip(*grads, strict=True):
            assert (mine is None) == (other is None)
            if mine is not None:
                torch.testing.assert_close(mine, other)


def state(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


@pytest.mark.filterwarnings("ignore:Sparse")  # torch warns of the sparse matrices that GraphUNet uses
@ROW
def test_a_step_is_the_model_of_pyg(row: Row) -> None:
    names = [name for name in dict.fromkeys(row.header.split(", ")) if name != "none"]
    label = "graph.label" if row.graphs else "atom.y"
    text = SCHEMA.replace("{width}", str(row.width))
    text += f"model m on graphs {{ sequential {', '.join(names)} {{ {row.layer}: {row.header} -> {row.gives} }} predict {label} }}"
    spec = graphdsl.loads(text)
    assert not [item for item in spec.findings if item.code != "GNN533"]
    ours, theirs = spec.compile("m"), row.by_hand()
    assert state(ours) == {f"module_0.{key}": shape for key, shape in state(theirs).items()}
    theirs.load_state_dict(ours[0].state_dict())
    data = graphs()
    inputs = [data[name] for name in names]
    written = [data.get(name) for name in row.header.split(", ")]
    compare(ours, theirs, data["x"], lambda: ours(*inputs), lambda: theirs(*written))


WITHIN = [row for row in ROWS if graphdsl.catalog.find(row.name).scope == "relation" and "batch" not in row.header]


@pytest.mark.parametrize("row", WITHIN, ids=lambda row: row.layer)
def test_a_layer_within_one_type_is_the_model_of_pyg(row: Row) -> None:
    bound = {"w": "edge_weight = w", "edge_attr": "edge_attr = edge_attr"}
    inputs = [bound[name] for name in row.header.split(", ") if name in bound]
    layer = row.layer[:-1] + "".join(f", {item}" for item in inputs) + ")"
    text = SCHEMA.replace("{width}", str(row.width))
    text += f"model m on graphs {{ edges {{ bond: {layer} }} predict atom.y: identity }}"
    spec = graphdsl.loads(text)
    assert not spec.findings
    ours, theirs = spec.compile("m"), row.by_hand()
    own = next(iter(ours.stages["edges1"].conv.convs.values()))
    assert state(own) == state(theirs)
    theirs.load_state_dict(own.state_dict())
    data, edge = graphs(), ("atom", "bond", "atom")
    more = {f"{name}_dict": {edge: data[name]} for name in ("w", "edge_attr") if name in row.header}
    written = [data.get(name) for name in row.header.split(", ")]
    run = partial(ours, {"atom": data["x"]}, {edge: data["edge_index"]}, **more)
    compare(ours, theirs, data["x"], run, lambda: theirs(*written))


def test_every_model_has_a_row() -> None:
    of_molecules = {entry.name for entry in entries("model") if entry.path.startswith("graphdsl.layers.molecules")}
    assert {entry.name for entry in entries("model")} - of_molecules == {row.name for row in ROWS} | {"PNA"}


@pytest.mark.parametrize("form", ["step", "layer"])
def test_pna_takes_degrees_from_the_data(form: str) -> None:
    told = 'PNA(8, 2, 3, aggregators = ["mean", "std"], scalers = ["identity", "amplification"], norm = "batch_norm"'
    forms = {
        "step": f"sequential x, edge_index, edge_attr {{ {told}): x, edge_index, none, edge_attr -> x }}",
        "layer": f"edges {{ bond: {told}, edge_attr = edge_attr) }} predict atom.y: identity",
    }
    spec = graphdsl.loads(f"""
      schema graphs {{
        node atom {{ x: float[{WIDTH}], y: real[3] }}
        edge atom -[bond]-> atom {{ edge_attr: float[{EDGE}] }}
      }}
      model m on graphs {{ {forms[form]} }}""")
    values, edge = graphs(), ("atom", "bond", "atom")
    data = HeteroData()
    data["atom"].x, data["atom"].y = values["x"].detach(), torch.zeros(sum(SIZES), 3)
    data[edge].edge_index, data[edge].edge_attr = values["edge_index"], values["edge_attr"]
    ours = spec.compile("m", data=data)
    histogram = degree(values["edge_index"][1], sum(SIZES), torch.long).bincount()
    scalers = ["identity", "amplification"]
    theirs = models.PNA(
        WIDTH, 8, 2, 3, norm="batch_norm", aggregators=["mean", "std"], scalers=scalers, deg=histogram, edge_dim=EDGE
    )
    own = ours[0] if form == "step" else next(iter(ours.stages["edges1"].conv.convs.values()))
    assert state(own) == state(theirs)
    theirs.load_state_dict(own.state_dict())
    x, edge_index, edge_attr = (values[name] for name in ("x", "edge_index", "edge_attr"))
    run = partial(ours, x, edge_index, edge_attr)
    if form == "layer":
        run = partial(ours, {"atom": x}, {edge: edge_index}, edge_attr_dict={edge: edge_attr})
    compare(ours, theirs, x, run, lambda: theirs(x, edge_index, None, edge_attr))


def test_linkx_asks_for_the_number_of_nodes() -> None:
    spec = graphdsl.loads("""
      schema web { node page { x: float[4], y: class[2] } edge page -[links]-> page }
      model m on web { sequential x, edge_index { LINKX(8, 2, num_layers = 2): x, edge_index -> x } }""")
    with pytest.raises(graphdsl.SpecError) as refused:
        spec.compile("m")
    assert [item.code for item in refused.value.diagnostics] == ["GNN508"]
