"""Stages: how messages meet, pipes, joins, what is carried, what is shared, what is dead."""

import random

import pytest
import torch
from plans import (
    CITES,
    RESIDUAL,
    TEACHES,
    WRITES,
    WRITTEN_BY,
    Draft,
    apply,
    compare,
    convs,
    edges,
    features,
    joint,
    metadata,
    module,
    sends,
)
from torch_geometric import nn as pyg

from graphdsl.plan import Ids

WIDTHS = {"author": 5, "paper": 7}
EVEN = {"author": 4, "paper": 4}


def sage(source: int, target: int, out: int = 4, **arguments):
    """Both forms of one layer: in a plan, and written by hand."""
    pair = source if source == target else (source, target)
    return module("SAGEConv", out, in_channels=pair, out_channels=out, **arguments), pyg.SAGEConv(
        pair, out, **arguments
    )


def reduce(kind, messages):
    if kind == "cat":
        return torch.cat(messages, dim=-1)
    stacked = torch.stack(messages)
    if kind in ("min", "max"):
        return getattr(stacked, kind)(0).values
    return getattr(stacked, kind)(0)


@pytest.mark.parametrize("kind", ["sum", "mean", "max", "min", "cat"])
@pytest.mark.parametrize("with_joint", [False, True])
def test_combining_relations_and_joint_layers(kind, with_joint):
    wide = 3 if kind == "cat" else 4
    written, by_hand = sage(5, 7, wide)
    cited, cited_by_hand = sage(7, 7)
    hgt = module("HGTConv", 4, in_channels=WIDTHS, out_channels=4, heads=2, metadata=metadata(WRITES))
    extra = [joint((WRITES,), hgt, WIDTHS)] if with_joint else []
    model = Draft(dict(WIDTHS)).edges(sends(WRITES, written), sends(CITES, cited), *extra, combine=kind).compile()
    graph = edges(WRITES, CITES)
    twins = {convs(WRITES): by_hand, convs(CITES): cited_by_hand}
    if with_joint:
        twins["stages.h1.joints.0"] = pyg.HGTConv(WIDTHS, 4, (["author", "paper"], [WRITES]), heads=2)

    def reference(x):
        messages = [by_hand((x["author"], x["paper"]), graph[WRITES]), cited_by_hand(x["paper"], graph[CITES])]
        if with_joint:
            messages.append(twins["stages.h1.joints.0"](x, {WRITES: graph[WRITES]})["paper"])
        return {"author": x["author"], "paper": reduce(kind, messages)}

    compare(model, twins, reference, features(WIDTHS), graph)


@pytest.mark.parametrize("with_joint", [False, True])
def test_semantic_attention_follows_the_paper(with_joint):
    written, by_hand = sage(5, 7)
    cited, cited_by_hand = sage(7, 7)
    back, back_by_hand = sage(7, 5)
    han = module("HANConv", 4, in_channels=WIDTHS, out_channels=4, metadata=metadata(WRITES))
    extra = [joint((WRITES,), han, WIDTHS)] if with_joint else []
    steps = (sends(WRITES, written), sends(CITES, cited), sends(WRITTEN_BY, back), *extra)
    model = Draft(dict(WIDTHS)).edges(*steps, combine="attention", hidden=6).compile()
    graph = edges(WRITES, CITES, WRITTEN_BY)
    scoring = torch.nn.ModuleDict({"lin": torch.nn.Linear(4, 6)})
    scoring.q = torch.nn.Parameter(torch.zeros(1, 6))
    twins = {convs(WRITES): by_hand, convs(CITES): cited_by_hand, convs(WRITTEN_BY): back_by_hand}
    twins["stages.h1.attention.paper"] = scoring
    if with_joint:
        twins["stages.h1.joints.0"] = pyg.HANConv(WIDTHS, 4, (["author", "paper"], [WRITES]))

    def reference(x):
        messages = [by_hand((x["author"], x["paper"]), graph[WRITES]), cited_by_hand(x["paper"], graph[CITES])]
        if with_joint:
            messages.append(twins["stages.h1.joints.0"](x, {WRITES: graph[WRITES]})["paper"])
        scores = [(scoring["lin"](h).tanh() @ scoring.q[0]).mean() for h in messages]
        weights = torch.stack(scores).softmax(0)
        paper = sum(weight * h for weight, h in zip(weights, messages, strict=True))
        return {"author": back_by_hand((x["paper"], x["author"]), graph[WRITTEN_BY]), "paper": paper}

    compare(model, twins, reference, features(WIDTHS), graph)
    assert list(model.stages["h1"].attention) == ["paper"]  # One relation alone has the weight one.


