"""What `gnn bench` measures: the same model twice, memory counted, steps that are too large or too slow given up."""

from typing import Any

import pytest
import torch
from torch import nn
from torch_geometric.nn import SAGEConv

import graphdsl
from graphdsl.benching.cases import Request, measure_shape, usual_baselines
from graphdsl.benching.contenders import Contender, load_weights
from graphdsl.benching.graphs import draw_graph, example_folder
from graphdsl.benching.idioms import build_idiom, own_name
from graphdsl.benching.measuring import Budget, measure
from graphdsl.benching.memory import Limits, TooLarge, TooSlow, memory_left, watched
from graphdsl.benching.records import PASSES
from graphdsl.benching.shapes import NAMES, SHAPES, TINY, scaled
from graphdsl.benching.specs import MODELS, spec_text, why_not
from graphdsl.data import batch_inputs

CPU = torch.device("cpu")
ROOMY = Limits(2**40, 1e9)
TINIES = [(shape, model) for shape in TINY for model in MODELS if not why_not(shape, model)]


def silent(_: str) -> None: ...


@pytest.mark.parametrize(("shape", "model"), TINIES, ids=lambda item: getattr(item, "name", item))
def test_written_by_hand_is_the_same_model(shape: Any, model: str) -> None:
    request = Request("pyg", ("idiom",), CPU, Budget(repeats=1))
    cell = measure_shape(shape, model, request, silent)
    (idiom,) = cell.others
    assert idiom.outputs is not None
    assert idiom.outputs < 1e-5
    assert idiom.gradients is not None
    assert idiom.gradients < 1e-4
    for measured in (cell.ours, idiom):
        assert not measured.refusals
        assert all(len(measured.runs[kind]) == 1 and measured.peaks[kind] > 0 for kind in PASSES)
    assert cell.ratio("idiom", "step")
    assert cell.memory("idiom")
    assert cell.ours.layout is not None


def test_the_example_is_a_shape() -> None:
    assert (example_folder("planes") / "data").is_dir()
    cell = measure_shape(NAMES["flights"], "rgcn", Request("pyg", ("idiom",), CPU, Budget(repeats=1)), silent)
    assert cell.edges == 2 * (38_674 + 3_281 + 288)
    assert cell.nodes == 3_264 + 106 + 16
    assert cell.others[0].outputs is not None
    assert cell.others[0].outputs < 1e-5


def test_sizes_are_those_that_the_shapes_promise() -> None:
    sizes = {
        shape.name: (len(shape.types), len(shape.edges), sum(shape.nodes[name].count for name in shape.nodes))
        for shape in SHAPES
    }
    assert sizes["mag"] == (4, 8, 45_963)
    assert sizes["aifb"][:2] == (7, 90)
    assert sizes["am"][:2] == (7, 266)
    assert sizes["acm"] == (1, 2, 8_994)
    assert sizes["flights"] == (3, 6, 3_386)
    for name, edges in {"mag": 1_000_000, "aifb": 58_000, "am": 1_000_000}.items():
        drawn = 2 * sum(links.count for links in NAMES[name].links)
        assert abs(drawn / edges - 1) < 0.01, name


def test_metapaths_of_acm_are_as_dense_as_promised() -> None:
    shape = NAMES["acm"]
    spec, data = graphdsl.loads(spec_text(shape, "sage")), draw_graph(shape)
    edges = batch_inputs(data, spec.plan(data=data), composed=True)["edge_index_dict"]
    found = {edge[1]: index.size(1) for edge, index in edges.items()}
    assert abs(found["PAP"] / 30_000 - 1) < 0.2
    assert abs(found["PSP"] / 2_200_000 - 1) < 0.1


@pytest.mark.parametrize(
    "shape", [*NAMES.values(), scaled("edges", 100_000), scaled("relations", 40)], ids=lambda it: it.name
)
def test_every_model_of_every_shape_is_a_spec_without_errors(shape: Any) -> None:
    for model in MODELS:
        if not why_not(shape, model):
            assert not [item for item in graphdsl.loads(spec_text(shape, model)).findings if item.is_error]


def test_graphs_are_the_same_for_the_same_seed() -> None:
    one, two, other = (draw_graph(NAMES["tiny"], seed) for seed in (3, 3, 4))
    edge = NAMES["tiny"].links[0].edge
    assert torch.equal(one[edge].edge_index, two[edge].edge_index)
    assert torch.equal(one["paper"].x, two["paper"].x)
    assert not torch.equal(one[edge].edge_index, other[edge].edge_index)


def test_scaled_shapes_have_the_size_that_is_asked_for() -> None:
    assert abs(2 * sum(links.count for links in scaled("edges", 1_000_000).links) / 1_000_000 - 1) < 0.01
    assert len(scaled("relations", 300).edges) == 300


