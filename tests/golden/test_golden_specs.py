"""Bad specs give exactly the findings at their end, good specs none, and the plans beside them."""

import pytest
from reading import BAD, GOOD, body, directive, findings, trailer

from graphdsl.api import load
from graphdsl.model import parse_assignment
from graphdsl.plan.passes import PASSES
from graphdsl.plan.verify import verify, verify_live
from graphdsl.text import render_all


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_specs_give_their_findings(path, golden, monkeypatch) -> None:
    monkeypatch.chdir(path.parent)
    found = findings(path.name)
    assert any(item.is_error for item in found) or path.stem.startswith("warn_")
    text = path.read_bytes().decode("utf-8", errors="surrogateescape")
    if "\udcff" in text:  # a file that is no UTF-8 can only be read back as bytes
        assert trailer(found) in text
        return
    golden(path, body(path.read_text(encoding="utf-8")) + trailer(found))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_specs_are_clean_and_have_their_plans(path, golden, monkeypatch) -> None:
    monkeypatch.chdir(path.parent)
    spec = load(path.name)
    assert not spec.findings, render_all(spec.findings)
    values = directive(spec.text, "with") or ""
    given = dict(parse_assignment(item) for item in values.split())
    plans = [spec.plan(name, **given) for name in spec.models]
    for plan in plans:
        verify(plan)
        for apply in PASSES:
            assert verify_live(verify(apply(plan))) == plan, "passes change nothing the second time"
    golden(path.with_suffix(".plan"), "\n\n".join(map(str, plans)) + "\n")
