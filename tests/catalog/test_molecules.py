"""Models of molecules against PyG's own, with neighbours and triplets of atoms found by loops."""

import importlib
from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.nn import models

import graphdsl
from graphdsl.catalog import entries
from graphdsl.kernels.radius import radius_edges, triplets
from graphdsl.layers import molecules

SIZES = (5, 1, 4)
ROWS: list[tuple[str, Callable[[], nn.Module], str]] = [
    (
        "SchNet(hidden_channels = 8, num_filters = 6, num_interactions = 2, num_gaussians = 5, cutoff = 1.5)",
        lambda: models.SchNet(8, 6, 2, 5, 1.5),
        "graph.energy",
    ),
    (
        'SchNet(8, 6, 2, 5, 1.5, readout = "mean", mean = 2.0, std = 3.0)',
        lambda: models.SchNet(8, 6, 2, 5, 1.5, readout="mean", mean=2.0, std=3.0),
        "graph.energy",
    ),
    (
        'DimeNet(8, 1, 2, 3, num_spherical = 3, num_radial = 4, cutoff = 1.5, output_initializer = "glorot_orthogonal")',
        lambda: models.DimeNet(8, 1, 2, 3, 3, 4, 1.5, output_initializer="glorot_orthogonal"),
        "graph.energy",
    ),
    (
        'DimeNetPlusPlus(8, 1, 2, 5, 6, 7, 3, 4, cutoff = 1.5, act = tanh, output_initializer = "glorot_orthogonal")',
        lambda: models.DimeNetPlusPlus(8, 1, 2, 5, 6, 7, 3, 4, 1.5, act="tanh", output_initializer="glorot_orthogonal"),
        "graph.energy",
    ),
    ("GNNFF(8, 6, num_layers = 2, cutoff = 1.5)", lambda: models.GNNFF(8, 6, 2, 1.5), "atom.force"),
    (
        "ViSNet(lmax = 2, num_heads = 2, num_layers = 2, hidden_channels = 8, num_rbf = 5, cutoff = 1.5, std = 2.0)",
        lambda: models.ViSNet(lmax=2, num_heads=2, num_layers=2, hidden_channels=8, num_rbf=5, cutoff=1.5, std=2.0),
        "graph.energy",
    ),
    (
        "ViSNet(num_heads = 2, num_layers = 2, hidden_channels = 8, num_rbf = 5, cutoff = 1.5, vertex = true)",
        lambda: models.ViSNet(num_heads=2, num_layers=2, hidden_channels=8, num_rbf=5, cutoff=1.5, vertex=True),
        "graph.energy",
    ),
]
SPEC = """
schema molecules {{
  node atom {{ z: int, pos: float[3], force: real[3] }}
  edge atom -[bond]-> atom
  graph {{ energy: real }}
}}
model m on molecules {{
  sequential z, pos, batch {{ {layer}: z, pos, batch -> x }}
  predict {label}
}}
"""


def slow_radius(x: Tensor, r: float, batch: Tensor, loop: bool = False, max_num_neighbors: int = 32) -> Tensor:
    """Pair by pair."""
    found = [
        (j, i)
        for i, j in product(range(len(x)), repeat=2)
        if batch[i] == batch[j] and (i != j or loop) and float((x[i] - x[j]).norm()) <= r
    ]
    return torch.tensor(found).reshape(-1, 2).t()


def slow_triplets(edge_index: Tensor, num_nodes: int) -> tuple[Tensor, ...]:
    """Edge by edge."""
    edges = edge_index.t().tolist()
    met = [
        (i, j, k, kj, ji)
        for ji, (j, i) in enumerate(edges)
        for kj, (k, other) in enumerate(edges)
        if other == j and k != i
    ]
    i, j, k, kj, ji = torch.tensor(met).reshape(-1, 5).t()
    return edge_index[1], edge_index[0], i, j, k, kj, ji


@pytest.fixture
def atoms() -> tuple[Tensor, Tensor, Tensor]:
    """Atomic numbers, positions and molecules."""
    torch.manual_seed(0)
    batch = torch.repeat_interleave(torch.arange(len(SIZES)), torch.tensor(SIZES))
    return torch.randint(1, 20, (len(batch),)), torch.randn(len(batch), 3), batch


@pytest.mark.parametrize(("layer", "by_hand", "label"), ROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_step_is_the_model_of_pyg(layer: str, by_hand, label: str, atoms, monkeypatch) -> None:
    for name in ("schnet", "dimenet", "gnnff", "visnet"):
        module = importlib.import_module(f"torch_geometric.nn.models.{name}")
        monkeypatch.setattr(module, "radius_graph", slow_radius)
        if hasattr(module, "triplets"):
            monkeypatch.setattr(module, "triplets", slow_triplets)
    spec = graphdsl.loads(SPEC.format(layer=layer, label=label))
    assert not spec.findings
    torch.manual_seed(1)
    ours, theirs = spec.compile("m"), by_hand()
    assert [(key, value.shape) for key, value in ours[0].state_dict().items()] == [
        (key, value.shape) for key, value in theirs.state_dict().items()
    ]
    theirs.load_state_dict(ours[0].state_dict())
    made = [ours(*atoms), theirs(*atoms)]
    made[1] = made[1][0] if isinstance(made[1], tuple) else made[1]
    torch.testing.assert_close(*made, rtol=1e-4, atol=1e-5)
    grads = [
        torch.autograd.grad((out * out.detach().cos()).sum(), list(module.parameters()), allow_unused=True)
        for out, module in zip(made, (ours, theirs), strict=True)
    ]
    for mine, other in zip(*grads, strict=True):
        assert (mine is None) == (other is None)
        if mine is not None:
            torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("loop", [False, True])
def test_neighbours_and_triplets_are_those_of_loops(atoms, loop: bool) -> None:
    _, pos, batch = atoms
    edges = radius_edges(pos, 1.5, batch, loop=loop)
    assert sorted(edges.t().tolist()) == sorted(slow_radius(pos, 1.5, batch, loop).t().tolist())
    if not loop:
        ours = torch.stack(triplets(edges, len(pos))).t().tolist()
        theirs = torch.stack(slow_triplets(edges, len(pos))[2:]).t().tolist()
        assert sorted(ours) == sorted(theirs)


def test_of_many_neighbours_the_nearest_are_taken() -> None:
    pos = torch.tensor([[0.0, 0, 0], [3, 0, 0], [1, 0, 0], [2, 0, 0]])
    edges = radius_edges(pos, 9.0, torch.zeros(4, dtype=torch.long), most=2)
    assert sorted(source for source, target in edges.t().tolist() if target == 0) == [2, 3]


def test_every_model_has_a_row() -> None:
    found = {entry.name for entry in entries("model") if entry.path.startswith("graphdsl.layers.molecules")}
    assert found == {layer.partition("(")[0] for layer, _, _ in ROWS}
    assert all(issubclass(getattr(molecules, name), getattr(models, name)) for name in found)
