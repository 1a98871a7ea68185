"""The `HeteroConv` model of a popular tutorial, as published: it fails at construction, and mended there, in layer 2."""

import torch
from torch_geometric.nn import GATConv, HeteroConv, SAGEConv


def build(mended: bool = False) -> torch.nn.ModuleList:
    """Two layers over user -purchases/reviews-> product and product -co_viewed-> product."""
    return torch.nn.ModuleList(
        HeteroConv(
            {
                ("user", "purchases", "product"): GATConv((-1, -1), 64, add_self_loops=False)
                if mended
                else GATConv(-1, 64),
                ("user", "reviews", "product"): SAGEConv((-1, -1), 64),
                ("product", "co_viewed", "product"): SAGEConv((-1, -1), 64),
            },
            aggr="sum",
        )
        for _ in range(2)
    )


def run(layers: torch.nn.ModuleList) -> dict[str, torch.Tensor]:
    """Run the layers on a tiny random shop."""
    x = {"user": torch.randn(4, 16), "product": torch.randn(5, 32)}
    edges = {
        ("user", "purchases", "product"): torch.tensor([[0, 1, 2], [1, 2, 4]]),
        ("user", "reviews", "product"): torch.tensor([[0, 3], [0, 3]]),
        ("product", "co_viewed", "product"): torch.tensor([[0, 1], [1, 4]]),
    }
    for layer in layers:
        x = {name: value.relu() for name, value in layer(x, edges).items()}
    return x


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    for mended in (False, True):
        try:
            run(build(mended))
        except Exception as error:
            print(f"{type(error).__name__}: {error}")
