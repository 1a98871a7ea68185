"""`WLConv` without a memory: colours that are the same in every graph, process and run."""

from torch import Tensor, nn, no_grad

from graphdsl.kernels.colors import refine_colors


class WLConv(nn.Module):
    """One round of colour refinement by Weisfeiler and Leman, as `torch_geometric.nn.WLConv`, up to the names of colours.

    PyG's own numbers colours in the order in which it meets them, in a dictionary of Python that grows in every forward
    pass and stands in no state dict: a model that is loaded, or trained by several processes, would call them otherwise.
    Here a colour is a hash of what it stands for, so nothing is remembered, and a colour that training never saw has a name
    all the same. No loop runs over nodes.

    Shapes:
        - `x`: colours [num_nodes], whole numbers.
        - `edge_index`: [2, num_edges].
        - result: colours [num_nodes], whole numbers of 64 bits.

    Weisfeiler and Leman, "A Reduction of a Graph to a Canonical Form and an Algebra Arising During this Reduction", 1968.

    >>> import torch
    >>> star = torch.tensor([[1, 2, 3], [0, 0, 0]])
    >>> len(set(WLConv()(torch.zeros(4, dtype=torch.long), star).tolist()))
    2
    """

    def reset_parameters(self) -> None:
        """There are none."""

    @no_grad()
    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Refine colours."""
        return refine_colors(x, edge_index)
