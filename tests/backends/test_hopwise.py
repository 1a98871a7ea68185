"""Layers along metapaths, hop by hop: what they give on the composed pairs, for which layers, and when."""

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import graphdsl
from graphdsl.backends import derivation
from graphdsl.backends.fused import hopwise, relation_map
from graphdsl.kernels import hopping, use_implementation

SCHEMA = """
schema s {
  node a(count = 9) { x: float[6], y: class[3] }
  node b(count = 7) { x: float[6] }
  node c
  edge a -[has]-> b
  edge b -[of]-> c
  edge a -[one]-> c
  metapath ABA(count) = a -[has]-> b <-[has]- a
  metapath ABCBA(count) = a -[has]-> b -[of]-> c <-[of]- b <-[has]- a
  metapath SHARE(mean) = a -[has]-> b <-[has]- a
  metapath BA(count) = b -[of]-> c <-[one]- a
  metapath ONE = a -[one]-> c <-[one]- a
  metapath SET = a -[has]-> b <-[has]- a
}
"""
EDGES = {
    ("a", "has", "b"): [[0, 1, 5, 5, 5, 2, 3, 3], [6, 6, 0, 1, 1, 6, 0, 2]],
    ("b", "of", "c"): [[0, 1, 1, 6, 6, 4], [0, 0, 3, 3, 3, 1]],
    ("a", "one", "c"): [[0, 1, 2, 4, 5, 8], [0, 0, 3, 1, 3, 2]],
}
LAYERS = (
    "GraphConv(5)",
    "GraphConv(12)",
    "SimpleConv",
    "LGConv",
    "LGConv(normalize = false)",
    "GCNConv(5)",
    "GCNConv(5, improved = true)",
    "GCNConv(5, add_self_loops = false, bias = false)",
    "GCNConv(5, normalize = false)",
    "SGConv(5, K = 2)",
    "SSGConv(5, alpha = 0.2, K = 3)",
    "TAGConv(5, K = 2)",
    "TAGConv(5, K = 2, normalize = false, bias = false)",
    "APPNP(K = 3, alpha = 0.2)",
    "APPNP(K = 2, alpha = 0.2, normalize = false)",
    "HPNConv(5, K = 3)",
    "HPNConv(5, K = 0, act = none)",
)
MODELS = (
    *(f"edges {{ ABA, ABCBA, SHARE: {layer} }} combine mean" for layer in LAYERS),
    *(
        f"edges {{ ONE: {layer} }}"
        for layer in (
            "SAGEConv(5)",
            'SAGEConv(5, aggr = "sum", normalize = true, root_weight = false)',
            "GINConv(nn = MLP(4, 4, norm = none))",
            'GraphConv(5, aggr = "mean")',
            'SimpleConv(aggr = "mean")',
            "GCNConv(5)",
        )
    ),
    "edges { ABA: GraphConv(5) BA: GraphConv(5) SET: GATConv(5) has: SAGEConv(5) }",
    "edges { ABA: GraphConv(5) BA: GraphConv(5) SET: GATConv(5) } combine mean",
    "edges { ABA: GraphConv(5) SET: GATConv(5) ABCBA: GraphConv(3) } combine cat",
    "edges { ABA, ABCBA: GraphConv(5) SET: SAGEConv(5) } combine max",
    "edges { ABA, ABCBA: GraphConv(5) SET: GATConv(5) } combine attention",
    "edges { ABA, ABCBA: share GraphConv(5) SET: HANConv(5) } combine mean",
    "edges { ABA: GraphConv(6) } | relu | residual  edges { ABA, ABCBA: GraphConv(5) }",
)


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Shares of composed pairs are as exact as what is compared."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hops are taken on any graph."""
    monkeypatch.setattr(hopping, "_LEAST", 0)
    monkeypatch.setattr(hopping, "_MARGIN", {True: 0.0, False: 0.0})


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the metapaths that are composed."""
    names: list[str] = []
    compose = derivation.compose_named

    def noted(walk: Any, *rest: Any) -> Any:
        names.append(walk.name)
        return compose(walk, *rest)

    monkeypatch.setattr(derivation, "compose_named", noted)
    return names


def graph(dtype: torch.dtype = torch.float64) -> dict[str, Any]:
    """Parallel edges, nodes without edges, and a type without features whose last nodes have none."""
    draw = torch.Generator().manual_seed(0)
    return {
        "x_dict": {name: torch.randn(rows, 6, generator=draw, dtype=dtype) for name, rows in (("a", 9), ("b", 7))},
        "edge_index_dict": {edge: torch.tensor(ends) for edge, ends in EDGES.items()},
    }


def models(body: str, *backends: str, dtype: torch.dtype = torch.float64) -> list[Any]:
    """The same model on several backends."""
    spec = graphdsl.loads(f"{SCHEMA} model m on s {{ {body} predict a.y }}")
    torch.manual_seed(1)
    made = [spec.compile("m", backend=backend).to(dtype) for backend in backends]
    for model in made[1:]:
        model.load_state_dict(made[0].state_dict())
    return made


def gradients(model: nn.Module, inputs: dict[str, Any]) -> tuple[Tensor, list[Tensor]]:
    """Output, and gradients of parameters and features."""
    model.zero_grad()
    features = {name: x.clone().requires_grad_() for name, x in inputs["x_dict"].items()}
    made = model(features, inputs["edge_index_dict"])
    (made * torch.linspace(-1, 1, made.numel(), dtype=made.dtype).view_as(made)).sum().backward()
    named = [*model.parameters(), *features.values()]
    return made.detach(), [torch.zeros_like(item) if item.grad is None else item.grad.clone() for item in named]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("backend", ["fused", "auto"])
@pytest.mark.parametrize("body", MODELS)
def test_equals_the_composed_reference(body: str, backend: str, dtype: torch.dtype, composed: list[str]) -> None:
    reference, ours = models(body, "pyg", backend, dtype=dtype)
    assert list(reference.state_dict()) == list(ours.state_dict())
    inputs = graph(dtype)
    composed.clear()
    made, found = gradients(ours, inputs)
    assert set(composed) <= {"SET"}, "pairs of other metapaths are needed by nothing"
    wanted, expected = gradients(reference, inputs)
    close = 1e-10 if dtype == torch.float64 else 1e-5
    torch.testing.assert_close(made, wanted, rtol=close, atol=close)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=10 * close, atol=10 * close)


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        ("edges { SET: SAGEConv(5) }", {"SET"}),  # two paths join the same nodes
        ('edges { ABA: GraphConv(5, aggr = "mean") }', {"ABA"}),
        ('edges { ABA: GraphConv(5, aggr = "max") }', {"ABA"}),
        ("edges { ABA: HPNConv(5, dropout = 0.5) }", {"ABA"}),
        ("edges { ABA: ChebConv(5, K = 2) }", {"ABA"}),
        ("edges { ONE: GATConv(5) }", {"ONE"}),
        ("edges { ABA: GATConv(5, edge_attr = weight) }", {"ABA"}),
        ("edges { ABA: GraphConv(6) } edges { ABA: GATConv(5, edge_attr = weight) }", {"ABA"}),
    ],
)
def test_pairs_are_made_where_something_needs_them(body: str, pairs: set[str], composed: list[str]) -> None:
    (model,) = models(body, "fused")
    composed.clear()
    model(**graph())
    assert set(composed) == pairs


@pytest.mark.parametrize("layer", ["GCNConv(5)", "HPNConv(5)", "GraphConv(5)"])
def test_plain_torch_gives_the_same(layer: str) -> None:
    (ours,) = models(f"edges {{ ABA, ABCBA, SHARE: {layer} }}", "fused")
    wanted, expected = gradients(ours, graph())
    with use_implementation("torch"):
        made, found = gradients(ours, graph())
    torch.testing.assert_close(made, wanted)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_copies_and_pickles_run() -> None:
    (ours,) = models("edges { ABA: GCNConv(5) SHARE: HPNConv(5) }", "fused")
    made = ours(**graph())
    torch.testing.assert_close(copy.deepcopy(ours)(**graph()), made)
    torch.testing.assert_close(pickle.loads(pickle.dumps(ours))(**graph()), made)


def test_mixed_precision() -> None:
    reference, ours = models("edges { ABA: GCNConv(5) SHARE: HPNConv(5) }", "pyg", "fused", dtype=torch.float32)
    inputs = graph(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made, wanted = ours(**inputs), reference(**inputs)
    made.float().sum().backward()
    torch.testing.assert_close(made.float(), wanted.float(), rtol=0.05, atol=0.05)


def test_hops_that_metapaths_share_are_gone_along_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reference, ours = models("edges { ABA, ABCBA, SHARE: GraphConv(40) }", "pyg", "fused")
    layouts: list[int] = []
    gather = hopping.gather_sum

    def noted(layout: Any, x: Tensor, *rest: Any) -> Tensor:
        layouts.append(id(layout))
        return gather(layout, x, *rest)

    inputs = graph()
    ours(**inputs)
    monkeypatch.setattr(hopping, "gather_sum", noted)
    made = ours(**inputs)
    # ABA: 2 hops; ABCBA goes on behind the first with 3; SHARE is ABA, divided.
    assert len(layouts) == 5
    torch.testing.assert_close(made, reference(**inputs))


def test_a_graph_that_has_the_pairs_itself_keeps_them(composed: list[str]) -> None:
    reference, ours = models("edges { ABA: GraphConv(5) }", "pyg", "fused")
    inputs = graph()
    inputs["edge_index_dict"]["a", "ABA", "a"] = torch.tensor([[0, 1], [1, 1]])
    inputs["weight_dict"] = {("a", "ABA", "a"): torch.tensor([2.0, 3.0])}
    torch.testing.assert_close(ours(**inputs), reference(**inputs))
    assert not composed


def test_weights_of_ones_own_are_of_pairs(composed: list[str]) -> None:
    reference, ours = models("edges { ABA: GraphConv(5) }", "pyg", "fused")
    inputs = graph()
    pairs = graphdsl.backends.derive_relations(ours.plan.derived, inputs["edge_index_dict"], {})["a", "ABA", "a"]
    inputs["weight_dict"] = {("a", "ABA", "a"): torch.arange(pairs.size(1)).double()}
    torch.testing.assert_close(ours(**inputs), reference(**inputs))
    assert "ABA" in composed


def test_what_looks_into_a_layer_sees_pairs(composed: list[str]) -> None:
    reference, ours = models("edges { ABA: GraphConv(5) }", "pyg", "fused")
    seen: list[int] = []
    conv = next(iter(ours.stages["edges1"].conv.convs.values()))
    handle = conv.register_message_forward_hook(lambda _, __, message: seen.append(message.size(0)))
    composed.clear()
    made = ours(**graph())
    assert composed == ["ABA"]
    assert seen
    handle.remove()
    torch.testing.assert_close(made, reference(**graph()))


def test_small_graphs_and_those_with_few_paths_are_composed(
    composed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (model,) = models("edges { ABA: GraphConv(5) }", "auto")
    composed.clear()
    monkeypatch.setattr(hopping, "_MARGIN", {True: 2.0, False: 2.0})
    model(**graph())
    assert composed == ["ABA"]


def test_a_node_that_is_not_there_is_a_finding() -> None:
    (model,) = models("edges { ABA: GraphConv(5) }", "fused")
    inputs = graph()
    inputs["edge_index_dict"]["a", "has", "b"] = torch.tensor([[0, 9], [1, 1]])
    with pytest.raises(graphdsl.SpecError, match=r"GNN606.*`ABA`"):
        model(**inputs)


def test_a_graph_that_changes_is_laid_out_anew() -> None:
    reference, ours = models("edges { ABA: GCNConv(5) }", "pyg", "fused")
    inputs = graph()
    ours(**inputs)
    inputs["edge_index_dict"]["a", "has", "b"][1, 0] = 3
    torch.testing.assert_close(ours(**inputs), reference(**inputs))


@pytest.mark.filterwarnings("ignore:.*")
def test_torch_compile_leaves_it_out() -> None:
    reference, ours = models("edges { ABA: GraphConv(5) } | relu  edges { ABA: GraphConv(5) }", "pyg", "fused")
    inputs = graph()
    torch._dynamo.reset()
    compiled = torch.compile(ours, backend="eager")
    torch.testing.assert_close(compiled(**inputs), reference(**inputs))
    torch.testing.assert_close(compiled(**inputs), reference(**inputs))
    torch._dynamo.reset()


def test_inference_mode_then_training() -> None:
    reference, ours = models("edges { ABA: GCNConv(5) SHARE: HPNConv(5) }", "pyg", "fused")
    inputs = graph()
    with torch.inference_mode():
        ours(**inputs)
    made, found = gradients(ours, inputs)
    wanted, expected = gradients(reference, inputs)
    torch.testing.assert_close(made, wanted)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_every_layer_of_the_plan_has_a_sender() -> None:
    from graphdsl.plan import hopping as plan_hopping

    assert set(hopwise._SENDERS) == set(plan_hopping._LAYERS)
    assert relation_map.send_hopwise is hopwise.send_hopwise
