"""The catalogue against the installed PyG and PyTorch: signatures, defaults, widths, what may be combined."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch_geometric.nn as pyg
from catalogue_samples import (
    EDGE,
    NODES,
    RELATIONS,
    SIGNED,
    SOURCE,
    TARGET,
    Layer,
    build,
    class_of,
    known,
    run,
    samples,
)
from torch_geometric.nn.conv import MessagePassing

from graphdsl.catalog import INSTEAD, NOT_YET, REQUIRED, Entry, Parameter, Sizes, accepts, entries, find

SINGLE = [
    entry for entry in entries() if not entry.takes or entry.kind == "conv"
]  # others: `test_catalogue_steps.py`, `test_catalogue_models.py`
ALL = pytest.mark.parametrize("entry", SINGLE, ids=lambda entry: entry.name)
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


def signature(cls: type) -> dict[str, inspect.Parameter]:
    """Constructor parameters of a class itself."""
    found = inspect.signature(cls.__init__).parameters.values()
    return {item.name: item for item in found if item.name != "self" and item.kind not in VARIADIC}


def passed_on(cls: type) -> dict[str, inspect.Parameter]:
    """Parameters that a message passing class takes through `**kwargs`."""
    own = inspect.signature(cls.__init__).parameters.values()
    if not issubclass(cls, MessagePassing) or all(item.kind is not inspect.Parameter.VAR_KEYWORD for item in own):
        return {}
    return {name: item for name, item in signature(MessagePassing).items() if name not in signature(cls)}


def legal(entry: Entry, arguments: dict[str, Any], width: int = SOURCE) -> bool:
    filled, sizes = known(entry, arguments), Sizes(width, width, {item.name: EDGE for item in entry.inputs})
    given = [(network.gives, arguments.get(name)) for name, network in entry.networks.items()]
    fit = all(layer is None or gives is None or gives(filled, sizes) == layer.width_out for gives, layer in given)
    return fit and all(rule(filled, width) is None for rule in entry.rules)


@ALL
def test_every_constructor_parameter_is_accounted_for(entry: Entry) -> None:
    cls = class_of(entry)
    known = {*(item.name for item in entry.parameters), *entry.derived, *entry.left_out}
    assert known == {*signature(cls), *passed_on(cls)}
    assert set(entry.fixed) <= set(signature(cls))
    assert not any(entry.parameter(name) for name in (*entry.left_out, *entry.fixed))
    both = [name for name in entry.derived if entry.parameter(name)]
    assert all(entry.parameter(name).variadic for name in both)


@ALL
def test_parameters_bind_by_position_as_in_pyg(entry: Entry) -> None:
    cls = class_of(entry)
    keyword = [item.name for item in signature(cls).values() if item.kind is inspect.Parameter.KEYWORD_ONLY]
    assert {item.name for item in entry.parameters if item.keyword} <= {*keyword, *passed_on(cls)}
    positional = [item.name for item in entry.parameters if not item.keyword]
    assert positional == [name for name in signature(cls) if name in positional and name not in keyword]


@ALL
def test_defaults_are_those_of_the_class(entry: Entry) -> None:
    own = signature(class_of(entry))
    for item in entry.parameters:
        if item.name in own:
            assert item.default == _default(own[item.name].default), item.name
        else:
            module = build(entry, samples(entry)[0], (SOURCE, SOURCE), bound=_needs_edges(entry))
            assert getattr(module, item.name) == item.default, item.name


def _default(value: Any) -> Any:
    if value is inspect.Parameter.empty:
        return REQUIRED
    return type(value).__name__.lower() if isinstance(value, torch.nn.Module) else value


def _needs_edges(entry: Entry) -> bool:
    return any(item.required and item.source == "edge" for item in entry.inputs)


@ALL
def test_forward_inputs_exist(entry: Entry) -> None:
    forward = inspect.signature(class_of(entry).forward).parameters
    for item in entry.inputs:
        assert item.name in forward
        if item.width_parameter:
            assert entry.derived[item.width_parameter] == "edge_width"
    assert {name for name, source in entry.derived.items() if source == "edge_width"} == {
        item.width_parameter for item in entry.inputs if item.width_parameter
    }


@ALL
def test_self_loops_are_declared(entry: Entry) -> None:
    offered = "add_self_loops" in signature(class_of(entry)) and "add_self_loops" not in entry.left_out
    assert entry.self_loops == offered


@ALL
def test_own_defaults_are_accepted(entry: Entry) -> None:
    for item in entry.parameters:
        assert item.required or item.variadic or accepts(item, item.default), item.name


def widths_of(entry: Entry, arguments: dict[str, Any]) -> Iterator[tuple[tuple[int, int], bool]]:
    """Input widths to try, and whether source and target are one type."""
    if entry.scope in ("joint", "walk"):
        yield (SOURCE, SOURCE if "width" in entry.derived.values() else TARGET), True
        return
    yield (SOURCE, SOURCE), True
    if entry.scope == "relation" and entry.bipartite:
        yield (SOURCE, SOURCE), False
        if not entry.needs_equal_pair(entry.with_defaults(arguments)):
            yield (SOURCE, TARGET), False


def try_out(entry: Entry, arguments: dict[str, Any]) -> None:
    """Builds and runs an entry in every way that it claims, and compares the width with the rule's."""
    for item in entry.parameters:
        assert item.name not in arguments or accepts(item, arguments[item.name]), (item, arguments)
    predicted = entry.width(known(entry, arguments), SOURCE)
    for widths, one in widths_of(entry, arguments):
        for bound in {True, _needs_edges(entry)}:
            module = build(entry, arguments, widths, bound=bound, one=one)
            for count in (12, 0) if entry.kind == "conv" else (12,):
                out = run(entry, module, widths, bound=bound, one=one, count=count)
                assert out.size(-1) == predicted, (arguments, widths, bound, count)
                assert out.dim() == 2


