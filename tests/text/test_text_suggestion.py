"""Did you mean: slips, beginnings, other programs' words, and nothing where nothing is close."""

import pytest

from graphdsl.catalog import names
from graphdsl.text import closest, did_you_mean, listing


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("writs", "writes"),
        ("wriets", "writes"),
        ("Writes", "writes"),
        ("writen by", "written_by"),
        ("writtenby", "written_by"),
        ("conf", "conference"),
        ("conferences", "conference"),
        ("avg", "mean"),
        ("zzz", None),
        ("x", None),
        ("", None),
    ],
)
def test_closest(name: str, meant: str | None) -> None:
    known = ["writes", "written_by", "conference", "mean", "y"]
    assert closest(name, known) == meant
    assert closest(name, reversed(known)) == meant
    assert did_you_mean(name, known) == ((f"did you mean `{meant}`?",) if meant else ())


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SAGE", "SAGEConv"),
        ("SageConv", "SAGEConv"),
        ("GATV2", "GATv2Conv"),
        ("ReLU", "relu"),
        ("LeakyReLU", "leaky_relu"),
        ("Droput", "dropout"),
        ("BatchNorm1d", "BatchNorm"),
        ("Dense", "Linear"),
        ("Linaer", "Linear"),
        ("Embed", "Embedding"),
        ("HGT", "HGTConv"),
    ],
)
def test_layers_by_the_names_that_people_write(name: str, meant: str) -> None:
    assert closest(name, names()) == meant


def test_long_names_are_only_compared_as_a_whole() -> None:
    long = "a" * 100_000
    assert closest(long + "b", [long]) is None
    assert closest(long.upper(), [long]) == long


def test_listing_shows_the_first_of_many() -> None:
    assert listing("states", []) == ("there are no states",)
    assert listing("states", ["a"]) == ("states: `a`",)
    (shown,) = listing("states", [f"s{i}" for i in range(15)])
    assert shown.startswith("states: `s0`, `s1`")
    assert shown.endswith("`s11` and 3 more")
