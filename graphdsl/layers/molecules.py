"""PyG's models of molecules, with neighbours and triplets found in plain PyTorch.

PyG finds atoms within the cutoff by the pyg-lib package, and triplets of atoms by torch-sparse. These subclasses have the same
parameters and give the same numbers without either.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import models
from torch_geometric.utils import scatter

from graphdsl.kernels.radius import radius_edges, triplets


class InteractionGraph(nn.Module):
    """Atoms within a cutoff, with their distances.

    Args:
        cutoff: largest distance.
        max_num_neighbors: largest number of neighbours of an atom.
    """

    def __init__(self, cutoff: float, max_num_neighbors: int) -> None:
        super().__init__()
        self.cutoff = cutoff
        self.max_num_neighbors = max_num_neighbors

    def forward(self, pos: Tensor, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Edges [2, num_edges] and distances [num_edges] of atoms at `pos` [num_atoms, 3]."""
        edge_index = radius_edges(pos, self.cutoff, batch, self.max_num_neighbors)
        return edge_index, (pos[edge_index[0]] - pos[edge_index[1]]).norm(dim=-1)


class SchNet(models.SchNet):
    """`torch_geometric.nn.SchNet`: one number for each molecule, from its atomic numbers and positions.

    Shapes:
        - `z`: atomic numbers [num_atoms]; `pos`: [num_atoms, 3]; `batch`: [num_atoms].
        - result: [num_molecules, 1].

    Args:
        cutoff: largest distance of atoms that interact.
        max_num_neighbors: largest number of neighbours of an atom.
        **arguments: the others of PyG's class.

    Schütt et al., "SchNet: A Continuous-filter Convolutional Neural Network for Modeling Quantum Interactions", NeurIPS 2017.
    """

    def __init__(self, *, cutoff: float = 10.0, max_num_neighbors: int = 32, **arguments: Any) -> None:
        graph = InteractionGraph(cutoff, max_num_neighbors)
        super().__init__(cutoff=cutoff, max_num_neighbors=max_num_neighbors, interaction_graph=graph, **arguments)


class _Directional(models.DimeNet):
    """The forward pass that DimeNet and DimeNet++ share, up to which angle they take."""

    def forward(self, z: Tensor, pos: Tensor, batch: Tensor | None = None) -> Tensor:
        """Values [num_molecules, out_channels] of molecules with atomic numbers `z` [num_atoms] at `pos` [num_atoms, 3]."""
        batch = torch.zeros_like(z) if batch is None else batch
        edge_index = radius_edges(pos, self.cutoff, batch, self.max_num_neighbors)
        j, i = edge_index
        met = triplets(edge_index, len(z))
        distance = (pos[i] - pos[j]).pow(2).sum(-1).sqrt()
        rbf = self.rbf(distance)
        sbf = self.sbf(distance, self.angle(pos[met.i], pos[met.j], pos[met.k]), met.edge_kj)
        x = self.emb(z, rbf, i, j)
        out = self.output_blocks[0](x, rbf, i, num_nodes=len(pos))
        for interact, give in zip(self.interaction_blocks, list(self.output_blocks)[1:], strict=True):
            x = interact(x, rbf, sbf, met.edge_kj, met.edge_ji)
            out = out + give(x, rbf, i, num_nodes=len(pos))
        return scatter(out, batch, dim=0, reduce="sum")

    def angle(self, i: Tensor, j: Tensor, k: Tensor) -> Tensor:
        """Angles of triplets of positions [triplets, 3], shape [triplets]."""
        return _between(j - i, k - i)


class DimeNet(_Directional):
    """`torch_geometric.nn.DimeNet`: messages that know the angles between bonds.

    Shapes and arguments are those of PyG's class.

    Gasteiger et al., "Directional Message Passing for Molecular Graphs", ICLR 2020.
    """


