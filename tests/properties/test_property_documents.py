"""A spec means the same in YAML and JSON, and comes back as it was, but for comments."""

import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from noise import words
from test_property_formatting import EVERYTHING, formatted, plain
from test_property_specs import meaning

from graphdsl import loads
from graphdsl.api import check_source
from graphdsl.syntax import parse
from graphdsl.syntax.documents.conversion import convert
from graphdsl.text import SourceText, render_all
from specs import sound_specs, specs

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
NOTATIONS = ("yaml", "json")


def converted(text: str, name: str, notation: str) -> str:
    done = convert(SourceText(name, text), notation)
    assert isinstance(done, str), render_all(done)
    return done


def tree(text: str, name: str):
    parsed = parse(SourceText(name, text))
    assert parsed.diagnostics == (), render_all(parsed.diagnostics, {name: SourceText(name, text)})
    return plain(parsed.file.declarations)


def check(text: str) -> None:
    for notation in NOTATIONS:
        document = converted(text, "t.gnn", notation)
        assert tree(document, f"t.{notation}") == tree(text, "t.gnn")
        back = converted(document, f"t.{notation}", "gnn")
        code = [word for word in words(formatted(text)) if word != "," and not word.startswith("#")]
        assert [word for word in words(back) if word != ","] == code
        assert converted(document, f"t.{notation}", notation) == document
    as_json = converted(text, "t.gnn", "json")
    assert json.loads(as_json) == yaml.safe_load(converted(text, "t.gnn", "yaml"))


@QUICK
@given(specs())
def test_random_specs_round(text: str) -> None:
    check(text)


def test_every_construct_rounds() -> None:
    check(EVERYTHING)


@QUICK
@given(sound_specs(), st.sampled_from(NOTATIONS))
def test_random_specs_have_the_same_plan(text: str, notation: str) -> None:
    document = converted(text, "t.gnn", notation)
    assert meaning(loads(document, f"t.{notation}").plan()) == meaning(loads(text, "t.gnn").plan())


@QUICK
@given(specs(), st.data())
def test_every_slip_in_a_document_is_answered(text: str, data: st.DataObject) -> None:
    notation = data.draw(st.sampled_from(NOTATIONS))
    document = converted(text, "t.gnn", notation)
    start = data.draw(st.integers(0, len(document)))
    end = data.draw(st.integers(start, min(len(document), start + 20)))
    put = data.draw(
        st.sampled_from(("", "x", '"', "{", "]", ":", "- ", "\n", "#", "0", "null", "*a", "&a ", "\t", ", "))
    )
    source = SourceText(f"t.{notation}", document[:start] + put + document[end:])
    found = check_source(source)
    assert not any(item.code.startswith("GNN9") for item in found)
    for item in found:
        for label in item.labels:
            assert 1 <= label.span.line <= len(source.lines)
            assert 1 <= label.span.column <= len(source.lines[label.span.line - 1]) + 1
        assert item.fix is None
    render_all(found, {source.name: source})


@QUICK
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(("declarations", "schema", "members", "node", "edge", "layer", "x")), inner, max_size=3
            )
        ),
        max_leaves=12,
    )
)
@pytest.mark.parametrize("key", [None, "declarations"])
def test_any_data_is_answered(key: str | None, value) -> None:
    text = json.dumps({key: value} if key else value).replace("Infinity", "1e400")
    for name in ("t.json", "t.yaml"):
        source = SourceText(name, text)
        render_all(check_source(source), {name: source})
