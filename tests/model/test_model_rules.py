"""Rules are match arms: which rule decides which type or relation."""

import pytest

from graphdsl.model import EdgesStage, NodesStage, resolve
from graphdsl.syntax import parse
from graphdsl.text import SourceText

SCHEMA = """schema s {
  node a { x: float[4], y: class[2] }
  node b { x: float[4] }
  node c { x: float[4] }
  edge a -[to]-> b reverse back
  edge b -[to]-> c
  edge a -[self]-> a reverse mirror
  edge c -[only]-> a
  metapath P = a -[to]-> b <-[to]- a
}
"""
A_TO_B, BACK, B_TO_C = ("a", "to", "b"), ("b", "back", "a"), ("b", "to", "c")
SELF, MIRROR, ONLY, P = ("a", "self", "a"), ("a", "mirror", "a"), ("c", "only", "a"), ("a", "P", "a")
ALL = {A_TO_B, BACK, B_TO_C, SELF, MIRROR, ONLY}


def program(body: str, **given):
    text = f"{SCHEMA}model m(n: int = 2) on s {{ {body} predict a.y }}"
    parsed = parse(SourceText("t.gnn", text))
    assert parsed.diagnostics == ()
    resolved, found = resolve(parsed.file)
    made, more = resolved.models["m"].bind(given)
    return made, [item for item in (*found, *more) if item.is_error]


def decided(rules: str) -> list[set]:
    made, found = program(f"edges {{ {rules} }}")
    assert found == []
    (stage,) = made.stages
    assert isinstance(stage, EdgesStage)
    assert all(list(rule.edges) == sorted(rule.edges) for rule in stage.rules)
    return [set(rule.edges) for rule in stage.rules]


def codes(body: str) -> list[str]:
    return [item.code for item in program(body)[1]]


@pytest.mark.parametrize(
    ("rules", "sets"),
    [
        ("*: SAGEConv(4)", [ALL]),
        ("a -[to]-> b: SAGEConv(4)", [{A_TO_B}]),
        ("* -[to]-> *: SAGEConv(4)", [{A_TO_B, B_TO_C}]),
        ("* -[*]-> a: SAGEConv(4)", [{BACK, SELF, MIRROR, ONLY}]),
        ("a -[*]-> *: SAGEConv(4)", [{A_TO_B, SELF, MIRROR}]),
        ("* -[*]-> *: SAGEConv(4)", [ALL]),
        ("only: SAGEConv(4)", [{ONLY}]),
        ("only, back, P: SAGEConv(4)", [{ONLY, BACK, P}]),
        ("P: SAGEConv(4)  *: SAGEConv(4)", [{P}, ALL]),
        ("* -[P]-> *: SAGEConv(4)", [{P}]),
        ("a -[P]-> a: SAGEConv(4)", [{P}]),
        ("self: SAGEConv(4)  a -[*]-> *: SAGEConv(4)  *: SAGEConv(4)",
         [{SELF}, {A_TO_B, MIRROR}, {BACK, B_TO_C, ONLY}]),
        ("*, P: SAGEConv(4)", [ALL | {P}]),
    ],
)  # fmt: skip
def test_first_rule_that_matches_decides(rules: str, sets: list[set]) -> None:
    assert decided(rules) == sets


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("to: SAGEConv(4)", ["GNN104"]),
        ("no: SAGEConv(4)", ["GNN101"]),
        ("a -[no]-> b: SAGEConv(4)", ["GNN101"]),
        ("a -[to]-> no: SAGEConv(4)", ["GNN101"]),
        ("no -[no]-> no: SAGEConv(4)", ["GNN101", "GNN101", "GNN101"]),
        ("b -[to]-> a: SAGEConv(4)", ["GNN106"]),
        ("b -[P]-> a: SAGEConv(4)", ["GNN106"]),
        ("c -[*]-> c: SAGEConv(4)", ["GNN106"]),
        ("a: SAGEConv(4)", ["GNN106"]),
        ("*: SAGEConv(4)  self: SAGEConv(4)", ["GNN105"]),
        ("* -[*]-> a: SAGEConv(4)  only, back: SAGEConv(4)", ["GNN105"]),
        ("only: SAGEConv(4)  back, only: SAGEConv(4)", ["GNN105"]),
        ("only, only: SAGEConv(4)", ["GNN105"]),
        ("only: SAGEConv(4)  * -[*]-> a, only: SAGEConv(4)", ["GNN105"]),
        ("only: SAGEConv(4)  only, no: SAGEConv(4)", ["GNN101"]),
    ],
)
def test_rules_that_decide_nothing(rules: str, expected: list[str]) -> None:
    assert codes(f"edges {{ {rules} }}") == expected


def types(rules: str) -> list[tuple[str, bool]]:
    made, found = program(f"nodes {{ {rules} }}")
    assert found == []
    (stage,) = made.stages
    assert isinstance(stage, NodesStage)
    return [(rule.type, rule.named) for rule in stage.rules]


