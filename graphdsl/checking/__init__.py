"""One spec through all phases: findings without follow-ups, suppressions, fixes."""

from graphdsl.checking.analysis import analyse, plan_model
from graphdsl.checking.fixing import Fixed, choose, fix_source
from graphdsl.checking.suppression import silence

__all__ = ["Fixed", "analyse", "choose", "fix_source", "plan_model", "silence"]
