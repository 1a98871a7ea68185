"""Every entry of the catalogue: a compiled spec equals the same thing constructed by hand from PyG's class.

Same state dict, same output, same gradients of inputs and parameters, in eval and train mode. The rows are in `rows_*.py`.
"""

from pathlib import Path

import pytest
import stand_in
import torch
from equal_rows import Relation, Row, Steps, all_rows
from equal_specs import EDGES, Sides, Variant, build, refusal, variants
from torch import Tensor, nn

from graphdsl import SpecError
from graphdsl.catalog import describe_requirement, entries, missing


@pytest.fixture(autouse=True)
def _double():
    """In double precision the tolerances can be tight; `to_dense_adj` and others make matrices of the default type."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


TABLE = [(row, variant) for row in all_rows() for variant in variants(row)]


def _id(value: Row | Variant) -> str:
    return value.layer if isinstance(value, Row) else value.place + ("" if value.bound else "-bare")


def copy_weights(sides: Sides, numbered: bool) -> None:
    """Draw the weights of our model and give them to the other, place by place."""
    ours = sides.part.state_dict()
    theirs = sides.theirs.state_dict() if isinstance(sides.theirs, nn.Module) else {}
    named = [key.partition(".")[2] if numbered else key for key in theirs]
    assert [value.shape for value in ours.values()] == [value.shape for value in theirs.values()]
    assert all(key.endswith(f".{name}") for key, name in zip(ours, named, strict=True)), (list(ours), named)
    with torch.no_grad():
        for parameter in sides.part.parameters():
            parameter.uniform_(-1, 1)
    if theirs:
        sides.theirs.load_state_dict(dict(zip(theirs, sides.part.state_dict().values(), strict=True)))


def gradients(out: Tensor, wanted: list[Tensor]) -> list[Tensor | None]:
    weights = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    asked = [value for value in wanted if value.requires_grad]
    return (
        list(torch.autograd.grad((out * weights).sum(), asked, allow_unused=True, retain_graph=True))
        if out.requires_grad
        else []
    )


def compare(sides: Sides) -> None:
    modules = [sides.part, sides.theirs if isinstance(sides.theirs, nn.Module) else nn.Identity()]
    for training in (False, True):
        made: list[tuple[Tensor, list[Tensor | None]]] = []
        for module, call in zip(modules, sides.call, strict=True):
            (sides.ours if module is sides.part else module).train(training)
            torch.manual_seed(2)
            out = call()
            made.append((out, gradients(out, [*sides.leaves, *module.parameters()])))
        (ours, our_grads), (theirs, their_grads) = made
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
        assert len(our_grads) == len(their_grads)
        for mine, other in zip(our_grads, their_grads, strict=True):
            assert (mine is None) == (other is None)
            if mine is not None:
                torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10, equal_nan=True)
    for mine, other in zip(sides.part.state_dict().values(), modules[1].state_dict().values(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10)


@pytest.mark.filterwarnings("ignore:We do not recommend using the non-optimized CPU version")  # SplineConv
@pytest.mark.filterwarnings("ignore:Sparse")  # torch warns once of what ASAPooling uses
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize(("row", "variant"), TABLE, ids=_id)
def test_compiled_equals_by_hand(row: Row, variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    code = refusal(row, variant)
    if code is not None:
        with pytest.raises(SpecError) as refused:
            build(row, variant)
        assert {item.code for item in refused.value.diagnostics if item.is_error} == {code}
        return
    if row.entry.kind == "search" or row.entry.name == "SplineConv":
        stand_in.install(monkeypatch)
    for requirement in missing(row.entry):
        pytest.skip(f"{row.entry.name} needs {describe_requirement(requirement)}")
    for count in (EDGES, 0) if row.entry.kind == "conv" else (EDGES,):
        sides = build(row, variant, count)
        copy_weights(sides, isinstance(row, Steps))
        compare(sides)


ELSEWHERE = {
    "FastGTNConv": "layers/test_fastgtn.py",
    "GTNConv": "layers/test_gtn.py",
    "CuGraphGATConv": "layers/test_cugraph.py",
    "CuGraphRGCNConv": "layers/test_cugraph.py",
    "CuGraphSAGEConv": "layers/test_cugraph.py",
    "HINormerConv": "layers/test_hinormer.py",
    "HypergraphConv": "layers/test_hypergraph.py",
    "LightGCN": "layers/test_lightgcn.py",
    "MAGNNConv": "layers/test_magnn.py",
    "MetaLayer": "layers/test_meta.py",
    "NARSConv": "layers/test_nars.py",
    "PANConv": "layers/test_pan.py",
    "PANPooling": "layers/test_pan.py",
    "SeHGNNConv": "layers/test_sehgnn.py",
    "SignedConv": "layers/test_signed.py",
    "WLConv": "layers/test_wl.py",
    "argmax": "layers/test_wl.py",
    "color_bucket": "layers/test_wl.py",
    "color_histogram": "layers/test_wl.py",
    "one_hot": "layers/test_wl.py",
}
"""Layers that see the whole graph, walk along metapaths, read no features but colours, need a package in PyG, or join two relations within a type: the test that compiles them and does the same by hand."""


def test_what_is_tested_elsewhere_is() -> None:
    for name, file in ELSEWHERE.items():
        text = (Path(__file__).parents[2] / file).read_text(encoding="utf-8")
        assert name in text
        assert "graphdsl.loads(" in text


def test_every_entry_has_a_row() -> None:
    covered = {row.entry.name for row in all_rows()}
    # Whole models have a table of their own: `../whole_models.py`.
    missing = sorted({entry.name for entry in entries() if entry.kind != "model"} - covered - set(ELSEWHERE))
    assert not missing, f"add rows for {missing}: see 'Adding a layer' in graphdsl/README.md"


def test_every_input_is_bound_in_some_row() -> None:
    """A row whose layer has inputs that cannot stand in a relation map would otherwise go untested."""
    bound = {row.entry.name for row in all_rows() if isinstance(row, Relation)}
    assert {
        entry.name for entry in entries() if entry.scope == "relation" and entry.inputs and not entry.takes
    } <= bound
