"""The fused backend computes what the reference does: outputs, gradients, names of parameters, whatever spec is drawn."""

import re

import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_property_trimming import outputs, random_graph
from torch import Tensor, nn

import graphdsl
from graphdsl.data import batch_inputs, seed_loader
from graphdsl.model import Training
from graphdsl.text import SpecError
from specs import sound_specs

DRAWN = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def same_gradients(ours: list[Tensor | None], reference: list[Tensor | None]) -> None:
    """Gradients are equal; one that is missing is zero in the other."""
    for one, other in zip(ours, reference, strict=True):
        if one is None and other is None:
            continue
        filled = [
            torch.zeros_like(one if one is not None else other) if item is None else item for item in (one, other)
        ]  # type: ignore[arg-type]
        torch.testing.assert_close(filled[0], filled[1], rtol=1e-9, atol=1e-10)


@DRAWN
@given(sound_specs(), st.integers(0, 2**30))
def test_fused_equals_the_reference(text: str, seed: int) -> None:
    text = re.sub(r"count = (\d+)", lambda found: f"count = {4 * int(found[1]) + 3}", text)
    text = text.replace("__", "_").replace("dropout(0.5)", "identity").replace("budget 1K", "budget 1M")
    spec = graphdsl.loads(text)
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(seed)
        reference = spec.compile("m", backend="pyg")
        fused = spec.compile("m", backend="fused")
        assert list(reference.state_dict()) == list(fused.state_dict())
        fused.load_state_dict(reference.state_dict())
        data = random_graph(spec.schema("m"), reference.plan, torch.Generator().manual_seed(seed))
        inputs = batch_inputs(data, reference.plan)
        rows = 10**6
        for training in (True, False):
            reference.train(training)
            fused.train(training)
            wanted, gradients = run(reference, inputs, rows, seed)
            found, ours = run(fused, inputs, rows, seed)
            torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
            same_gradients(ours, gradients)
    finally:
        torch.set_default_dtype(torch.float32)


@DRAWN
@given(sound_specs(), st.integers(0, 2**30), st.integers(1, 2))
def test_fused_equals_the_reference_on_sampled_batches(text: str, seed: int, fanout: int) -> None:
    text = re.sub(r"count = (\d+)", lambda found: f"count = {4 * int(found[1]) + 3}", text)
    text = text.replace("__", "_").replace("dropout(0.5)", "identity").replace("budget 1K", "budget 1M")
    spec = graphdsl.loads(text)
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(seed)
        reference, fused = (spec.compile("m", backend=backend) for backend in ("pyg", "fused"))
        fused.load_state_dict(reference.state_dict())
        plan = reference.plan
        (label,) = {name for head in plan.heads for name in head.types}
        data = random_graph(spec.schema("m"), plan, torch.Generator().manual_seed(seed))
        settings_of = Training("m", batch_size=3, fanout=(fanout,), seed=seed)
        try:
            loader = seed_loader(data, plan, (label, torch.randperm(data[label].num_nodes)[:6]), settings_of)
        except SpecError as refused:
            assume({item.code for item in refused.diagnostics} != {"GNN360"})
            raise
        for batch in loader:
            inputs, rows = batch_inputs(batch, plan), batch[label].batch_size
            for training in (True, False):
                reference.train(training)
                fused.train(training)
                wanted, gradients = run(reference, inputs, rows, seed)
                found, ours = run(fused, inputs, rows, seed)
                torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)
                same_gradients(ours, gradients)
    finally:
        torch.set_default_dtype(torch.float32)


def run(model: nn.Module, inputs: dict, rows: int, seed: int) -> tuple[dict[str, Tensor], list[Tensor | None]]:
    """Outputs and gradients of one pass."""
    torch.manual_seed(seed)
    try:
        return outputs(model, inputs, rows)
    except ValueError as error:  # A batch norm wants two rows.
        assume("Expected more than 1 value" not in str(error))
        raise
