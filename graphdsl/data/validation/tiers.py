"""How deep to look: what shapes and dtypes tell, what the edges tell, what the numbers tell."""

from typing import Final, Literal, get_args

Tier = Literal["metadata", "structure", "values"]
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
"""From the cheapest to the dearest; each includes those before it."""