def test_node_maps() -> None:
    assert types("*: Linear(4)") == [("a", False), ("b", False), ("c", False)]
    assert types("b: Linear(4)  *: Linear(4)") == [("b", True), ("a", False), ("c", False)]
    assert types("b, *: Linear(4)") == [("b", True), ("a", False), ("c", False)]
    assert codes("nodes { *: Linear(4)  b: Linear(4) }") == ["GNN105"]
    assert codes("nodes { a, b: Linear(4)  b, c: Linear(4) }") == ["GNN105"]
    assert codes("nodes { self: Linear(4) }") == ["GNN106"]
    assert codes("nodes { no: Linear(4) }") == ["GNN101"]
    assert codes("nodes { a -[to]-> b: Linear(4) }") == ["GNN107"]


def test_wildcards_leave_dropped_types_alone() -> None:
    made, found = program("drop c  edges { *: SAGEConv(4) }  nodes { *: Linear(4) }")
    assert found == []
    assert set(made.stages[1].rules[0].edges) == ALL - {B_TO_C, ONLY}
    assert [rule.type for rule in made.stages[2].rules] == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("drop c  edges { only: SAGEConv(4) }", ["GNN503"]),
        ("drop c  edges { c -[*]-> a: SAGEConv(4) }", ["GNN503"]),
        ("drop c  nodes { c: Linear(4) }", ["GNN503"]),
        ("drop c  nodes { a: Linear(4) } | { c: LayerNorm }", ["GNN503"]),
        ("drop c  drop c", ["GNN503"]),
        ("drop a  nodes { b: Linear(4) }", ["GNN503"]),
        ("drop no", ["GNN101"]),
        ("h = nodes { *: Linear(4) }  drop c  edges(h) { only: SAGEConv(4) }", []),
        ("drop b  edges { P: SAGEConv(4) }", []),
    ],
)
def test_dropped_types_cannot_be_read(body: str, expected: list[str]) -> None:
    assert codes(body) == expected


def test_states_have_numbers_and_unique_keys() -> None:
    made, found = program(
        "nodes { *: Linear(4) }  h = nodes { *: Linear(4) }  h = edges { *: SAGEConv(4) }  nodes2 = edges(h) "
        "{ *: SAGEConv(4) }  nodes { *: Linear(4) }  drop c  h_2 = cat(h, nodes2)"
    )
    assert found == []
    assert [stage.key for stage in made.stages] == ["nodes1", "h", "h_3", "nodes2", "nodes3", "drop1", "h_2"]
    assert [stage.reads for stage in made.stages] == [0, 1, 2, 3, 4, 5, 3]
    assert made.stages[-1].states == (3, 4)
    assert made.predictions[0].state == 7


@pytest.mark.parametrize(
    ("count", "keys"),
    [
        (0, []),
        (1, ["edges1"]),
        (3, ["edges1", "edges2", "edges3"]),
        ("n", ["edges1", "edges2"]),
        ("n * n - 3", ["edges1"]),
    ],
)
def test_repeat_unrolls(count: object, keys: list[str]) -> None:
    made, found = program(f"repeat {count} {{ edges {{ *: SAGEConv(4) }} }}")
    assert found == []
    assert [stage.key for stage in made.stages] == keys
    assert all(stage.shares is None for stage in made.stages)


def shares(body: str) -> list[int | None]:
    made, found = program(body)
    assert found == []
    return [stage.shares for stage in made.stages]


def test_shared_repeats_point_to_their_first_turn() -> None:
    e, n = "edges { *: SAGEConv(4) } ", "nodes { *: Linear(4) } "
    assert shares(f"repeat 3 share {{ {e} }}") == [None, 0, 0]
    assert shares(f"{n} repeat 2 share {{ {e}{n} }} {n}") == [None, None, None, 1, 2, None]
    assert shares(f"repeat 2 share {{ {e} repeat 2 {{ {n} }} }}") == [None, None, None, 0, 1, 2]
    assert shares(f"repeat 2 share {{ {e} repeat 2 share {{ {n} }} }}") == [None, None, 1, 0, 1, 1]
    assert shares(f"repeat 2 {{ {e} repeat 2 share {{ {n} }} }}") == [None, None, 1, None, None, 4]
    assert shares(f"repeat 2 share {{ repeat 2 share {{ repeat 2 share {{ {e} }} }} }}") == [None] + [0] * 7
    assert shares(f"repeat 2 share {{ repeat 2 {{ repeat 2 share {{ {e} }} }} {n} }}") == [
        None, 0, None, 2, None, 0, 0, 2, 2, 4,
    ]  # fmt: skip
    assert shares(f"repeat 2 share {{ }} repeat 2 share {{ {e} }} repeat 1 share {{ {e} }} {e}") == [
        None,
        0,
        None,
        None,
    ]


