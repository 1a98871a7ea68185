"""The fused backend layer by layer: every option that a kernel serves, and what it must leave to the reference."""

import copy
import gc
import pickle
from collections import defaultdict
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

import graphdsl
from graphdsl.backends import recording
from graphdsl.backends.fused import choosing, relation_map
from graphdsl.backends.fused.choosing import Worth
from graphdsl.backends.fused.relations import LAYOUTS
from graphdsl.plan.fusing import Family
from graphdsl.text import SpecError

SCHEMA = """
schema s {
  node a(count = 9) { x: float[6], y: class[3] }
  node b(count = 7) { x: float[6] }
  node c(count = 4) { x: float[5] }
  edge a -[to]-> a { w: float[1], f: float[3] }
  edge a -[has]-> b { w: float[1], f: float[3] }
  edge b -[of]-> a { w: float[1], f: float[3] }
  edge c -[in]-> a { w: float[1], f: float[3] }
  edge b -[none]-> a { w: float[1], f: float[3] }
}
"""
EDGES = {
    ("a", "to", "a"): [[0, 1, 2, 2, 3, 8, 8, 4, 4], [1, 1, 0, 0, 3, 2, 7, 4, 5]],
    ("a", "has", "b"): [[0, 1, 5, 5], [6, 6, 0, 1]],
    ("b", "of", "a"): [[0, 1, 1, 2, 6, 6], [8, 8, 8, 0, 0, 1]],
    ("c", "in", "a"): [[3, 3], [0, 8]],
    ("b", "none", "a"): [[], []],
}


def graph(dtype: torch.dtype = torch.float64) -> dict[str, Any]:
    """Inputs of a small graph with parallel edges, loops, an empty relation and nodes without edges."""
    draw = torch.Generator().manual_seed(0)
    edges = {edge: torch.tensor(ends, dtype=torch.long) for edge, ends in EDGES.items()}
    sizes = {"a": (9, 6), "b": (7, 6), "c": (4, 5)}
    return {
        "x_dict": {name: torch.randn(*size, generator=draw, dtype=dtype) for name, size in sizes.items()},
        "edge_index_dict": edges,
        "w_dict": {edge: torch.rand(item.size(1), 1, generator=draw, dtype=dtype) for edge, item in edges.items()},
        "f_dict": {edge: torch.randn(item.size(1), 3, generator=draw, dtype=dtype) for edge, item in edges.items()},
    }


def both(body: str, dtype: torch.dtype = torch.float64) -> tuple[Any, Any, dict[str, Any]]:
    """A model on the reference and on kernels, with the same weights, and what both are called with."""
    spec = graphdsl.loads(f"{SCHEMA} model m on s {{ {body} predict a.y }}")
    torch.manual_seed(1)
    reference = spec.compile("m", backend="pyg").to(dtype)
    fused = spec.compile("m", backend="fused").to(dtype)
    fused.load_state_dict(reference.state_dict())
    inputs = graph(dtype)
    known = {"x_dict", "edge_index_dict", *reference.input_names}
    return reference, fused, {name: value for name, value in inputs.items() if name in known}


