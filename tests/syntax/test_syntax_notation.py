"""Habits of other languages: one finding each, and everything around them is still read."""

import pytest

from graphdsl.api import check_source
from graphdsl.text import Diagnostic, SourceText

SPEC = """schema library {{
  node author {{ x: float[20], y: class[3] }}
  edge author -[knows]-> author
}}
model m(hidden: int = 8) on library {{
  h0 = nodes {{ author: Linear(hidden) }}
  {0}
  edges {{ knows: SAGEConv(hidde) }}
  predict author.y
}}
"""


def check(text: str) -> tuple[Diagnostic, ...]:
    return check_source(SourceText("a.gnn", text))


@pytest.mark.parametrize(
    "habit",
    [
        *(
            "for i in range(3) {{ edges {{ knows: SAGEConv(8) }} }}",
            "for i in range(3):\n    edges {{ knows: SAGEConv(8) }}",
        ),
        *(
            "nodes {{ author: nn.Linear(8) }}",
            "edges {{ knows: SAGEConv(8) }} |> relu",
            "h1 := nodes {{ author: Linear(8) }}",
        ),
        *(
            "edges {{ knows: GATConv(hidden // 2) }}",
            "edges {{ knows: SAGEConv(8) }}.relu()",
            "nodes: {{ author: Linear(8) }}",
        ),
        *("/* two\n  lines */", '"""\n  two lines\n  """', "-- a comment", "@cache", "def f(x):\n    return x"),
        *(
            "edges {{ knows: SAGEConv(8, aggr = `max`) }}",
            "nodes {{ author: Linear($hidden) }}",
            "edges:\n    knows: SAGEConv(8)",
        ),
        *(
            "edges {{ knows: SAGEConv(2 ^ 3) }}",
            "edges {{ knows: SAGEConv(8, **options) }}",
            "nodes {{ author: Linear(8) }};",
        ),
    ],
)
def test_a_habit_is_one_finding_and_hides_no_other(habit: str) -> None:
    found = check(SPEC.format(habit.format()))
    assert [item.code for item in found] == ["GNN014", "GNN101"], found
    assert found[0].helps
    assert found[1].message == "unknown parameter `hidde`"


def test_a_habit_that_runs_through_a_file_is_said_once() -> None:
    text = (
        SPEC.format("nodes { author: nn.Linear(8) } | nn.relu").replace("(hidde)", "(hidden)").replace("\n  ", ";\n  ")
    )
    found = check(text)
    assert [item.code for item in found] == ["GNN014", "GNN014"]
    assert {note for item in found for note in item.notes} == {"2 times in this file", "6 times in this file"}


def test_strings_and_comments_are_no_habits() -> None:
    text = SPEC.format("").replace("(hidde) }", '(hidden, aggr = "max") }  # self.x := nn.Linear(8); // F.relu')
    text += "# /* */ ;\n"
    assert check(text) == ()
    assert [item.code for item in check(text.replace('"max"', '"nn.max; x := 3"'))] == ["GNN204"]


def test_a_division_in_parentheses_is_none_outside_of_them() -> None:
    comment = check(SPEC.format("// a comment").replace("hidde)", "hidden)"))
    assert [item.message for item in comment] == ["`//` starts no comment"]