def test_findings_of_a_repeat_are_said_once() -> None:
    assert codes("repeat 5 { edges { no: SAGEConv(4) } }") == ["GNN101"]
    assert codes("repeat 3 { repeat 3 { nodes { *: Lin(4) } } }") == ["GNN103"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("repeat 1001 { nodes { *: Linear(4) } }", ["GNN204"]),
        ("repeat -1 { }", ["GNN204"]),
        ("repeat 1.5 { }", ["GNN204"]),
        ("repeat true { }", ["GNN202"]),
        ("repeat none { }", ["GNN202"]),
        ("repeat no { }", ["GNN101"]),
        ("repeat 1000 { repeat 1000 { repeat 1000 { } } }", ["GNN204"]),
        ("repeat 1000 { nodes { *: Linear(4) } nodes { *: Linear(4) } nodes { *: Linear(4) } nodes { *: Linear(4) } "
         "nodes { *: Linear(4) } nodes { *: Linear(4) } }", ["GNN204"]),
    ],
)  # fmt: skip
def test_repeats_that_make_no_sense(body: str, expected: list[str]) -> None:
    assert codes(body) == expected


def test_a_model_with_too_many_layers_is_refused() -> None:
    edges = " ".join(f"edge a -[r{i}]-> a" for i in range(100))
    text = f"schema s {{ node a {{ x: float[4], y: class[2] }} {edges} }}"
    text += "model m on s { repeat 1000 { edges { *: SAGEConv(4) } } predict a.y }"
    resolved, _ = resolve(parse(SourceText("t", text)).file)
    made, found = resolved.models["m"].bind({})
    assert made is None
    assert [item.code for item in found] == ["GNN204"]
    assert "layers" in found[0].message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("h = nodes { *: Linear(4) }  cat(h, h)", []),
        ("cat(h0, h1)", ["GNN101", "GNN101"]),
        ("h = nodes { *: Linear(4) }  cat(h)", ["GNN203"]),
        ("cat()", ["GNN203"]),
        ('h = nodes { *: Linear(4) }  jump(h, mode = "max")', ["GNN203"]),
        ('h = nodes { *: Linear(4) }  jump(h, h, mode = "sum")', ["GNN204"]),
        ("h = nodes { *: Linear(4) }  jump(h, h, mode = 3)", ["GNN202"]),
        ('h = nodes { *: Linear(4) }  jump(h, h, modus = "max")', ["GNN201"]),
        ('h = nodes { *: Linear(4) }  cat(h, h, mode = "max")', ["GNN201"]),
        ("h = nodes { *: Linear(4) }  add(h, 3)", ["GNN202"]),
        ("h = nodes { *: Linear(4) }  add(h, cat(h, h))", ["GNN202"]),
        ("h = nodes { *: Linear(4) }  k = h | relu  max(h, k)", []),
        ("cat = nodes { *: Linear(4) }  cat | relu  max(cat, cat)", []),
        ("k | relu", ["GNN101"]),
        ("h = edges(k) { *: SAGEConv(4) }", ["GNN101"]),
    ],
)
def test_joins(body: str, expected: list[str]) -> None:
    assert codes(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("edges { *: Linear(4) }", ["GNN107"]),
        ("nodes { *: SAGEConv(4) }", ["GNN107"]),
        ("nodes { *: share Linear(4) }", ["GNN107"]),
        ("edges { *: share HGTConv(4) }", ["GNN107"]),
        ("edges { *: SAGEConv(4) } | SAGEConv(4)", ["GNN107"]),
        ("edges { *: SAGEConv(4) } | residual(1)", ["GNN201"]),
        ("edges { *: SAGEConv(4) } combine attention(0)", ["GNN204"]),
        ("edges { *: SAGEConv(4) } combine attention(hidden = 2.5)", ["GNN204"]),
        ("edges { *: SAGEConv(4) } combine attention(8, 9)", ["GNN204"]),
        ('edges { *: SAGEConv(4) } combine attention(8, "node", 1)', ["GNN201"]),
        ("edges { *: SAGEConv(4) } combine sum(8)", ["GNN201"]),
        ("repeat 2 { predict a.y }", ["GNN107"]),
        ("predict a.y", ["GNN102"]),
        ("predict a.x", ["GNN511"]),
        ("predict a.z", ["GNN101"]),
        ("predict no.y", ["GNN101"]),
        ("predict b.y", ["GNN101"]),
        ("edges { self: GINConv(nn = SAGEConv(4)) }", ["GNN107"]),
        ("edges { self: GINConv(nn = Embedding(4)) }", ["GNN107"]),
        ("edges { self: GINConv(nn = 4) }", ["GNN202"]),
        ("edges { self: GINConv(nn = no(4)) }", ["GNN103"]),
        ("edges { self: GINConv(nn = Linear(no)) }", ["GNN101"]),
        ("edges { self: GINConv(Linear()) }", ["GNN203"]),
        ("edges { self: ARMAConv(4, act = Linear) }", ["GNN107"]),
    ],
)
def test_what_can_stand_where(body: str, expected: list[str]) -> None:
    assert sorted(codes(body)) == sorted(expected)
