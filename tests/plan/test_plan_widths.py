"""Lowering: widths through every kind of stage, complete arguments, and what cannot meet."""

import pytest

from graphdsl import SpecError, loads
from graphdsl.api import check_source, require_sizes
from graphdsl.model import Metadata, StoreInfo, TensorInfo
from graphdsl.plan import Ids, JoinStage, NodeStage, Plan, RelationStage
from graphdsl.plan.verify import verify, verify_live
from graphdsl.text import SourceText

SCHEMA = """schema s {
  node a { x: float[4], y: class[3] }
  node b { x: float[6], t: real[2], m: multilabel[5] }
  node c
  edge a -[to]-> b reverse back { w: float, f: float[3] }
  edge a -[self]-> a { w: float, f: float[2] }
  edge c -[hangs]-> a reverse holds
  metapath P = a -[to]-> b <-[to]- a
  metapath Q(count) = a -[to]-> b <-[to]- a
}
"""


def plan(body: str, params: str = "", predict: str = "predict a.y", **given) -> Plan:
    spec = loads(f"{SCHEMA}model m{params} on s {{ {body} {predict} }}")
    return verify_live(verify(spec.plan("m", **given)))


def codes(body: str, predict: str = "predict a.y") -> list[str]:
    text = f"{SCHEMA}model m on s {{ {body} {predict} }}"
    return [item.code for item in check_source(SourceText("t.gnn", text)) if item.is_error]


def stage(body: str, **more):
    return plan(body, **more).stages[-1]


def test_inputs_are_columns_or_node_numbers() -> None:
    assert plan("").inputs == {"a": 4, "b": 6, "c": Ids(None)}
    assert str(Ids(None)) == "ids"
    assert str(Ids(3)) == "ids[3]"


@pytest.mark.parametrize(
    ("layer", "width"),
    [
        ("Linear(8)", 8),
        ("MLP(8, 7)", 7),
        ("MLP([9, 2])", 2),
        ("LayerNorm", 4),
        ("relu", 4),
        ("glu", 2),
        ("dropout(0.1)", 4),
        ("prelu(num_parameters = 4)", 4),
    ],
)
def test_node_layers(layer: str, width: int) -> None:
    made = stage(f"nodes {{ a: {layer} }}")
    assert isinstance(made, NodeStage)
    assert dict(made.widths) == {"a": width, "b": 6, "c": Ids(None)}
    assert made.produced == ("a",)
    assert set(made.carried) == {"b", "c"}


@pytest.mark.parametrize(
    ("layer", "edge", "width"),
    [
        ("SAGEConv(8)", "back", 8),
        ("GATConv(8, heads = 3)", "back", 24),
        ("GATConv(8, heads = 3, concat = false)", "back", 8),
        ("GATv2Conv(8, heads = 2)", "self", 16),
        ("TransformerConv(8, heads = 2)", "back", 16),
        ('SimpleConv(aggr = ["mean", "max"])', "self", 8),
        ("GINConv(nn = MLP(8, 9))", "self", 9),
        ("MixHopConv(5)", "self", 15),
        ("APPNP(K = 2, alpha = 0.1)", "self", 4),
        ("ChebConv(7, K = 2)", "self", 7),
    ],
)
def test_relation_layers(layer: str, edge: str, width: int) -> None:
    made = stage(f"edges {{ {edge}: {layer} }}")
    assert isinstance(made, RelationStage)
    assert made.combined == {"a": width}
    assert made.widths["a"] == width
    assert made.widths["b"] == 6


def test_derived_arguments_are_complete() -> None:
    made = stage("edges { back: GATConv(8, edge_attr = f)  self: GCNConv(8) }")
    steps = {step.edge[1]: step for step in made.steps}
    assert steps["back"].module.arguments == {
        "in_channels": (6, 4), "edge_dim": 3, "out_channels": 8, "add_self_loops": False,
    }  # fmt: skip
    assert steps["self"].module.arguments == {"in_channels": 4, "out_channels": 8}
    assert steps["back"].inputs[0].attribute == "f"
    assert steps["back"].width_in == (6, 4)


