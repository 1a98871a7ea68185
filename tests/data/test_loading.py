"""Inputs of compiled models and mini-batches: sampled with all neighbours, seeds get the whole graph's numbers."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import library_data, to_stores
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import batch_inputs, seed_loader
from graphdsl.data.derivation import with_derived
from graphdsl.data.loading import fan_out
from graphdsl.data.needs import find_needs
from graphdsl.data.view import open_data
from graphdsl.model import Training
from graphdsl.text import SpecError

SPEC = graphdsl.loads(
    """
    schema library {
      node author { x: float[8], y: class[4], train_mask: mask, val_mask: mask, test_mask: mask }
      node paper { x: float[5], year: time, topics: multilabel[3], score: real, is_open: bool? }
      node term { x: float[*], length: int }
      node conference
      edge author -[writes]-> paper reverse written_by
      edge paper -[cites]-> paper { w: float, edge_attr: float[2] }
      edge paper -[mentions]-> term
      edge paper -[appears_in]-> conference reverse holds
      metapath APA = author -[writes]-> paper <-[writes]- author
      metapath APCPA(mean) = author -[writes]-> paper -[appears_in]-> conference
                             <-[appears_in]- paper -[written_by]-> author
      metapath PAP = paper -[written_by]-> author -[writes]-> paper budget 3
    }
    model deep(hidden: int = 8) on library {
      nodes {
        conference: Embedding(hidden)
        *: Linear(hidden)
      } | relu
      repeat 2 {
        edges {
          paper -[cites]-> paper: GATv2Conv(hidden, edge_attr = edge_attr, add_self_loops = false)
          *: SAGEConv(hidden)
        } | relu
      }
      edges {
        paper -[cites]-> paper: GraphConv(hidden, edge_weight = w)
        *: SAGEConv(hidden)
      }
      predict author.y
      predict paper.score
    }
    model paths(hidden: int = 8) on library {
      edges { APA: SAGEConv(hidden), APCPA: GraphConv(hidden) } | relu
      predict author.y
    }
    model far(hidden: int = 8) on library {
      edges { cites: TAGConv(hidden, K = 3, normalize = false)  written_by: SAGEConv(hidden) } | relu
      edges { cites: GatedGraphConv(hidden, num_layers = 2)  writes: SAGEConv(hidden) }
      predict paper.score
    }
    model flat on library { predict author.y: Linear(4) }
    model costly on library {
      edges { PAP: SAGEConv(4) }
      predict paper.score
    }
    """.replace("SAGEConv(hidden), APCPA", "SAGEConv(hidden)\n APCPA"),
    "library.gnn",
)
SCHEMA = SPEC.schema("deep")
ALL = Training("deep", batch_size=3, fanout=(-1,))


def as_whole(data: HeteroData) -> dict[str, HeteroData | tuple]:
    return {"memory": data, "stores": to_stores(data)}


@pytest.fixture(params=["memory", "stores"])
def data(request: pytest.FixtureRequest) -> HeteroData | tuple:
    return as_whole(library_data())[request.param]


def test_inputs_of_the_whole_graph(data: HeteroData | tuple) -> None:
    graph = library_data()
    plan = SPEC.plan("deep", data=data)
    inputs = batch_inputs(data, plan)
    assert set(inputs) == {"x_dict", "edge_index_dict", "n_id_dict", "edge_attr_dict", "w_dict"}
    assert list(inputs["x_dict"]) == ["author", "paper", "term"]
    assert inputs["n_id_dict"]["conference"].tolist() == [0, 1, 2]
    assert tuple(inputs["edge_index_dict"]) == plan.relations
    written_by = inputs["edge_index_dict"]["paper", "written_by", "author"]
    assert torch.equal(written_by, graph["author", "writes", "paper"].edge_index.flip(0))
    assert inputs["edge_attr_dict"]["paper", "cites", "paper"].shape == (15, 2)
    assert inputs["w_dict"]["paper", "cites", "paper"].shape == (15,)
    model = SPEC.compile("deep", data=data)
    outputs = model(**inputs)
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {"author.y": (7, 4), "paper.score": (12, 1)}


def test_derived_relations_that_the_data_holds_are_taken_from_there() -> None:
    graph = library_data()
    given_edges = torch.tensor([[0, 1], [0, 1]], dtype=torch.int32)
    graph["paper", "written_by", "author"].edge_index = given_edges
    edges = batch_inputs(graph, SPEC.plan("deep", data=graph))["edge_index_dict"]["paper", "written_by", "author"]
    assert torch.equal(edges, given_edges.long())
    assert edges.dtype == torch.int64


def test_metapaths_are_composed(data: HeteroData | tuple) -> None:
    plan = SPEC.plan("paths", data=data)
    inputs = batch_inputs(data, plan)
    writes = library_data()["author", "writes", "paper"].edge_index.t().tolist()
    expected = {(a, b) for a, p in writes for b, q in writes if p == q}
    assert set(map(tuple, inputs["edge_index_dict"]["author", "APA", "author"].t().tolist())) == expected
    weight = inputs["weight_dict"]["author", "APCPA", "author"]
    assert weight.shape == (inputs["edge_index_dict"]["author", "APCPA", "author"].size(1),)


def test_metapath_above_its_budget() -> None:
    plan = SPEC.plan("costly", data=library_data())
    with pytest.raises(SpecError, match="GNN402") as caught:
        batch_inputs(library_data(), plan)
    assert caught.value.diagnostics[0].primary is not None


@pytest.mark.parametrize("name", ["deep", "paths", "flat", "far"])
@pytest.mark.parametrize("seed_type", ["author", "paper"])
def test_batches_give_the_numbers_of_the_whole_graph(data: HeteroData | tuple, name: str, seed_type: str) -> None:
    """With all neighbours as deep as the plan sees, seeds get exactly what they get in the whole graph."""
    if (name, seed_type) in (("paths", "paper"), ("flat", "paper")):
        seed_type = "author"
    if name == "far":
        seed_type = "paper"
    torch.manual_seed(0)
    model = SPEC.compile(name, data=data).eval()
    with torch.no_grad():
        whole = model(**batch_inputs(data, model.plan))
        seeds = torch.tensor([5, 0, 3, 6, 1])
        seen = []
        for batch in seed_loader(data, model.plan, (seed_type, seeds), ALL):
            sampled = model(**batch_inputs(batch, model.plan))
            size = batch[seed_type].batch_size
            seen += batch[seed_type].n_id[:size].tolist()
            for key, value in whole.items() if isinstance(whole, dict) else [("author.y", whole)]:
                if key.startswith(seed_type):
                    mine = sampled[key] if isinstance(sampled, dict) else sampled
                    torch.testing.assert_close(mine[:size], value[batch[seed_type].n_id[:size]])
    assert seen == seeds.tolist()


def test_batches_bring_labels_and_numbers(data: HeteroData | tuple) -> None:
    graph = library_data()
    plan = SPEC.plan("deep", data=data)
    seeds = torch.tensor([4, 2, 6])
    loader = seed_loader(data, plan, ("author", seeds), replace(ALL, batch_size=2))
    batches = list(loader)
    assert [batch["author"].batch_size for batch in batches] == [2, 1]
    for batch in batches:
        store = batch["author"]
        assert torch.equal(seeds[store.input_id], store.n_id[: store.batch_size])
        assert torch.equal(store.y, graph["author"].y[store.n_id])
        assert torch.equal(store.x, graph["author"].x[store.n_id])
        assert torch.equal(batch["paper"].score, graph["paper"].score[batch["paper"].n_id])
        assert "train_mask" not in store
        cites = batch["paper", "cites", "paper"]
        assert torch.equal(cites.edge_attr, graph["paper", "cites", "paper"].edge_attr[cites.e_id])
        ends = batch["paper"].n_id[cites.edge_index]
        assert torch.equal(ends, graph["paper", "cites", "paper"].edge_index[:, cites.e_id])
        assert set(batch.edge_types) == set(plan.relations)


def test_only_relations_that_matter_are_followed() -> None:
    graph = library_data()
    plan = SPEC.plan("deep", data=graph)
    fanout = fan_out(plan, with_derived(open_data(graph), plan), (4, 2))
    assert fanout["paper", "cites", "paper"] == [4, 2, 2]
    # Nothing of a term ever reaches an author or a paper.
    assert ("paper", "mentions", "term") not in fanout
    batch = next(iter(seed_loader(graph, plan, ("author", torch.arange(7)), ALL)))
    assert batch["term"].num_nodes == 0
    assert batch["paper", "mentions", "term"].edge_index.shape == (2, 0)


def test_needs() -> None:
    needs = find_needs(SPEC.plan("deep", data=library_data()))
    assert needs.features == ("author", "paper", "term")
    assert needs.numbered == ("conference",)
    assert needs.edges == {("paper", "cites", "paper"): ("edge_attr", "w")}
    assert needs.labels == {"author": ("y",), "paper": ("score",)}
    assert needs.scalars == {"w"}


def test_order_of_the_dictionaries_changes_nothing() -> None:
    graph = library_data()
    turned = HeteroData()
    for name in reversed(graph.node_types):
        turned[name].update(dict(reversed(list(graph[name].items()))))
    for edge in reversed(graph.edge_types):
        turned[edge].update(dict(reversed(list(graph[edge].items()))))
    plan = SPEC.plan("deep", data=graph)
    training = replace(ALL, fanout=(1,), seed=3)
    first, second = (
        [batch_inputs(batch, plan) for batch in seed_loader(data, plan, ("author", torch.arange(7)), training)]
        for data in (graph, turned)
    )
    assert len(first) == len(second) == 3
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        for key, table in one.items():
            assert list(table) == list(other[key])
            assert all(torch.equal(*map(torch.as_tensor, (table[place], other[key][place]))) for place in table)


def test_seed_fixes_samples_and_order() -> None:
    graph = library_data()
    plan = SPEC.plan("deep", data=graph)

    def draw(seed: int) -> list[list[int]]:
        training = replace(ALL, fanout=(1,), seed=seed)
        loader = seed_loader(graph, plan, ("paper", torch.arange(12)), training, shuffle=True)
        return [batch["paper"].n_id.tolist() for _ in range(2) for batch in loader]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_structure_is_shared() -> None:
    graph = library_data()
    plan = SPEC.plan("deep", data=graph)
    first = seed_loader(graph, plan, ("author", torch.arange(4)), ALL)
    second = seed_loader(graph, plan, ("author", torch.arange(4, 7)), ALL, like=first)
    assert second.data is first.data
    assert second.node_sampler.layout is first.node_sampler.layout
    assert next(iter(second))["author"].n_id[:3].tolist() == [4, 5, 6]


def test_workers_give_the_same_batches() -> None:
    graph = library_data()
    plan = SPEC.plan("deep", data=graph)
    training = replace(ALL, fanout=(1,), seed=5)
    alone, together = (
        [batch_inputs(item, plan) for item in seed_loader(graph, plan, ("author", torch.arange(7)), each)]
        for each in (training, replace(training, workers=1))
    )
    for one, other in zip(alone, together, strict=True):
        assert all(torch.equal(one["x_dict"][name], other["x_dict"][name]) for name in one["x_dict"])


def test_masks_and_batch_samplers_select_seeds() -> None:
    graph = library_data()
    plan = SPEC.plan("flat", data=graph)
    (batch,) = seed_loader(graph, plan, ("author", graph["author"].train_mask), replace(ALL, batch_size=None))
    assert batch["author"].n_id.tolist() == [0, 1, 2, 3]
    order = [[1, 0], [2]]
    batches = seed_loader(graph, plan, ("author", torch.tensor([5, 2, 4])), ALL, batch_sampler=order)
    assert [batch["author"].n_id.tolist() for batch in batches] == [[2, 5], [4]]


# --- time ---

TIMED = graphdsl.loads(
    """
    schema s {
      node user { x: float[1], y: class[2], when: time }
      node event { x: float[1], at: time, late: time }
      node place { x: float[1] }
      edge event -[of]-> user reverse has { day: time }
      edge place -[near]-> event
      edge user -[knows]-> user
      metapath UEU = user -[has]-> event -[of]-> user
      metapath UKU = user -[knows]-> user -[knows]-> user
    }
    model m on s {
      repeat 2 { edges { *: SAGEConv(4) } }
      predict user.y
    }
    model through on s {
      edges { UEU: SAGEConv(4) }
      predict user.y
    }
    model beside on s {
      edges { UKU: SAGEConv(4) }
      predict user.y
    }
    model of_place on s {
      edges { *: SAGEConv(4) }
      predict user.y
    }
    """
)
TEMPORAL = Training("m", batch_size=2, fanout=(-1,), temporal=True)


def timed_data(seed: int = 0) -> HeteroData:
    rng = torch.Generator().manual_seed(seed)
    data = HeteroData()
    for name, size in (("user", 6), ("event", 20), ("place", 3)):
        data[name].x = torch.rand(size, 1, generator=rng)
    data["user"].y = torch.zeros(6, dtype=torch.long)
    data["user"].when = torch.randint(10, (6,), generator=rng)
    data["event"].at = torch.randint(10, (20,), generator=rng)
    data["event"].late = data["event"].at + 100
    of, near, knows = data["event", "of", "user"], data["place", "near", "event"], data["user", "knows", "user"]
    of.edge_index = torch.stack([torch.arange(20), torch.randint(6, (20,), generator=rng)])
    of.day = torch.randint(10, (20,), generator=rng)
    near.edge_index = torch.stack([torch.randint(3, (20,), generator=rng), torch.arange(20)])
    knows.edge_index = torch.randint(6, (2, 12), generator=rng)
    return data


@pytest.mark.parametrize("kind", ["memory", "stores"])
def test_no_batch_sees_the_future(kind: str) -> None:
    graph = timed_data()
    data = as_whole(graph)[kind]
    plan = TIMED.plan("m", data=data)
    sampled_edges = 0
    for batch in seed_loader(data, plan, ("user", torch.arange(6)), TEMPORAL, schema=TIMED.schema("m")):
        limit = graph["user"].when[batch["user"].n_id[: batch["user"].batch_size]]
        events, of = batch["event"], batch["event", "of", "user"]
        assert bool((graph["event"].at[events.n_id] <= limit[events.batch]).all())
        day = graph["event", "of", "user"].day[of.e_id]
        assert bool((day <= limit[events.batch[of.edge_index[0]]]).all())
        sampled_edges += of.edge_index.size(1)
    assert sampled_edges > 0


def test_time_is_needed_where_it_is_asked_for() -> None:
    graph = timed_data()
    plan, schema = TIMED.plan("m", data=graph), TIMED.schema("m")
    with pytest.raises(SpecError, match=r"GNN624.*what each `place` may see"):
        seed_loader(graph, plan, ("place", torch.arange(3)), TEMPORAL, schema=schema)
    with pytest.raises(ValueError, match="needs the schema"):
        seed_loader(graph, plan, ("user", torch.arange(3)), TEMPORAL)


def test_metapaths_that_hide_times_are_refused() -> None:
    graph = timed_data()
    schema = TIMED.schema("m")
    with pytest.raises(SpecError, match=r"GNN624.*cannot follow the metapath `UEU`: `event` on its way"):
        seed_loader(graph, TIMED.plan("through", data=graph), ("user", torch.arange(3)), TEMPORAL, schema=schema)
    with pytest.raises(SpecError, match=r"GNN624.*`user` on its way"):
        seed_loader(graph, TIMED.plan("beside", data=graph), ("user", torch.arange(3)), TEMPORAL, schema=schema)


def test_graphs_that_cannot_be_sampled_from() -> None:
    graph = library_data()
    plan = SPEC.plan("deep", data=graph)
    graph["paper", "cites", "paper"].edge_index[0, 0] = 99
    with pytest.raises(SpecError, match=r"GNN611.*source index 99"):
        seed_loader(graph, plan, ("author", torch.arange(3)), ALL)


# --- optional ---


def test_absent_optional_types_are_left_out() -> None:
    spec = graphdsl.loads(
        """
        schema s {
          node a { x: float[2], y: class[2] }
          optional node b { x: float[3] }
          optional node c
          optional edge a -[s]-> a { w: float }
          edge b -[r]-> a
          edge c -[q]-> a
        }
        model m on s {
          nodes { c: Embedding(4); *: Linear(4) }
          edges {
            s: GraphConv(4, edge_weight = w)
            *: SAGEConv(4)
          }
          predict a.y
        }
        """.replace("Embedding(4); *", "Embedding(4)\n *")
    )
    full = HeteroData()
    full["a"].x, full["b"].x, full["c"].num_nodes = torch.rand(3, 2), torch.rand(2, 3), 2
    full["a", "s", "a"].edge_index, full["a", "s", "a"].w = torch.tensor([[0], [1]]), torch.ones(1)
    for name, relation in (("b", "r"), ("c", "q")):
        full[name, relation, "a"].edge_index = torch.tensor([[1], [2]])
    model = spec.compile("m", data=full).eval()
    bare = HeteroData()
    bare["a"].x = full["a"].x
    inputs = batch_inputs(bare, model.plan)
    assert {name: list(table) for name, table in inputs.items()} == {
        "x_dict": ["a"], "edge_index_dict": [], "n_id_dict": [],
    }  # fmt: skip
    assert model(**inputs).shape == (3, 2)
    (batch,) = seed_loader(bare, model.plan, ("a", torch.arange(3)), ALL)
    torch.testing.assert_close(model(**batch_inputs(batch, model.plan)), model(**inputs))


# --- property ---


def random_graph(draw: st.DrawFn) -> HeteroData:
    sizes = {"author": draw(st.integers(1, 5)), "paper": draw(st.integers(1, 5)), "term": 2, "conference": 2}
    data = HeteroData()
    rng = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    for name, width in (("author", 8), ("paper", 5), ("term", 6)):
        data[name].x = torch.rand(sizes[name], width, generator=rng)
    data["conference"].num_nodes = 2
    for edge in (("author", "writes", "paper"), ("paper", "cites", "paper"), ("paper", "appears_in", "conference"),
                 ("paper", "mentions", "term")):  # fmt: skip
        ends = st.tuples(st.integers(0, sizes[edge[0]] - 1), st.integers(0, sizes[edge[2]] - 1))
        pairs = draw(st.lists(ends, max_size=8))
        data[edge].edge_index = torch.tensor(pairs, dtype=torch.long).view(-1, 2).t()
    count = data["paper", "cites", "paper"].edge_index.size(1)
    data["paper", "cites", "paper"].w = torch.rand(count, generator=rng)
    data["paper", "cites", "paper"].edge_attr = torch.rand(count, 2, generator=rng)
    return data


def models() -> Iterator[torch.nn.Module]:
    for name in ("deep", "paths"):
        torch.manual_seed(1)
        yield SPEC.compile(name, data=library_data()).eval()


MODELS = tuple(models())


@settings(max_examples=40, deadline=None)
@given(st.composite(random_graph)(), st.sampled_from(MODELS), st.integers(1, 3))
def test_any_graph_in_batches(graph: HeteroData, model: torch.nn.Module, batch_size: int) -> None:
    """Multigraphs, isolated nodes, relations without edges: batches give what the whole graph gives."""
    count = graph["author"].x.size(0)
    with torch.no_grad():
        whole = model(**batch_inputs(graph, model.plan))
        expected = whole["author.y"] if isinstance(whole, dict) else whole
        rows = []
        loader = seed_loader(graph, model.plan, ("author", torch.arange(count)), replace(ALL, batch_size=batch_size))
        for batch in loader:
            sampled = model(**batch_inputs(batch, model.plan))
            mine = sampled["author.y"] if isinstance(sampled, dict) else sampled
            rows.append(mine[: batch["author"].batch_size])
    torch.testing.assert_close(torch.cat(rows), expected)


def test_classes_of_any_declared_label_come_from_the_data() -> None:
    spec = graphdsl.loads("schema s { node a { x: float[*], maker: class[*] } } model m on s { predict a.maker }")
    data = HeteroData()
    data["a"].x, data["a"].maker = torch.zeros(3, 5), torch.tensor([0, 6, -1])
    assert spec.plan("m", data=data).heads[0].size == 7