@ALL
def test_width_rule_agrees_with_the_output(entry: Entry) -> None:
    for arguments in samples(entry):
        assert legal(entry, arguments)
        try_out(entry, arguments)


def _values(parameter: Parameter) -> Iterator[Any]:
    """Values that a parameter accepts and that are worth trying: choices, switches, bounds, absence."""
    kinds = parameter.type.split("|")
    listed = next((kind for kind in kinds if kind.startswith("list[")), None)
    if "string" in kinds:
        yield from parameter.choices
    elif listed == "list[string]":
        yield from ((choice,) for choice in parameter.choices)
    if "bool" in kinds:
        yield from (True, False)
    if parameter.minimum is not None and not parameter.variadic and ("int" in kinds or "float" in kinds):
        yield int(parameter.minimum) if "int" in kinds else float(parameter.minimum)
    if "none" in kinds:
        yield None


@ALL
def test_every_accepted_value_runs(entry: Entry) -> None:
    base = samples(entry)[0]
    for item in entry.parameters:
        for value in _values(item):
            arguments = {**base, item.name: value}
            if legal(entry, arguments):
                try_out(entry, arguments)


@pytest.mark.parametrize("entry", [entry for entry in entries() if entry.accepts_ids], ids=lambda entry: entry.name)
def test_ids_are_accepted(entry: Entry) -> None:
    for arguments in samples(entry):
        if any(rule(entry.with_defaults(arguments), NODES) for rule in entry.id_rules):
            continue
        module = build(entry, arguments, (NODES, NODES), bound=False)
        ids = torch.arange(NODES)
        rest = (torch.stack([ids, ids.flip(0)]), ids % RELATIONS) if entry.scope == "typed" else ()
        assert module(ids, *rest).size(-1) == entry.width(entry.with_defaults(arguments), NODES)


def test_blocks_refuse_ids() -> None:
    for name in ("RGCNConv", "FastRGCNConv"):
        entry = find(name)
        arguments = {"out_channels": 4, "num_blocks": 1}
        assert entry.id_rules[0](entry.with_defaults(arguments), NODES).code == "GNN204"
        ids = torch.arange(NODES)
        with pytest.raises(ValueError, match="not supported"):
            build(entry, arguments, (NODES, NODES), bound=False)(ids, torch.stack([ids, ids]), ids % RELATIONS)


ONE_TYPE = [entry for entry in SINGLE if entry.scope == "relation" and not entry.bipartite]


@pytest.mark.parametrize("entry", ONE_TYPE, ids=lambda entry: entry.name)
def test_layers_for_one_type_fail_between_two(entry: Entry) -> None:
    module = build(entry, samples(entry)[0], (SOURCE, SOURCE), bound=True, one=False)
    with pytest.raises((TypeError, AttributeError, ValueError)):
        run(entry, module, (SOURCE, SOURCE), bound=True, one=False)


