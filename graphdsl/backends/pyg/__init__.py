"""The reference backend: a plan as PyG's own containers and layers. Simple first, fast second."""

from graphdsl.backends.pyg.sequence import CompiledSequence
from graphdsl.backends.pyg.stages import build_stage

__all__ = ["CompiledSequence", "build_stage"]
