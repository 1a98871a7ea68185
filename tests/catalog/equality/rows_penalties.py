"""Layers with a loss of their own, and steps that give a loss; the losses are compared in `tests/training`."""

import torch
from equal_rows import WIDTH, Nodes, Relation, Row, Steps, modules
from torch import Tensor, nn
from torch_geometric import nn as pyg


class _Drawn(nn.Module):
    """PyG's `VGAE` draws what its encoder gives."""

    def forward(self, x: Tensor) -> Tensor:
        vgae = pyg.VGAE(nn.Identity()).train(self.training)
        return vgae.reparametrize(*x.chunk(2, -1))


class _Judged(nn.Module):
    """PyG's `ARGA` leaves latent values as they are; here it draws what its losses draw, and has its discriminator."""

    def __init__(self) -> None:
        super().__init__()
        self.discriminator = pyg.MLP([WIDTH, 9, 1], norm=None)

    def forward(self, z: Tensor) -> Tensor:
        torch.randn_like(z)
        return z


def _loss(layer: str, header: str, more: str = "") -> Steps:
    """A step that gives a loss changes no value."""
    block = f"""{more}
      LAYER: {header} -> loss
      global_mean_pool: x, batch -> x"""
    return Steps(
        layer, lambda _: modules(), block=block, call=lambda _, graph: pyg.global_mean_pool(graph.x, graph.batch)
    )


ROWS: tuple[Row, ...] = (
    Relation("SuperGATConv(4, heads = 2)", lambda c: pyg.SuperGATConv(c.widths, 4, heads=2)),
    Relation(
        'SuperGATConv(4, heads = 2, concat = false, dropout = 0.3, attention_type = "SD", neg_sample_ratio = 1.0)',
        lambda c: pyg.SuperGATConv(c.widths, 4, 2, False, dropout=0.3, attention_type="SD", neg_sample_ratio=1.0),
    ),
    Nodes("Variational()", lambda _: _Drawn()),
    Nodes("Adversarial(MLP(9, 1, norm = none))", lambda _: _Judged()),
    _loss("gini()", "x"),
    _loss("bro(p = 1)", "x, batch"),
    _loss("kl_loss()", "d", "\n      to_dense_batch: x, batch -> d, _"),
)
