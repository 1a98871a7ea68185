"""Names of other versions and frameworks lead to names that exist here."""

import pytest

from graphdsl.catalog import RENAMED_LAYERS, entries, find, renamed_argument
from graphdsl.catalog.renamed import _ARGUMENTS


@pytest.mark.parametrize("name", RENAMED_LAYERS)
def test_a_renamed_layer_is_unknown_and_its_new_name_is_not(name: str) -> None:
    item = RENAMED_LAYERS[name]
    assert find(name) is None
    assert item.said or item.name
    assert not item.name or find(item.name) is not None


@pytest.mark.parametrize("name", _ARGUMENTS)
def test_a_renamed_argument_is_one_that_some_layer_has(name: str) -> None:
    helped = [entry for entry in entries() if entry.parameter(name) is None and renamed_argument(entry, name)]
    assert helped
    for entry in helped:
        new = _ARGUMENTS[name].name
        assert not new or entry.parameter(new) is not None or entry.input(new) is not None


def test_layers_keep_their_own_arguments() -> None:
    transformer = find("TransformerConv")
    assert transformer is not None
    assert renamed_argument(transformer, "heads") is None
    assert renamed_argument(transformer, "colour") is None
