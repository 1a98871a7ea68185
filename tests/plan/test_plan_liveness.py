"""What matters to a prediction: live steps, dead rules, unread states, and how far a prediction sees."""

import pytest

from graphdsl import loads
from graphdsl.api import check_source
from graphdsl.plan import depths, receptive_hops
from graphdsl.plan.passes import PASSES, mark_live
from graphdsl.plan.verify import verify, verify_live
from graphdsl.text import SourceText

SCHEMA = """schema s {
  node a { x: float[4], y: class[3] }
  node b { x: float[4], z: real }
  node c { x: float[4] }
  edge a -[ab]-> b reverse ba
  edge b -[bc]-> c reverse cb
  edge a -[aa]-> a
}
"""
AB, BA, BC, CB, AA = ("a", "ab", "b"), ("b", "ba", "a"), ("b", "bc", "c"), ("c", "cb", "b"), ("a", "aa", "a")


def plan(body: str, predict: str = "predict a.y"):
    spec = loads(f"{SCHEMA}model m on s {{ {body} {predict} }}")
    return verify_live(verify(spec.plan("m")))


def warnings(body: str, predict: str = "predict a.y") -> list[str]:
    text = f"{SCHEMA}model m on s {{ {body} {predict} }}"
    return [item.code for item in check_source(SourceText("t.gnn", text))]


def live(made) -> list[set]:
    return [{step.edge for step in stage.steps if step.live} for _, stage in made.relation_stages()]


ALL = "edges { *: SAGEConv(4) } "


def test_relations_live_as_far_as_messages_travel() -> None:
    assert live(plan(ALL)) == [{BA, AA}]
    assert live(plan(ALL * 2)) == [{BA, AA, AB, CB}, {BA, AA}]
    assert live(plan(ALL * 3)) == [{BA, AA, AB, CB, BC}, {BA, AA, AB, CB}, {BA, AA}]
    assert live(plan(ALL, "predict b.z")) == [{AB, CB}]
    assert live(plan(ALL, "predict a.y predict b.z")) == [{AB, CB, BA, AA}]


def test_a_prediction_in_the_middle_needs_nothing_behind_it() -> None:
    made = plan(ALL + "predict a.y " + ALL, "predict b.z")
    assert live(made) == [{BA, AA, AB, CB, BC}, {AB, CB}]
    assert [head.state for head in made.heads] == [1, 2]


def test_carried_types_live_through_stages_that_do_not_make_them() -> None:
    made = plan("nodes { *: Linear(4) } edges { bc: SAGEConv(4) } edges { ab: SAGEConv(4) } edges { ba: SAGEConv(4) }")
    assert live(made) == [set(), {AB}, {BA}]
    nodes = {step.type: step.live for step in made.stages[0].steps}
    assert nodes == {"a": True, "b": True, "c": False}


def test_pipes_live_with_their_types() -> None:
    made = plan(ALL + "| LayerNorm")
    assert {step.type: step.live for item in made.stages[0].pipe for step in item.steps} == {
        "a": True, "b": False, "c": False,
    }  # fmt: skip


def test_joins_states_and_residuals_keep_what_they_read_alive() -> None:
    joined = plan(f"h = {ALL} k = edges(h) {{ ba: SAGEConv(4) }} add(h, k)")
    assert live(joined)[0] == {BA, AA, AB, CB}
    assert live(plan(f"h = {ALL} {ALL} edges(h) {{ aa: SAGEConv(4) }}")) == [{BA, AA}, set(), {AA}]
    bound = plan(f"h = {ALL} nodes {{ *: Linear(4) }} edges {{ aa: GCN2Conv(4, alpha = 0.1, x_0 = h) }}")
    assert live(bound)[0] == {BA, AA}
    added = plan(ALL + "nodes { a: Linear(4) } " + ALL + "| residual")
    assert live(added) == [{BA, AA, AB, CB}, {BA, AA}]


def test_joint_modules_live_as_a_whole() -> None:
    made = plan("edges { *: HGTConv(4) } edges { ba: SAGEConv(4) }")
    assert made.stages[0].joints[0].live
    dead = plan("edges { ab, bc: HGTConv(4)  aa: SAGEConv(4) }")
    assert not dead.stages[0].joints[0].live


def test_marking_twice_changes_nothing() -> None:
    made = plan(ALL * 3)
    assert mark_live(made) == made
    assert (mark_live,) == PASSES


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ALL, []),
        ("edges { aa: SAGEConv(4)  bc: SAGEConv(4) }", ["GNN507"]),
        ("edges { bc: SAGEConv(4)  aa: SAGEConv(4) } edges { cb: SAGEConv(4) } edges { ba: SAGEConv(4) }", []),
        ("repeat 3 { edges { bc: SAGEConv(4)  cb: SAGEConv(4)  ba: SAGEConv(4) } }", []),
        ("repeat 2 { edges { bc: SAGEConv(4)  cb: SAGEConv(4)  ba: SAGEConv(4) } }", ["GNN507"]),
        ("h = nodes { a: Linear(4) } edges { aa: SAGEConv(4) }", []),
        ("h = nodes { a: Linear(4) } k = nodes(h) { a: Linear(4) } nodes(h) { a: Linear(4) }", ["GNN109"]),
        ("edges { bc: SAGEConv(4) }", ["GNN504"]),
        ("drop c  edges { aa: SAGEConv(4) }", []),
    ],
)
def test_warnings_name_what_is_useless(body: str, expected: list[str]) -> None:
    assert warnings(body) == expected


def test_a_model_without_relation_maps_is_no_mistake() -> None:
    assert warnings("nodes { a: MLP(8, 8) }") == []


@pytest.mark.parametrize(
    ("predict", "help_line"),
    [
        ("predict a.y", "serve a relation that ends in it, such as `b -[ba]-> a`"),
        ("predict b.z", "ends in it, such as `a -[ab]-> b`"),
    ],
)
def test_unreached_predictions_say_what_would_reach_them(predict: str, help_line: str) -> None:
    text = f"{SCHEMA}model m on s {{ edges {{ bc: SAGEConv(4) }} {predict} }}"
    (found,) = check_source(SourceText("t.gnn", text))
    assert found.code == "GNN504"
    assert help_line in found.helps[0]


def test_depths_count_message_passing_only() -> None:
    made = plan(f"nodes {{ *: Linear(4) }} h = {ALL} nodes {{ *: Linear(4) }} k = {ALL} cat(h, k)")
    assert depths(made) == (0, 0, 1, 1, 2, 2)


@pytest.mark.parametrize(
    ("body", "hops"),
    [
        ("nodes { a: Linear(4) }", ()),
        (ALL, ({BA, AA},)),
        (ALL * 2, ({BA, AA, AB, CB}, {BA, AA, AB, CB})),
        ("edges { ab: SAGEConv(4) } edges { ba: SAGEConv(4) }", ({BA, AB}, {AB})),
        (f"h = {ALL} {ALL} nodes(h) {{ a: Linear(4) }}", ({BA, AA},)),
    ],
)
def test_receptive_hops(body: str, hops: tuple) -> None:
    made = plan(body)
    found = receptive_hops(made)
    assert tuple(map(set, found)) == hops


def test_hops_hold_every_relation_that_lives_so_many_layers_below() -> None:
    made = plan(ALL * 3)
    layers = live(made)
    for hop, edges in enumerate(receptive_hops(made)):
        assert edges == set().union(*layers[: len(layers) - hop])
