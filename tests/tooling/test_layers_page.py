"""What `gnn layers NAME` says of networks inside a layer."""

from graphdsl.catalog import entries
from graphdsl.tooling.cli import main


def test_networks_whose_width_follows_are_told(capsys) -> None:
    assert main(["layers", "NNConv"]) == 0
    page = capsys.readouterr().out
    assert "networks whose width follows:\n  nn " in page
    assert "as wide as input width times `out_channels`; its `out_channels` may be left out" in page
    assert main(["layers", "EdgeConv"]) == 0
    assert "networks whose" not in capsys.readouterr().out


def test_every_such_width_has_words() -> None:
    demanded = [network for entry in entries() for network in entry.networks.values() if network.gives is not None]
    assert demanded
    assert all(network.why for network in demanded)


def test_networks_are_of_parameters_that_take_a_layer() -> None:
    for entry in entries():
        for name in entry.networks:
            parameter = entry.parameter(name)
            assert parameter is not None, entry.name
            assert {"module", "conv"} & set(parameter.type.split("|"))
