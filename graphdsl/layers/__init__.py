"""Layers of published heterogeneous networks that PyG lacks, as PyG-style modules.

They take what PyG's own layers take: all types numbered together with an `edge_type` vector (as `RGCNConv`), one relation
(as `SAGEConv`), or dictionaries by type and relation (as `HGTConv`). No loop runs over nodes or edges.
Some are PyG's own, made fit for what a spec allows: `FeaStConv` on relations without edges, `HypergraphConv` along a metapath,
`EquilibriumAggregation` without gradients, `MeshCNNConv` with numbered neighbours, `WLConv` without a memory, and the
`CuGraph…` layers on an ordinary `edge_index`.
`Variational` and `Adversarial` are what PyG's `VGAE` and `ARGA` add to an auto-encoder.
"""

from graphdsl.layers.autoencoders import Adversarial, Variational
from graphdsl.layers.compgcn import CompGCNConv, CompGCNLayer
from graphdsl.layers.cugraph import CuGraphGATConv, CuGraphRGCNConv, CuGraphSAGEConv
from graphdsl.layers.equilibrium import EquilibriumAggregation
from graphdsl.layers.fastgtn import FastGTNConv
from graphdsl.layers.feast import FeaStConv
from graphdsl.layers.group_add_rev import GroupAddRev
from graphdsl.layers.gtn import GTNConv
from graphdsl.layers.hetsann import HetSANNConv
from graphdsl.layers.hinormer import HINormerConv, HINormerLayer
from graphdsl.layers.hpn import HPNConv
from graphdsl.layers.hypergraph import HypergraphConv
from graphdsl.layers.ie_hgcn import IEHGCNConv
from graphdsl.layers.lightgcn import LightGCN
from graphdsl.layers.magnn import MAGNNConv
from graphdsl.layers.mesh_cnn import MeshCNNConv
from graphdsl.layers.meta import MetaLayer
from graphdsl.layers.nars import NARSConv
from graphdsl.layers.pan import PANConv, PANPooling
from graphdsl.layers.r_hgnn import RHGNNConv, RHGNNLayer
from graphdsl.layers.sehgnn import SeHGNNConv
from graphdsl.layers.signed import SignedConv
from graphdsl.layers.simple_hgn import SimpleHGNConv, SimpleHGNLayer
from graphdsl.layers.super_gat import SuperGATConv
from graphdsl.layers.wl import WLConv

__all__ = [
    "Adversarial",
    "CompGCNConv",
    "CompGCNLayer",
    "CuGraphGATConv",
    "CuGraphRGCNConv",
    "CuGraphSAGEConv",
    "EquilibriumAggregation",
    "FastGTNConv",
    "FeaStConv",
    "GTNConv",
    "GroupAddRev",
    "HINormerConv",
    "HINormerLayer",
    "HPNConv",
    "HetSANNConv",
    "HypergraphConv",
    "IEHGCNConv",
    "LightGCN",
    "MAGNNConv",
    "MeshCNNConv",
    "MetaLayer",
    "NARSConv",
    "PANConv",
    "PANPooling",
    "RHGNNConv",
    "RHGNNLayer",
    "SeHGNNConv",
    "SignedConv",
    "SimpleHGNConv",
    "SimpleHGNLayer",
    "SuperGATConv",
    "Variational",
    "WLConv",
]
