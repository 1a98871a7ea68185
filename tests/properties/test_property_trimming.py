"""Trimmed batches: whatever spec is drawn, the seeds get the outputs and gradients of the whole batch."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import batch_inputs, seed_loader
from graphdsl.model import Schema, Training
from graphdsl.plan import Ids, Plan
from graphdsl.text import SpecError
from specs import sound_specs

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def double_precision() -> Iterator[None]:
    """Inside, tensors are made in double precision."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def runnable(text: str) -> graphdsl.Spec:
    """A drawn spec with some nodes of each type, nothing left to chance, and room for its metapaths."""
    text = re.sub(r"count = (\d+)", lambda found: f"count = {4 * int(found[1]) + 3}", text)
    return graphdsl.loads(text.replace("__", "_").replace("dropout(0.5)", "identity").replace("budget 1K", "budget 1M"))


def sampled(
    spec: graphdsl.Spec, plan: Plan, seed: int, fanout: int, seeds: int
) -> Iterator[tuple[dict[str, Any], int]]:
    """Inputs of batches around nodes of the predicted type, three at a time, and how many are asked for."""
    (label,) = {name for head in plan.heads for name in head.types}
    data = random_graph(spec.schema("m"), plan, torch.Generator().manual_seed(seed))
    chosen = torch.randperm(data[label].num_nodes)[:seeds]
    try:
        loader = seed_loader(data, plan, (label, chosen), Training("m", batch_size=3, fanout=(fanout,), seed=seed))
    except SpecError as refused:
        assume({item.code for item in refused.diagnostics} != {"GNN360"})
        raise
    for batch in loader:
        yield batch_inputs(batch, plan), batch[label].batch_size


def random_graph(schema: Schema, plan: Plan, generator: torch.Generator) -> HeteroData:
    data = HeteroData()
    for name, node in schema.nodes.items():
        assert node.count is not None
        width = plan.inputs.get(name)
        data[name].num_nodes = node.count
        if width is not None and not isinstance(width, Ids):
            data[name].x = torch.randn(node.count, width, generator=generator, dtype=torch.float64)  # type: ignore[call-overload]
    for edge in {item.key: item for item in schema.edges.values()}:
        ends = [data[name].num_nodes for name in (edge[0], edge[2])]
        count = int(torch.randint(0, 3 * max(ends), (), generator=generator))
        data[edge].edge_index = torch.stack([torch.randint(end, (count,), generator=generator) for end in ends])
        data[edge].strength = torch.rand(count, generator=generator, dtype=torch.float64)
        data[edge].f = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    return data


def outputs(model: nn.Module, inputs: dict[str, Any], rows: int) -> tuple[dict[str, Tensor], list[Tensor | None]]:
    made = model(**inputs)
    found = {name: value[:rows] for name, value in made.items()} if isinstance(made, dict) else {"": made[:rows]}
    total = sum((value * torch.linspace(-1, 1, value.numel()).view_as(value)).sum() for value in found.values())
    wanted = [item for item in model.parameters() if item.requires_grad]
    return found, list(torch.autograd.grad(total, wanted, allow_unused=True)) if total.requires_grad else []


def compare_norms(before: dict[str, Tensor], trimmed: dict[str, Tensor], whole: dict[str, Tensor]) -> None:
    """Running statistics agree where both ways ran a norm as often; on values that nothing reads trimming runs none."""
    for name, value in trimmed.items():
        calls = f"{name.rpartition('.')[0]}.num_batches_tracked"
        if calls in before and not torch.equal(trimmed[calls], whole[calls]):
            assert before[calls] <= trimmed[calls] < whole[calls]
        else:
            assert torch.allclose(value, whole[name], 1e-9, 1e-9) or torch.equal(value, before[name])


def compare(model: nn.Module, inputs: dict[str, Any], rows: int) -> None:
    """Compare both ways to compute a batch."""
    counts = {name: value for name, value in inputs.items() if name.startswith("num_sampled_")}
    plain = {name: value for name, value in inputs.items() if name not in counts}
    assert len(counts) == 2
    for training in (True, False):
        model.train(training)
        state = {name: value.clone() for name, value in model.state_dict().items()}
        try:
            whole, gradients = outputs(model, plain, rows)
        except ValueError as error:  # A batch norm wants two rows.
            assume("Expected more than 1 value" not in str(error))
            raise
        after = {name: value.clone() for name, value in model.state_dict().items()}
        model.load_state_dict(state)
        trimmed, ours = outputs(model, inputs, rows)
        torch.testing.assert_close(trimmed, whole, rtol=1e-9, atol=1e-9)
        compare_norms(state, model.state_dict(), after)
        for one, other in zip(ours, gradients, strict=True):
            zero = torch.zeros(()) if one is None and other is None else torch.zeros_like(other if one is None else one)
            torch.testing.assert_close(
                zero if one is None else one, zero if other is None else other, rtol=1e-9, atol=1e-9
            )
    made = model(**inputs)
    assert all(len(value) == rows for value in (made.values() if isinstance(made, dict) else [made]))


@QUICK
@given(sound_specs(), st.integers(0, 2**30), st.integers(1, 2))
def test_seeds_do_not_notice(text: str, seed: int, fanout: int) -> None:
    spec = runnable(text)
    with double_precision():
        torch.manual_seed(seed)
        model = spec.compile("m")
        for inputs, rows in sampled(spec, model.plan, seed, fanout, seeds=3):
            assume("num_sampled_nodes_dict" in inputs)  # A model without message passing samples nothing.
            compare(model, inputs, rows)