def test_attention_has_the_published_width_unless_told():
    cited, _ = sage(7, 7)
    written, _ = sage(5, 7)
    model = Draft(dict(WIDTHS)).edges(sends(CITES, cited), sends(WRITES, written), combine="attention").compile()
    assert model.stages["h1"].attention["paper"].lin.out_features == 128


def test_attention_over_no_nodes_is_empty():
    cited, _ = sage(7, 7)
    written, _ = sage(5, 7)
    draft = Draft(dict(WIDTHS)).edges(sends(CITES, cited), sends(WRITES, written), combine="attention", hidden=2)
    nothing = {"author": torch.zeros(0, 5), "paper": torch.zeros(0, 7)}
    empty = torch.zeros(2, 0, dtype=torch.long)
    assert draft.compile().encode(nothing, {CITES: empty, WRITES: empty})["paper"].shape == (0, 4)


def test_pipe_works_on_what_the_stage_made_and_residual_adds_what_it_read():
    written, by_hand = sage(4, 4)
    norm = module("LayerNorm", 4, in_channels=4, mode="node")
    pipe = (
        apply(paper=norm),
        apply(paper=module("torch.nn.ReLU", 4)),
        RESIDUAL,
        apply(paper=module("torch.nn.Tanh", 4)),
    )
    model = Draft(dict(EVEN)).edges(sends(WRITES, written), pipe=pipe).compile()
    graph = edges(WRITES)
    norm_by_hand = pyg.LayerNorm(4, mode="node")
    twins = {convs(WRITES): by_hand, "stages.h1.pipe.paper.module_0": norm_by_hand}

    def reference(x):
        h = by_hand((x["author"], x["paper"]), graph[WRITES])
        return {"author": x["author"], "paper": (norm_by_hand(h).relu() + x["paper"]).tanh()}

    compare(model, twins, reference, features(EVEN), graph)
    chain = model.stages["h1"].pipe["paper"]
    assert isinstance(chain, pyg.Sequential)
    assert "x, before -> x" in repr(chain)


def test_pipe_with_a_module_for_one_type_only():
    written, by_hand = sage(4, 4)
    back, back_by_hand = sage(4, 4)
    pipe = (apply(author=module("torch.nn.Tanh", 4)),)
    model = Draft(dict(EVEN)).edges(sends(WRITES, written), sends(WRITTEN_BY, back), pipe=pipe).compile()
    graph = edges(WRITES, WRITTEN_BY)
    compare(
        model,
        {convs(WRITES): by_hand, convs(WRITTEN_BY): back_by_hand},
        lambda x: {
            "author": back_by_hand((x["paper"], x["author"]), graph[WRITTEN_BY]).tanh(),
            "paper": by_hand((x["author"], x["paper"]), graph[WRITES]),
        },
        features(EVEN),
        graph,
    )


def test_chains_made_after_the_same_seed_stay_their_own():
    def chain(*names):
        random.seed(0)
        pipe = tuple(apply(paper=module(f"torch.nn.{name}", 7)) for name in names)
        spec = module("Linear", 7, in_channels=7, out_channels=7)
        draft = Draft(dict(WIDTHS)).nodes("h0", *pipe, paper=spec)
        return draft.compile().encode(features(WIDTHS), {})["paper"].detach()

    assert float(chain("Tanh").min()) < 0
    assert float(chain("Tanh", "ReLU", "Sigmoid").min()) >= 0.5


def test_dropout_follows_the_mode():
    pipe = (apply(paper=module("torch.nn.Dropout", 7, p=0.9)),)
    model = Draft(dict(WIDTHS)).nodes("h0", *pipe, paper=module("torch.nn.Identity", 7)).compile()
    x = features(WIDTHS)
    assert int((model.encode(x, {})["paper"] == 0).sum()) > 30
    assert torch.equal(model.eval().encode(x, {})["paper"], x["paper"])


def test_types_that_receive_nothing_are_carried_through_several_layers():
    written, by_hand = sage(5, 7)
    again, again_by_hand = sage(5, 4)
    model = Draft(dict(WIDTHS)).edges(sends(WRITES, written)).edges(sends(WRITES, again), key="h2").compile()
    graph = edges(WRITES)

    def reference(x):
        h = by_hand((x["author"], x["paper"]), graph[WRITES])
        return {"author": x["author"], "paper": again_by_hand((x["author"], h), graph[WRITES])}

    compare(model, {convs(WRITES): by_hand, convs(WRITES, "h2"): again_by_hand}, reference, features(WIDTHS), graph)


