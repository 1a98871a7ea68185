"""Networks of PyG's `examples/`, each as a spec that compiles and runs; some are compared with the network by hand."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch_geometric.nn import (
    MLP,
    VGAE,
    GATConv,
    GCNConv,
    GINConv,
    GraphConv,
    PointNetConv,
    TopKPooling,
    fps,
    global_add_pool,
    global_max_pool,
    global_mean_pool,
    knn_interpolate,
    radius,
)

import graphdsl
from graphdsl.model import Degrees, Metadata, StoreInfo
from graphdsl.plan import Plan

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "catalog" / "equality"))
sys.path.insert(0, str(HERE))
from pyg_networks import MORE, RECEIVED  # noqa: E402
from stand_in import install  # noqa: E402

SPECS = sorted((HERE / "pyg").glob("*.gnn"))


@pytest.fixture(autouse=True)
def _ready(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    torch.manual_seed(0)


def inputs(plan: Plan, rows: int = 60, edges: int = 200) -> dict[str, Any]:
    """A random batch of three graphs, by the names of the block's header."""
    graph = torch.arange(rows) * 3 // rows
    source = torch.randint(rows // 3, (2, edges)) + torch.randint(3, (edges,)) * (rows // 3)
    columns = plan.sequence.columns
    made: dict[str, Any] = {}
    for item in plan.sequence.inputs:
        width = {"x": plan.inputs[plan.sequence.type], "pos": 2 if plan.model == "mnist" else 3, "offset": 3}.get(
            item.name
        ) or columns.get(item.name)
        known = {"edge_index": source, "batch": graph, "batch_size": 3}
        count = edges if item.source == "edge" else rows
        whole = item.kind in ("numbers", "edge numbers")
        made[item.name] = known.get(item.source, torch.randint(4, (count,)) if whole else torch.rand(count, width or 1))
    if plan.model == "mnist":
        made["pos"] = 27 * made["pos"]
    return made


DEGREES = {"pna": Metadata({}, {("atom", "bond", "atom"): StoreInfo(None, received=Degrees(RECEIVED))})}
"""What data would tell of the graphs that a model is trained on."""


def compiled(name: str) -> tuple[nn.Module, dict[str, Any]]:
    model = graphdsl.load(HERE / "pyg" / f"{name}.gnn").compile(data=DEGREES.get(name))
    given = inputs(model.plan)
    if model.plan.link_heads:
        given["edge_label_index"] = torch.randint(60, (2, 9))
    return model, given


@pytest.mark.filterwarnings("ignore:We do not recommend")  # of SplineConv on a CPU
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_runs_and_learns(path: Path) -> None:
    assert not [item for item in graphdsl.check(path) if item.is_error]
    model, given = compiled(path.stem)
    out = model(**given)
    assert out.isfinite().all()
    sum([out.sum(), *model.penalties.values()]).backward()
    assert any(item.grad is not None and item.grad.abs().sum() > 0 for item in model.parameters())


class Ppi(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.lin1 = GATConv(50, 256, heads=4), nn.Linear(50, 1024)
        self.conv2, self.lin2 = GATConv(1024, 256, heads=4), nn.Linear(1024, 1024)
        self.conv3, self.lin3 = GATConv(1024, 121, heads=6, concat=False), nn.Linear(1024, 121)

    def forward(self, x, edge_index):
        x = F.elu(self.conv1(x, edge_index) + self.lin1(x))
        x = F.elu(self.conv2(x, edge_index) + self.lin2(x))
        return self.conv3(x, edge_index) + self.lin3(x)


class LinkPred(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = GCNConv(40, 128), GCNConv(128, 64)

    def forward(self, x, edge_index, edge_label_index):
        z = self.conv2(self.conv1(x, edge_index).relu(), edge_index)
        return (z[edge_label_index[0]] * z[edge_label_index[1]]).sum(dim=-1)


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.mu, self.logstd = GCNConv(40, 32), GCNConv(32, 16), GCNConv(32, 16)

    def forward(self, x, edge_index, edge_label_index):
        encoder = lambda x, edges: (self.mu(h := self.conv1(x, edges).relu(), edges), self.logstd(h, edges))  # noqa: E731
        gae = VGAE(_Function(encoder)).eval()
        return gae.decoder(gae.encode(x, edge_index), edge_label_index, sigmoid=False)


class _Function(nn.Module):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any) -> Any:
        return self.function(*args)


class Enzymes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.pool1 = GraphConv(3, 128), TopKPooling(128, ratio=0.8)
        self.conv2, self.pool2 = GraphConv(128, 128), TopKPooling(128, ratio=0.8)
        self.lin1, self.lin2, self.lin3 = nn.Linear(256, 128), nn.Linear(128, 64), nn.Linear(64, 6)

    def forward(self, x, edge_index, batch):
        x = F.relu(self.conv1(x, edge_index))
        x, edge_index, _, batch, _, _ = self.pool1(x, edge_index, None, batch)
        x1 = torch.cat([global_max_pool(x, batch), global_mean_pool(x, batch)], dim=1)
        x = F.relu(self.conv2(x, edge_index))
        x, edge_index, _, batch, _, _ = self.pool2(x, edge_index, None, batch)
        x = x1 + torch.cat([global_max_pool(x, batch), global_mean_pool(x, batch)], dim=1)
        return self.lin3(F.relu(self.lin2(F.dropout(F.relu(self.lin1(x)), training=self.training))))


class Gin(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(GINConv(MLP([7 if place == 0 else 32, 32, 32])) for place in range(5))
        self.mlp = MLP([32, 32, 2], norm=None, dropout=0.5)

    def forward(self, x, edge_index, batch, batch_size):
        for conv in self.convs:
            x = conv(x, edge_index).relu()
        return self.mlp(global_add_pool(x, batch, size=batch_size))


def _abstract(conv, ratio, r, x, pos, batch):
    """The example's `SAModule`."""
    idx = fps(pos, batch, ratio=ratio)
    row, col = radius(pos, pos[idx], r, batch, batch[idx], max_num_neighbors=64)
    x = conv((x, None if x is None else x[idx]), (pos, pos[idx]), torch.stack([col, row], dim=0))
    return x, pos[idx], batch[idx]


class Classification(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = PointNetConv(MLP([3, 64, 64, 128]), add_self_loops=False)
        self.conv2 = PointNetConv(MLP([128 + 3, 128, 128, 256]), add_self_loops=False)
        self.nn, self.mlp = MLP([256 + 3, 256, 512, 1024]), MLP([1024, 512, 256, 10], dropout=0.5, norm=None)

    def forward(self, pos, batch):
        x, pos, batch = _abstract(self.conv1, 0.5, 0.2, None, pos, batch)
        x, pos, batch = _abstract(self.conv2, 0.25, 0.4, x, pos, batch)
        return self.mlp(global_max_pool(self.nn(torch.cat([x, pos], dim=1)), batch))


class Segmentation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = PointNetConv(MLP([3 + 3, 64, 64, 128]), add_self_loops=False)
        self.conv2 = PointNetConv(MLP([128 + 3, 128, 128, 256]), add_self_loops=False)
        self.sa3, self.fp3 = MLP([256 + 3, 256, 512, 1024]), MLP([1024 + 256, 256, 256])
        self.fp2, self.fp1 = MLP([256 + 128, 256, 128]), MLP([128 + 3, 128, 128, 128])
        self.mlp = MLP([128, 128, 128, 4], dropout=0.5, norm=None)

    def forward(self, x, pos, batch):
        x1, pos1, batch1 = _abstract(self.conv1, 0.2, 0.2, x, pos, batch)
        x2, pos2, batch2 = _abstract(self.conv2, 0.25, 0.4, x1, pos1, batch1)
        x3 = global_max_pool(self.sa3(torch.cat([x2, pos2], dim=1)), batch2)
        pos3, batch3 = pos2.new_zeros(len(x3), 3), torch.arange(len(x3))
        x2 = self.fp3(torch.cat([knn_interpolate(x3, pos3, pos2, batch3, batch2, k=1), x2], dim=1))
        x1 = self.fp2(torch.cat([knn_interpolate(x2, pos2, pos1, batch2, batch1, k=3), x1], dim=1))
        return self.mlp(self.fp1(torch.cat([knn_interpolate(x1, pos1, pos, batch1, batch, k=3), x], dim=1)))


NETWORKS: dict[str, type[nn.Module]] = {
    "ppi": Ppi,
    "link_pred": LinkPred,
    "autoencoder": Autoencoder,
    "enzymes_topk_pool": Enzymes,
    "mutag_gin": Gin,
    "pointnet2_classification": Classification,
    "pointnet2_segmentation": Segmentation,
    **MORE,
}


@pytest.mark.filterwarnings("ignore:We do not recommend")  # of SplineConv on a CPU
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")  # in PyG's Cartesian
@pytest.mark.parametrize("name", NETWORKS)
def test_equal_to_the_network_of_the_example(name: str) -> None:
    model, given = compiled(name)
    theirs = NETWORKS[name]()
    ours = [value for key, value in model.state_dict().items()]
    state = theirs.state_dict()
    assert [item.shape for item in ours] == [item.shape for item in state.values()]
    theirs.load_state_dict(dict(zip(state, ours, strict=True)))
    model.eval()
    theirs.eval()
    torch.testing.assert_close(model(**given), theirs(**given))
