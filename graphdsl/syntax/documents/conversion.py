"""A spec in another notation: `.gnn`, YAML and JSON say the same, but only `.gnn` and YAML have comments, and none moves."""

import json
from typing import Literal

from graphdsl.syntax.documents.writing import to_plain
from graphdsl.syntax.formatting import format_source
from graphdsl.syntax.parsing import parse, spell_out
from graphdsl.text import Diagnostic, SourceText

Notation = Literal["gnn", "yaml", "json"]


def convert(source: SourceText, notation: Notation) -> str | tuple[Diagnostic, ...]:
    """A spec in another notation, formatted; or why it cannot be written so.

    Comments are left out, but where nothing is converted.

    >>> print(convert(SourceText("a.gnn", "schema s { node a { x: float[3] } }"), "yaml"), end="")
    declarations:
    - schema: s
      members:
      - node: a
        attributes:
          x: float[3]
    """
    found = tuple(item for item in parse(source).diagnostics if item.is_error)
    if found:
        return found
    text = SourceText(source.name, spell_out(source))
    if notation == "gnn":
        return format_source(text).text
    plain, wrong = to_plain(text)
    if wrong:
        return tuple(wrong)
    if notation == "json":
        return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    import yaml

    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=float("inf"))