def test_a_stage_may_read_an_earlier_state():
    first, first_by_hand = sage(7, 7)
    second, second_by_hand = sage(7, 7)
    draft = Draft(dict(WIDTHS)).edges(sends(CITES, first)).edges(sends(CITES, second), key="h2", reads=0)
    graph = edges(CITES)
    compare(
        draft.join("add", 1, 2).compile(),
        {convs(CITES): first_by_hand, convs(CITES, "h2"): second_by_hand},
        lambda x: {
            "author": x["author"] * 2,
            "paper": first_by_hand(x["paper"], graph[CITES]) + second_by_hand(x["paper"], graph[CITES]),
        },
        features(WIDTHS),
        graph,
    )


@pytest.mark.parametrize("kind", ["cat", "add", "mul", "mean", "max"])
def test_joins(kind):
    cited, by_hand = sage(4, 4)
    model = Draft(dict(EVEN)).edges(sends(CITES, cited)).join(kind, 0, 1).compile()
    graph = edges(CITES)

    def reference(x):
        after = {"author": x["author"], "paper": by_hand(x["paper"], graph[CITES])}
        return {name: reduce({"add": "sum", "mul": "prod"}.get(kind, kind), [x[name], after[name]]) for name in x}

    compare(model, {convs(CITES): by_hand}, reference, features(EVEN), graph)


def test_jumping_knowledge_with_lstm():
    cited, by_hand = sage(4, 4)
    jump = module("JumpingKnowledge", 4, mode="lstm", channels=4, num_layers=2)
    model = Draft(dict(EVEN)).edges(sends(CITES, cited)).join("jump", 0, 1, paper=jump, author=jump).compile()
    graph = edges(CITES)
    jumps = {name: pyg.JumpingKnowledge("lstm", 4, 2) for name in EVEN}
    twins = {convs(CITES): by_hand, **{f"stages.join1.jump.{name}": item for name, item in jumps.items()}}

    def reference(x):
        after = {"author": x["author"], "paper": by_hand(x["paper"], graph[CITES])}
        return {name: jumps[name]([x[name], after[name]]) for name in x}

    compare(model, twins, reference, features(EVEN), graph)


def test_one_state_passed_on_through_a_pipe():
    model = Draft(dict(EVEN)).join("same", 0, pipe=(apply(paper=module("torch.nn.ReLU", 4)),)).compile()
    compare(model, {}, lambda x: {"author": x["author"], "paper": x["paper"].relu()}, features(EVEN), {})


def test_dropped_types_are_gone():
    cited, by_hand = sage(7, 7)
    model = Draft(dict(WIDTHS)).drop("author").edges(sends(CITES, cited)).compile()
    graph = edges(CITES)
    compare(
        model,
        {convs(CITES): by_hand},
        lambda x: {"paper": by_hand(x["paper"], graph[CITES])},
        {"paper": features(WIDTHS)["paper"]},
        graph,
    )


def test_shared_instance_serves_several_relations():
    spec, by_hand = sage(4, 4)
    steps = (sends(CITES, spec, instance=0), sends(TEACHES, spec, instance=0), sends(WRITES, spec, instance=1))
    model = Draft(dict(EVEN)).edges(*steps).compile()
    assert model.get_submodule(convs(CITES)) is model.get_submodule(convs(TEACHES))
    assert model.get_submodule(convs(CITES)) is not model.get_submodule(convs(WRITES))
    assert len(list(model.parameters())) == 6
    graph = edges(CITES, TEACHES, WRITES)
    other = pyg.SAGEConv(4, 4)
    compare(
        model,
        {convs(CITES): by_hand, convs(WRITES): other},
        lambda x: {
            "author": by_hand(x["author"], graph[TEACHES]),
            "paper": by_hand(x["paper"], graph[CITES]) + other((x["author"], x["paper"]), graph[WRITES]),
        },
        features(EVEN),
        graph,
    )