def test_self_loops_are_off_between_types_only() -> None:
    made = stage("edges { back: GATConv(8, add_self_loops = false)  self: GATConv(8, add_self_loops = true) }")
    loops = {step.edge[1]: step.module.arguments["add_self_loops"] for step in made.steps}
    assert loops == {"back": False, "self": True}
    assert codes("edges { back, self: GATConv(8, add_self_loops = true) }") == ["GNN303"]


def test_constant_arguments_are_passed() -> None:
    made = stage("nodes { a: softmax }")
    assert made.steps[0].module.arguments == {"dim": -1}


def test_variadic_lists_begin_with_the_input_width() -> None:
    assert stage("nodes { a: MLP(8, 7) }").steps[0].module.arguments["channel_list"] == (4, 8, 7)
    made = stage("nodes { a: MLP(hidden_channels = 8, out_channels = 7, num_layers = 2) }")
    assert made.steps[0].module.arguments["channel_list"] == 4


@pytest.mark.parametrize(
    ("combine", "width"), [("sum", 8), ("mean", 8), ("max", 8), ("min", 8), ("attention", 8), ("cat", 16)]
)
def test_combining(combine: str, width: int) -> None:
    made = stage(f"edges {{ back: SAGEConv(8)  self: GraphConv(8) }} combine {combine}")
    assert made.combined == {"a": width}
    assert made.combine.kind == combine
    assert dict(made.combine.arguments) == ({"hidden": 128} if combine == "attention" else {})


def test_unequal_messages_only_concatenate() -> None:
    assert codes("edges { back: SAGEConv(8)  self: GraphConv(9) } combine max") == ["GNN502"]
    assert stage("edges { back: SAGEConv(8)  self: GraphConv(9) } combine cat").combined == {"a": 17}
    body = "nodes { c: Embedding(4)  *: Linear(4) }  edges { self: SAGEConv(8)  *: SAGEConv(9) }"
    assert codes(body) == ["GNN502"]


def test_joint_layers_see_relations_in_canonical_order() -> None:
    body = "nodes { c: Embedding(4)  *: Linear(4) }  "
    one = plan(body + "edges { to, back, hangs, self: HGTConv(8) }").stages[-1]
    other = plan(body + "edges { self, hangs, to, back: HGTConv(8) }").stages[-1]
    (joint,), (again,) = one.joints, other.joints
    assert joint.edges == again.edges == tuple(sorted(joint.edges))
    assert joint.types == ("a", "b", "c")
    assert joint.targets == ("a", "b")
    assert joint.module.arguments == again.module.arguments
    assert joint.module.arguments["metadata"] == (joint.types, joint.edges)
    assert joint.module.arguments["in_channels"] == {"a": 4, "b": 4, "c": 4}
    assert one.combined == {"a": 8, "b": 8}


def test_typed_layers_need_one_width_or_node_numbers() -> None:
    assert codes("edges { to, back: RGCNConv(8) }") == ["GNN502"]
    made = plan("nodes { *: Linear(6) }".replace("*", "a, b") + " edges { to, back, self: RGCNConv(8) }").stages[-1]
    assert made.joints[0].module.arguments == {"in_channels": 6, "num_relations": 3, "out_channels": 8}
    spec = loads(
        "schema s { node a(count = 5) { y: class[2] } node b(count = 7) edge a -[r]-> b reverse q }"
        "model m on s { edges { *: RGCNConv(8, num_blocks = none) } edges { *: RGCNConv(8) } predict a.y }"
    )
    first = verify(spec.plan()).stages[0].joints[0]
    assert first.module.arguments["in_channels"] == 12
    assert first.width_in == {"a": Ids(5), "b": Ids(7)}
    with pytest.raises(SpecError, match="GNN204"):
        loads(spec.text.replace("num_blocks = none", "num_blocks = 2"))


def test_joint_attributes_are_equally_wide() -> None:
    body = "nodes { *: Linear(4) }".replace("*", "a, b")
    assert codes(body + " edges { back, self: RGATConv(8, edge_attr = f) }") == ["GNN502"]
    made = plan(body + " edges { back, to: RGATConv(8, edge_attr = f) } edges { back: SAGEConv(4) }").stages[1]
    assert made.joints[0].module.arguments["edge_dim"] == 3


