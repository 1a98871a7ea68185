import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphdsl.catalog import Entry, Parameter, find, rules

SIZES = st.integers(1, 512)


@given(columns=SIZES, heads=SIZES)
def test_a_width_proposed_for_the_heads_is_legal(columns: int, heads: int) -> None:
    rule = rules.heads_divide()
    problem = rule({"out_channels": columns, "heads": heads}, None)
    assert (problem is None) == (columns % heads == 0)
    if problem is not None:
        proposed = [int(word) for word in problem.help.split() if word.isdigit()]
        assert proposed
        assert all(rule({"out_channels": width, "heads": heads}, None) is None for width in proposed)


@given(out=SIZES, heads=SIZES)
def test_concatenated_heads_are_as_wide_as_all_together(out: int, heads: int) -> None:
    arguments = {"out_channels": out, "heads": heads, "concat": True}
    assert rules.heads_width(arguments, None) == out * heads
    assert rules.heads_width({**arguments, "concat": False}, None) == out


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("GINConv", {}),
        ("SAGEConv", {}),
        ("GATConv", {}),
        ("RGATConv", {}),
        ("MixHopConv", {}),
        ("MLP", {}),
        ("SimpleConv", {}),
        ("SimpleConv", {"aggr": ("mean", "max")}),
        ("glu", {}),
        ("relu", {}),
    ],
)
def test_widths_are_unknown_while_something_is_missing(name: str, arguments: dict[str, object]) -> None:
    entry = find(name)
    assert entry.width(entry.with_defaults(arguments), None) is None


@pytest.mark.parametrize("name", ["GCN2Conv", "CGConv", "GatedGraphConv", "prelu", "glu", "RGCNConv"])
def test_rules_on_the_width_wait_until_it_is_known(name: str) -> None:
    entry = find(name)
    arguments = {"channels": 3, "out_channels": 3, "alpha": 0.1, "num_parameters": 3, "num_blocks": 3}
    assert all(rule(entry.with_defaults(arguments), None) is None for rule in entry.rules)


def test_blocks_divide_input_and_output() -> None:
    rule = rules.divides("num_blocks", "out_channels", width=True)
    assert rule({"num_blocks": None, "out_channels": 3}, 3) is None
    assert rule({"num_blocks": 2, "out_channels": 4}, 6) is None
    assert "input width (7)" in rule({"num_blocks": 2, "out_channels": 4}, 7).message
    assert "`out_channels` (5)" in rule({"num_blocks": 2, "out_channels": 5}, 6).message


def test_an_mlp_lists_widths_or_gives_layers() -> None:
    both = rules.mlp_layers({"channel_list": (64,), "num_layers": 2}, 16)
    assert both is not None
    assert (both.code, both.argument) == ("GNN204", "num_layers")
    assert rules.mlp_layers({"channel_list": (64,)}, 16) is None
    assert rules.mlp_layers({"num_layers": 1, "out_channels": 4}, 16) is None
    lacking = rules.mlp_layers({"num_layers": 2, "out_channels": 4}, 16)
    assert lacking is not None
    assert "hidden_channels" in lacking.message


def test_equal_pairs_on_condition() -> None:
    entry = find("GATv2Conv")
    assert not entry.needs_equal_pair(entry.with_defaults({}))
    assert entry.needs_equal_pair(entry.with_defaults({"share_weights": True}))
    assert find("GINConv").needs_equal_pair({})


def test_looking_up_parameters_and_inputs() -> None:
    entry = Entry("X", "conv", "a.X", "A layer.", parameters=(Parameter("k", "int"), Parameter("c", "int", 1)))
    assert entry.parameter("k").required
    assert entry.parameter("other") is None
    assert find("GATConv").input("edge_attr").width_parameter == "edge_dim"
    assert find("GATConv").input("edge_weight") is None
    assert entry.with_defaults({"k": 2}) == {"k": 2, "c": 1}
