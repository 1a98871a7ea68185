"""From a plan to something that runs."""

from graphdsl.backends.compiled import CompiledModel
from graphdsl.backends.derivation import DerivationCache, derive_relations
from graphdsl.backends.explaining import Explainable
from graphdsl.backends.pyg import CompiledSequence
from graphdsl.backends.pyg.noted import FusedAttention, InstanceAttention
from graphdsl.backends.pyg.weights import AttentionWeights, EdgeAttention, recording
from graphdsl.backends.selection import BACKENDS, AnyModel, compile_plan

__all__ = [
    "BACKENDS",
    "AnyModel",
    "AttentionWeights",
    "CompiledModel",
    "CompiledSequence",
    "DerivationCache",
    "EdgeAttention",
    "Explainable",
    "FusedAttention",
    "InstanceAttention",
    "compile_plan",
    "derive_relations",
    "recording",
]