def test_shared_instances() -> None:
    made = plan("nodes { a, b: Linear(4) } edges { to, back: share SAGEConv(8)  self: SAGEConv(8) }").stages[-1]
    assert {step.edge[1]: step.instance for step in made.steps} == {"to": 0, "back": 0, "self": 1}
    assert codes("edges { to, back: share SAGEConv(8) }") == ["GNN502"]
    mixed = plan("nodes { a, b: Linear(4) } edges { to, back, self: share GATConv(8) }").stages[-1]
    assert {step.instance for step in mixed.steps} == {0}
    assert {str(step.module) for step in mixed.steps} == {
        "GATConv(in_channels=4, out_channels=8, add_self_loops=False)"
    }
    assert codes("edges { back, self: share SAGEConv(8) }") == ["GNN502"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("repeat 3 share { edges { self: SAGEConv(4) } }", []),
        ("repeat 3 share { edges { self: SAGEConv(8) } }", ["GNN502"]),
        ("repeat 1 share { edges { self: SAGEConv(8) } }", []),
        ("repeat 3 { edges { self: SAGEConv(8) } }", []),
        ("repeat 2 share { nodes { a: Linear(8) } | LayerNorm }", ["GNN502"]),
        ("nodes { a: Linear(8) }  repeat 2 share { nodes { a: Linear(8) } | LayerNorm }", []),
    ],
)
def test_one_set_of_weights_fits_every_turn(body: str, expected: list[str]) -> None:
    assert codes(body) == expected


def test_joins_of_states() -> None:
    body = "h = nodes { a, b: Linear(8) }  k = nodes { a: Linear(8)  b: Linear(9) } "
    joined = stage(body + "cat(h, k)")
    assert isinstance(joined, JoinStage)
    assert dict(joined.widths) == {"a": 16, "b": 17, "c": Ids(None)}
    assert joined.produced == ("a", "b")
    assert codes(body + "add(h, k)") == ["GNN502"]
    assert codes(body + 'jump(h, k, mode = "lstm")') == ["GNN502"]
    assert stage(body + "jump(h, k)").widths["b"] == 17
    made = stage(body + 'k2 = nodes { b: Linear(8) }  jump(h, k2, mode = "lstm")')
    assert made.modules[0].module.arguments == {"mode": "lstm", "channels": 8, "num_layers": 2}
    assert made.widths["a"] == 8
    assert stage(body + "h | relu").widths == {"a": 8, "b": 8, "c": Ids(None)}


def test_joins_do_not_mix_values_and_node_numbers() -> None:
    body = "h = nodes { a, b: Linear(8) }  k = nodes { c: Embedding(8) } "
    assert codes(body + "add(h, k)") == ["GNN501"]
    assert codes(body + "add(k, h)") == ["GNN501"]


def test_joins_need_the_same_types() -> None:
    assert codes("h = nodes { a: Linear(4) }  drop c  k = nodes { a: Linear(4) }  add(h, k)") == ["GNN510"]
    assert codes("drop c  h = nodes { a: Linear(4) }  k = nodes { a: Linear(4) }  add(h, k)") == []


def test_residual_adds_what_the_stage_read() -> None:
    assert codes("edges { back: SAGEConv(4) } | residual") == []
    assert codes("edges { back: SAGEConv(8) } | residual") == ["GNN502"]
    assert codes("edges { back: SAGEConv(8) } | Linear(4) | residual") == []
    assert codes("nodes { a: Linear(8) } edges { back: SAGEConv(8) } | residual | residual") == []
    assert codes("nodes { c: Embedding(8) } | residual") == ["GNN501"]


def test_pipes_change_widths_step_by_step() -> None:
    made = stage("edges { back: SAGEConv(8) } | { a: Linear(6) } | glu | { *: Linear(9) } | LayerNorm")
    assert [step.width_out for item in made.pipe for step in item.steps] == [6, 3, 9, 9]
    assert codes("edges { back: SAGEConv(8) } | { b: LayerNorm }") == ["GNN106"]
    assert codes("edges { back: SAGEConv(8) } | { *: LayerNorm }") == []
    assert codes("edges { back: SAGEConv(8) } | { a, b: LayerNorm }") == ["GNN106"]


