"""Metapaths that are gone along hop by hop: whatever path, graph and layer is drawn, outputs and gradients are those of pairs."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_property_fused import same_gradients
from test_property_trimming import outputs
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import batch_inputs
from graphdsl.kernels import hopping

DRAWN = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
TYPES = ("a", "b", "c")
EDGES = (("a", "ab", "b"), ("a", "aa", "a"), ("b", "bc", "c"), ("c", "ca", "a"))
BETWEEN = ("GraphConv(4)", "GraphConv(13)", "SimpleConv")
COUNTED_WITHIN = (
    *BETWEEN,
    "GCNConv(4)",
    "GCNConv(4, improved = true)",
    "GCNConv(4, add_self_loops = false)",
    "GCNConv(4, normalize = false)",
    "LGConv",
    "SGConv(4, K = 2)",
    "SSGConv(4, alpha = 0.1, K = 2)",
    "TAGConv(4, K = 2)",
    "APPNP(K = 2, alpha = 0.3)",
    "HPNConv(4, K = 2)",
)
PLAIN = (
    "SAGEConv(4)",
    'SAGEConv(4, aggr = "sum")',
    "GINConv(nn = MLP(4, 4, norm = none))",
    "GATConv(4, add_self_loops = false)",
)
COMBINES = ("", "combine mean", "combine max", "combine cat", "combine attention(hidden = 3)")


@pytest.fixture(autouse=True)
def always() -> Iterator[None]:
    """Hops are taken on any graph, in double precision."""
    before = hopping._LEAST, hopping._MARGIN
    hopping._LEAST, hopping._MARGIN = 0, {True: 0.0, False: 0.0}
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
    hopping._LEAST, hopping._MARGIN = before


@dataclass(frozen=True)
class Path:
    name: str
    kind: str
    text: str
    ends: tuple[str, str]

    def layers(self) -> tuple[str, ...]:
        """Layers that may serve it."""
        if self.kind == "count" or self.kind == "mean":
            return COUNTED_WITHIN if self.ends[0] == self.ends[1] else BETWEEN
        return (*PLAIN, *(COUNTED_WITHIN if self.ends[0] == self.ends[1] else BETWEEN))


@st.composite
def paths(draw: st.DrawFn, number: int) -> Path:
    """A walk of up to four hops, each forwards or backwards."""
    here = start = draw(st.sampled_from(TYPES))
    text = here
    for _ in range(draw(st.integers(1, 4))):
        ways = [(edge, False) for edge in EDGES if edge[0] == here] + [
            (edge, True) for edge in EDGES if edge[2] == here
        ]
        edge, back = draw(st.sampled_from(ways))
        here = edge[0] if back else edge[2]
        text += f" <-[{edge[1]}]- {here}" if back else f" -[{edge[1]}]-> {here}"
    kind = draw(st.sampled_from(("count", "mean", "set")))
    return Path(f"M{number}", kind, text, (start, here))


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, HeteroData]:
    """A spec and a graph: parallel edges, loops, empty relations, nodes without edges, types of one node."""
    drawn = [draw(paths(number)) for number in range(draw(st.integers(1, 3)))]
    sizes = {name: draw(st.integers(1, 7)) for name in TYPES}
    nodes = "\n".join(f"node {name}(count = {sizes[name]}) {{ x: float[4], y: class[2] }}" for name in TYPES)
    edges = "\n".join(f"edge {source} -[{name}]-> {target}" for source, name, target in EDGES)
    said = "\n".join(f"metapath {path.name}({path.kind}) = {path.text}" for path in drawn)
    served = "\n".join(f"{path.name}: {draw(st.sampled_from(path.layers()))}" for path in drawn)
    body = f"edges {{ {served} }} {draw(st.sampled_from(COMBINES))}"
    heads = " ".join(f"predict {name}.y" for name in sorted({path.ends[1] for path in drawn}))
    text = f"schema s {{ {nodes}\n{edges}\n{said} }} model m on s {{ {body} {heads} }}"
    data = HeteroData()
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**30)))
    for name, size in sizes.items():
        data[name].num_nodes = size
        data[name].x = torch.randn(size, 4, generator=generator)
    for source, name, target in EDGES:
        count = draw(st.sampled_from((0, 1, 4, 15)))
        ends = [torch.randint(sizes[end], (count,), generator=generator) for end in (source, target)]
        data[source, name, target].edge_index = torch.stack(ends)
    return text, data


@DRAWN
@given(cases())
def test_hops_give_what_pairs_give(case: tuple[str, HeteroData]) -> None:
    text, data = case
    try:
        spec = graphdsl.loads(text)
    except graphdsl.SpecError as error:
        assume(
            {item.code for item in error.diagnostics if item.is_error} != {"GNN502"}
        )  # Messages of other widths meet.
        raise
    reference = spec.compile("m", backend="pyg")
    fused = spec.compile("m", backend="fused")
    fused.load_state_dict(reference.state_dict())
    pairs, hops = (batch_inputs(data, fused.plan, composed=composed) for composed in (True, False))
    for training in (True, False):
        reference.train(training)
        fused.train(training)
        wanted, gradients = outputs(reference, pairs, 10**6)
        for model in (fused, reference):
            found, ours = outputs(model, hops, 10**6)
            torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
            same_gradients(ours, gradients)