def test_memory_is_that_of_the_tensors_alive_at_once() -> None:
    rows = torch.randn(1000, 16)
    index = torch.randint(1000, (50_000,))

    def work() -> torch.Tensor:
        taken = rows[index]  # 3.2 MB
        return (taken * 2).sum()  # another 3.2 MB beside it

    result, peak = watched(work, CPU, ROOMY)
    assert result.shape == ()
    assert 6_400_000 <= peak.memory <= 6_400_100
    assert peak.kept <= 8


def test_backward_passes_are_watched_too() -> None:
    conv = SAGEConv(32, 8)
    x, edges = torch.randn(100, 32, requires_grad=True), torch.randint(100, (2, 20_000))
    forward = watched(lambda: conv(x, edges), CPU, ROOMY)[1].memory
    both = watched(lambda: conv(x, edges).sum().backward(), CPU, ROOMY)[1].memory
    assert both >= forward >= 20_000 * 32 * 4


def test_what_was_there_before_does_not_count() -> None:
    weight = torch.randn(1000, 1000)
    assert watched(lambda: weight.t()[:10].sum(), CPU, ROOMY)[1].memory < 100


def test_a_step_that_does_not_fit_is_refused_before_it_runs() -> None:
    rows, index = torch.randn(100, 64), torch.randint(100, (100_000,))
    with pytest.raises(TooLarge) as refused:
        watched(lambda: rows.index_select(0, index), CPU, Limits(1_000_000, 1e9))
    assert refused.value.needed == 100_000 * 64 * 4


def test_a_step_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(TooSlow):
        watched(lambda: torch.ones(3) + 1, CPU, Limits(2**40, -1.0))


def test_memory_left_is_less_than_there_is() -> None:
    assert 0 < memory_left() < 2**62


class Twice(nn.Module):
    """A layer whose result is too large by a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.lin, self.factor = nn.Linear(3, 2), factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lin(x) * self.factor


def test_differences_are_found() -> None:
    right, wrong = Twice(1.0), Twice(1.5)
    load_weights(wrong, str, right.state_dict())
    inputs = {"x": torch.randn(5, 3)}
    contenders = [Contender("wrong", wrong, inputs), Contender("right", right, inputs)]
    _, measured = measure(contenders, CPU, Budget(repeats=1), silent)
    assert measured.outputs == pytest.approx(0.5)
    assert measured.gradients == pytest.approx(0.5)


class Keeping(nn.Module):
    """A layer that keeps something for each graph."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(3, 2)
        self.known: dict[int, torch.Tensor] = {}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if id(x) not in self.known:
            self.known = {id(x): x.new_ones(1000)}
        return self.lin(x) + self.known[id(x)][:2]


def test_what_is_kept_for_a_graph_counts_in_every_step() -> None:
    inputs = {"x": torch.randn(5, 3)}
    keeping, plain = Keeping(), Twice(1.0)
    ours, other = measure(
        [Contender("keeping", keeping, inputs), Contender("plain", plain, inputs)], CPU, Budget(repeats=1), silent
    )
    assert (ours.kept, other.kept) == (4000, 0)
    assert ours.peaks["step"] >= 4000 > other.peaks["step"]


def test_weights_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing takes lin\\.bias"):
        load_weights(
            nn.Linear(3, 2, bias=False),
            lambda name: f"lin.{name}",
            nn.ModuleDict({"lin": nn.Linear(3, 2)}).state_dict(),
        )


def test_baselines_that_do_not_fit_leave_the_others() -> None:
    request = Request("pyg", ("idiom",), CPU, Budget(repeats=1, memory=1000))
    cell = measure_shape(NAMES["tiny"], "sage", request, silent)
    assert {refusal.kind for refusal in cell.ours.refusals.values()} == {"memory"}
    assert cell.others[0].refusals["step"].reason == "not run, as pyg was given up"


def test_names_of_parameters_are_those_of_the_compiled_model() -> None:
    spec, data = graphdsl.loads(spec_text(NAMES["tiny"], "mixed")), draw_graph(NAMES["tiny"])
    module = spec.compile(data=data)
    idiom = build_idiom(NAMES["tiny"], "mixed")
    load_weights(idiom, own_name, module.state_dict())
    taken = {own_name(name).split(".")[0] for name, _ in idiom.named_parameters()}
    assert taken == {"stages", "heads"}


def test_the_reference_is_no_baseline_of_itself() -> None:
    assert usual_baselines("pyg") == ("idiom",)
    assert usual_baselines("fused") == ("pyg", "idiom")