@pytest.mark.parametrize(
    ("predict", "kind", "size", "module"),
    [
        ("predict a.y", "class", 3, "Linear(in_channels=4, out_channels=3)"),
        ("predict b.t", "real", 2, "Linear(in_channels=6, out_channels=2)"),
        ("predict b.m", "multilabel", 5, "Linear(in_channels=6, out_channels=5)"),
        ("predict b.m: MLP(9, 5)", "multilabel", 5, "MLP(channel_list=(6, 9, 5))"),
        ("nodes { a: Linear(3) } predict a.y: log_softmax", "class", 3, "LogSoftmax"),
    ],
)
def test_heads(predict: str, kind: str, size: int, module: str) -> None:
    (head,) = plan("", predict=predict).heads
    assert (head.kind, head.size) == (kind, size)
    assert str(head.module).startswith(module.split("(")[0]) or module == "LogSoftmax"
    assert head.module.width_out == size


def test_heads_fit_their_label() -> None:
    assert codes("", "predict a.y: Linear(4)") == ["GNN502"]
    assert codes("", "predict a.y: relu") == ["GNN502"]
    made = plan("", predict="predict a.y weight 0.5 predict b.t weight 2 predict b.m weight 0")
    assert [head.weight for head in made.heads] == [0.5, 2.0, 0.0]
    assert [head.key for head in made.heads] == ["a__y", "b__t", "b__m"]


def test_embeddings_need_types_without_a_value() -> None:
    assert codes("nodes { c: Embedding(8) }") == []
    assert codes("nodes { c: Linear(8) }") == ["GNN501"]
    assert codes("nodes { a: Embedding(8) }") == []
    assert codes("nodes { a: Linear(8) } nodes { a: Embedding(8) }") == ["GNN512"]
    assert codes("edges { hangs: SAGEConv(8) }") == ["GNN501"]
    assert codes("nodes { *: Linear(8) } edges { *: SAGEConv(8) } | residual") == ["GNN501"]


def test_forward_inputs() -> None:
    assert codes("edges { self: GraphConv(8, edge_weight = w) }") == []
    assert codes("edges { self: GraphConv(8, edge_weight = f) }") == ["GNN202"]
    assert sorted(codes("edges { hangs: GraphConv(8, edge_weight = w) }")) == ["GNN304", "GNN501"]
    assert codes("edges { self: GCN2Conv(4, alpha = 0.1) }") == ["GNN306"]
    assert codes("h = nodes { a: Linear(4) } edges { self: GCN2Conv(4, alpha = 0.1, x_0 = h) }") == []
    assert codes(
        "h = nodes { a: Linear(5) } k = nodes { a: Linear(4) } edges { self: GCN2Conv(4, alpha = 0.1, x_0 = h) }"
    ) == ["GNN502"]
    assert codes("edges { self: GCN2Conv(4, alpha = 0.1, x_0 = w) }") == ["GNN101"]
    made = stage("nodes { a: Linear(4) } h = nodes { a: Linear(4) } edges { self: FAConv(4, x_0 = h) }")
    assert made.steps[0].inputs[0].state == 2


def test_weights_of_metapaths_are_handed_on() -> None:
    made = stage("edges { P: GraphConv(8)  Q: GraphConv(8) }")
    bound = {step.edge[1]: [item.attribute for item in step.inputs] for step in made.steps}
    assert bound == {"P": [], "Q": ["weight"]}
    assert codes("edges { Q: SAGEConv(8) }") == ["GNN305"]
    assert codes("edges { P: GraphConv(8, edge_weight = weight) }") == ["GNN304"]
    made = stage("edges { Q: GATConv(8, edge_attr = weight) }")
    assert made.steps[0].module.arguments["edge_dim"] == 1


def test_inverses_bring_the_attributes_of_their_original() -> None:
    made = stage("edges { back: GATConv(8, edge_attr = f) }")
    assert made.steps[0].module.arguments["edge_dim"] == 3
    assert sorted(codes("edges { hangs: GATConv(8, edge_attr = f) }")) == ["GNN304", "GNN501"]