EQUAL = [(entry, {}) for entry in entries() if entry.equal_pair]
EQUAL += [(entry, {name: True}) for entry in entries() for name in entry.equal_pair_if]
EQUAL += [(find("GeneralConv"), {"directed_msg": False})]
EQUAL += [(find("GeneralConv"), {"attention": True, "attention_type": "dot_product"})]


@pytest.mark.parametrize(("entry", "tied"), EQUAL, ids=lambda value: getattr(value, "name", ""))
def test_unequal_pairs_fail_where_equal_ones_are_demanded(entry: Entry, tied: dict[str, Any]) -> None:
    arguments = {**samples(entry)[0], **tied}
    assert entry.needs_equal_pair(entry.with_defaults(arguments))
    with pytest.raises(RuntimeError):
        run(
            entry,
            build(entry, arguments, (SOURCE, TARGET), bound=True, one=False),
            (SOURCE, TARGET),
            bound=True,
            one=False,
        )


OUT = {"out_channels": 4}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("HANConv", {**OUT, "heads": 3}, "GNN302"),
    ("HGTConv", {**OUT, "heads": 3}, "GNN302"),
    ("RHGNNConv", {**OUT, "heads": 3}, "GNN302"),
    ("HINormerConv", {**OUT, "heads": 3}, "GNN302"),
    ("SeHGNNConv", {"out_channels": 12, "heads": 2}, "GNN302"),
    ("EGConv", OUT, "GNN302"),
    ("RGCNConv", {**OUT, "num_bases": 2, "num_blocks": 2}, "GNN204"),
    ("RGCNConv", {**OUT, "num_blocks": 4}, "GNN204"),
    ("RGCNConv", {**OUT, "num_blocks": 3}, "GNN204"),
    ("FastRGCNConv", {**OUT, "num_blocks": 4}, "GNN204"),
    ("RGATConv", {**OUT, "num_blocks": 4}, "GNN204"),
    ("RGATConv", {**OUT, "dim": 2}, "GNN204"),
    ("RGATConv", {**OUT, "mod": "scaled", "dropout": 0.5}, "GNN204"),
    ("GCNConv", {**OUT, "normalize": False, "add_self_loops": True}, "GNN204"),
    ("GCN2Conv", {"channels": SOURCE + 1, "alpha": 0.1}, "GNN502"),
    ("GCN2Conv", {"channels": SOURCE, "alpha": 0.1, "theta": 0.5}, "GNN204"),
    ("GCN2Conv", {"channels": SOURCE, "alpha": 0.1, "layer": 1}, "GNN204"),
    ("FAConv", {"channels": SOURCE + 1}, "GNN502"),
    ("CGConv", {"channels": SOURCE + 1}, "GNN502"),
    ("GPSConv", {"conv": Layer("SAGEConv", 4, OUT)}, "GNN502"),
    ("GPSConv", {"conv": None, "heads": SOURCE - 1}, "GNN302"),
    ("AntiSymmetricConv", {"phi": Layer("SAGEConv", 4, OUT)}, "GNN502"),
    ("DirGNNConv", {"conv": Layer("GATConv", 8, {**OUT, "heads": 2})}, "GNN502"),
    ("GroupAddRev", {"conv": Layer("SAGEConv", 1, {"out_channels": 1}), "num_groups": SOURCE - 1}, "GNN302"),
    ("DeepGCNLayer", {"conv": Layer("SAGEConv", 4, OUT)}, "GNN502"),
    ("SuperGATConv", {**OUT, "edge_sample_ratio": 1.5}, "GNN204"),
    ("DNAConv", {"heads": SOURCE - 1}, "GNN204"),
    ("DNAConv", {"groups": SOURCE + 1}, "GNN204"),
    ("DNAConv", {"heads": 2, "groups": 3}, "GNN204"),
    ("GatedGraphConv", {"out_channels": SOURCE - 1, "num_layers": 1}, "GNN204"),
    ("PNAConv", {**OUT, "aggregators": ("mean",), "scalers": ("identity",), "towers": 3}, "GNN302"),
    (
        "PNAConv",
        {**OUT, "aggregators": ("mean",), "scalers": ("identity",), "towers": 4, "divide_input": True},
        "GNN302",
    ),
    ("MLP", {}, "GNN203"),
    ("MLP", {"num_layers": 2, "out_channels": 4}, "GNN203"),
    ("MLP", {"channel_list": (4,), "dropout": (0.1, 0.2)}, "GNN204"),
    ("MLP", {"num_layers": 1, "out_channels": 4, "bias": (True, False)}, "GNN204"),
    ("prelu", {"num_parameters": SOURCE - 1}, "GNN204"),
]


