"""Networks of PyG's `examples/`, by hand: what the specs of the same names in `pyg` are compared with."""

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.data import Batch
from torch_geometric.nn import (
    MLP,
    BatchNorm,
    DeepGCNLayer,
    GATConv,
    MemPooling,
    NNConv,
    PNAConv,
    PointTransformerConv,
    SAGEConv,
    Set2Set,
    SplineConv,
    fps,
    global_add_pool,
    global_max_pool,
    global_mean_pool,
    knn,
    knn_graph,
    knn_interpolate,
    max_pool,
    max_pool_x,
    voxel_grid,
)
from torch_geometric.transforms import Cartesian
from torch_geometric.utils import scatter

RECEIVED = ((0, 2), (1, 3), (3, 4))
"""How many nodes have how many edges, which `PNAConv` is told."""


class Qm9(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin0 = nn.Linear(11, 64)
        self.conv = NNConv(64, 64, nn.Sequential(nn.Linear(5, 128), nn.ReLU(), nn.Linear(128, 64 * 64)), aggr="mean")
        self.gru = nn.GRU(64, 64)
        self.set2set = Set2Set(64, processing_steps=3)
        self.lin1, self.lin2 = nn.Linear(128, 64), nn.Linear(64, 1)

    def forward(self, x, edge_index, kind, batch):
        out = F.relu(self.lin0(x))
        h = out.unsqueeze(0)
        for _ in range(3):
            m = F.relu(self.conv(out, edge_index, kind))
            out, h = self.gru(m.unsqueeze(0), h)
            out = out.squeeze(0)
        return self.lin2(F.relu(self.lin1(self.set2set(out, batch))))


class VoxelGrid(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = SplineConv(1, 32, dim=2, kernel_size=5)
        self.conv2 = SplineConv(32, 64, dim=2, kernel_size=5)
        self.conv3 = SplineConv(64, 64, dim=2, kernel_size=5)
        self.fc1, self.fc2 = nn.Linear(4 * 64, 128), nn.Linear(128, 10)

    def forward(self, x, edge_index, pos, batch):
        transform = Cartesian(cat=False)
        data = transform(Batch(x=x, edge_index=edge_index, pos=pos, batch=batch))
        data.x = F.elu(self.conv1(data.x, data.edge_index, data.edge_attr))
        data.edge_attr = None
        data = max_pool(voxel_grid(data.pos, 5, data.batch, start=0, end=28), data, transform=transform)
        data.x = F.elu(self.conv2(data.x, data.edge_index, data.edge_attr))
        data.edge_attr = None
        data = max_pool(voxel_grid(data.pos, 7, data.batch, start=0, end=28), data, transform=transform)
        data.x = F.elu(self.conv3(data.x, data.edge_index, data.edge_attr))
        x, _ = max_pool_x(voxel_grid(data.pos, 14, data.batch, start=0, end=27.99), data.x, data.batch, size=4)
        x = F.elu(self.fc1(x.view(-1, 4 * 64)))
        return self.fc2(F.dropout(x, training=self.training))


class Pna(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.node_emb, self.edge_emb = nn.Embedding(21, 75), nn.Embedding(4, 50)
        degrees = torch.zeros(4, dtype=torch.long)
        degrees[[degree for degree, _ in RECEIVED]] = torch.tensor([count for _, count in RECEIVED])
        self.layers = nn.ModuleList()
        scalers = ["identity", "amplification", "attenuation"]
        for _ in range(4):
            aggregators = ["mean", "min", "max", "std"]
            conv = PNAConv(75, 75, aggregators, scalers, deg=degrees, edge_dim=50, towers=5)
            self.layers.append(nn.ModuleList([conv, BatchNorm(75)]))
        self.mlp = nn.Sequential(nn.Linear(75, 50), nn.ReLU(), nn.Linear(50, 25), nn.ReLU(), nn.Linear(25, 1))

    def forward(self, x, edge_index, kind, batch):
        x, e = self.node_emb(x), self.edge_emb(kind)
        for layer in self.layers:
            conv, norm = layer
            x = F.relu(norm(conv(x, edge_index, e)))
        return self.mlp(global_add_pool(x, batch))


class MemPool(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(29, 32)
        self.convs = nn.ModuleList(
            DeepGCNLayer(GATConv(32, 32, dropout=0.1), BatchNorm(32), nn.LeakyReLU(), "res+", 0.1) for _ in range(3)
        )
        self.mem1, self.mem2 = MemPooling(32, 80, heads=5, num_clusters=10), MemPooling(80, 2, heads=5, num_clusters=1)

    def forward(self, x, edge_index, batch):
        x = self.lin(x)
        for conv in self.convs:
            x = conv(x, edge_index)
        x, _ = self.mem1(x, batch)
        x, _ = self.mem2(F.leaky_relu(F.dropout(x, p=0.1, training=self.training)))
        return F.leaky_relu(x.squeeze(1))


class Upfd(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = SAGEConv(300, 128)
        self.lin0, self.lin1, self.lin2 = nn.Linear(300, 128), nn.Linear(256, 128), nn.Linear(128, 2)

    def forward(self, x, edge_index, batch):
        h = global_max_pool(self.conv1(x, edge_index).relu(), batch)
        root = (batch[1:] - batch[:-1]).nonzero(as_tuple=False).view(-1)
        root = torch.cat([root.new_zeros(1), root + 1], dim=0)
        news = self.lin0(x[root]).relu()
        return self.lin2(self.lin1(torch.cat([news, h], dim=-1)).relu())


class Block(nn.Module):
    """The example's `TransformerBlock`, its modules in the order of the spec's steps."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lin_in = nn.Linear(width, width)
        pos_nn = MLP([3, 64, width], norm=None, plain_last=False)
        attn_nn = MLP([width, 64, width], norm=None, plain_last=False)
        self.transformer = PointTransformerConv(width, width, pos_nn=pos_nn, attn_nn=attn_nn)
        self.lin_out = nn.Linear(width, width)

    def forward(self, x, pos, edge_index):
        return self.lin_out(self.transformer(self.lin_in(x).relu(), pos, edge_index)).relu()


Level = tuple[Tensor, Tensor, Tensor, Tensor]
"""Values, positions, graphs and edges."""


class Down(nn.Module):
    """The example's `TransitionDown`, and the block behind it."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.mlp, self.block = MLP([before, width], plain_last=False), Block(width)

    def forward(self, x: Tensor, pos: Tensor, batch: Tensor) -> Level:
        chosen = fps(pos, batch, ratio=0.25)
        row, col = knn(pos, pos[chosen], 16, batch, batch[chosen])
        x = scatter(self.mlp(x)[col], row, dim=0, dim_size=chosen.size(0), reduce="max")
        pos, batch = pos[chosen], batch[chosen]
        edges = knn_graph(pos, 16, batch)
        return self.block(x, pos, edges), pos, batch, edges


class Up(nn.Module):
    """The example's `TransitionUp`, and the block behind it."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.mlp_sub = MLP([before, width], plain_last=False)
        self.mlp, self.block = MLP([width, width], plain_last=False), Block(width)

    def forward(self, x: Tensor, small: Level, large: Level) -> Tensor:
        up = knn_interpolate(self.mlp_sub(x), small[1], large[1], small[2], large[2], k=3)
        return self.block(self.mlp(large[0]) + up, large[1], large[3])


class PointTransformer(nn.Module):
    WIDTHS = (32, 64, 128, 256, 512)

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.mlp_input, self.transformer_input = MLP([columns, 32], plain_last=False), Block(32)
        self.down = nn.ModuleList(Down(before, width) for before, width in pairwise(self.WIDTHS))

    def levels(self, x: Tensor, pos: Tensor, batch: Tensor) -> list[Level]:
        edges = knn_graph(pos, 16, batch)
        found: list[Level] = [(self.transformer_input(self.mlp_input(x), pos, edges), pos, batch, edges)]
        for layer in self.down:
            found.append(layer(*found[-1][:3]))
        return found


class PointTransformerClassification(PointTransformer):
    def __init__(self) -> None:
        super().__init__(1)
        self.mlp_output = MLP([512, 64, 10], norm=None)

    def forward(self, x, pos, batch):
        last = self.levels(x, pos, batch)[-1]
        return self.mlp_output(global_mean_pool(last[0], last[2]))


class PointTransformerSegmentation(PointTransformer):
    def __init__(self) -> None:
        super().__init__(3)
        self.mlp_summit, self.transformer_summit = MLP([512, 512], norm=None, plain_last=False), Block(512)
        widths = self.WIDTHS[::-1]
        self.up = nn.ModuleList(Up(before, width) for before, width in pairwise(widths))
        self.mlp_output = MLP([32, 64, 4], norm=None)

    def forward(self, x, pos, batch):
        levels = self.levels(x, pos, batch)
        top = levels[-1]
        x = self.transformer_summit(self.mlp_summit(top[0]), top[1], top[3])
        for layer, small, large in zip(self.up, levels[:0:-1], levels[-2::-1], strict=True):
            x = layer(x, small, large)
        return self.mlp_output(x)


MORE: dict[str, Any] = {
    "qm9_nn_conv": Qm9,
    "mnist_voxel_grid": VoxelGrid,
    "pna": Pna,
    "mem_pool": MemPool,
    "upfd": Upfd,
    "point_transformer_classification": PointTransformerClassification,
    "point_transformer_segmentation": PointTransformerSegmentation,
}
