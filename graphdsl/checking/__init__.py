"""One spec through all phases: findings without follow-ups, suppressions, fixes."""

from graphdsl.checking.analysis import analyse, plan_model
from graphdsl.checking.demands import Demands, find_demands
from graphdsl.checking.fixing import Fixed, choose, fix_source
from graphdsl.checking.suppression import silence

__all__ = ["Demands", "Fixed", "analyse", "choose", "find_demands", "fix_source", "plan_model", "silence"]
