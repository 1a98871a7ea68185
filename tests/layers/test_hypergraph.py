"""`HypergraphConv` along a metapath equals PyG's on the incidence matrix."""

import pytest
import torch
from torch_geometric import nn as pyg

import graphdsl
from graphdsl import SpecError
from graphdsl.api import check_source
from graphdsl.layers import HypergraphConv
from graphdsl.text import SourceText

SPEC = """
schema clubs {{
  node person {{ x: float[8], y: class[3] }}
  node club(count = 5) {{ {club} }}
  edge {edge}
  metapath shared = {path}
}}

model m on clubs {{
  edges {{ shared: {layer} }}
  predict person.y
}}
"""
MEMBER, HOLDS = ("person", "member", "club"), ("club", "holds", "person")
ALONG = {"edge": "person -[member]-> club", "path": "person -[member]-> club <-[member]- person"}
AGAINST = {"edge": "club -[holds]-> person", "path": "person <-[holds]- club -[holds]-> person"}
INDEX = torch.tensor([[0, 1, 1, 2, 3, 5], [0, 0, 1, 1, 3, 3]])


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(
    ("layer", "theirs"),
    [
        ("HypergraphConv(4)", lambda: pyg.HypergraphConv(8, 4)),
        (
            "HypergraphConv(4, use_attention = true, heads = 2)",
            lambda: pyg.HypergraphConv(8, 4, use_attention=True, heads=2),
        ),
        (
            'HypergraphConv(4, use_attention = true, attention_mode = "edge", heads = 2, concat = false, bias = false)',
            lambda: pyg.HypergraphConv(8, 4, True, "edge", 2, concat=False, bias=False),
        ),
    ],
)
@pytest.mark.parametrize("index", [INDEX, INDEX[:, :0]])
def test_compiled_equals_pyg(layer, theirs, flipped, index) -> None:
    torch.manual_seed(0)
    attention = "use_attention" in layer
    text = SPEC.format(layer=layer, club="x: float[8]" if attention else "", **(AGAINST if flipped else ALONG))
    ours, by_hand = graphdsl.loads(text).compile("m"), theirs()
    joint = ours.stages["edges1"].joints[0]
    by_hand.load_state_dict({key.removeprefix("conv."): value for key, value in joint.state_dict().items()})
    x = {"person": torch.randn(6, 8, requires_grad=True), "club": torch.randn(5, 8, requires_grad=True)}
    given = x if attention else {"person": x["person"]}
    edges = {HOLDS: index.flip(0)} if flipped else {MEMBER: index}
    made = ours.encode(given, edges, prediction="person.y")["person"]
    wanted = by_hand(x["person"], index, hyperedge_attr=x["club"] if attention else None, num_edges=5)
    torch.testing.assert_close(made, wanted)
    leaves = [*given.values()]
    for mine, other in zip(
        torch.autograd.grad(made.square().sum(), leaves, retain_graph=True, allow_unused=True),
        torch.autograd.grad(wanted.square().sum(), leaves, allow_unused=True),
        strict=True,
    ):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize(
    ("layer", "club", "codes"),
    [
        ("HypergraphConv(4, heads = 2)", "", {"GNN204"}),
        ("HypergraphConv(4, use_attention = true)", "", {"GNN501"}),
        ("HypergraphConv(4, use_attention = true)", "x: float[5]", {"GNN502"}),
    ],
)
def test_what_cannot_be(layer, club, codes) -> None:
    found = check_source(SourceText("a.gnn", SPEC.format(layer=layer, club=club, **ALONG)))
    assert {item.code for item in found if item.is_error} == codes


def test_other_metapaths_are_no_hypergraphs() -> None:
    text = SPEC.format(layer="HypergraphConv(4)", club="x: float[8]", **ALONG)
    twice = text.replace("shared: Hyper", "shared, again: Hyper").replace(
        "  metapath shared", "  metapath again = person -[member]-> club <-[member]- person\n  metapath shared"
    )
    longer = text.replace("<-[member]- person", "<-[member]- person -[member]-> club <-[member]- person")
    relation = text.replace("shared: Hyper", "member: Hyper")
    for wrong in (twice, longer, relation):
        with pytest.raises(SpecError) as refused:
            graphdsl.loads(wrong)
        assert "GNN312" in {item.code for item in refused.value.diagnostics}


def test_the_module_refuses_them_too() -> None:
    with pytest.raises(ValueError, match="there and back"):
        HypergraphConv(4, {("person", "p", "person"): ((MEMBER, False), (MEMBER, False))}, 8)
    with pytest.raises(ValueError, match="one metapath"):
        HypergraphConv(4, {}, 8)
