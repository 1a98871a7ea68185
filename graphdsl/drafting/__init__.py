"""Specs drawn from data: what a graph holds as a schema, a model to begin with, and how both have drifted apart. No torch."""

from graphdsl.drafting.draft import Draft, DraftAttribute, DraftEdges, DraftNodes, Remark
from graphdsl.drafting.kinds import guess_type
from graphdsl.drafting.writing import write_draft

__all__ = ["Draft", "DraftAttribute", "DraftEdges", "DraftNodes", "Remark", "guess_type", "write_draft"]
