"""What validating found and what the graph is like, as one HTML file that needs nothing else."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from graphdsl.data.places import show_place
from graphdsl.data.statistics import DegreeStatistics, GraphStatistics
from graphdsl.pages.picture import HEIGHT, WIDTH, draw_relations, place_types
from graphdsl.text import Diagnostic, introduction, show_edge

_FOLDER = Path(__file__).resolve().parent
_BARS = 120
_ORDER = ("error", "warning", "note")


def validation_page(
    title: str, source: str, findings: Sequence[Diagnostic], statistics: GraphStatistics, version: str
) -> str:
    """The page.

    Args:
        title: what was compared with what.
        source: the text of the spec.
        findings: in the order of their places; errors are shown first.
        statistics: of the data.
        version: of this program.

    Returns:
        HTML without scripts and without anything to load; every text is escaped.

    Example:
        >>> import graphdsl, torch
        >>> from graphdsl.data.statistics import describe_graph
        >>> from torch_geometric.data import HeteroData
        >>> spec, data = graphdsl.loads("schema s { node a { x: float[2] } }"), HeteroData()
        >>> data["a"].x = torch.randn(3, 2)
        >>> found = spec.validate(data).findings
        >>> page = validation_page("a and b", spec.text, found, describe_graph(data, spec.schema()), graphdsl.__version__)
        >>> "no findings" in page
        True
    """
    marked = {item.where.partition(".")[0].strip("()") for item in findings if item.is_error}
    names = [item.name for item in statistics.nodes]
    keys = [item.key for item in statistics.edges]
    boxes = place_types(
        names,
        {item.name: item.count for item in statistics.nodes},
        {name for name in names if show_place(name) in marked},
    )
    arrows = draw_relations(
        keys,
        {item.key: item.count for item in statistics.edges},
        boxes,
        {key for key in keys if show_edge(key) in marked},
    )
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["compact"] = _compact
    environment.filters["bars"] = _bars
    environment.filters["why"] = lambda item: introduction(item.code)
    environment.filters["edge"] = show_edge
    environment.filters["said"] = _said
    return environment.get_template("validation.html.jinja").render(
        title=title,
        source=source,
        findings=sorted(findings, key=lambda item: _ORDER.index(item.severity)),
        counts=Counter(item.severity for item in findings),
        statistics=statistics,
        boxes=list(boxes.values()),
        arrows=arrows,
        width=WIDTH,
        height=HEIGHT,
        version=version,
    )


def _said(text: str) -> Markup:
    """A line with what stands between backticks as code.

    >>> _said("write `a<b>` & go")
    Markup('write <code>a&lt;b&gt;</code> &amp; go')
    """
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))


def _compact(number: float | None) -> str:
    """A number in few letters; nothing for None.

    >>> _compact(0.123456), _compact(1234567), _compact(None)
    ('0.123', '1.23e+06', '')
    """
    if number is None:
        return ""
    return f"{number:,.0f}" if number == int(number) and abs(number) < 1e6 else f"{number:.3g}"


def _bars(counts: Sequence[int] | DegreeStatistics) -> list[tuple[str, int, float]]:
    """Label, count and length of each bar of a histogram; of degrees, each bar doubles the last."""
    if isinstance(counts, DegreeStatistics):
        labels = ["0", "1", *(f"{1 << (at - 1)}–{(1 << at) - 1}" for at in range(2, len(counts.histogram)))]
        numbers: Sequence[int] = counts.histogram
    else:
        labels, numbers = [str(at) for at in range(len(counts))], counts
    most = max(numbers, default=0) or 1
    return [(label, count, _BARS * count / most) for label, count in zip(labels, numbers, strict=False)]
