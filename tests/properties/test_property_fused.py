"""The fused backend computes what the reference does: outputs, gradients, names of parameters, whatever spec is drawn."""

import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_property_trimming import double_precision, outputs, random_graph, runnable, sampled
from torch import Tensor, nn

from graphdsl.data import batch_inputs
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
    spec = runnable(text)
    with double_precision():
        torch.manual_seed(seed)
        reference, fused = (spec.compile("m", backend=backend) for backend in ("pyg", "fused"))
        assert list(reference.state_dict()) == list(fused.state_dict())
        fused.load_state_dict(reference.state_dict())
        data = random_graph(spec.schema("m"), reference.plan, torch.Generator().manual_seed(seed))
        compare((reference, fused), batch_inputs(data, reference.plan), 10**6, seed, 1e-10)


@DRAWN
@given(sound_specs(), st.integers(0, 2**30), st.integers(1, 2))
def test_fused_equals_the_reference_on_sampled_batches(text: str, seed: int, fanout: int) -> None:
    spec = runnable(text)
    with double_precision():
        torch.manual_seed(seed)
        reference, fused = (spec.compile("m", backend=backend) for backend in ("pyg", "fused"))
        fused.load_state_dict(reference.state_dict())
        for inputs, rows in sampled(spec, reference.plan, seed, fanout, seeds=6):
            compare((reference, fused), inputs, rows, seed, 1e-9)


def compare(models: tuple[nn.Module, nn.Module], inputs: dict, rows: int, seed: int, tolerance: float) -> None:
    """Outputs and gradients of both, in training mode and out of it."""
    for training in (True, False):
        (wanted, gradients), (found, ours) = (run(model.train(training), inputs, rows, seed) for model in models)
        torch.testing.assert_close(found, wanted, rtol=tolerance, atol=tolerance)
        same_gradients(ours, gradients)


def run(model: nn.Module, inputs: dict, rows: int, seed: int) -> tuple[dict[str, Tensor], list[Tensor | None]]:
    """Outputs and gradients of one pass."""
    torch.manual_seed(seed)
    try:
        return outputs(model, inputs, rows)
    except ValueError as error:  # A batch norm wants two rows.
        assume("Expected more than 1 value" not in str(error))
        raise
