"""Source text, spans, diagnostics, codes, name encoding and did-you-mean: everything prints through this package."""

from graphdsl.text.codes import CODES, Code, find_code, lookup
from graphdsl.text.diagnostic import (
    Diagnostic,
    Edit,
    Enough,
    Facts,
    Findings,
    Fix,
    Label,
    Severity,
    SpecError,
    order,
    report,
)
from graphdsl.text.display import clean, columns
from graphdsl.text.encoding import EdgeKey, decode, encode, encode_edge, join_edge, show_edge, show_name
from graphdsl.text.explanation import explain, introduction
from graphdsl.text.render import render, render_all, summary
from graphdsl.text.reserved import RESERVED, container_key
from graphdsl.text.source import SourceText, decode_source, read_source
from graphdsl.text.span import Span
from graphdsl.text.suggestion import certain, closest, did_you_mean, listing, renaming

__all__ = [
    "CODES",
    "RESERVED",
    "Code",
    "Diagnostic",
    "EdgeKey",
    "Edit",
    "Enough",
    "Facts",
    "Findings",
    "Fix",
    "Label",
    "Severity",
    "SourceText",
    "Span",
    "SpecError",
    "certain",
    "clean",
    "closest",
    "columns",
    "container_key",
    "decode",
    "decode_source",
    "did_you_mean",
    "encode",
    "encode_edge",
    "explain",
    "find_code",
    "introduction",
    "join_edge",
    "listing",
    "lookup",
    "order",
    "read_source",
    "renaming",
    "render",
    "render_all",
    "report",
    "show_edge",
    "show_name",
    "summary",
]
