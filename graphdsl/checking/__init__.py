"""One spec through all phases: findings without follow-ups."""

from graphdsl.checking.analysis import analyse, plan_model

__all__ = ["analyse", "plan_model"]
