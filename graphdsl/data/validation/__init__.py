"""Data against schema: everything that is wrong, in one pass, with the line of Python that mends it.

Each check is one module with one function `(Schema, …) -> findings`; `CHECKS` in `validating` lists them. No check
loops over nodes or edges, and none repeats what another reports. What shapes and dtypes tell is checked without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphdsl.data.validation.needed import check_needed
    from graphdsl.data.validation.report import Report
    from graphdsl.data.validation.stored import validate_metadata
    from graphdsl.data.validation.tiers import TIERS, Tier
    from graphdsl.data.validation.validating import validate

__all__ = ["TIERS", "Report", "Tier", "check_needed", "validate", "validate_metadata"]

_HOMES = {
    "Report": "report",
    "TIERS": "tiers",
    "Tier": "tiers",
    "check_needed": "needed",
    "validate": "validating",
    "validate_metadata": "stored",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