def test_repeat_share_uses_one_set_of_weights():
    spec, by_hand = sage(4, 4)
    norm = (apply(paper=module("LayerNorm", 4, in_channels=4)), RESIDUAL)
    draft = Draft(dict(EVEN)).edges(sends(CITES, spec), pipe=norm)
    for turn in (2, 3):
        draft.edges(sends(CITES, spec), key=f"h{turn}", pipe=norm, shares=0)
    model = draft.compile()
    assert list(model.stages) == ["h1"]
    norm_by_hand = pyg.LayerNorm(4)
    graph = edges(CITES)

    def reference(x):
        h = x["paper"]
        for _ in range(3):
            h = norm_by_hand(by_hand(h, graph[CITES])) + h
        return {"author": x["author"], "paper": h}

    compare(
        model, {convs(CITES): by_hand, "stages.h1.pipe.paper.module_0": norm_by_hand}, reference, features(EVEN), graph
    )


def two_layers() -> Draft:
    """The second layer's messages into authors, and the first one's that feed only them, reach no prediction."""
    draft = Draft(dict(EVEN))
    for key in ("h1", "h2"):
        steps = [sends(edge, sage(4, 4)[0]) for edge in (WRITES, WRITTEN_BY, TEACHES)]
        draft.edges(*steps, key=key, pipe=(apply(paper=module("torch.nn.ReLU", 4), author=module("torch.nn.ReLU", 4)),))
    return draft.predict("paper")


def test_dead_steps_are_skipped_but_keep_their_parameters():
    model = two_layers().compile()
    dead = {convs(edge, "h2") for edge in (WRITTEN_BY, TEACHES)}
    calls = []
    for name, part in model.named_modules():
        if isinstance(part, pyg.SAGEConv):
            part.register_forward_hook(lambda *_, name=name: calls.append(name))
    graph, x = edges(WRITES, WRITTEN_BY, TEACHES), features(EVEN)
    out = model(x, graph)
    assert dead.isdisjoint(calls)
    assert len(calls) == 4
    assert all(any(key.startswith(prefix) for key in model.state_dict()) for prefix in dead)
    calls.clear()
    h = model.encode(x, graph)
    assert dead < set(calls)
    assert torch.equal(out, model.heads["paper__y"](h["paper"]))


def test_dead_joint_layers_and_node_maps_are_skipped():
    han = module("HANConv", 4, in_channels={"author": 4}, out_channels=4, metadata=metadata(TEACHES))
    lin = module("Linear", 4, in_channels=4, out_channels=4)
    draft = (
        Draft(dict(EVEN)).nodes(author=lin, paper=lin).edges(joint((TEACHES,), han, EVEN), sends(CITES, sage(4, 4)[0]))
    )
    model = draft.predict("paper").compile()
    for unused in (model.stages["h0"].nodes["author"], model.stages["h1"].joints[0]):
        unused.register_forward_pre_hook(lambda *_: pytest.fail("computed for nothing"))
    assert model({"paper": features(EVEN)["paper"]}, edges(CITES)).shape == (9, 3)


def test_dead_types_of_a_join_need_no_input():
    cited = sage(4, 4)[0]
    model = Draft(dict(EVEN)).edges(sends(CITES, cited)).join("cat", 0, 1).predict("paper").compile()
    assert model({"paper": features(EVEN)["paper"]}, edges(CITES)).shape == (9, 3)


def test_only_a_dead_relation_may_be_missing():
    model = two_layers().compile()
    part = edges(WRITES, WRITTEN_BY, TEACHES)
    assert model(features(EVEN), part).shape == (9, 3)
    one_layer = (
        Draft(dict(EVEN)).edges(sends(WRITES, sage(4, 4)[0]), sends(TEACHES, sage(4, 4)[0])).predict("paper").compile()
    )
    del part[TEACHES]
    assert one_layer(features(EVEN), part).shape == (9, 3)


def test_several_predictions_are_named():
    draft = Draft(dict(EVEN)).edges(sends(CITES, sage(4, 4)[0])).predict("paper", 2).predict("author", 3, "age")
    out = draft.predict("paper", 5, "early", state=0).compile()(features(EVEN), edges(CITES))
    assert {name: tuple(value.shape) for name, value in out.items()} == {
        "paper.y": (9, 2),
        "author.age": (6, 3),
        "paper.early": (9, 5),
    }


def test_encode_leaves_out_what_is_only_numbers():
    model = Draft({"paper": 4, "venue": Ids(4)}).edges(sends(CITES, sage(4, 4)[0])).compile()
    assert set(model.encode({"paper": features(EVEN)["paper"]}, edges(CITES))) == {"paper"}
