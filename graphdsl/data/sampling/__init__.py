"""Sampling neighbourhoods of large heterogeneous graphs, without compiled extensions.

`HeteroNeighborSampler` is a PyG `BaseSampler` for `NodeLoader` and `LinkLoader` (or `SampledLinkLoader`, which counts
epochs); `neighbor_loader` is the short way to mini-batches of nodes. Inside: `graph` reads PyG's containers, `times`
and `clock` order events, `layout` lays all relations into one structure, `fanout` says how much to take, `choose` draws
subsets, `hops` walks, `randomness` seeds each batch, `output` gives PyG its format.
"""

from graphdsl.data.sampling.loader import SampledLinkLoader, SampledNodeLoader, neighbor_loader
from graphdsl.data.sampling.sampler import HeteroNeighborSampler

__all__ = ["HeteroNeighborSampler", "SampledLinkLoader", "SampledNodeLoader", "neighbor_loader"]
