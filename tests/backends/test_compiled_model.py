"""The compiled model as a torch module: copying, storing, moving, resetting, failing."""

import copy
import io
import pickle
import traceback
from dataclasses import replace

import pytest
import torch
from plans import (
    CITES,
    RESIDUAL,
    WRITES,
    WRITTEN_BY,
    Draft,
    apply,
    edges,
    features,
    joint,
    metadata,
    module,
    sends,
)
from test_derivation import APA, INVERSE
from torch.nn.parameter import UninitializedParameter

from graphdsl.backends import BACKENDS, CompiledModel, compile_plan
from graphdsl.plan import InputBinding

EVEN = {"author": 4, "paper": 4}


def everything() -> CompiledModel:
    """Node maps, relations, joint layers of both kinds, attention, pipes, joins, heads, derived relations."""
    lin = module("Linear", 4, in_channels=4, out_channels=4)
    norm = apply(author=module("BatchNorm", 4, in_channels=4), paper=module("LayerNorm", 4, in_channels=4))
    han = module("HANConv", 4, in_channels={"author": 4}, out_channels=4, heads=2, metadata=metadata(APA.edge))
    rgcn = module("RGCNConv", 4, in_channels=4, out_channels=4, num_relations=2)
    gat = module("GATv2Conv", 4, in_channels=(4, 4), out_channels=2, heads=2, add_self_loops=False, dropout=0.5)
    draft = Draft(dict(EVEN)).nodes("h0", norm, author=lin, paper=lin)
    draft.edges(
        sends(WRITES, gat),
        sends(CITES, module("SAGEConv", 4, in_channels=4, out_channels=4)),
        joint((APA.edge,), han, EVEN),
        joint((WRITTEN_BY, CITES), rgcn, EVEN, typed=True),
        combine="attention",
        hidden=4,
        pipe=(norm, RESIDUAL),
    )
    jump = module("JumpingKnowledge", 4, mode="lstm", channels=4, num_layers=2)
    draft.join("jump", 1, 2, author=jump, paper=jump)
    return draft.predict("paper").predict("author", 2).compile(INVERSE, APA)


X, GRAPH = features(EVEN), edges(WRITES, CITES)


def equal(one, two) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


def test_no_parameter_is_lazy():
    assert not any(isinstance(parameter, UninitializedParameter) for parameter in everything().parameters())


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["deepcopy", "pickle"]
)
def test_copies_compute_the_same_and_stand_alone(clone):
    model = everything().eval()
    expected = model(X, GRAPH)
    twin = clone(model)
    assert equal(twin(X, GRAPH), expected)
    twin.reset_parameters()
    assert equal(model(X, GRAPH), expected)
    assert not equal(twin(X, GRAPH), expected)


def test_copies_keep_shared_modules_shared():
    spec = module("SAGEConv", 4, in_channels=4, out_channels=4)
    draft = Draft(dict(EVEN)).edges(sends(CITES, spec)).edges(sends(CITES, spec), key="h2", shares=0)
    model = copy.deepcopy(draft.compile())
    assert len(list(model.parameters())) == 3
    assert model.encode(X, GRAPH)["paper"].shape == (9, 4)


def test_state_dict_goes_to_a_file_and_into_another_model():
    model, other = everything().eval(), everything().eval()
    other.reset_parameters()
    stream = io.BytesIO()
    torch.save(model.state_dict(), stream)
    stream.seek(0)
    assert not equal(other(X, GRAPH), model(X, GRAPH))
    other.load_state_dict(torch.load(stream, weights_only=True))
    assert equal(other(X, GRAPH), model(X, GRAPH))


def test_reset_draws_every_parameter_anew_and_repeatably():
    model = everything()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(7.0)
    torch.manual_seed(3)
    model.reset_parameters()
    first = copy.deepcopy(model.state_dict())
    assert not any((parameter == 7).any() for parameter in model.parameters())
    torch.manual_seed(3)
    model.reset_parameters()
    assert equal(model.state_dict(), first)


def test_the_same_seed_compiles_the_same_weights():
    assert equal(everything().state_dict(), everything().state_dict())


def test_moves_to_another_dtype_and_device():
    model = everything().double().eval()
    x = {name: value.double() for name, value in X.items()}
    assert all(value.dtype == torch.float64 for value in model(x, GRAPH).values())
    weighted = InputBinding("edge_weight", "edge", "w", scalar=True)
    spec = module("GraphConv", 4, in_channels=4, out_channels=4)
    single = Draft(dict(EVEN)).edges(sends(CITES, spec, weighted)).compile().double()
    for w in (torch.rand(17), torch.ones(17, dtype=torch.long)):
        assert single.encode(x, GRAPH, w_dict={CITES: w})["paper"].dtype == torch.float64
    meta = everything().eval().to("meta")
    assert all(parameter.device.type == "meta" for parameter in meta.parameters())


