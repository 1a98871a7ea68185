"""Relations that share a layer share what it makes of a node: the same numbers, in fewer products."""

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import graphdsl

SCHEMA = """
schema s {
  node a(count = 30) { x: float[6], y: class[3] }
  node b(count = 20) { x: float[6] }
  edge a -[to]-> a { w: float[1], f: float[3] }
  edge a -[has]-> b { w: float[1], f: float[3] }
  edge a -[likes]-> b { w: float[1], f: float[3] }
  edge b -[of]-> a { w: float[1], f: float[3] }
  edge b -[by]-> a { w: float[1], f: float[3] }
  edge b -[none]-> a { w: float[1], f: float[3] }
}
"""
EDGES = {
    ("a", "to", "a"): 60,
    ("a", "has", "b"): 90,
    ("a", "likes", "b"): 9,
    ("b", "of", "a"): 70,
    ("b", "by", "a"): 25,
    ("b", "none", "a"): 0,
}
LAYERS = [
    "SAGEConv(5)",
    "SAGEConv(64)",
    'SAGEConv(5, aggr = "max", project = true)',
    "GraphConv(3, edge_weight = w)",
    "GATConv(3, heads = 2)",
    "GATConv(3, heads = 2, residual = true, edge_attr = f)",
    "GATv2Conv(3, heads = 2)",
    "TransformerConv(3, heads = 2)",
    "TransformerConv(5, beta = true, edge_attr = f)",
    "ResGatedGraphConv(5)",
]


def graph() -> dict[str, Any]:
    """Inputs: relations with many edges, with few, and with none."""
    draw = torch.Generator().manual_seed(0)
    sizes = {"a": 30, "b": 20}
    index = {
        edge: torch.stack([torch.randint(sizes[end], (count,), generator=draw) for end in (edge[0], edge[2])])
        for edge, count in EDGES.items()
    }
    return {
        "x_dict": {name: torch.randn(count, 6, generator=draw).double() for name, count in sizes.items()},
        "edge_index_dict": index,
        "w_dict": {edge: torch.rand(count, 1, generator=draw).double() for edge, count in EDGES.items()},
        "f_dict": {edge: torch.randn(count, 3, generator=draw).double() for edge, count in EDGES.items()},
    }


def model(body: str, backend: str = "fused") -> Any:
    """With weights that do not depend on the backend."""
    torch.manual_seed(1)
    return graphdsl.loads(f"{SCHEMA} model m on s {{ {body} predict a.y }}").compile("m", backend=backend).double()


def called(made: Any, inputs: dict[str, Any]) -> torch.Tensor:
    known = {"x_dict", "edge_index_dict", *made.input_names}
    return made(**{name: value for name, value in inputs.items() if name in known})


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("combine", ["", "combine max"])
def test_equals_the_reference(layer: str, combine: str) -> None:
    body = f"edges {{ *: share {layer} }} {combine} edges {{ b -[of]-> a, b -[by]-> a: share {layer}  *: {layer} }}"
    reference, fused, inputs = model(body, "pyg"), model(body), graph()
    fused.load_state_dict(reference.state_dict())
    gradients: list[dict[str, torch.Tensor]] = []
    made = [called(item, inputs) for item in (reference, fused)]
    torch.testing.assert_close(made[1], made[0], rtol=1e-10, atol=1e-10)
    for item, out in zip((reference, fused), made, strict=True):
        out.square().sum().backward()
        gradients.append(
            {name: torch.zeros_like(p) if p.grad is None else p.grad for name, p in item.named_parameters()}
        )
    for name, wanted in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("layer", LAYERS)
def test_shared_layers_take_fewer_products(layer: str) -> None:
    inputs, products = graph(), []
    for share in ("share ", ""):
        made = model(f"edges {{ *: {share}{layer} }}")
        with FlopCounterMode(display=False) as counter:
            called(made, inputs)
        products.append(counter.get_total_flops())
    assert 0 < products[0] < products[1]


def test_a_graph_that_models_share_is_laid_out_for_each_way_of_sharing() -> None:
    inputs = graph()
    bodies = [
        f"edges {{ {rules} }}"
        for rules in ("*: share GATConv(4)", "*: GATConv(4)", "b -[*]-> a: share GATConv(4) *: GATConv(4)")
    ]
    for body in (*bodies, *bodies):
        reference, fused = model(body, "pyg"), model(body)
        fused.load_state_dict(reference.state_dict())
        torch.testing.assert_close(called(fused, inputs), called(reference, inputs), rtol=1e-10, atol=1e-10)