class DimeNetPlusPlus(_Directional, models.DimeNetPlusPlus):
    """`torch_geometric.nn.DimeNetPlusPlus`: a faster DimeNet.

    Shapes and arguments are those of PyG's class.

    Gasteiger et al., "Fast and Uncertainty-Aware Directional Message Passing for Non-Equilibrium Molecules", 2020.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        models.DimeNetPlusPlus.__init__(self, *arguments, **named)

    def angle(self, i: Tensor, j: Tensor, k: Tensor) -> Tensor:
        """Angles of triplets of positions [triplets, 3], shape [triplets]."""
        return _between(i - j, j - k)


class GNNFF(models.GNNFF):
    """`torch_geometric.nn.GNNFF`: the force on each atom.

    Shapes:
        - `z`: atomic numbers [num_atoms]; `pos`: [num_atoms, 3]; `batch`: [num_atoms].
        - result: [num_atoms, 3].

    Arguments are those of PyG's class.

    Park et al., "Accurate and scalable graph neural network force field and molecular dynamics with direct force
    architecture", npj Computational Materials 2021.
    """

    def forward(self, z: Tensor, pos: Tensor, batch: Tensor) -> Tensor:  # type: ignore[override]
        """Forces [num_atoms, 3] on atoms with numbers `z` [num_atoms] at `pos` [num_atoms, 3]."""
        edge_index = radius_edges(pos, self.cutoff, batch, self.max_num_neighbors)
        j, i = edge_index
        met = triplets(edge_index, len(z))
        distance = (pos[i] - pos[j]).pow(2).sum(-1).sqrt()
        direction = (pos[i] - pos[j]) / distance.unsqueeze(-1)
        nodes, edges = self.node_emb(z), self.edge_emb(distance)
        for of_nodes, of_edges in zip(self.node_blocks, self.edge_blocks, strict=True):
            # PyG hands over the numbers of `triplets`, whose first two are targets and sources.
            nodes = of_nodes(nodes, edges, i)
            edges = of_edges(nodes, edges, i, j, met.i, met.j, met.k, met.edge_ji, met.edge_kj)
        force = self.force_predictor(edges) * direction
        return scatter(force, i, dim=0, dim_size=len(z), reduce="sum")


class _Distances(nn.Module):
    """ViSNet's atoms within the cutoff, each its own neighbour, with distances and differences."""

    def __init__(self, cutoff: float, max_num_neighbors: int) -> None:
        super().__init__()
        self.cutoff = cutoff
        self.max_num_neighbors = max_num_neighbors

    def forward(self, pos: Tensor, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Edges [2, num_edges], distances [num_edges] and differences [num_edges, 3]."""
        edge_index = radius_edges(pos, self.cutoff, batch, self.max_num_neighbors, loop=True)
        apart = pos[edge_index[0]] - pos[edge_index[1]]
        other = edge_index[0] != edge_index[1]
        distance = torch.zeros(len(apart), dtype=pos.dtype, device=pos.device)
        return edge_index, distance.masked_scatter(other, apart[other].norm(dim=-1)), apart


class ViSNet(models.ViSNet):
    """`torch_geometric.nn.ViSNet`: vectors and scalars of atoms that talk to each other; one number for each molecule.

    Shapes:
        - `z`: atomic numbers [num_atoms]; `pos`: [num_atoms, 3]; `batch`: [num_atoms].
        - result: [num_molecules, 1].

    Arguments are those of PyG's class, without `derivative`.

    Wang et al., "Enhancing Geometric Representations for Molecules with Equivariant Vector-Scalar Interactive Message
    Passing", Nature Communications 2024.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        block = self.representation_model
        block.distance = _Distances(block.cutoff, block.max_num_neighbors)  # type: ignore[assignment]

    def forward(self, z: Tensor, pos: Tensor, batch: Tensor) -> Tensor:  # type: ignore[override]
        """Values [num_molecules, 1]."""
        return super().forward(z, pos, batch)[0]


def _between(first: Tensor, second: Tensor) -> Tensor:
    """Angles between vectors [pairs, 3]."""
    along = (first * second).sum(-1)
    across = torch.linalg.cross(first, second, dim=1).norm(dim=-1)
    return torch.atan2(across, along)