def test_text_names_the_spec():
    text = repr(everything())
    assert "model 'hand' on 'library' from hand.gnn" in text
    assert "HeteroConv(num_relations=2)" in text


def test_every_live_parameter_gets_a_gradient():
    model = everything()
    out = model(X, GRAPH)
    sum(value.square().sum() for value in out.values()).backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


def test_training_in_inference_and_gradient_mode_by_turns():
    model = everything()
    with torch.inference_mode():
        model(X, GRAPH)
    model(X, GRAPH)["paper.y"].sum().backward()
    assert any(parameter.grad is not None for parameter in model.parameters())


def test_inputs_are_not_changed():
    model, x, graph = everything(), dict(X), dict(GRAPH)
    before = [value.clone() for value in (*x.values(), *graph.values())]
    model(x, graph)
    assert list(x) == list(X)
    assert list(graph) == list(GRAPH)
    assert all(torch.equal(one, two) for one, two in zip(before, (*x.values(), *graph.values()), strict=True))


def test_backends_by_name():
    plan = everything().plan
    assert isinstance(compile_plan(plan, backend="pyg"), CompiledModel)
    assert list(BACKENDS) == ["auto", "pyg", "fused"]
    with pytest.raises(ValueError, match=r"'auto', 'pyg', 'fused' \(got 'dgl'\)"):
        compile_plan(plan, backend="dgl")


def test_stages_of_one_name_are_refused():
    plan = everything().plan
    twice = tuple(replace(stage, key="h") for stage in plan.stages)
    with pytest.raises(ValueError, match="two stages are called 'h'"):
        compile_plan(replace(plan, stages=twice))


class TestFailures:
    """A failure at run time names the stage, the step and the line of the spec."""

    def notes(self, model, x=X, graph=GRAPH) -> str:
        with pytest.raises((RuntimeError, ValueError)) as caught:
            model.encode(x, graph)
        return "".join(traceback.format_exception_only(caught.value))

    def test_in_a_layer_of_one_relation(self):
        wrong = module("SAGEConv", 4, in_channels=(4, 9), out_channels=4)
        right = module("SAGEConv", 4, in_channels=4, out_channels=4)
        model = Draft(dict(EVEN)).edges(sends(CITES, right, line=21), sends(WRITES, wrong, line=22)).compile()
        notes = self.notes(model)
        assert "in `SAGEConv` on `author -[writes]-> paper` (hand.gnn:22:5)" in notes
        assert "in stage `h1` of model `hand` (hand.gnn:10:5)" in notes
        assert "cites" not in notes

    def test_in_a_joint_layer(self):
        wrong = module("RGCNConv", 4, in_channels=9, out_channels=4, num_relations=1)
        model = Draft(dict(EVEN)).edges(joint((CITES,), wrong, EVEN, typed=True, line=31)).compile()
        assert "in `RGCNConv` (hand.gnn:31:5)" in self.notes(model)

    def test_in_a_node_map(self):
        wrong = module("Linear", 4, in_channels=9, out_channels=4)
        model = Draft(dict(EVEN)).nodes("h0", paper=wrong, line=16).compile()
        assert "in `Linear` on `paper` (hand.gnn:16:5)" in self.notes(model)

    def test_in_a_pipe(self):
        lin = module("torch.nn.Identity", 4)
        pipe = (apply(paper=lin), apply(paper=module("Linear", 4, in_channels=9, out_channels=4), line=43))
        model = Draft(dict(EVEN)).nodes("h0", *pipe, paper=lin).compile()
        assert "in `Linear` on `paper` (hand.gnn:43:5)" in self.notes(model)

    def test_where_messages_meet(self):
        narrow = module("SAGEConv", 3, in_channels=(4, 4), out_channels=3)
        wide = module("HANConv", 4, in_channels=dict(EVEN), out_channels=4, metadata=metadata(WRITES))
        model = Draft(dict(EVEN)).edges(sends(WRITES, narrow), joint((WRITES,), wide, EVEN)).compile()
        assert "in `combine sum` (hand.gnn:19:5)" in self.notes(model)

    def test_in_a_join(self):
        model = (
            Draft({"paper": 4}).nodes("h0", paper=module("Linear", 3, in_channels=4, out_channels=3)).join("add", 0, 1)
        )
        assert "in `add` of `paper` (hand.gnn:11:5)" in self.notes(model.compile(), {"paper": X["paper"]})

    def test_in_a_prediction(self):
        model = Draft({"paper": 4}).predict("paper").compile()
        model.heads["paper__y"] = torch.nn.Linear(9, 3)
        with pytest.raises(RuntimeError) as caught:
            model({"paper": X["paper"]}, {})
        assert "in prediction `paper.y` of model `hand` (hand.gnn:50:5)" in caught.value.__notes__
