"""`MetaLayer` with the three models that PyG's page writes by hand, each around networks of its own."""

import torch
from torch import Tensor, nn
from torch_geometric.nn import MetaLayer as Base
from torch_geometric.nn.inits import reset
from torch_geometric.utils import scatter


class _Part(nn.Module):
    """A part of the layer; what it does not get, it does not join."""

    def reset_parameters(self) -> None:
        reset(list(self.children()))


class EdgeModel(_Part):
    """New values of edges from both ends, from the old ones and from the graph's.

    Args:
        edge_mlp: reads source, target, edge and graph side by side.
    """

    def __init__(self, edge_mlp: nn.Module) -> None:
        super().__init__()
        self.edge_mlp = edge_mlp

    def forward(
        self, src: Tensor, dst: Tensor, edge_attr: Tensor | None, u: Tensor | None, batch: Tensor | None
    ) -> Tensor:
        """Values [num_edges, width]."""
        return self.edge_mlp(_join(src, dst, edge_attr, _of_graphs(u, batch, src.size(0))))


class NodeModel(_Part):
    """New values of nodes from the messages of their edges, from the old ones and from the graph's.

    Args:
        node_mlp_1: reads source and edge side by side; without it, these are the message.
        node_mlp_2: reads node, reduced messages and graph side by side.
        aggr: how messages are reduced.
    """

    def __init__(self, node_mlp_1: nn.Module | None, node_mlp_2: nn.Module, aggr: str) -> None:
        super().__init__()
        self.node_mlp_1 = node_mlp_1
        self.node_mlp_2 = node_mlp_2
        self.aggr = aggr

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None, u: Tensor | None, batch: Tensor | None
    ) -> Tensor:
        """Values [num_nodes, width]."""
        message = _join(x[edge_index[0]], edge_attr)
        if self.node_mlp_1 is not None:
            message = self.node_mlp_1(message)
        received = scatter(message, edge_index[1], dim=0, dim_size=x.size(0), reduce=self.aggr)
        return self.node_mlp_2(_join(x, received, _of_graphs(u, batch, x.size(0))))


class GlobalModel(_Part):
    """New values of graphs from those of their nodes, and from the old ones.

    Args:
        global_mlp: reads the graph and its reduced nodes side by side.
        readout: how nodes are reduced.
    """

    def __init__(self, global_mlp: nn.Module, readout: str) -> None:
        super().__init__()
        self.global_mlp = global_mlp
        self.readout = readout

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None, u: Tensor | None, batch: Tensor | None
    ) -> Tensor:
        """Values [num_graphs, width]."""
        batch = x.new_zeros(x.size(0)).long() if batch is None else batch
        graphs = None if u is None else u.size(0)
        return self.global_mlp(_join(u, scatter(x, batch, dim=0, dim_size=graphs, reduce=self.readout)))


class MetaLayer(Base):
    """PyG's `MetaLayer` with the models of its documentation: new edges, then nodes, then graphs, each by networks.

    A model whose network is not given leaves its values as they are. Keys of the state dict are those of a `MetaLayer`
    that is written as on PyG's page: `edge_model.edge_mlp`, `node_model.node_mlp_1`, `global_model.global_mlp`.

    Args:
        edge_mlp: see `EdgeModel`.
        node_mlp_1: see `NodeModel`.
        node_mlp_2: see `NodeModel`; without it, values of nodes stay.
        global_mlp: see `GlobalModel`.
        aggr: how messages are reduced: "sum", "mean", "min" or "max".
        readout: how the nodes of a graph are, likewise.

    Battaglia et al., "Relational Inductive Biases, Deep Learning, and Graph Networks", 2018.

    >>> layer = MetaLayer(nn.Linear(3 + 3 + 2, 4), None, nn.Linear(3 + 3 + 4, 5))
    >>> x, edge_attr, u = layer(torch.ones(2, 3), torch.tensor([[0], [1]]), torch.ones(1, 2))
    >>> x.shape, edge_attr.shape, u
    (torch.Size([2, 5]), torch.Size([1, 4]), None)
    """

    def __init__(
        self,
        edge_mlp: nn.Module | None = None,
        node_mlp_1: nn.Module | None = None,
        node_mlp_2: nn.Module | None = None,
        global_mlp: nn.Module | None = None,
        aggr: str = "mean",
        readout: str = "mean",
    ) -> None:
        super().__init__(
            None if edge_mlp is None else EdgeModel(edge_mlp),
            None if node_mlp_2 is None else NodeModel(node_mlp_1, node_mlp_2, aggr),
            None if global_mlp is None else GlobalModel(global_mlp, readout),
        )


def _join(*parts: Tensor | None) -> Tensor:
    return torch.cat([part for part in parts if part is not None], dim=-1)


def _of_graphs(u: Tensor | None, batch: Tensor | None, rows: int) -> Tensor | None:
    """The row of the graph of each edge or node; all are of one graph without `batch`."""
    if u is None:
        return None
    return u.expand(rows, -1) if batch is None else u[batch]
