"""Layers with a loss of their own, and steps that give a loss; the losses are compared in `tests/training`."""

from equal_rows import Relation, Row, Steps, modules
from torch_geometric import nn as pyg


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
    _loss("gini()", "x"),
    _loss("bro(p = 1)", "x, batch"),
    _loss("kl_loss()", "d", "\n      to_dense_batch: x, batch -> d, _"),
)