def gradients(model: nn.Module, inputs: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
    """Output and gradients of parameters and features; those that are missing are zero."""
    model.zero_grad()
    features = {name: x.clone().requires_grad_() for name, x in inputs["x_dict"].items()}
    made = model(**{**inputs, "x_dict": features})
    (made * torch.linspace(-1, 1, made.numel(), dtype=made.dtype).view_as(made)).sum().backward()
    named = [*model.named_parameters(), *features.items()]
    return made.detach(), {
        name: torch.zeros_like(item) if item.grad is None else item.grad.clone() for name, item in named
    }


@pytest.fixture
def referred(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Layers that the fused backend leaves to the reference, noted as it does."""
    found: list[str] = []
    parent = relation_map.RelationMap
    send, joint = parent._send, parent._send_joint

    def noted(self: Any, steps: Any, *rest: Any) -> Any:
        found.extend(step.module.name for step in steps)
        return send(self, steps, *rest)

    def noted_joint(self: Any, module: Any, step: Any, *rest: Any) -> Any:
        found.append(step.module.name)
        return joint(self, module, step, *rest)

    monkeypatch.setattr(parent, "_send", noted)
    monkeypatch.setattr(parent, "_send_joint", noted_joint)
    return found


SERVED = [
    "edges { *: SAGEConv(5) }",
    'edges { *: SAGEConv(5, aggr = "sum", bias = false) }',
    "edges { *: SAGEConv(5, root_weight = false) } edges { *: SAGEConv(4) }",
    "edges { *: SAGEConv(5) } combine mean",
    "edges { *: SAGEConv(5) } combine max",
    "edges { *: GraphConv(5) } combine min",
    "edges { *: SAGEConv(5) } combine attention",
    'edges { *: SAGEConv(5, aggr = "max") }',
    'edges { a -[to]-> a: SAGEConv(5, aggr = "min")  b -[of]-> a: SAGEConv(5)  *: SAGEConv(5, aggr = "max") } | relu '
    'edges { *: SAGEConv(4, aggr = "max") }',
    'edges { *: SAGEConv(5, aggr = "var", root_weight = false) } combine max',
    'edges { *: SAGEConv(5, aggr = "std") } combine mean',
    'edges { *: SAGEConv(5, aggr = "softmax") }',
    'edges { *: SAGEConv(5, aggr = "powermean", bias = false) }',
    'edges { *: SAGEConv(5, aggr = ["mean", "max", "std"]) } edges { *: SAGEConv(5, aggr = ["sum", "var"]) }',
    "edges { *: SAGEConv(5, aggr = SoftmaxAggregation(semi_grad = true)) }",
    "edges { *: SAGEConv(5, aggr = PowerMeanAggregation(p = 2.0)) }",
    "edges { *: SAGEConv(5, aggr = VariancePreservingAggregation) }",
    'edges { *: SAGEConv(5, aggr = MultiAggregation(["max", "min"], mode = "sum")) }',
    'edges { *: SAGEConv(5, aggr = MultiAggregation(["max", "mean"], mode = "logsumexp")) } combine mean',
    "edges { *: SAGEConv(5, normalize = true) } edges { *: SAGEConv(4, normalize = true) } combine max",
    'edges { *: SAGEConv(5, normalize = true, aggr = "max") } combine mean',
    "edges { a -[to]-> a: SAGEConv(5, project = true)  *: SAGEConv(5) } edges { *: SAGEConv(5, project = true) }",
    'edges { *: SAGEConv(5, project = true, normalize = true, aggr = "max") }',
    'edges { *: GraphConv(5, aggr = "max") } | relu edges { *: GraphConv(5, aggr = "min") } combine attention',
    'edges { *: GraphConv(5, aggr = "max", edge_weight = w) }',
    'edges { a -[to]-> a: GraphConv(5, aggr = "min", edge_weight = w)  *: GraphConv(5, aggr = "min") }',
    'edges { *: GraphConv(5, aggr = "std", edge_weight = w) }',
    "edges { *: GraphConv(5) }",
    'edges { *: GraphConv(5, aggr = "mean", edge_weight = w) }',
    "edges { *: GraphConv(5, edge_weight = w) }",
    "edges { a -[to]-> a: GCNConv(5)  *: SAGEConv(5) }",
    "edges { a -[to]-> a: GCNConv(5, add_self_loops = false, bias = false)  *: SAGEConv(5) }",
    "edges { a -[to]-> a: GCNConv(5, improved = true)  *: SAGEConv(5) }",
    "edges { a -[to]-> a: GCNConv(5, normalize = false, edge_weight = w)  *: SAGEConv(5) }",
    "edges { a -[to]-> a: GCNConv(5, edge_weight = w)  *: SAGEConv(5) }",
    "edges { a -[to]-> a: GCNConv(5, edge_weight = w, add_self_loops = false, bias = false) } combine mean",
    "edges { a -[to]-> a: GCNConv(5, edge_weight = w, improved = true)  *: GraphConv(5, edge_weight = w) } | relu "
    "edges { a -[to]-> a: GCNConv(5)  *: GraphConv(5) }",
    "nodes { *: Linear(6) } edges { *: SimpleConv }",
    'nodes { *: Linear(6) } edges { *: SimpleConv(aggr = "mean", edge_weight = w) } edges { *: SimpleConv("max") }',
    'nodes { *: Linear(6) } edges { *: SimpleConv(aggr = ["max", "std", "mean"]) } combine max',
    "nodes { *: Linear(6) } edges { *: SimpleConv(aggr = PowerMeanAggregation(p = 2.0)) }",
    "edges { a -[to]-> a: LGConv }",
    "edges { a -[to]-> a: LGConv(normalize = false, edge_weight = w) } edges { a -[to]-> a: LGConv(edge_weight = w) }",
    "nodes { *: Linear(6) } edges { a -[to]-> a: LGConv  *: SimpleConv } | residual",
    "nodes { *: Linear(6) } edges { *: GINConv(nn = MLP(7, 5, norm = none)) }",
    "nodes { *: Linear(6) } edges { *: GINConv(nn = MLP(7, 5), train_eps = true, eps = 0.5) } combine mean",
    'nodes { *: Linear(6) } edges { a -[to]-> a: SAGEConv(5)  *: GINConv(nn = Linear(5), aggr = "max") }',
    "nodes { *: Linear(6) } edges { *: share GINConv(nn = MLP(6, 5)) } combine max",
    "edges { *: ResGatedGraphConv(5) } | relu edges { *: ResGatedGraphConv(4) }",
    "edges { a -[to]-> a: ResGatedGraphConv(5, act = sigmoid, bias = false)  *: SAGEConv(5) } combine mean",
    "edges { *: ResGatedGraphConv(5, root_weight = false) } combine max",
    "edges { *: GATConv(3, heads = 2) }",
    "edges { *: GATConv(3, heads = 2, concat = false, bias = false) }",
    "edges { *: GATConv(3, heads = 2, residual = true) }",
    "edges { *: GATConv(3, heads = 2, edge_attr = f, add_self_loops = false) }",
    "edges { a -[to]-> a: GATConv(5, add_self_loops = true, negative_slope = 0.1)  *: GATConv(5) }",
    "edges { a -[to]-> a: GATConv(5, edge_attr = f, add_self_loops = false, dropout = 0.0)  *: GATConv(5) }",
    "edges { a -[to]-> a: GATConv(5, add_self_loops = false, negative_slope = 0.1)  *: GATConv(5) }",
    "edges { *: GATConv(3, heads = 2) } combine max edges { *: GATConv(3) }",
    "edges { *: GATConv(3, heads = 2) } | relu | residual",
    "edges { *: GATv2Conv(3, heads = 2) }",
    "edges { *: GATv2Conv(3, heads = 2, concat = false, bias = false, residual = true) }",
    "nodes { *: Linear(6) } edges { *: GATv2Conv(3, heads = 2, share_weights = true, negative_slope = 0.1) }",
    "edges { *: GATv2Conv(3, heads = 2, edge_attr = f, add_self_loops = false) }",
    "edges { a -[to]-> a: GATv2Conv(5, add_self_loops = true)  *: GATv2Conv(5, bias = false) }",
    "edges { a -[to]-> a: GATv2Conv(5, edge_attr = f, add_self_loops = false)  *: GATv2Conv(5) }",
    "edges { a -[to]-> a: GATv2Conv(5, edge_attr = f)  *: GATv2Conv(5) }",
    'edges { a -[to]-> a: GATv2Conv(3, heads = 2, edge_attr = f, fill_value = "max")  *: GATv2Conv(3, heads = 2) }',
    "edges { a -[to]-> a: GATv2Conv(3, heads = 2, edge_attr = f, fill_value = 0.5)  *: GATv2Conv(3, heads = 2) }",
    "edges { *: GATv2Conv(3, heads = 2) } combine max edges { *: GATv2Conv(3) }",
    "edges { *: TransformerConv(3, heads = 2) }",
    "edges { *: TransformerConv(3, heads = 2, concat = false, bias = false) } edges { *: TransformerConv(4) }",
    "edges { *: TransformerConv(5, root_weight = false) } combine mean",
    "edges { a -[to]-> a: TransformerConv(5)  *: GATConv(5) } combine max",
    "nodes { *: Linear(6) } edges { *: RGCNConv(5) }",
    'nodes { *: Linear(6) } edges { *: RGCNConv(5, num_bases = 2, aggr = "sum") }',
    "nodes { *: Linear(6) } edges { *: RGCNConv(6, num_blocks = 3, root_weight = false) }",
    "nodes { *: Linear(6) } edges { *: RGCNConv(6, bias = false) } edges { *: RGCNConv(5) }",
    "nodes { *: Linear(6) } edges { *: FastRGCNConv(5) }",
    'nodes { *: Linear(6) } edges { *: RGCNConv(6, aggr = "max") } | relu edges { *: RGCNConv(5, aggr = "softmax") }',
    'nodes { *: Linear(6) } edges { *: RGCNConv(6, num_blocks = 3, aggr = "min") }',
    "nodes { *: Linear(6) } edges { *: RGCNConv(6, aggr = SoftmaxAggregation(learn = true)) }",
    "edges { *: HGTConv(6, heads = 2) }",
    "edges { *: HGTConv(6, heads = 2) } edges { *: HGTConv(6, heads = 3) }",
    "nodes { *: Linear(6) } edges { *: HGTConv(6) }",
    "edges { *: HANConv(6, heads = 2) }",
    "edges { *: HANConv(6, heads = 3, negative_slope = 0.1) } edges { *: HANConv(6) }",
]


@pytest.mark.parametrize("body", SERVED)
def test_equals_the_reference(body: str, referred: list[str]) -> None:
    reference, fused, inputs = both(body)
    assert list(fused.state_dict()) == list(reference.state_dict())
    found, ours = gradients(fused, inputs)
    assert referred == []
    wanted, theirs = gradients(reference, inputs)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
    assert any(item.abs().sum() > 0 for item in ours.values())
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-9, atol=1e-10)
    again, _ = gradients(fused, inputs)
    assert torch.equal(found, again)


@pytest.mark.parametrize("body", SERVED)
def test_equals_the_reference_in_single_precision(body: str) -> None:
    reference, fused, inputs = both(body, torch.float32)
    wanted, theirs = gradients(reference, inputs)
    found, ours = gradients(fused, inputs)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("body", "layers"),
    [
        ("edges { a -[to]-> a: FeaStConv(5)  *: SAGEConv(5) }", {"FeaStConv"}),
        ('edges { a -[to]-> a: SAGEConv(5, aggr = ["mean", "mean"])  *: SAGEConv(5) }', {"SAGEConv"}),
        ('edges { a -[to]-> a: GraphConv(5, aggr = "softmax", edge_weight = w)  *: SAGEConv(5) }', {"GraphConv"}),
        ("edges { a -[to]-> a: ResGatedGraphConv(5, act = relu)  *: SAGEConv(5) }", {"ResGatedGraphConv"}),
        ("edges { a -[to]-> a: ResGatedGraphConv(5, edge_attr = f)  *: SAGEConv(5) }", {"ResGatedGraphConv"}),
        ('edges { a -[to]-> a: SAGEConv(5, aggr = "mul")  *: SAGEConv(5) }', {"SAGEConv"}),
        ("edges { *: SAGEConv(5, aggr = SoftmaxAggregation(learn = true)) }", {"SAGEConv"}),
        ("nodes { *: Linear(6) } edges { *: RGCNConv(5, aggr = PowerMeanAggregation(p = 2.0)) }", {"RGCNConv"}),
        (
            'edges { a -[to]-> a: TransformerConv(5, aggr = "mean")  *: SAGEConv(5) } combine mean',
            {"TransformerConv"},
        ),
        (
            'edges { a -[to]-> a: TransformerConv(5, edge_attr = f, aggr = "max")  *: SAGEConv(5) } combine max',
            {"TransformerConv", "SAGEConv"},
        ),
        ('edges { a -[to]-> a: RGATConv(5, aggr = "max")  *: SAGEConv(5) } combine mean', {"RGATConv"}),
        ('edges { a -[to]-> a: GATConv(5, aggr = "mean")  *: SAGEConv(5) }', {"GATConv"}),
        ('edges { a -[to]-> a: GCNConv(5, aggr = "max")  *: SAGEConv(5) }', {"GCNConv"}),
    ],
)
def test_the_reference_serves_the_rest(body: str, layers: set[str], referred: list[str]) -> None:
    if "RGATConv" in body:
        body = f"nodes {{ *: Linear(6) }} {body}"
    reference, fused, inputs = both(body)
    found, ours = gradients(fused, inputs)
    assert set(referred) == layers
    wanted, theirs = gradients(reference, inputs)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-9, atol=1e-10)


def test_recording_looks_into_the_layers_of_the_reference(referred: list[str]) -> None:
    _, fused, inputs = both("edges { *: GATConv(3, heads = 2) }")
    with torch.no_grad():
        plain = fused(**inputs)
        assert referred == []
        with recording(fused) as weights:
            watched = fused(**inputs)
    assert set(referred) == {"GATConv"}
    assert weights.edges
    torch.testing.assert_close(plain, watched)


@pytest.mark.parametrize(
    "layer",
    [
        "GATConv(4, heads = 2, dropout = 0.5)",
        "GATv2Conv(4, heads = 2, dropout = 0.5)",
        "TransformerConv(4, heads = 2, dropout = 0.5)",
        "HANConv(8, heads = 2, dropout = 0.5)",
    ],
)
def test_dropout_has_the_mean_of_the_weights(layer: str) -> None:
    _, fused, inputs = both(f"edges {{ *: {layer} }}")
    if "HAN" in layer:  # Behind a ReLU and a softmax the mean is not kept; so watch that it acts, and only in training.
        assert not torch.equal(fused(**inputs), fused(**inputs))
        fused.eval()
        assert torch.equal(fused(**inputs), fused(**inputs))
        return
    torch.manual_seed(0)
    with torch.no_grad():
        drawn = torch.stack([fused(**inputs) for _ in range(3000)])
        fused.eval()
        torch.testing.assert_close(drawn.mean(0), fused(**inputs), rtol=0.1, atol=0.05)
    assert drawn.std(0).max() > 0.01


def test_training_follows_the_reference() -> None:
    reference, fused, inputs = both("edges { *: GATConv(3, heads = 2) } edges { *: SAGEConv(5) } | relu", torch.float32)
    target = torch.arange(9) % 3
    curves = []
    for model in (reference, fused):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        losses = []
        for _ in range(50):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(**inputs), target)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        curves.append(torch.tensor(losses))
    assert curves[0][-1] < 0.5 * curves[0][0]
    torch.testing.assert_close(curves[0], curves[1], rtol=1e-2, atol=1e-3)


def test_copies_and_pickles_run() -> None:
    _, fused, inputs = both("edges { *: GATConv(3, heads = 2) } edges { *: HGTConv(6, heads = 2) }")
    wanted = fused(**inputs)
    for other in (copy.deepcopy(fused), pickle.loads(pickle.dumps(fused))):
        torch.testing.assert_close(other(**inputs), wanted)


def test_several_graphs_and_a_graph_that_changes() -> None:
    reference, fused, inputs = both("edges { *: SAGEConv(5) } edges { *: GATConv(3) }")
    other = dict(
        inputs, edge_index_dict={edge: item.flip(1)[:, :-1] for edge, item in inputs["edge_index_dict"].items()}
    )
    for chosen in (inputs, other, inputs):
        torch.testing.assert_close(fused(**chosen), reference(**chosen))
    inputs["edge_index_dict"]["a", "to", "a"][:, 0] = torch.tensor([5, 6])
    torch.testing.assert_close(fused(**inputs), reference(**inputs))


def test_layouts_go_with_their_graph() -> None:
    _, fused, inputs = both("edges { *: SAGEConv(5) }")
    gc.collect()  # of graphs of other tests
    before = len(LAYOUTS)
    fused(**inputs)
    kept = len(LAYOUTS)
    assert kept > before
    fused(**inputs)
    assert len(LAYOUTS) == kept
    del inputs
    assert len(LAYOUTS) == before


@pytest.mark.parametrize("layer", ["SAGEConv(5)", "GATConv(5)", "HGTConv(6)", "HANConv(6)", "RGCNConv(5)"])
@pytest.mark.parametrize(("end", "value", "said"), [(0, 7, "source"), (1, 9, "target"), (1, -1, "target")])
def test_edges_out_of_range_are_refused(layer: str, end: int, value: int, said: str) -> None:
    _, fused, inputs = both(f"nodes {{ *: Linear(6) }} edges {{ *: {layer} }}")
    wrong = inputs["edge_index_dict"]["b", "of", "a"].clone()
    wrong[end, 2] = value
    inputs["edge_index_dict"]["b", "of", "a"] = wrong
    with pytest.raises(SpecError, match=rf"GNN606.*b -\[of\]-> a` has 1 edge with a {said}.*{value}"):
        fused(**inputs)


def test_mixed_precision() -> None:
    reference, fused, inputs = both("edges { *: SAGEConv(5) } edges { *: GATConv(3, heads = 2) }", torch.float32)
    wanted = reference(**inputs)
    with torch.autocast("cpu", torch.bfloat16):
        found = fused(**inputs)
    found.float().sum().backward()
    torch.testing.assert_close(found.float(), wanted, rtol=0.1, atol=0.1)
    assert all(item.grad is None or item.grad.isfinite().all() for item in fused.parameters())


def test_one_graph_without_breaks_is_that_of_the_reference() -> None:
    reference, fused, inputs = both("edges { *: SAGEConv(5) } edges { *: GATConv(3) }", torch.float32)
    compiled = torch.compile(fused, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(**inputs), reference(**inputs))


@pytest.mark.filterwarnings(
    "ignore:The .grad attribute of a Tensor"
)  # torch looks at it where it goes on behind a stage
@pytest.mark.parametrize("layer", ["GATConv(6)", "HGTConv(6, heads = 2)"])
def test_torch_compile_leaves_stages_on_kernels_out(layer: str, referred: list[str]) -> None:
    reference, fused, inputs = both(f"nodes {{ *: Linear(6) }} edges {{ *: {layer} }} | relu")
    wanted, theirs = gradients(reference, inputs)
    referred.clear()
    compiled = torch.compile(fused, backend="eager")
    torch.compiler.reset()
    made = compiled(**inputs)
    assert referred == []
    torch.testing.assert_close(made, wanted)
    found, ours = gradients(compiled, inputs)
    torch.testing.assert_close(found, wanted)
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours.get(f"_orig_mod.{name}", ours.get(name)), gradient)


def test_inference_mode_then_training() -> None:
    _, fused, inputs = both("edges { *: GATConv(3) }")
    with torch.inference_mode():
        first = fused(**inputs)
    second, _ = gradients(fused, inputs)
    torch.testing.assert_close(first, second)


def test_auto_takes_kernels_for_a_graph_that_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphdsl.backends.fused.choosing._WORTH", defaultdict(lambda: Worth(0, 0)))
    monkeypatch.setattr("graphdsl.backends.fused.choosing._CALL", 0)
    reference, _, inputs = both("edges { *: SAGEConv(5) } edges { *: GATConv(6) }")
    model = graphdsl.loads(
        f"{SCHEMA} model m on s {{ edges {{ *: SAGEConv(5) }} edges {{ *: GATConv(6) }} predict a.y }}"
    ).compile("m")
    model = model.double()
    model.load_state_dict(reference.state_dict())
    gc.collect()  # of graphs of other tests
    before = len(LAYOUTS)
    first = model(**inputs)
    assert len(LAYOUTS) == before
    second = model(**inputs)
    assert len(LAYOUTS) > before
    for made in (first, second):
        torch.testing.assert_close(made, reference(**inputs))


def test_auto_knows_each_family() -> None:
    assert set(choosing._WORTH) == set(get_args(Family))


@pytest.mark.parametrize(
    ("layer", "edges", "at_once"),
    [
        ("SAGEConv(5)", 100, True),
        ("SAGEConv(5)", 9_000, False),
        ("RGCNConv(5)", 9_000, True),
        ("HGTConv(6)", 9_000, True),
    ],
)
def test_auto_takes_kernels_at_once_where_the_reference_is_slow(
    layer: str, edges: int, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many relations of few edges, or layers that PyG computes relation by relation: as sampled batches have them."""
    monkeypatch.setattr("graphdsl.backends.fused.choosing._WORTH", defaultdict(lambda: Worth(0, 0)))
    spec = graphdsl.loads(f"{SCHEMA} model m on s {{ nodes {{ *: Linear(4) }} edges {{ *: {layer} }} predict a.y }}")
    model, reference = (spec.compile("m", backend=backend).double() for backend in ("auto", "pyg"))
    model.load_state_dict(reference.state_dict())
    _, _, inputs = both("edges { *: SAGEConv(5) }")
    known = inputs["edge_index_dict"]
    inputs["edge_index_dict"] = {
        edge: index[:, torch.randint(index.size(1), (edges,))] if index.size(1) else index
        for edge, index in known.items()
    }
    gc.collect()
    before = len(LAYOUTS)
    torch.testing.assert_close(model(**inputs), reference(**inputs))
    assert (len(LAYOUTS) > before) is at_once


def test_auto_leaves_small_graphs_to_the_reference(referred: list[str]) -> None:
    reference, _, inputs = both("edges { *: SAGEConv(5) }")
    model = graphdsl.loads(f"{SCHEMA} model m on s {{ edges {{ *: SAGEConv(5) }} predict a.y }}").compile("m").double()
    model.load_state_dict(reference.state_dict())
    for _ in range(3):
        torch.testing.assert_close(model(**inputs), reference(**inputs))
    assert set(referred) == {"SAGEConv"}


@pytest.mark.parametrize(
    "layer", ["GATConv(3, heads = 2)", "GATv2Conv(4)", "TransformerConv(4)", "ResGatedGraphConv(4)"]
)
def test_models_share_a_graph_whose_types_they_give_other_widths(layer: str) -> None:
    edges = f"edges {{ a -[to]-> a, a -[has]-> b: {layer} }}"
    made = [both(f"{nodes} {edges} edges {{ *: SAGEConv(4) }}") for nodes in ("", "nodes { a: Linear(4) }")]
    inputs = made[0][2]  # one graph, whose layouts all of them read
    for reference, fused, _ in made + made[::-1]:
        torch.testing.assert_close(fused(**inputs), reference(**inputs))


def test_checkpoints_are_interchangeable() -> None:
    reference, fused, inputs = both("edges { *: SAGEConv(5) } edges { *: HANConv(6) }")
    for item in fused.parameters():
        nn.init.normal_(item)
    reference.load_state_dict(fused.state_dict())
    torch.testing.assert_close(fused(**inputs), reference(**inputs))


@pytest.mark.parametrize("body", [body for body in SERVED if "improved" not in body])
def test_types_and_relations_that_are_empty(body: str) -> None:
    reference, fused, inputs = both(body)
    inputs["x_dict"]["c"] = inputs["x_dict"]["c"][:0]
    inputs["x_dict"]["b"] = inputs["x_dict"]["b"][:0]
    for edge, index in inputs["edge_index_dict"].items():
        if edge != ("a", "to", "a"):
            inputs["edge_index_dict"][edge] = index[:, :0]
            for name in ("w_dict", "f_dict"):
                if name in inputs:
                    inputs[name][edge] = inputs[name][edge][:0]
    wanted, theirs = gradients(reference, inputs)
    found, ours = gradients(fused, inputs)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("body", SERVED)
def test_a_graph_without_edges(body: str) -> None:
    reference, fused, inputs = both(body)
    inputs["edge_index_dict"] = {edge: index[:, :0] for edge, index in inputs["edge_index_dict"].items()}
    for name in ("w_dict", "f_dict"):
        if name in inputs:
            inputs[name] = {edge: item[:0] for edge, item in inputs[name].items()}
    wanted, theirs = gradients(reference, inputs)
    found, ours = gradients(fused, inputs)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-9, atol=1e-10)


class Doubled(nn.Module):
    """What an adapter does: it stands in for a linear map, whose matrix can still be read."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    @property
    def weight(self) -> Tensor:
        return self.inner.weight

    bias = None

    def forward(self, x: Tensor) -> Tensor:
        return 2 * self.inner(x)


@pytest.mark.parametrize(
    ("layer", "place"), [("SAGEConv(5)", "lin_r"), ("HANConv(6)", "proj"), ("ResGatedGraphConv(5)", "act")]
)
def test_layers_that_somebody_changed_are_run_as_they_are(layer: str, place: str) -> None:
    _, fused, inputs = both(f"edges {{ *: {layer} }}")
    before = fused(**inputs)
    for changed in [module for module in fused.modules() if hasattr(module, place)]:
        inner = getattr(changed, place)
        if isinstance(inner, nn.ModuleDict):
            inner["a"] = Doubled(inner["a"])
        else:
            setattr(changed, place, Doubled(inner))
    assert not torch.allclose(fused(**inputs), before)


def test_hooks_of_a_copy_are_seen_there_alone(referred: list[str]) -> None:
    _, fused, inputs = both("edges { *: SAGEConv(5) }")
    other = copy.deepcopy(fused)
    seen: list[nn.Module] = []
    for item in other.modules():
        if type(item).__name__ == "SAGEConv":
            item.register_forward_hook(lambda module, *_: seen.append(module))
    fused(**inputs)
    assert referred == []
    other(**inputs)
    assert len(seen) == 4  # The relation into `b` does not reach the prediction.
    assert set(referred) == {"SAGEConv"}
