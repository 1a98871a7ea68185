"""Any name works, none collides, and no order of a dictionary changes a result."""

import itertools
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import Draft, apply, edges, features, joint, metadata, module, sends
from torch.nn import ModuleDict, ParameterDict

from graphdsl.backends import compile_plan
from graphdsl.backends.naming import edge_key, module_key
from graphdsl.text import RESERVED, decode

ODD = [
    "a__b",
    "a",
    "web page",
    "x.y",
    "http://swrc.org#Person",
    "type",
    "forward",
    "training",
    "Größe",
    "_",
    "<a___b>",
    "Z",
]


def odd_model(kind: str):
    """A model over types and relations with odd names, all pairs of neighbours related."""
    widths = dict.fromkeys(ODD, 4)
    keys = [
        (one, relation, two) for one, two in itertools.pairwise([*ODD, ODD[0]]) for relation in ("b__c", "keys", "x y")
    ]
    draft = Draft(widths)
    specs = {name: module("Linear", 4, in_channels=4, out_channels=4) for name in ODD}
    draft.nodes("values", apply(**{name: module("LayerNorm", 4, in_channels=4) for name in ODD}), **specs)
    if kind == "SAGEConv":
        draft.edges(*(sends(key, module(kind, 4, in_channels=(4, 4), out_channels=4)) for key in keys), key="train")
    else:
        spec = module(kind, 4, in_channels=widths, out_channels=4, heads=2, metadata=metadata(*keys))
        draft.edges(joint(keys, spec, widths), key="train")
    counts = {name: 3 + place for place, name in enumerate(ODD)}
    return draft.predict("type"), features(widths, counts), edges(*keys, counts=counts)


@pytest.mark.parametrize("kind", ["SAGEConv", "HANConv", "HGTConv"])
def test_odd_names_go_all_the_way(kind):
    draft, x, graph = odd_model(kind)
    model = draft.compile()
    out = model(x, graph)
    assert out.shape == (x["type"].size(0), 3)
    values = model.encode(x, graph)
    assert set(values) == set(ODD)
    torch.testing.assert_close(out, model.heads["type__y"](values["type"]))


@pytest.mark.parametrize("backend", ["pyg", "fused"])
@pytest.mark.parametrize("kind", ["SAGEConv", "HANConv", "HGTConv"])
def test_order_of_dictionaries_changes_nothing(kind, backend):
    draft, x, graph = odd_model(kind)
    model = compile_plan(draft.plan(), backend)
    expected = model.encode(x, graph)
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        types = [list(x)[place] for place in torch.randperm(len(x), generator=generator)]
        keys = [list(graph)[place] for place in torch.randperm(len(graph), generator=generator)]
        found = model.encode({name: x[name] for name in types}, {key: graph[key] for key in keys})
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_names_that_pyg_confuses_keep_their_own_parameters():
    one, two = ("a__b", "c", "d"), ("a", "b__c", "d")
    spec = module("SAGEConv", 4, in_channels=(4, 4), out_channels=4)
    model = Draft(dict.fromkeys(("a__b", "a", "d"), 4)).edges(sends(one, spec), sends(two, spec)).compile()
    assert len(list(model.parameters())) == 6


def test_no_warning_for_types_that_only_send():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Draft({"a": 4, "b": 4}).edges(
            sends(("a", "r", "b"), module("SAGEConv", 4, in_channels=4, out_channels=4))
        ).compile()


def test_usual_names_stay_readable():
    spec = module("SAGEConv", 4, in_channels=(4, 4), out_channels=4)
    model = (
        Draft({"author": 4, "paper": 4}).edges(sends(("author", "wrote_it", "paper"), spec)).predict("paper").compile()
    )
    assert "stages.h1.conv.convs.<author___wrote_it___paper>.lin_l.weight" in model.state_dict()
    assert "heads.paper__y.weight" in model.state_dict()


def test_all_attributes_of_the_containers_are_reserved():
    attributes = {name for item in (ModuleDict(), ParameterDict()) for name in dir(item) if not name.startswith("_")}
    assert attributes <= RESERVED


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=2, max_size=5, unique=True))
def test_keys_are_injective_and_fit_the_containers(names):
    keys = [module_key(name) for name in names]
    assert len(set(keys)) == len(names)
    assert [decode(key) for key in keys] == names
    ModuleDict({key: torch.nn.Identity() for key in keys})
    assert all("__" not in part for key in keys for part in edge_key((key, key, key)))


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_names_come_back(name):
    assert decode(module_key(name)) == name
    assert module_key(name) not in RESERVED
