"""Whatever spec is drawn: checking gives findings, never an exception, and plans without errors are consistent."""

import random
import re

from fuzz import TOKEN, examine, mutate, seeds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphdsl import loads
from graphdsl.api import check_source, require_sizes
from graphdsl.plan import Plan, depths, receptive_hops
from graphdsl.plan.lowering import lower
from graphdsl.plan.passes import PASSES
from graphdsl.plan.verify import verify, verify_live
from graphdsl.syntax import parse
from graphdsl.text import SourceText, render_all
from specs import sound_specs, specs

WORDS = [
    "schema",
    "model",
    "train",
    "node",
    "edge",
    "nodes",
    "edges",
    "repeat",
    "predict",
    "on",
    "a",
    "b",
    "x",
    "3",
    '"q"',
    "\n",
]
WORDS += ["{", "}", "(", ")", "[", "]", "-[", "]->", "<-[", "]-", ":", ",", ".", "=", "|", "*", "-", "/", "'", '"', "#"]
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def check(text: str) -> list[str]:
    source = SourceText("random.gnn", text)
    found = check_source(source)
    lines = text.split("\n")
    for item in found:
        for label in item.labels:
            assert 1 <= label.span.line <= len(lines)
            assert 1 <= label.span.column <= len(lines[label.span.line - 1]) + 1
    render_all(found, {source.name: source})
    return [item.code for item in found]


@QUICK
@given(specs())
def test_random_specs_parse_and_check(text: str) -> None:
    assert parse(SourceText("t", text)).diagnostics == ()
    assert not {code for code in check(text) if code[3] in "09"}


@QUICK
@given(sound_specs())
def test_plans_are_consistent_after_every_pass(text: str) -> None:
    spec = loads(text)
    program, _ = spec.model("m").bind({})
    plan, _ = lower(program)
    verify_live(verify(plan))
    for apply in PASSES:
        plan = apply(plan)
        verify_live(verify(plan))
    require_sizes(plan)
    assert len(depths(plan)) == len(plan.stages) + 1
    for edges in receptive_hops(plan):
        assert edges <= set(plan.relations)
    assert str(plan)
    assert plan.to_json()


def meaning(plan: Plan) -> str:
    """A plan without its places."""
    return re.sub(r'"span": \{[^}]*\}|"rule": \{[^}]*\}', "", plan.to_json())


@QUICK
@given(sound_specs(), st.randoms(use_true_random=False))
def test_the_order_of_a_schema_changes_nothing(text: str, rng: random.Random) -> None:
    head, rest = text.split("\n}\n", 1)
    first, *members = head.split("\n")
    rng.shuffle(members)
    shuffled = "\n".join([first, *members]) + "\n}\n" + rest
    one, other = loads(text).plan(), loads(shuffled).plan()
    assert sorted(meaning(one)) == sorted(meaning(other))
    for stage, again in zip(one.stages, other.stages, strict=True):
        assert dict(stage.widths) == dict(again.widths)
        assert stage.produced == again.produced


@QUICK
@given(specs(), st.data())
def test_every_prefix_and_every_slip_is_answered(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    check(text[:cut])
    words = list(re.finditer(r'"[^"\n]*"|\w+|-\[|\]->|[^\w\s]', text))
    word = data.draw(st.sampled_from(words))
    other = data.draw(st.sampled_from(words)).group()
    check(text[: word.start()] + text[word.end() :])
    check(text[: word.start()] + other + text[word.end() :])
    check(text[: word.start()] + other + " " + text[word.start() :])


@QUICK
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_answered(text: str) -> None:
    check(text)


@QUICK
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_sequence_of_words_is_answered(words: list[str]) -> None:
    check(" ".join(words))


def test_mutations_of_the_specs_of_the_repository_are_answered() -> None:
    """A small part of what `fuzz.py` does at length."""
    draw, tokens = random.Random(1), [TOKEN.findall(text) for text in seeds() if 0 < len(text) <= 2000]
    for _ in range(400):
        text = mutate(draw, tokens)
        assert examine(text) is None, text
