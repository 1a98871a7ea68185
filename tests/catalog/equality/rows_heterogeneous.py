"""Layers of `graphdsl.layers`: constructed by hand as any layer; the tests in `tests/layers` hold them against the papers."""

from equal_rows import Joint, Relation

from graphdsl.layers import CompGCNConv, HetSANNConv, HPNConv, IEHGCNConv, RHGNNConv, SimpleHGNConv

ROWS = (
    Joint(
        "SimpleHGNConv(4, heads = 2, num_layers = 2)",
        lambda c: SimpleHGNConv(c.widths, 4, len(c.relations), num_layers=2, heads=2),
    ),
    Joint(
        'CompGCNConv(4, num_layers = 2, num_bases = 2, composition = "mult", normalize = true)',
        lambda c: CompGCNConv(
            c.widths, 4, len(c.relations), num_layers=2, composition="mult", num_bases=2, normalize=True
        ),
    ),
    Relation("HPNConv(4, K = 2, gamma = 0.2)", lambda c: HPNConv(c.widths, 4, K=2, gamma=0.2)),
    Joint("IEHGCNConv(4, attention_channels = 8)", lambda c: IEHGCNConv(c.types, 4, c.metadata, attention_channels=8)),
    Joint("HetSANNConv(4, heads = 2)", lambda c: HetSANNConv(c.types, 4, c.metadata, heads=2)),
    Joint("RHGNNConv(4, heads = 2)", lambda c: RHGNNConv(c.types, 4, c.metadata, heads=2)),
)
