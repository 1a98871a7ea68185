"""Whole models on each implementation of the kernels: outputs and gradients of the reference."""

import pytest
import torch
from test_fused import SERVED, both, gradients

from graphdsl.kernels import implementations, use_implementation

NEEDS_TRITON = pytest.mark.skipif(
    not implementations.has_triton(), reason="Triton is not installed: it is made for Linux"
)
FEW = [
    'edges { *: SAGEConv(5, aggr = "max") } edges { *: GraphConv(4, aggr = "max", edge_weight = w) }',
    "edges { *: SAGEConv(5) } combine attention",
    "edges { *: SAGEConv(5) } edges { *: SAGEConv(4) }",
    "edges { a -[to]-> a: GCNConv(5)  *: GraphConv(5, edge_weight = w) }",
    "edges { *: GATConv(3, heads = 2) } edges { *: GATConv(3) } combine max",
    "edges { a -[to]-> a: GATConv(5, edge_attr = f, add_self_loops = false)  *: GATConv(5) }",
    "edges { *: TransformerConv(3, heads = 2) }",
    "nodes { *: Linear(6) } edges { *: RGCNConv(6, num_bases = 2) } edges { *: RGCNConv(5) }",
    "edges { *: HGTConv(6, heads = 2) } edges { *: HGTConv(6, heads = 3) }",
    "edges { *: HANConv(6, heads = 2) } edges { *: HANConv(6) }",
]


@pytest.mark.parametrize("body", FEW)
@NEEDS_TRITON
def test_triton_equals_the_reference(body: str) -> None:
    equals_the_reference(body, "triton")


@pytest.mark.parametrize("body", SERVED)
def test_plain_torch_equals_the_reference(body: str) -> None:
    equals_the_reference(body, "torch")


def equals_the_reference(body: str, by: implementations.Implementation) -> None:
    reference, fused, inputs = both(body)
    wanted, theirs = gradients(reference, inputs)
    with use_implementation(by):
        found, ours = gradients(fused, inputs)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-9, atol=1e-10)


@NEEDS_TRITON
def test_triton_in_mixed_precision() -> None:
    reference, fused, inputs = both("edges { *: SAGEConv(5) } edges { *: GATConv(3, heads = 2) }", torch.float32)
    wanted = reference(**inputs)
    with torch.autocast("cpu", torch.bfloat16), use_implementation("triton"):
        found = fused(**inputs)
    found.float().sum().backward()
    torch.testing.assert_close(found.float(), wanted, rtol=0.1, atol=0.1)
    assert all(item.grad is None or item.grad.isfinite().all() for item in fused.parameters())


@NEEDS_TRITON
def test_triton_drops_weights_of_attention() -> None:
    _, fused, inputs = both("edges { *: GATConv(4, heads = 2, dropout = 0.5) }")
    with use_implementation("triton"), torch.no_grad():
        assert not torch.equal(fused(**inputs), fused(**inputs))
        fused.eval()
        kept = fused(**inputs)
    torch.testing.assert_close(kept, fused(**inputs))


@NEEDS_TRITON
def test_the_variable_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    _, fused, inputs = both("edges { *: SAGEConv(5) }")
    wanted = fused(**inputs)
    for name in implementations.IMPLEMENTATIONS:
        monkeypatch.setenv(implementations.VARIABLE, name)
        torch.testing.assert_close(fused(**inputs), wanted, rtol=1e-10, atol=1e-10)
