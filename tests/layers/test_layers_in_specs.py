"""Layers that take dictionaries, compiled from a spec whose relations have declared inverses, against the same by hand."""

import pytest
import torch
from torch import nn

import graphdsl
from graphdsl.layers import HetSANNConv, IEHGCNConv, RHGNNConv

SPEC = """
schema s {{
  node a {{ x: float[4], y: class[2] }}
  node b {{ x: float[3] }}
  edge b -[z]-> a  reverse y
  edge a -[s]-> a
  edge a -[c]-> a  reverse d
}}
model m on s {{
  edges {{ *: {} }}
  predict a.y
}}
"""
EDGES = [("a", "c", "a"), ("a", "d", "a"), ("a", "s", "a"), ("a", "y", "b"), ("b", "z", "a")]
INVERSE_OF = [0, 0, 2, 4, 4]
WIDTHS, METADATA = {"a": 4, "b": 3}, (["a", "b"], EDGES)

LAYERS = {
    "IEHGCNConv(6, attention_channels = 3)": (lambda: IEHGCNConv(WIDTHS, 6, METADATA, 3), 1),
    "HetSANNConv(3, heads = 2)": (lambda: HetSANNConv(WIDTHS, 3, METADATA, INVERSE_OF, heads=2), 1),
    "RHGNNConv(6, num_layers = 3, heads = 2)": (lambda: RHGNNConv(WIDTHS, 6, METADATA, INVERSE_OF, 3, heads=2), 3),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_inverses_are_those_of_the_schema(layer: str) -> None:
    make, hops = LAYERS[layer]
    spec = graphdsl.loads(SPEC.format(layer))
    (joint,) = next(spec.plan("m").relation_stages())[1].joints
    assert list(joint.edges) == EDGES
    assert joint.hops == hops
    assert joint.module.arguments.get("inverse_of", tuple(INVERSE_OF)) == tuple(INVERSE_OF)
    torch.manual_seed(0)
    model = spec.compile("m").eval()
    by_hand: nn.Module = make()
    prefix = "stages.edges1.joints.0."
    state = {key.removeprefix(prefix): value for key, value in model.state_dict().items() if key.startswith(prefix)}
    by_hand.load_state_dict(state)
    x = {"a": torch.randn(5, 4), "b": torch.randn(3, 3)}
    given = {
        ("b", "z", "a"): torch.tensor([[0, 1, 1, 2], [0, 1, 4, 4]]),
        ("a", "s", "a"): torch.tensor([[0, 3], [1, 3]]),
        ("a", "c", "a"): torch.tensor([[2, 1, 0], [0, 0, 1]]),
    }
    both = {**given, ("a", "y", "b"): given["b", "z", "a"].flip(0), ("a", "d", "a"): given["a", "c", "a"].flip(0)}
    found, expected = model.encode(x, given), by_hand(x, both)
    assert set(found) == set(expected) == {"a", "b"}
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
