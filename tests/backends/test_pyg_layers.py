"""Every kind of layer against the same layer of PyG, called by hand with the same weights."""

import pytest
import torch
from plans import (
    CITES,
    COUNTS,
    TEACHES,
    WRITES,
    WRITTEN_BY,
    Draft,
    apply,
    at,
    compare,
    convs,
    edges,
    features,
    joint,
    metadata,
    module,
    sends,
)
from torch import nn
from torch_geometric import nn as pyg

from graphdsl.plan import Ids, InputBinding, ModuleSpec

WIDTHS = {"author": 5, "paper": 7}


def test_sage_between_two_types():
    model = (
        Draft(dict(WIDTHS)).edges(sends(WRITES, module("SAGEConv", 4, in_channels=(5, 7), out_channels=4))).compile()
    )
    conv = pyg.SAGEConv((5, 7), 4)
    graph = edges(WRITES)
    compare(
        model,
        {convs(WRITES): conv},
        lambda x: {"author": x["author"], "paper": conv((x["author"], x["paper"]), graph[WRITES])},
        features(WIDTHS),
        graph,
    )


def test_gcn_within_a_type_with_edge_weights():
    spec = module("GCNConv", 4, in_channels=7, out_channels=4)
    weight = InputBinding("edge_weight", "edge", "w", scalar=True)
    model = Draft(dict(WIDTHS)).edges(sends(CITES, spec, weight)).compile()
    conv = pyg.GCNConv(7, 4)
    graph = edges(CITES)
    w = torch.rand(17)
    for given in (w, w.view(-1, 1)):
        compare(
            model,
            {convs(CITES): conv},
            lambda x: {"author": x["author"], "paper": conv(x["paper"], graph[CITES], w)},
            features(WIDTHS),
            graph,
            w_dict={CITES: given},
        )


@pytest.mark.parametrize("kind", ["GATConv", "GATv2Conv"])
def test_attention_with_heads_between_two_types(kind):
    spec = module(kind, 8, in_channels=(5, 7), out_channels=4, heads=2, add_self_loops=False)
    model = Draft(dict(WIDTHS)).edges(sends(WRITES, spec)).compile()
    conv = getattr(pyg, kind)((5, 7), 4, heads=2, add_self_loops=False)
    graph = edges(WRITES)
    compare(
        model,
        {convs(WRITES): conv},
        lambda x: {"author": x["author"], "paper": conv((x["author"], x["paper"]), graph[WRITES])},
        features(WIDTHS),
        graph,
    )


@pytest.mark.parametrize("columns", [1, 3])
def test_transformer_with_edge_features(columns):
    spec = module("TransformerConv", 4, in_channels=(5, 7), out_channels=4, edge_dim=columns)
    model = Draft(dict(WIDTHS)).edges(sends(WRITES, spec, InputBinding("edge_attr", "edge", "year"))).compile()
    conv = pyg.TransformerConv((5, 7), 4, edge_dim=columns)
    graph = edges(WRITES)
    year = torch.arange(17 * columns).view(17, columns)
    given = year.view(-1) if columns == 1 else year
    compare(
        model,
        {convs(WRITES): conv},
        lambda x: {"author": x["author"], "paper": conv((x["author"], x["paper"]), graph[WRITES], year.float())},
        features(WIDTHS),
        graph,
        year_dict={WRITES: given},
    )


def test_gin_with_a_nested_mlp():
    inner = module("MLP", 4, channel_list=(7, 6, 4), norm=None)
    model = Draft(dict(WIDTHS)).edges(sends(CITES, module("GINConv", 4, nn=inner, train_eps=True))).compile()
    conv = pyg.GINConv(pyg.MLP([7, 6, 4], norm=None), train_eps=True)
    graph = edges(CITES)
    compare(
        model,
        {convs(CITES): conv},
        lambda x: {"author": x["author"], "paper": conv(x["paper"], graph[CITES])},
        features(WIDTHS),
        graph,
    )


