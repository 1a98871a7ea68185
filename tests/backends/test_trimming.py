"""Sampled batches that count what each hop added: what is computed, and what comes out.

Outputs and gradients of all layers are compared in `catalog/equality/test_trimmed_equality.py` and
`properties/test_property_trimming.py`.
"""

from typing import Any

import pytest
import torch
from torch import nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import trim_to_layer

import graphdsl
from graphdsl.backends.explaining import Explainable
from graphdsl.data import batch_inputs, seed_loader
from graphdsl.data.link_loading import PairSeeds, pair_loader, pair_sampler
from graphdsl.model import Training

WRITES, WRITTEN = ("author", "writes", "paper"), ("paper", "written_by", "author")
SCHEMA = """
  schema s {
    node author { x: float[3] }
    node paper { x: float[4], y: class[2] }
    edge author -[writes]-> paper reverse written_by
  }
"""
DEEP = "edges { *: SAGEConv(5) } | relu edges { *: SAGEConv(5) } | relu edges { *: SAGEConv(5) }"


def shaped_as_pyg_does() -> HeteroData:
    """A batch as `NeighborLoader` gives it: 2 papers, then their authors, the papers of these, and authors of those."""
    batch = HeteroData()
    batch["paper"].x, batch["author"].x = torch.randn(5, 4), torch.randn(6, 3)
    batch["paper"].num_sampled_nodes, batch["author"].num_sampled_nodes = [2, 0, 3, 0], [0, 3, 0, 3]
    # Into papers 0 and 1; into papers 2, 3 and 4 at the third hop.
    batch[WRITES].edge_index = torch.tensor([[0, 1, 1, 2, 3, 0, 4, 5], [0, 0, 1, 1, 2, 3, 3, 4]])
    batch[WRITES].num_sampled_edges = [4, 0, 4]
    # Into authors 0, 1 and 2 at the second hop.
    batch[WRITTEN].edge_index = torch.tensor([[0, 2, 1, 3, 4, 2], [0, 0, 1, 1, 2, 2]])
    batch[WRITTEN].num_sampled_edges = [0, 6, 0]
    batch["paper"].batch_size = 2
    return batch


def counts(batch: HeteroData) -> dict[str, Any]:
    return {
        "num_sampled_nodes_dict": batch.collect("num_sampled_nodes"),
        "num_sampled_edges_dict": batch.collect("num_sampled_edges"),
    }


def compiled(body: str, schema: str = SCHEMA) -> nn.Module:
    return graphdsl.loads(f"{schema} model m on s {{ {body} predict paper.y }}").compile()


def edges_seen(model: nn.Module) -> list[int]:
    """How many edges each convolution was given, in the order in which they ran; filled when the model runs."""
    seen: list[int] = []
    for module in model.modules():
        if isinstance(module, MessagePassing):
            module.register_propagate_forward_pre_hook(lambda _, given: seen.append(given[0].size(1)))
    return seen


def test_a_batch_of_pygs_shape() -> None:
    batch = shaped_as_pyg_does()
    model = compiled(DEEP)
    whole = model(batch.x_dict, batch.edge_index_dict)
    seen = edges_seen(model)
    made = model(batch.x_dict, batch.edge_index_dict, **counts(batch))
    assert whole.shape == (5, 2)
    torch.testing.assert_close(made, whole[:2])
    # By layer and relation: writes, written_by; the last layer makes papers alone.
    assert seen == [8, 6, 4, 6, 4]
    torch.testing.assert_close(model(**batch_inputs(batch, model.plan)), made)


def test_as_trim_to_layer_between_layers_by_hand() -> None:
    batch = shaped_as_pyg_does()
    model = compiled(DEEP)
    x, edges = batch.x_dict, batch.edge_index_dict
    nodes, sampled = counts(batch).values()
    convs = [model.get_submodule(f"stages.edges{number}.conv") for number in (1, 2, 3)]
    for layer, conv in enumerate(convs):
        x, edges, _ = trim_to_layer(layer, nodes, sampled, x, edges)
        x = {**x, **conv(x, edges)}
        x = {name: value.relu() for name, value in x.items()} if layer < 2 else x
    by_hand = model.heads["paper__y"](x["paper"])
    torch.testing.assert_close(model(batch.x_dict, batch.edge_index_dict, **counts(batch)), by_hand[:2])


def test_relations_that_nobody_counted_are_followed_whole() -> None:
    batch = shaped_as_pyg_does()
    del batch[WRITTEN]  # The model flips `writes`, whose edges lead from papers of any hop to their authors.
    model = compiled(DEEP)
    whole = model(batch.x_dict, batch.edge_index_dict)
    seen = edges_seen(model)
    made = model(**batch_inputs(batch, model.plan))
    torch.testing.assert_close(made, whole[:2])
    assert seen == [8, 8, 4, 8, 4]


@pytest.mark.parametrize("name", ["nodes", "edges"])
def test_counts_of_another_batch_trim_nothing_wrongly(name: str) -> None:
    batch = shaped_as_pyg_does()
    model = compiled(DEEP)
    whole = model(batch.x_dict, batch.edge_index_dict)
    given = counts(batch)
    if name == "nodes":
        given["num_sampled_nodes_dict"]["paper"] = [2, 0, 2, 0]
        torch.testing.assert_close(model(batch.x_dict, batch.edge_index_dict, **given), whole)
    else:
        given["num_sampled_edges_dict"][WRITES] = [4, 0, 3]
        torch.testing.assert_close(model(batch.x_dict, batch.edge_index_dict, **given), whole[:2])


