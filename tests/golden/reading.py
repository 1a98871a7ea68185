"""Golden specs: a spec (`NAME.gnn`, in YAML `NAME.gnn.yaml`) with its findings as comments at its end, or a spec beside its printed plans.

Directives are comments anywhere in a spec: `# with: hidden=3` plans and sizes the model with values for its parameters,
as compiling does; `# params: file.yaml` takes them from a file; `# model: name` says which model; `# pedantic:` asks for findings of phase 7.
"""

import re
from pathlib import Path

from graphdsl.api import check, load, require_sizes
from graphdsl.model import parse_assignment, read_parameters
from graphdsl.text import Diagnostic, SpecError, order

HERE = Path(__file__).parent
BAD = sorted([*(HERE / "bad").glob("*.gnn"), *(HERE / "bad").glob("*.gnn.yaml")])
GOOD = sorted((HERE / "good").glob("*.gnn"))
_EXPECTED = re.compile(r"^# (expect|help):", re.MULTILINE)


def directive(text: str, name: str) -> str | None:
    found = re.search(rf"^# {name}:(.*)$", text, re.MULTILINE)
    return found.group(1).strip() if found else None


def findings(name: str) -> tuple[Diagnostic, ...]:
    """What is wrong with a golden spec in the current folder, and with its parameters if it gives some."""
    text = Path(name).read_text(encoding="utf-8", errors="replace")
    found = check(name, pedantic=directive(text, "pedantic") is not None)
    values, file = directive(text, "with"), directive(text, "params")
    if values is None and file is None:
        return found
    assert not any(item.is_error for item in found), "a spec with parameters is clean without them"
    try:
        spec, model = load(name), directive(text, "model")
        given = _accept(read_parameters(file)) if file else {}
        given |= dict(_accept(parse_assignment(item)) for item in (values or "").split())
        require_sizes(spec.plan(model, **given))
    except SpecError as error:
        return order([*found, *error.diagnostics])
    return found


def _accept(read):
    if isinstance(read, Diagnostic):
        raise SpecError([read])
    return read


def body(text: str) -> str:
    """The spec without the expectations at its end."""
    start = _EXPECTED.search(text)
    return text[: start.start()] if start else text.rstrip("\n") + "\n\n"


def trailer(found: tuple[Diagnostic, ...]) -> str:
    """Findings as comments: code, place, message, and a line for each help."""
    lines: list[str] = []
    for item in found:
        place = f"{item.primary.span.line}:{item.primary.span.column}" if item.primary else "-"
        lines.append(f"# expect: {item.code} {place} {item.message}")
        lines += [f"# help: {text}" for text in item.helps]
    return "\n".join(lines) + "\n"
