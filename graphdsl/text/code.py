"""What the registry of diagnostic codes says of each: its name, how bad it is, and why it matters."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding.

    Attributes:
        code: `GNN` and three digits.
        name: kebab-case name.
        severity: "error", "warning" or "note".
        why: one or two sentences: what it is about and why it matters.
    """

    code: str
    name: str
    severity: Literal["error", "warning", "note"]
    why: str


def error(code: str, name: str, why: str) -> Code:
    """A finding with which nothing is compiled."""
    return Code(code, name, "error", why)


def warning(code: str, name: str, why: str) -> Code:
    """A finding that may be allowed."""
    return Code(code, name, "warning", why)


def note(code: str, name: str, why: str) -> Code:
    """A finding that is no fault."""
    return Code(code, name, "note", why)
