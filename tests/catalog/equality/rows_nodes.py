"""Layers of single types, norms, activations and dropout."""

from equal_rows import WIDTH, Nodes
from torch import nn
from torch_geometric import nn as pyg

ROWS = (
    Nodes("Linear(4)", lambda _: nn.Linear(WIDTH, 4)),
    Nodes("Linear(4, bias = false)", lambda _: pyg.Linear(WIDTH, 4, bias=False)),
    Nodes("MLP(9, 4)", lambda _: pyg.MLP([WIDTH, 9, 4])),
    Nodes(
        "MLP(9, 4, dropout = [0.3, 0.0], act = leaky_relu, norm = none, bias = [true, false])",
        lambda _: pyg.MLP([WIDTH, 9, 4], dropout=[0.3, 0.0], act=nn.LeakyReLU(), norm=None, bias=[True, False]),
    ),
    Nodes(
        'MLP(num_layers = 3, hidden_channels = 9, out_channels = 4, norm = "layer_norm", plain_last = false)',
        lambda _: pyg.MLP(
            in_channels=WIDTH, hidden_channels=9, out_channels=4, num_layers=3, norm="layer_norm", plain_last=False
        ),
    ),
    Nodes("Embedding(4)", lambda _: nn.Embedding(7, 4)),
    Nodes("Embedding(4, padding_idx = 0)", lambda _: nn.Embedding(7, 4, padding_idx=0)),
    Nodes("PositionalEncoding(4)", lambda _: pyg.PositionalEncoding(4), width=1),
    Nodes(
        "PositionalEncoding(6, base_freq = 0.01, granularity = 0.5)",
        lambda _: pyg.PositionalEncoding(6, 0.01, 0.5),
        width=1,
    ),
    Nodes("TemporalEncoding(5)", lambda _: pyg.TemporalEncoding(5), width=1),
    # Norms.
    Nodes("BatchNorm()", lambda _: pyg.BatchNorm(WIDTH)),
    Nodes(
        "BatchNorm(momentum = 0.3, affine = false, eps = 0.01)",
        lambda _: pyg.BatchNorm(WIDTH, eps=0.01, momentum=0.3, affine=False),
    ),
    Nodes("LayerNorm()", lambda _: pyg.LayerNorm(WIDTH)),
    Nodes('LayerNorm(mode = "node")', lambda _: pyg.LayerNorm(WIDTH, mode="node")),
    Nodes("GraphNorm()", lambda _: pyg.GraphNorm(WIDTH)),
    Nodes("InstanceNorm()", lambda _: pyg.InstanceNorm(WIDTH)),
    Nodes(
        "InstanceNorm(affine = true, track_running_stats = true)",
        lambda _: pyg.InstanceNorm(WIDTH, affine=True, track_running_stats=True),
    ),
    Nodes("PairNorm()", lambda _: pyg.PairNorm()),
    Nodes("PairNorm(scale = 2.0, scale_individually = true)", lambda _: pyg.PairNorm(2.0, scale_individually=True)),
    Nodes("GraphSizeNorm()", lambda _: pyg.GraphSizeNorm()),
    Nodes("MeanSubtractionNorm()", lambda _: pyg.MeanSubtractionNorm()),
    Nodes("DiffGroupNorm(groups = 2)", lambda _: pyg.DiffGroupNorm(WIDTH, 2)),
    # Activations and dropout.
    Nodes("relu()", lambda _: nn.ReLU()),
    Nodes("relu6()", lambda _: nn.ReLU6()),
    Nodes("leaky_relu(negative_slope = 0.2)", lambda _: nn.LeakyReLU(0.2)),
    Nodes("rrelu()", lambda _: nn.RReLU()),
    Nodes("prelu()", lambda _: nn.PReLU()),
    Nodes(f"prelu(num_parameters = {WIDTH})", lambda _: nn.PReLU(WIDTH)),
    Nodes("elu(alpha = 0.5)", lambda _: nn.ELU(0.5)),
    Nodes("celu(alpha = 0.5)", lambda _: nn.CELU(0.5)),
    Nodes("selu()", lambda _: nn.SELU()),
    Nodes('gelu(approximate = "tanh")', lambda _: nn.GELU("tanh")),
    Nodes("silu()", lambda _: nn.SiLU()),
    Nodes("mish()", lambda _: nn.Mish()),
    Nodes("tanh()", lambda _: nn.Tanh()),
    Nodes("sigmoid()", lambda _: nn.Sigmoid()),
    Nodes("logsigmoid()", lambda _: nn.LogSigmoid()),
    Nodes("softsign()", lambda _: nn.Softsign()),
    Nodes("softplus(beta = 2.0)", lambda _: nn.Softplus(2.0)),
    Nodes("hardtanh(min_val = -0.5)", lambda _: nn.Hardtanh(-0.5)),
    Nodes("hardsigmoid()", lambda _: nn.Hardsigmoid()),
    Nodes("hardswish()", lambda _: nn.Hardswish()),
    Nodes("hardshrink(lambd = 0.3)", lambda _: nn.Hardshrink(0.3)),
    Nodes("softshrink(lambd = 0.3)", lambda _: nn.Softshrink(0.3)),
    Nodes("threshold(threshold = 0.1, value = 2.0)", lambda _: nn.Threshold(0.1, 2.0)),
    Nodes("tanhshrink()", lambda _: nn.Tanhshrink()),
    Nodes("softmax()", lambda _: nn.Softmax(dim=-1)),
    Nodes("softmin()", lambda _: nn.Softmin(dim=-1)),
    Nodes("log_softmax()", lambda _: nn.LogSoftmax(dim=-1)),
    Nodes("glu()", lambda _: nn.GLU()),
    Nodes("identity()", lambda _: nn.Identity()),
    Nodes("dropout(p = 0.4)", lambda _: nn.Dropout(0.4)),
)