def test_node_attributes_and_states_are_bound_by_keyword():
    point = module("PointNetConv", 4, local_nn=module("MLP", 4, channel_list=(6, 4), norm=None), add_self_loops=False)
    gcn2 = module("GCN2Conv", 4, channels=4, alpha=0.2)
    draft = Draft({"author": 4, "paper": 4})
    draft.nodes(
        paper=module("Linear", 4, in_channels=4, out_channels=4),
        author=module("Linear", 4, in_channels=4, out_channels=4),
    )
    draft.edges(
        sends(WRITES, point, InputBinding("pos", "node", "place")),
        sends(CITES, gcn2, InputBinding("x_0", "state", state=0)),
        sends(TEACHES, module("SAGEConv", 4, in_channels=4, out_channels=4)),
    )
    model = draft.compile()
    lins = {name: pyg.Linear(4, 4) for name in ("author", "paper")}
    made = {
        WRITES: pyg.PointNetConv(pyg.MLP([6, 4], norm=None), add_self_loops=False),
        CITES: pyg.GCN2Conv(4, alpha=0.2),
        TEACHES: pyg.SAGEConv(4, 4),
    }
    graph = edges(WRITES, CITES, TEACHES)
    place = {name: torch.randn(COUNTS[name], 2) for name in ("author", "paper")}

    def reference(x):
        h = {name: lins[name](x[name]) for name in x}
        written = made[WRITES]((h["author"], h["paper"]), (place["author"], place["paper"]), graph[WRITES])
        cited = made[CITES](h["paper"], x["paper"], graph[CITES])
        return {"author": made[TEACHES](h["author"], graph[TEACHES]), "paper": cited + written}

    twins = {convs(edge): conv for edge, conv in made.items()}
    twins |= {f"stages.h0.nodes.{name}": lin for name, lin in lins.items()}
    compare(model, twins, reference, features({"author": 4, "paper": 4}), graph, place_dict=place)


APA, APCPA = ("author", "APA", "author"), ("author", "APCPA", "author")


def test_han_over_metapaths():
    types, keys = metadata(APA, APCPA)
    spec = module("HANConv", 4, in_channels={"author": 5}, out_channels=4, heads=2, metadata=(types, keys))
    model = Draft(dict(WIDTHS)).edges(joint((APCPA, APA), spec, WIDTHS)).compile()
    conv = pyg.HANConv({"author": 5}, 4, (list(types), list(keys)), heads=2)
    graph = edges(APA, APCPA)
    compare(
        model,
        {"stages.h1.joints.0": conv},
        lambda x: {"author": conv({"author": x["author"]}, graph)["author"], "paper": x["paper"]},
        features(WIDTHS),
        graph,
    )


def test_hgt_over_several_types():
    used = (WRITES, CITES)
    types, keys = metadata(*used)
    spec = module("HGTConv", 4, in_channels=dict(WIDTHS), out_channels=4, heads=2, metadata=(types, keys))
    model = Draft(dict(WIDTHS)).edges(joint(used, spec, WIDTHS)).compile()
    conv = pyg.HGTConv(dict(WIDTHS), 4, (list(types), list(keys)), heads=2)
    graph = edges(*sorted(used))
    compare(
        model,
        {"stages.h1.joints.0": conv},
        lambda x: {"author": x["author"], "paper": conv(x, graph)["paper"]},
        features(WIDTHS),
        graph,
    )


def together(graph, order, starts):
    """All relations over one numbering, as papers on R-GCN have it."""
    index = torch.cat([graph[key] + torch.tensor([[starts[key[0]]], [starts[key[2]]]]) for key in order], dim=1)
    kind = torch.cat([torch.full((graph[key].size(1),), place) for place, key in enumerate(order)])
    return index, kind