def test_batch_norms_see_all_rows_while_they_are_trained() -> None:
    batch = shaped_as_pyg_does()
    model = compiled(
        "edges { *: SAGEConv(5) } | BatchNorm edges { *: SAGEConv(5) } | BatchNorm edges { *: SAGEConv(5) }"
    )
    seen = edges_seen(model)
    statistics = []
    for given in ({}, counts(batch)):
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.reset_running_stats()
        model.train()(batch.x_dict, batch.edge_index_dict, **given)
        statistics.append([value.clone() for value in model.buffers()])
    torch.testing.assert_close(statistics[0], statistics[1])
    assert seen == [8, 6, 8, 6, 8, 8, 6, 8, 6, 4]
    seen.clear()
    model.eval()(batch.x_dict, batch.edge_index_dict, **counts(batch))
    assert seen == [8, 6, 4, 6, 4]


@pytest.mark.parametrize("norm", ["GraphNorm", "PairNorm", "LayerNorm", "MeanSubtractionNorm", "InstanceNorm"])
def test_norms_over_the_graph_see_all_rows(norm: str) -> None:
    batch = shaped_as_pyg_does()
    model = compiled(f"edges {{ *: SAGEConv(5) }} | {norm} edges {{ *: SAGEConv(5) }}").eval()
    whole = model(batch.x_dict, batch.edge_index_dict)
    seen = edges_seen(model)
    torch.testing.assert_close(model(batch.x_dict, batch.edge_index_dict, **counts(batch)), whole[:2])
    assert seen == [8, 6, 4]


def test_penalties_read_all_rows() -> None:
    batch = shaped_as_pyg_does()
    model = compiled("h = edges { *: SAGEConv(5) } edges { *: SAGEConv(5) } penalty bro(h.paper) weight 0.1")
    whole = model(batch.x_dict, batch.edge_index_dict)
    torch.testing.assert_close(model(batch.x_dict, batch.edge_index_dict, **counts(batch)), whole)


def test_all_rows_where_they_are_asked_for() -> None:
    batch = shaped_as_pyg_does()
    model = compiled(DEEP)
    inputs = batch_inputs(batch, model.plan)
    assert model.encode(**inputs)["paper"].size(0) == 5
    view = Explainable(model, inputs)
    assert view(view.x_dict, view.edge_index_dict).size(0) == 5


def whole_graph() -> HeteroData:
    data = HeteroData()
    data["author"].x, data["paper"].x = torch.randn(50, 3), torch.randn(40, 4)
    data[WRITES].edge_index = torch.stack([torch.randint(50, (120,)), torch.randint(40, (120,))])
    return data


@pytest.mark.parametrize(
    "body",
    [
        'h1 = edges { *: SAGEConv(5) } edges { *: SAGEConv(5) } h2 = edges { *: SAGEConv(5) } | residual jump(h1, h2, mode = "lstm")',
        "edges { *: HGTConv(6, heads = 2) } edges { *: HGTConv(6, heads = 2) }",
        "nodes { *: Linear(6) } edges { *: RGCNConv(6) } | relu edges { *: RGCNConv(6) } | residual",
        "nodes { *: Linear(6) } edges { PAP: GATConv(3, heads = 2) } edges { writes: SAGEConv(4)  PAP: SAGEConv(4) }",
    ],
)
def test_our_loader_counts_hops(body: str) -> None:
    torch.manual_seed(0)
    model = compiled(
        body,
        SCHEMA.replace(
            "reverse written_by", "reverse written_by metapath PAP = paper <-[writes]- author -[writes]-> paper"
        ),
    )
    training = Training("m", batch_size=3, fanout=(2,), seed=1)
    for batch in seed_loader(whole_graph(), model.plan, ("paper", torch.arange(9)), training):
        inputs = batch_inputs(batch, model.plan)
        whole = {name: value for name, value in inputs.items() if not name.startswith("num_")}
        seen = edges_seen(model)
        torch.testing.assert_close(model(**inputs), model(**whole)[:3])
        trimmed, rest = seen[: len(seen) // 2], seen[len(seen) // 2 :]
        assert sum(trimmed) < sum(rest)


def test_pairs_whose_own_edges_are_hidden() -> None:
    spec = graphdsl.loads(f"{SCHEMA} model m on s {{ {DEEP} predict author -[writes]-> paper: dot }}")
    model = spec.compile()
    data = whole_graph()
    training = Training("m", batch_size=4, fanout=(3,), seed=1)
    structure, sampler = pair_sampler(data, model.plan, training, spec.schema("m"))
    seeds = PairSeeds(WRITES, data[WRITES].edge_index[:, :4], torch.ones(4, dtype=torch.bool), None)
    (batch,) = pair_loader(data, model.plan, seeds, spec.schema("m"), structure, sampler, batch_size=4)
    inputs = {**batch_inputs(batch, model.plan), "edge_label_index": batch[WRITES].edge_label_index}
    assert sum(batch[WRITES].num_sampled_edges) == batch[WRITES].edge_index.size(1)
    seen = edges_seen(model)
    made = model(**inputs)
    trimmed = sum(seen)
    seen.clear()
    whole = model(**{name: value for name, value in inputs.items() if not name.startswith("num_")})
    torch.testing.assert_close(made, whole)
    assert trimmed < sum(seen)
