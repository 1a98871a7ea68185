"""From a plan to something that runs."""

from graphdsl.backends.compiled import CompiledModel
from graphdsl.backends.derivation import DerivationCache, derive_relations
from graphdsl.backends.selection import BACKENDS, compile_plan

__all__ = ["BACKENDS", "CompiledModel", "DerivationCache", "compile_plan", "derive_relations"]
