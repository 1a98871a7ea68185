"""A model that amends another is the model that one would have written whole."""

from graphdsl import loads

BASE = """schema s {
  node a { x: float[8], y: class[3] }
  node b { x: float[5], z: real }
  edge a -[r]-> b reverse q
}
model base(hidden: int = 16, depth: int = 2) on s {
  h0 = nodes { *: Linear(hidden) }
  repeat depth { h1 = edges { *: SAGEConv(hidden) } | relu }
  predict a.y
}
"""


def test_defaults_stages_and_predictions_are_exchanged() -> None:
    amended = BASE + (
        "model m(extra: int = 4) amends base { depth = 1  replace h0 = nodes { a: MLP(extra, hidden) *: Linear(hidden) }"
        " replace h1 = edges { *: GraphConv(hidden) }  replace predict a.y: MLP(extra, 3)  predict b.z weight 2 }"
    )
    whole = BASE + (
        "model m(hidden: int = 16, extra: int = 4) on s { h0 = nodes { a: MLP(extra, hidden) *: Linear(hidden) }"
        " h1 = edges { *: GraphConv(hidden) }  predict a.y: MLP(extra, 3)  predict b.z weight 2 }"
    )
    first, second = loads(amended).plan("m"), loads(whole).plan("m")
    assert [stage.widths for stage in first.stages] == [stage.widths for stage in second.stages]
    assert [(head.name, str(head.module), head.weight) for head in first.heads] == [
        (head.name, str(head.module), head.weight) for head in second.heads
    ]
    assert [line.split()[1:-1] for line in str(first).split("\n")[4:]] == [
        line.split()[1:-1] for line in str(second).split("\n")[4:]
    ]


def test_the_base_stays_as_it_is() -> None:
    text = BASE + "model m amends base { hidden = 4  replace h0 = nodes { *: MLP(4, hidden) } }"
    assert str(loads(text).plan("base")) == str(loads(BASE).plan("base"))


def test_chains_in_any_order_and_another_schema() -> None:
    text = (
        "model c amends b { depth = 3 }\nmodel b amends base { hidden = 4 }\n"
        + BASE
        + "schema t { node a { x: float[2], y: class[7] } node b { x: float[3], z: real } edge a -[r]-> b reverse q }\n"
        + "model d amends c on t { }"
    )
    spec = loads(text)
    assert spec.plan("c").parameters == {"hidden": 4, "depth": 3}
    assert spec.plan("d").schema == "t"
    assert spec.plan("d").heads[0].size == 7


def test_a_stage_in_a_repeat_is_exchanged_in_every_turn() -> None:
    text = BASE + "model m amends base { replace h1 = edges { *: GraphConv(hidden) } }"
    layers = [step.module.name for _, stage in loads(text).plan("m").relation_stages() for step in stage.steps]
    assert layers == ["GraphConv"] * 4
