"""Passes over a plan: each a file with one function `Plan -> Plan`; the pipeline is this tuple."""

from collections.abc import Callable

from graphdsl.plan.ir import Plan
from graphdsl.plan.passes.mark_live import mark_live

PASSES: tuple[Callable[[Plan], Plan], ...] = (mark_live,)

__all__ = ["PASSES", "mark_live"]