@pytest.mark.parametrize(
    ("name", "arguments", "code"), REFUSED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_the_rules_refuse_fails_in_pyg(name: str, arguments: dict[str, Any], code: str) -> None:
    entry = find(name)
    found = [problem for rule in entry.rules if (problem := rule(entry.with_defaults(arguments), SOURCE))]
    assert [problem.code for problem in found] == [code]
    assert found[0].argument is None or entry.parameter(found[0].argument)
    with pytest.raises((RuntimeError, ValueError, AssertionError, TypeError)):
        run(entry, build(entry, arguments, (SOURCE, SOURCE), bound=True), (SOURCE, SOURCE), bound=True)


def test_rotation_refuses_odd_widths() -> None:
    entry = find("MAGNNConv")
    assert [rule(entry.with_defaults(OUT), 5).code for rule in entry.rules] == ["GNN204"]
    assert [rule(entry.with_defaults({**OUT, "encoder": "mean"}), 5) for rule in entry.rules] == [None]
    with pytest.raises(ValueError, match="even"):
        build(entry, OUT, (5, 5), bound=False)


@pytest.mark.parametrize("name", ["glu", "Variational"])
def test_halves_refuse_odd_widths(name: str) -> None:
    entry = find(name)
    assert [rule({}, 5).code for rule in entry.rules] == ["GNN204"]
    with pytest.raises(RuntimeError):
        build(entry, {}, (5, 5), bound=False)(torch.randn(NODES, 5))


SILENT: list[tuple[str, dict[str, Any], str]] = [
    ("PPFConv", {"pos": 2, "normal": 3}, "GNN204"),
    ("PointTransformerConv", {**OUT, "pos": 2}, "GNN204"),
    ("HypergraphConv", {**OUT, "heads": 2}, "GNN204"),
    ("SplineConv", {**OUT, "kernel_size": (2, 2), "dim": EDGE}, "GNN204"),
    ("SignedConv", {**OUT, "first_aggr": True, "positive": "no", "metadata": (("paper",), SIGNED)}, "GNN204"),
]
"""What PyG takes when it is built, and computes something else or fails later: with what the compiler derives."""


@pytest.mark.parametrize(
    ("name", "arguments", "code"), SILENT, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_pyg_takes_silently_is_refused(name: str, arguments: dict[str, Any], code: str) -> None:
    entry = find(name)
    found = [problem for rule in entry.rules if (problem := rule(entry.with_defaults(arguments), SOURCE))]
    assert [problem.code for problem in found] == [code]
    assert entry.parameter(found[0].argument) or entry.input(found[0].argument)


def test_every_rule_is_tried() -> None:
    covered = {name for name, _, _ in (*REFUSED, *SILENT)} | {"glu", "Variational", "MAGNNConv"}
    assert {entry.name for entry in SINGLE if entry.rules} == covered


def test_nothing_of_pyg_is_forgotten() -> None:
    known = {entry.path.rpartition(".")[2] for entry in entries()}
    exported = {*pyg.conv.__all__, *pyg.norm.__all__, *torch.nn.modules.activation.__all__}
    exported |= {*pyg.aggr.__all__, *pyg.dense.__all__, *pyg.pool.__all__, *pyg.unpool.__all__}
    exported |= {*pyg.models.__all__, *pyg.kge.__all__, *pyg.attention.__all__, *pyg.__all__}
    exported |= {"GlobalAttention", "global_sort_pool"}  # older names that PyG still has
    exported |= {*pyg.pool.select.__all__, *pyg.pool.connect.__all__, "KGTripletLoader", "TimeEncoder"}
    exported |= {"IdentityMessage", "LastAggregator", "MeanAggregator", "LastNeighborLoader"}
    # What PyG 2.6 and 2.7 have in `nn`, or later ones in `llm`.
    exported |= {"SentenceTransformer", "VisionTransformer", "LLM", "LLMJudge", "TXT2KG", "GRetriever"}
    exported |= {"MoleculeGPT", "GITMol", "GLEM", "ProteinMPNN"}
    assert exported - known == {*NOT_YET, *INSTEAD}
    assert not set(NOT_YET) & set(INSTEAD)


def test_edge_widths_differ_from_node_widths() -> None:
    """The comparisons above would say little if the widths were equal."""
    assert len({SOURCE, TARGET, EDGE, NODES}) == 4
    assert Layer("Linear", 3).width_out == 3
