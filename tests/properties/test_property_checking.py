"""Checking is deterministic, does not depend on any order of dictionaries, and points into the text only."""

import os
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphdsl.api import check_source, loads
from graphdsl.checking import plan_model
from graphdsl.model import Metadata
from graphdsl.model.metadata import StoreInfo, TensorInfo
from graphdsl.text import Diagnostic, SourceText, Span
from specs import sound_specs, specs

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
GOLDEN = Path(__file__).parents[1] / "golden"
HABITS = [
    *("self.conv = SAGEConv(8)", "nn.Linear(4)", "def forward(self, x):\n    return x", "for i in range(3):", "if a:"),
    *("x := 3", "2 ^ 6", "a // b", "{'a': 1}", 'f"{x}"', "`max`", "$hidden", "/* no */", '"""', "@cache", "%time"),
    *(
        "edges:",
        "nodes: {",
        "schema:",
        "|> relu",
        ".relu()",
        "float(3)",
        "int<3>",
        "node a[3]",
        "-*->",
        "=>",
        ";",
        "50%",
    ),
    *("0x40", "lambda x: x", "**kwargs", "8 if a else 4", "a and b", "predict(", "predict =", "train m on cuda", "--"),
]
SCRIPT = """
import sys
from pathlib import Path
from graphdsl.api import check
for path in sorted(Path(".").glob("*.gnn")):
    print(path.name, check(path.name, pedantic=True))
"""


def inside(span: Span, source: SourceText) -> bool:
    """Whether a place is within the text; its end may be just behind the end of a line."""
    lines = source.lines
    if not 1 <= span.line <= span.end_line <= len(lines):
        return False
    starts = 1 <= span.column <= len(lines[span.line - 1]) + 1
    return starts and 1 <= span.end_column <= len(lines[span.end_line - 1]) + 2


def check(text: str) -> tuple[Diagnostic, ...]:
    source = SourceText("random.gnn", text)
    found = check_source(source, pedantic=True)
    for item in found:
        for label in item.labels:
            assert inside(label.span, source), (item.code, item.message, label.span)
        for edit in item.fix.edits if item.fix else ():
            assert inside(edit.span, source), (item.code, item.fix)
        assert item.message
        assert "\n" not in item.message
    return found


@QUICK
@given(specs(), st.data())
def test_findings_lie_within_the_text_whatever_is_written_into_it(text: str, data: st.DataObject) -> None:
    places = [match.start() for match in re.finditer(r"\b|\n", text)]
    at = data.draw(st.sampled_from(places))
    habit = data.draw(st.sampled_from(HABITS))
    found = check(text[:at] + f" {habit} " + text[at:])
    assert found == check(text[:at] + f" {habit} " + text[at:])


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_alone_in_a_file_is_answered(habit: str) -> None:
    assert check(habit)


@QUICK
@given(specs(), st.randoms(use_true_random=False))
def test_the_order_of_declarations_changes_no_finding(text: str, rng: random.Random) -> None:
    head, rest = text.split("\n}\n", 1)
    first, *members = head.split("\n")
    rng.shuffle(members)
    shuffled = "\n".join([first, *members]) + "\n}\n" + rest
    one, other = (Counter((item.code, item.severity) for item in check(it)) for it in (text, shuffled))
    assert one == other


@QUICK
@given(sound_specs(), st.randoms(use_true_random=False))
def test_the_order_of_metadata_changes_no_plan(text: str, rng: random.Random) -> None:
    model = loads(re.sub(r"x: float\[\d\]", "x: float[*]", text)).model()
    nodes = {
        name: StoreInfo(node.count, {"x": TensorInfo((node.count or 1, 3 + place), "float32")})
        for place, (name, node) in enumerate(model.schema.nodes.items())
    }
    names = list(nodes)
    rng.shuffle(names)
    plans = [plan_model(model, {}, Metadata(it, {})) for it in (nodes, {name: nodes[name] for name in names})]
    assert plans[0] == plans[1]


@pytest.mark.parametrize("folder", ["bad", "good"])
def test_the_seed_of_hashes_changes_nothing(folder: str) -> None:
    printed = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=GOLDEN / folder,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "4711")
    ]
    assert printed[0] == printed[1]
    assert printed[0].count("\n") >= 60
