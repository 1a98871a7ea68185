"""What validating found, as one record."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from graphdsl.text import Diagnostic, SourceText, order, render_all


@dataclass(frozen=True, slots=True)
class Report:
    """The findings about one graph.

    Attributes:
        findings: all of them, ordered by place.
        sources: texts that they point into, where these did not come from a file.

    >>> report = Report(())
    >>> report.ok, str(report), report.to_json()
    (True, 'no findings', '{"ok": true, "findings": []}')
    """

    findings: tuple[Diagnostic, ...]
    sources: Mapping[str, SourceText]

    def __init__(self, findings: Iterable[Diagnostic], sources: Iterable[SourceText] = ()) -> None:
        object.__setattr__(self, "findings", order(findings))
        object.__setattr__(self, "sources", {source.name: source for source in sources})

    @property
    def ok(self) -> bool:
        """Whether the data can be used: there may be warnings, but no errors."""
        return not any(item.is_error for item in self.findings)

    def to_json(self) -> str:
        """JSON text: `ok`, and in `findings` the fields of each `Diagnostic`."""
        return json.dumps({"ok": self.ok, "findings": [asdict(item) for item in self.findings]}, ensure_ascii=False)

    def __str__(self) -> str:
        return render_all(self.findings, self.sources)