def test_what_data_may_lack_is_derived_in_order() -> None:
    made = plan("edges { P, back: SAGEConv(8) }")
    assert made.relations == (("a", "P", "a"), ("b", "back", "a"))
    assert [item.edge for item in made.derived] == [("b", "back", "a"), ("a", "P", "a")]
    assert made.derived[0].inverse_of == ("a", "to", "b")
    assert made.derived[1].metapath.name == "P"


OPEN = """schema s {
  node a { x: float[*], y: class[*] }
  node b
  node c { x: float[5]? }
  edge a -[r]-> b reverse q { w: float[*] }
  edge c -[t]-> a
}
model m on s {
  nodes { b: Embedding(8)  *: Linear(8) }
  edges { q: GATConv(8, edge_attr = w)  t: SAGEConv(8) }
  predict a.y
}
"""
DATA = Metadata(
    {
        "a": StoreInfo(9, {"x": TensorInfo((9, 7), "float32"), "y": TensorInfo((9,), "int64", 4)}),
        "b": StoreInfo(11),
        "c": StoreInfo(3, {"x": TensorInfo((3, 5), "float32")}),
    },
    {("a", "r", "b"): StoreInfo(20, {"w": TensorInfo((20, 2), "float32")}),
     ("b", "q", "a"): StoreInfo(20, {"w": TensorInfo((20, 2), "float32")})},
)  # fmt: skip


def test_open_sizes_come_from_data() -> None:
    made = verify(loads(OPEN).plan(data=DATA))
    assert made.inputs == {"a": 7, "b": Ids(11), "c": 5}
    assert made.heads[0].size == 4
    assert made.stages[0].steps[0].module.arguments["in_channels"] == 7
    assert made.stages[0].steps[1].module.arguments["num_embeddings"] == 11
    assert made.stages[1].steps[0].module.arguments["edge_dim"] == 2
    require_sizes(made)


def test_open_sizes_without_data_are_named_once_each() -> None:
    made = verify(loads(OPEN).plan())
    assert made.inputs == {"a": None, "b": Ids(None), "c": 5}
    assert made.heads[0].size is None
    with pytest.raises(SpecError) as caught:
        require_sizes(made)
    found = [(item.code, item.primary.span.line) for item in caught.value.diagnostics]
    assert found == [("GNN508", 9), ("GNN506", 9), ("GNN506", 10), ("GNN506", 11)]


def test_an_optional_attribute_that_data_lacks_leaves_node_numbers() -> None:
    without = Metadata({**DATA.nodes, "c": StoreInfo(3)}, DATA.edges)
    with pytest.raises(SpecError, match="GNN501"):
        loads(OPEN).plan(data=without)
    assert loads(OPEN.replace("b: Emb", "b, c: Emb")).plan(data=without).inputs["c"] == Ids(3)


def test_missing_parameters_are_asked_for_before_widths() -> None:
    spec = loads(OPEN.replace("model m on", "model m(h: int, k: int) on").replace("Linear(8)", "Linear(h * k)"))
    with pytest.raises(SpecError) as caught:
        require_sizes(spec.plan(data=DATA))
    assert [item.code for item in caught.value.diagnostics] == ["GNN206", "GNN206"]
    with pytest.raises(SpecError, match="GNN506"):
        require_sizes(spec.plan(h=2, k=4))
    require_sizes(spec.plan(data=DATA, h=2, k=4))


@pytest.mark.parametrize(
    "layer", ["HANConv(8)", "HGTConv(8)", "RGCNConv(8)", "SAGEConv(8)", "GINConv(nn = MLP(4, 4))", "GCNConv(8)"]
)
def test_unknown_widths_are_noticed_in_every_kind_of_layer(layer: str) -> None:
    text = "schema s { node a { x: float[*], y: class[2] } edge a -[r]-> a } model m on s { edges { r: LAYER } predict a.y }"
    with pytest.raises(SpecError, match="GNN506"):
        require_sizes(loads(text.replace("LAYER", layer)).plan())
    jump = text.replace("edges { r: LAYER }", 'h = nodes { a: relu } jump(h, h, mode = "lstm")')
    with pytest.raises(SpecError, match="GNN506"):
        require_sizes(loads(jump).plan())