@pytest.mark.parametrize("kind", ["RGCNConv", "FastRGCNConv"])
def test_rgcn_with_features(kind):
    order = sorted((WRITES, CITES, WRITTEN_BY))
    widths = {"author": 5, "paper": 5}
    spec = module(kind, 4, in_channels=5, out_channels=4, num_relations=3, num_bases=2)
    model = Draft(dict(widths)).edges(joint(order, spec, widths, typed=True)).compile()
    conv = getattr(pyg, kind)(5, 4, 3, num_bases=2)
    graph = edges(*order)
    index, edge_type = together(graph, order, {"author": 0, "paper": 6})

    def reference(x):
        out = conv(torch.cat([x["author"], x["paper"]]), index, edge_type)
        return {"author": out[:6], "paper": out[6:]}

    compare(model, {"stages.h1.joints.0": conv}, reference, features(widths), graph)


def test_rgcn_reads_node_numbers_without_any_features():
    order = sorted((WRITES, CITES, WRITTEN_BY))
    widths = {"author": Ids(6), "paper": Ids(9)}
    spec = module("RGCNConv", 4, in_channels=15, out_channels=4, num_relations=3)
    model = Draft(dict(widths)).edges(joint(order, spec, widths, typed=True)).compile()
    conv = pyg.RGCNConv(15, 4, 3)
    graph = edges(*order)
    index, edge_type = together(graph, order, {"author": 0, "paper": 6})

    def reference(x):
        out = conv(None, index, edge_type)
        return {"author": out[:6], "paper": out[6:]}

    compare(model, {"stages.h1.joints.0": conv}, reference, {}, graph)


def test_rgcn_reads_the_node_numbers_of_a_batch():
    order = (WRITES, CITES)
    widths = {"author": Ids(6), "paper": Ids(9)}
    spec = module("RGCNConv", 4, in_channels=15, out_channels=4, num_relations=2)
    model = Draft(dict(widths)).edges(joint(order, spec, widths, typed=True)).compile()
    conv = pyg.RGCNConv(15, 4, 2)
    n_id = {"paper": torch.tensor([8, 0, 3]), "author": torch.tensor([5, 1])}
    graph = {WRITES: torch.tensor([[0, 1], [2, 0]]), CITES: torch.tensor([[0, 2], [1, 1]])}
    index, edge_type = together(graph, order, {"author": 0, "paper": 2})
    numbers = torch.tensor([5, 1, 6 + 8, 6 + 0, 6 + 3])

    def reference(x):
        return {"paper": conv(numbers, index, edge_type)[2:]}

    compare(model, {"stages.h1.joints.0": conv}, reference, {}, graph, n_id_dict=n_id)


def test_rgat_gets_the_edge_features_of_all_relations():
    order = sorted((WRITES, CITES))
    widths = {"author": 5, "paper": 5}
    spec = module("RGATConv", 4, in_channels=5, out_channels=4, num_relations=2, edge_dim=2)
    step = joint(order, spec, widths, InputBinding("edge_attr", "edge", "f"), typed=True)
    model = Draft(dict(widths)).edges(step).compile()
    conv = pyg.RGATConv(5, 4, 2, edge_dim=2)
    graph = edges(*order)
    index, edge_type = together(graph, order, {"author": 0, "paper": 6})
    f = {key: torch.randn(17, 2) for key in order}

    def reference(x):
        out = conv(torch.cat([x["author"], x["paper"]]), index, edge_type, torch.cat([f[key] for key in order]))
        return {"author": x["author"], "paper": out[6:]}

    compare(model, {"stages.h1.joints.0": conv}, reference, features(widths), graph, f_dict=f)


