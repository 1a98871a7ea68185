"""Every convolution of the catalogue in a trimmed batch: the seeds get the outputs and gradients of the whole batch.

Kernels give them, too, where there are any.

A layer that reads more than the neighbours of a node, and of which `catalog.locality` does not know it, fails here.
"""

from typing import Any

import pytest
import stand_in
import torch
from equal_rows import DEGREES, EDGE_WIDTH, PLACES, Joint, Relation, Row, all_rows
from equal_specs import with_inputs
from torch import Tensor, nn
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.catalog import describe_requirement, missing
from graphdsl.data import batch_inputs, seed_loader
from graphdsl.model import Metadata, StoreInfo, Training
from graphdsl.text import SpecError

ROWS = [row for row in all_rows() if isinstance(row, Relation | Joint)]
LIKES, LINKS, LIKED = ("user", "likes", "item"), ("item", "links", "item"), ("item", "liked_by", "user")
CLOSE = {"rtol": 1e-9, "atol": 1e-9}


@pytest.fixture(autouse=True)
def _double():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def graph(width: int) -> HeteroData:
    data = HeteroData()
    for name, count in (("user", 60), ("item", 80)):
        data[name].x, data[name].p = torch.randn(count, width), torch.randn(count, PLACES)
    for edge in (LIKES, LINKS, LIKED):
        ends = [data[name].num_nodes for name in (edge[0], edge[2])]
        data[edge].edge_index = torch.stack([torch.randint(end, (150,)) for end in ends])
        data[edge].w, data[edge].a = torch.rand(150) + 0.1, torch.randn(150, EDGE_WIDTH)
    return data


def text(row: Relation | Joint, relation: str, width: int, last: bool) -> str:
    """A model with the layer as the last one, or before another."""
    attribute = {"edge": "a", "node": "p", "state": "h0"}
    bound = {item.name: "w" if item.scalar else attribute[item.source] for item in row.entry.inputs}
    layer = f"edges{'(s)' if row.entry.stacked else ''} {{ {relation}: {with_inputs(row.layer, bound)} }}"
    others = f"edges {{ *: SAGEConv({width}) }}"
    edges = "".join(
        f"edge {a} -[{r}]-> {b} {{ w: float, a: float[{EDGE_WIDTH}] }}\n" for a, r, b in (LIKES, LINKS, LIKED)
    )
    return f"""
      schema s {{
        node user(count = 60) {{ x: float[{width}], p: float[{PLACES}] }}
        node item(count = 80) {{ x: float[{width}], p: float[{PLACES}], y: real }}
        {edges}
      }}
      model m on s {{
        h0 = nodes {{ *: tanh }}
        h1 = {others if last else "nodes { *: sigmoid }"}
        {"s = stack(h0, h1)" if row.entry.stacked else ""}
        {layer}
        {"drop user" if row.entry.stacked else ""}
        {"" if last else "edges { links: SAGEConv(4) }"}
        predict item.y
      }}"""


def outputs(model: nn.Module, inputs: dict[str, Any], seeds: int) -> tuple[Tensor, list[Tensor]]:
    torch.manual_seed(4)
    made = model(**inputs)[:seeds]
    parameters = list(model.parameters())
    weights = torch.linspace(-1, 1, made.numel()).view_as(made)
    found = torch.autograd.grad((made * weights).sum(), parameters, allow_unused=True)
    return made, [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]


@pytest.mark.filterwarnings("ignore:We do not recommend using the non-optimized CPU version")  # SplineConv
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.layer)
def test_seeds_do_not_notice(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(row, Relation | Joint)
    if row.entry.kind == "search" or row.entry.name == "SplineConv":
        stand_in.install(monkeypatch)
    for requirement in missing(row.entry):
        pytest.skip(f"{row.entry.name} needs {describe_requirement(requirement)}")
    torch.manual_seed(1)
    width = row.width if isinstance(row, Relation) else 6
    degrees = StoreInfo(None, received=DEGREES)
    tried = 0
    for relation in ("*",) if isinstance(row, Joint) else ("links", "likes"):
        for last in (True, False):
            try:
                spec = graphdsl.loads(text(row, relation, width, last))
                model = spec.compile("m", data=Metadata({}, dict.fromkeys((LIKES, LINKS, LIKED), degrees)))
            except SpecError:
                assert relation == "likes" or row.refused
                continue
            training = Training("m", batch_size=4, fanout=(2,), seed=3)
            if row.entry.against:
                pytest.skip("nothing is sampled for a layer that reads edges against their direction")
            (batch,) = seed_loader(graph(width), model.plan, ("item", torch.arange(4)), training)
            inputs = batch_inputs(batch, model.plan)
            whole = {name: value for name, value in inputs.items() if not name.startswith("num_sampled_")}
            assert len(inputs) == len(whole) + 2
            model.eval()  # Dropout draws other numbers for other shapes.
            mine, theirs = outputs(model, inputs, 4), outputs(model, whole, 4)
            assert len(model(**inputs)) == 4 < len(model(**whole))
            torch.testing.assert_close(mine, theirs, **CLOSE)
            fused = spec.compile("m", data=Metadata({}, dict.fromkeys((LIKES, LINKS, LIKED), degrees)), backend="fused")
            fused.load_state_dict(model.state_dict())
            torch.testing.assert_close(outputs(fused.eval(), inputs, 4), mine, **CLOSE)
            tried += 1
    assert tried or row.refused
