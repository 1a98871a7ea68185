"""The fused backend's layers in which all relations into a node compete, and its attention over attributes of edges."""

from typing import Any

import pytest
import test_fused
import torch
from test_fused import both, gradients
from torch import Tensor

import graphdsl
from graphdsl.backends import recording

referred = test_fused.referred


@pytest.fixture(autouse=True)
def filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyG leaves a parameter of `RGATConv` as it finds it in memory, which may be anything; so draw it."""

    def drawn(*arguments: Any) -> tuple[Any, Any, dict[str, Any]]:
        reference, fused, inputs = both(*arguments)
        for name, item in reference.named_parameters():
            if name.endswith(".l2"):
                torch.nn.init.normal_(item)
        fused.load_state_dict(reference.state_dict())
        return reference, fused, inputs

    monkeypatch.setattr(test_fused, "both", drawn)


SIMPLE = [
    "SimpleHGNConv(3, heads = 2)",
    "SimpleHGNConv(3, num_layers = 3, heads = 2, beta = 0.3)",
    "SimpleHGNConv(3, num_layers = 2, concat = false, heads = 2, normalize = true, act = prelu)",
    "SimpleHGNConv(3, num_layers = 2, residual = false, add_self_loops = false, negative_slope = 0.2)",
    "SimpleHGNConv(3, heads = 2) } edges { *: SimpleHGNConv(4)",
]
MULTIPLIED = 'attention_mode = "multiplicative-self-attention"'
WITHIN = 'attention_mechanism = "within-relation"'
RELATIONAL = [
    "RGATConv(3, heads = 2)",
    f"RGATConv(3, heads = 2, concat = false, bias = false, {WITHIN}, negative_slope = 0.1)",
    f"RGATConv(3, heads = 2, {MULTIPLIED})",
    f"RGATConv(3, heads = 2, dim = 2, {MULTIPLIED}, {WITHIN})",
    f"RGATConv(3, heads = 2, dim = 3, concat = false, {MULTIPLIED})",
    "RGATConv(3, heads = 2, num_bases = 2)",
    "RGATConv(3, heads = 2, num_blocks = 3)",
    "RGATConv(3, heads = 2, edge_attr = f)",
    f"RGATConv(3, heads = 2, edge_attr = w, {MULTIPLIED})",
    "RGATConv(3, heads = 2, edge_attr = Linear(4, x = f))",
    *(f'RGATConv(3, heads = 2, mod = "{mod}")' for mod in ("additive", "scaled", "f-additive", "f-scaled")),
    *(f'RGATConv(3, heads = 2, dim = 2, mod = "{mod}", {MULTIPLIED})' for mod in ("additive", "scaled", "f-scaled")),
    "RGATConv(6) } edges { *: RGATConv(4)",
]
LOOPED = [
    *(
        f"edges {{ a -[to]-> a: GATConv(3, heads = 2, edge_attr = f, fill_value = {fill})  *: GATConv(3, heads = 2) }}"
        for fill in ('"mean"', '"add"', '"min"', '"max"', '"mul"', "0.5")
    ),
    "edges { a -[to]-> a: GATConv(5, edge_attr = w, dropout = 0.0)  *: GATConv(5, edge_attr = f, negative_slope = 0.1) }",
    "edges { a -[to]-> a: GATConv(5, edge_attr = Linear(4, x = f))  *: GATConv(5, edge_attr = Linear(2, x = f)) }",
    'edges { a -[to]-> a: GATConv(5, edge_attr = Linear(4, x = f), fill_value = "max")  *: GATConv(5) } combine max',
    "edges { a -[to]-> a: share GATConv(5, edge_attr = f) } edges { a -[to]-> a: GATConv(5, edge_attr = f) }",
]
DOTTED = [
    "edges { *: TransformerConv(3, heads = 2, edge_attr = f) }",
    "edges { *: TransformerConv(3, heads = 2, concat = false, bias = false, edge_attr = w) } | relu",
    "edges { a -[to]-> a: TransformerConv(5, edge_attr = f)  b -[of]-> a: TransformerConv(5, edge_attr = w)"
    "  *: TransformerConv(5) }",
    "edges { *: TransformerConv(5, edge_attr = Linear(4, x = f), root_weight = false) } combine max",
    "edges { *: TransformerConv(2, heads = 3, edge_attr = f) }",  # more columns than a head has
    "edges { *: TransformerConv(3, heads = 2, beta = true) }",
    "edges { *: TransformerConv(3, heads = 2, concat = false, bias = false, beta = true) } combine mean",
    "edges { *: TransformerConv(5, beta = true) } combine max edges { *: TransformerConv(4, heads = 2, beta = true) }",
    "edges { *: TransformerConv(3, heads = 2, beta = true, edge_attr = f) }",
    "edges { a -[to]-> a: TransformerConv(5, beta = true, root_weight = false)  *: TransformerConv(5, beta = true) }",
    "nodes { *: Linear(6) } edges { *: share TransformerConv(5, beta = true, edge_attr = f) }",
]
SERVED = [f"nodes {{ *: Linear(6) }} edges {{ *: {layer} }}" for layer in SIMPLE + RELATIONAL]
SIMILAR = [
    "edges { a -[to]-> a: AGNNConv }",
    "edges { a -[to]-> a: AGNNConv(add_self_loops = false, requires_grad = false)  *: SAGEConv(6) } combine max",
    "edges { a -[to]-> a: AGNNConv  *: GATConv(6) }",
]
SERVED += LOOPED + DOTTED + SIMILAR


@pytest.mark.parametrize("body", SERVED)
def test_equals_the_reference(body: str, referred: list[str]) -> None:
    test_fused.test_equals_the_reference(body, referred)


@pytest.mark.parametrize("body", SERVED)
def test_equals_the_reference_in_single_precision(body: str) -> None:
    test_fused.test_equals_the_reference_in_single_precision(body)


@pytest.mark.parametrize("body", SERVED)
def test_types_and_relations_that_are_empty(body: str) -> None:
    test_fused.test_types_and_relations_that_are_empty(body)


@pytest.mark.parametrize("body", SERVED)
def test_a_graph_without_edges(body: str) -> None:
    test_fused.test_a_graph_without_edges(body)


@pytest.mark.parametrize("layer", ["SimpleHGNConv(3)", "RGATConv(3)"])
@pytest.mark.parametrize(("end", "value", "said"), [(0, 7, "source"), (1, 9, "target"), (1, -1, "target")])
def test_edges_out_of_range_are_refused(layer: str, end: int, value: int, said: str) -> None:
    test_fused.test_edges_out_of_range_are_refused(layer, end, value, said)


@pytest.mark.parametrize(
    "layer",
    [
        "SimpleHGNConv(3, num_layers = 2, heads = 2, beta = 0.4, dropout = 0.5)",
        "RGATConv(3, heads = 2, dropout = 0.5)",
    ],
)
def test_dropout_is_distributed_as_in_the_reference(layer: str, referred: list[str]) -> None:
    reference, fused, inputs = both(f"nodes {{ *: Linear(6) }} edges {{ *: {layer} }}", torch.float32)
    drawn: dict[str, Tensor] = {}
    with torch.no_grad():
        for name, model in (("fused", fused), ("reference", reference)):
            torch.manual_seed(0)
            drawn[name] = torch.stack([model(**inputs) for _ in range(3000)])
            if name == "fused":
                assert referred == []
    scale = drawn["reference"].std(0).max().item()
    assert scale > 0.01
    for moment in (Tensor.mean, Tensor.std):
        found, wanted = (moment(drawn[name], 0) for name in ("fused", "reference"))
        torch.testing.assert_close(found, wanted, rtol=0, atol=0.15 * scale)
    for model in (fused, reference):
        model.eval()
    torch.testing.assert_close(fused(**inputs), reference(**inputs))


@pytest.mark.parametrize("layer", ["SimpleHGNConv(3, num_layers = 2, heads = 2)", "RGATConv(3, heads = 2)"])
def test_recording_looks_into_the_layers_of_the_reference(layer: str, referred: list[str]) -> None:
    _, fused, inputs = both(f"nodes {{ *: Linear(6) }} edges {{ *: {layer} }}")
    with torch.no_grad(), recording(fused) as weights:
        watched = fused(**inputs)
    assert referred
    assert weights.edges
    torch.testing.assert_close(watched, fused(**inputs))


@pytest.mark.parametrize("body", [SERVED[1], SERVED[len(SIMPLE)]])
def test_steps_follow_the_reference(body: str) -> None:
    reference, fused, inputs = both(body)
    for model in (reference, fused):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        for _ in range(20):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(**inputs), torch.arange(9) % 3).backward()
            optimizer.step()
    wanted: dict[str, Any] = reference.state_dict()
    for name, item in fused.state_dict().items():
        torch.testing.assert_close(item, wanted[name], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("body", [SERVED[1], SERVED[len(SIMPLE)]])
def test_mixed_precision(body: str) -> None:
    reference, fused, inputs = both(body, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found = fused(**inputs)
    found.float().sum().backward()
    torch.testing.assert_close(found.float(), reference(**inputs), rtol=0.1, atol=0.1)
    _, made = gradients(fused, inputs)
    assert all(item.isfinite().all() for item in made.values())


@pytest.mark.parametrize("mod", ["scaled", "f-scaled"])
def test_what_pyg_leaves_uninitialised_is_filled(mod: str) -> None:
    text = f'nodes {{ *: Linear(6) }} edges {{ *: RGATConv(4, mod = "{mod}") }} predict a.y'
    model = graphdsl.loads(f"{test_fused.SCHEMA} model m on s {{ {text} }}").compile("m")
    (found,) = (item for name, item in model.named_parameters() if name.endswith(".l2"))
    assert torch.equal(found, torch.full((4, 4), 0.25))
