"""How far a plan sees, with layers that propagate several times."""

from graphdsl import loads
from graphdsl.plan import depths, receptive_hops

SPEC = """schema s {{
  node a {{ x: float[4], y: class[2] }}
  node b {{ x: float[4] }}
  edge a -[r]-> a
  edge b -[q]-> a reverse p
}}
model m(steps: int = 3) on s {{
  {stages}
  predict a.y
}}
"""
R, Q, P = ("a", "r", "a"), ("b", "q", "a"), ("a", "p", "b")


def hops(stages: str) -> list[set[tuple[str, str, str]]]:
    return [set(item) for item in receptive_hops(loads(SPEC.format(stages=stages)).plan())]


def test_a_layer_is_one_hop() -> None:
    assert hops("edges { r, q: SAGEConv(4) }") == [{R, Q}]
    assert hops("edges { *: SAGEConv(4) } edges { r, q: SAGEConv(4) }") == [{R, Q, P}, {R, Q, P}]


def test_layers_that_propagate_several_times() -> None:
    for layer, count in [
        ("SGConv(4, K = steps)", 3), ("TAGConv(4)", 3), ("ChebConv(4, K = 3)", 2), ("APPNP(K = 5, alpha = 0.1)", 5),
        ("MixHopConv(4, powers = [0, 4])", 4), ("ARMAConv(4, num_layers = 2)", 2), ("GatedGraphConv(4, num_layers = 6)", 6),
        ("SSGConv(4, K = 2, alpha = 0.1)", 2),
    ]:  # fmt: skip
        assert hops(f"edges {{ r: {layer} }}") == [{R}] * count, layer


def test_relations_beside_a_far_one_are_followed_as_far_as_they_matter() -> None:
    assert hops("edges { r: SGConv(4, K = 3)  q: SAGEConv(4) }") == [{R, Q}, {R}, {R}]
    far_then_near = "edges { r: SGConv(4, K = 2)  q: SAGEConv(4)  p: SAGEConv(4) } edges { r, q: SAGEConv(4) }"
    assert hops(far_then_near) == [{R, Q, P}, {R, Q, P}, {R}]
    assert depths(loads(SPEC.format(stages=far_then_near)).plan()) == (0, 2, 3)


def test_modules_with_several_layers_over_all_relations() -> None:
    assert hops("edges { *: SimpleHGNConv(4, num_layers = 2) }") == [{R, Q, P}] * 2
