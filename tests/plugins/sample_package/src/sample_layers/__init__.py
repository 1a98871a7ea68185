"""A layer for graphdsl. Nothing is imported here: specs are checked without torch."""
