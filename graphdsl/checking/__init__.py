"""One spec through all phases: findings without follow-ups, and their fixes."""

from graphdsl.checking.analysis import analyse, plan_model
from graphdsl.checking.fixing import Fixed, choose, fix_source

__all__ = ["Fixed", "analyse", "choose", "fix_source", "plan_model"]
