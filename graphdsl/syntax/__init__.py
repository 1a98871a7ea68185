"""The grammar, its tree, and parsing with recovery."""