def test_mixed_rules_in_two_layers():
    draft = Draft(dict(WIDTHS)).nodes(
        "h0",
        apply(author=module("torch.nn.ReLU", 4), paper=module("torch.nn.ReLU", 4)),
        author=module("Linear", 4, in_channels=5, out_channels=4),
        paper=module("Linear", 4, in_channels=7, out_channels=4),
    )
    for key in ("h1", "h2"):
        draft.edges(
            sends(WRITES, module("GATv2Conv", 4, in_channels=(4, 4), out_channels=2, heads=2, add_self_loops=False)),
            sends(CITES, module("GraphConv", 4, in_channels=4, out_channels=4)),
            sends(WRITTEN_BY, module("SAGEConv", 4, in_channels=(4, 4), out_channels=4, aggr="max")),
            key=key,
            combine="mean",
        )
    model = draft.compile()
    twins: dict[str, nn.Module] = {
        "stages.h0.nodes.author": pyg.Linear(5, 4),
        "stages.h0.nodes.paper": pyg.Linear(7, 4),
    }
    for key in ("h1", "h2"):
        twins[convs(WRITES, key)] = pyg.GATv2Conv((4, 4), 2, heads=2, add_self_loops=False)
        twins[convs(CITES, key)] = pyg.GraphConv(4, 4)
        twins[convs(WRITTEN_BY, key)] = pyg.SAGEConv((4, 4), 4, aggr="max")
    graph = edges(WRITES, CITES, WRITTEN_BY)

    def reference(x):
        a, p = (twins[f"stages.h0.nodes.{name}"](x[name]).relu() for name in ("author", "paper"))
        for key in ("h1", "h2"):
            a, p = (
                twins[convs(WRITTEN_BY, key)]((p, a), graph[WRITTEN_BY]),
                (twins[convs(WRITES, key)]((a, p), graph[WRITES]) + twins[convs(CITES, key)](p, graph[CITES])) / 2,
            )
        return {"author": a, "paper": p}

    compare(model, twins, reference, features(WIDTHS), graph)


def test_embeddings_of_types_without_features():
    widths = {"author": 5, "venue": Ids(4)}
    draft = Draft(dict(widths)).nodes(venue=module("torch.nn.Embedding", 5, num_embeddings=4, embedding_dim=5))
    key = ("venue", "invites", "author")
    draft.edges(sends(key, module("SAGEConv", 3, in_channels=(5, 5), out_channels=3)))
    model = draft.compile()
    table, conv = nn.Embedding(4, 5), pyg.SAGEConv((5, 5), 3)
    graph = edges(key)
    twins = {"stages.h0.nodes.venue": table, convs(key): conv}

    def whole(x):
        return {"venue": table.weight * 1, "author": conv((table.weight, x["author"]), graph[key])}

    compare(model, twins, whole, features(widths), graph)
    compare(model, twins, whole, features(widths), graph, n_id_dict={"venue": torch.arange(4)})
    batch = torch.tensor([3, 1])
    part = {key: torch.tensor([[0, 1, 1], [0, 4, 2]])}

    def sampled(x):
        h = table(batch)
        return {"venue": h, "author": conv((h, x["author"]), part[key])}

    compare(model, twins, sampled, features(widths), part, n_id_dict={"venue": batch})


def test_lists_and_pairs_reach_the_class_as_it_wants_them():
    spec = module("SAGEConv", 8, in_channels=(5, 7), out_channels=4, aggr=("mean", "max"))
    model = Draft(dict(WIDTHS)).edges(sends(WRITES, spec)).compile()
    assert model.encode(features(WIDTHS), edges(WRITES))["paper"].shape == (9, 4)
    conv = model.get_submodule(convs(WRITES))
    assert conv.in_channels == (5, 7)
    assert isinstance(conv.aggr, list)


def test_a_module_that_cannot_be_built_names_the_line():
    wrong = ModuleSpec(
        "HGTConv", "torch_geometric.nn.HGTConv", {"in_channels": {"paper": 7}, "out_channels": 3, "heads": 2}, 3, at(33)
    )
    with pytest.raises(ValueError, match="divisible") as caught:
        Draft(dict(WIDTHS)).edges(
            joint(
                [CITES],
                ModuleSpec(wrong.name, wrong.path, {**wrong.arguments, "metadata": metadata(CITES)}, 3, at(33)),
                WIDTHS,
            )
        ).compile()
    assert any("hand.gnn:33:5" in note and "HGTConv" in note for note in caught.value.__notes__)
