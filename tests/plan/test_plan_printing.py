"""A plan as a table and as JSON."""

import json

import pytest

from graphdsl import loads
from graphdsl.plan.verify import BrokenPlan, verify, verify_live

SPEC = loads("""schema s {
  node "web page" { x: float[4], y: class[2] }
  node 論文
  edge "web page" -[to]-> 論文 reverse back { w: float }
}
model m(hidden: int = 8, how: string = "mean", sizes: list = [1, 2], free: bool) on s {
  h0 = nodes { 論文: Embedding(hidden)  *: Linear(hidden, bias = free) }
  edges { back: GraphConv(hidden, edge_weight = w)  to: GraphConv(hidden, edge_weight = w) } | residual
  repeat 2 share { edges { to, back: share SAGEConv(hidden, aggr = how) } combine attention }
  jump(h0, h0, mode = "max") | { 論文: MLP(sizes, 8) }
  drop 論文
  predict "web page".y weight 0.5
}
""")


def test_the_table_says_what_was_decided_and_where() -> None:
    shown = str(SPEC.plan())
    lines = shown.splitlines()
    assert lines[0] == 'model m on s(hidden = 8, how = "mean", sizes = [1, 2], free = ?)'
    assert len({line.index("  ", 9) for line in lines[2:4]}) >= 1
    for part in (
        '"web page"  ',
        "ids → 8",
        "Linear(out_channels=8, bias=?)",
        "; edge_weight = w",
        "(shared 1)",
        "combine attention(hidden=128)",
        "weights of edges2",
        "jump max of h0, h0",
        "| MLP(channel_list=[8, 1, 2, 8])",
        "drop",
        "→ class[2]",
    ):
        assert part in shown, part


def test_columns_are_aligned_for_wide_characters() -> None:
    from graphdsl.text import columns

    lines = str(SPEC.plan()).splitlines()[2:]
    edge = columns(lines[0][: lines[0].index("layer")])
    for line in lines[2:]:
        if "Conv" in line:
            assert columns(line[: line.index("GraphConv" if "GraphConv" in line else "SAGEConv")]) == edge


def test_json_holds_everything() -> None:
    found = json.loads(SPEC.plan(free=True).to_json())
    assert found["model"] == "m"
    assert found["parameters"] == {"hidden": 8, "how": "mean", "sizes": [1, 2], "free": True}
    assert found["inputs"] == {"web page": 4, "論文": {"count": None}}
    kinds = [stage["kind_of"] for stage in found["stages"]]
    assert kinds == ["NodeStage", *["RelationStage"] * 3, "JoinStage", "DropStage"]
    step = found["stages"][1]["steps"][0]
    assert step["edge"] == ["web page", "to", "論文"]
    assert step["module"]["arguments"] == {"in_channels": [8, 8], "out_channels": 8}
    assert found["heads"][0]["module"]["arguments"] == {"in_channels": 8, "out_channels": 2}
    assert found["heads"][0]["span"]["line"] == 12
    assert json.loads(SPEC.plan().to_json())["parameters"]["free"] == "?"


def test_names_cannot_upset_the_terminal() -> None:
    spec = loads(
        'schema s { node "a\x1b[31m\\nb" { x: float[3], y: class[2] } } model m on s { predict "a\x1b[31m\\nb".y }'
    )
    assert "\x1b" not in str(spec.plan())


def test_the_same_spec_gives_the_same_plan() -> None:
    assert SPEC.plan() == loads(SPEC.text, SPEC.name).plan()
    assert str(SPEC.plan()) == str(loads(SPEC.text).plan())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda stage: {"reads": 9}, "reads state 9"),
        (lambda stage: {"widths": {**stage.widths, "論文": 9}}, "changes its width|after the pipe"),
        (lambda stage: {"produced": ("web page",)}, "makes|carries"),
        (lambda stage: {"combined": {"web page": 7, "論文": 8}}, "after combining|after the pipe"),
        (lambda stage: {"steps": tuple(reversed(stage.steps))}, "canonical"),
        (lambda stage: {"shares": 4}, "shares the weights"),
        (lambda stage: {"key": "h0"}, "same key"),
    ],
)
def test_broken_plans_are_noticed(change, said: str) -> None:
    from dataclasses import replace

    plan = SPEC.plan(free=True)
    stages = list(plan.stages)
    stages[1] = replace(stages[1], **change(stages[1]))
    with pytest.raises(BrokenPlan, match=said):
        verify(replace(plan, stages=tuple(stages)))
    assert verify(plan) is plan


def test_dead_makers_of_a_prediction_are_noticed() -> None:
    from dataclasses import replace

    plan = SPEC.plan(free=True)
    stages = list(plan.stages)
    join = stages[4]
    stages[4] = replace(join, modules=tuple(replace(step, live=False) for step in join.modules))
    with pytest.raises(BrokenPlan, match="is dead"):
        verify_live(replace(plan, stages=tuple(stages)))
