"""Derived relations: flipped, composed, kept while their graph lives."""

import copy
import gc
import pickle
import weakref

import pytest
import torch
from plans import CITES, COUNTS, WRITES, WRITTEN_BY, at, edges

from graphdsl.backends import DerivationCache, derive_relations
from graphdsl.model import Metapath, MetapathHop
from graphdsl.plan import Derived
from graphdsl.text import SpecError

INVERSE = Derived(WRITTEN_BY, inverse_of=WRITES)


def metapath(*hops, multiplicity="set", budget=None, name="M"):
    first, last = hops[0], hops[-1]
    source = first.edge[2] if first.backward else first.edge[0]
    target = last.edge[0] if last.backward else last.edge[2]
    path = Metapath(name, source, target, tuple(hops), multiplicity, budget, at(7))
    return Derived(path.key, metapath=path)


APA = metapath(MetapathHop(WRITES, False), MetapathHop(WRITES, True), name="APA")


def by_definition(graph):
    """Pairs of authors with a common paper, as the words say."""
    papers = [set() for _ in range(COUNTS["author"])]
    for author, paper in graph[WRITES].t().tolist():
        papers[author].add(paper)
    return [[i, j] for i in range(len(papers)) for j in range(len(papers)) if papers[i] & papers[j]]


def test_inverses_and_metapaths():
    graph = edges(WRITES)
    found = derive_relations([INVERSE, APA], graph, COUNTS)
    assert found[WRITES] is graph[WRITES]
    assert torch.equal(found[WRITTEN_BY], graph[WRITES].flip(0))
    assert found["author", "APA", "author"].t().tolist() == by_definition(graph)


def test_metapaths_over_derived_inverses():
    through = metapath(MetapathHop(WRITES, False), MetapathHop(WRITTEN_BY, False), name="APA")
    graph = edges(WRITES)
    assert derive_relations([INVERSE, through], graph, {})["author", "APA", "author"].t().tolist() == by_definition(
        graph
    )


def test_what_the_graph_holds_is_left_alone():
    own = torch.tensor([[0], [0]])
    assert derive_relations([INVERSE], {WRITES: edges(WRITES)[WRITES], WRITTEN_BY: own}, {})[WRITTEN_BY] is own


def test_what_cannot_be_derived_is_left_out():
    assert set(derive_relations([INVERSE, APA], edges(CITES), COUNTS)) == {CITES}


def test_sizes_may_be_unknown():
    graph = edges(WRITES)
    assert derive_relations([APA], graph, {})["author", "APA", "author"].t().tolist() == by_definition(graph)
    empty = {WRITES: torch.zeros(2, 0, dtype=torch.long)}
    assert derive_relations([APA], empty, {})["author", "APA", "author"].shape == (2, 0)


def test_budget_is_a_finding_at_the_metapath():
    small = metapath(MetapathHop(WRITES, False), MetapathHop(WRITES, True), budget=2, name="APA")
    with pytest.raises(SpecError) as caught:
        derive_relations([small], edges(WRITES), COUNTS)
    (found,) = caught.value.diagnostics
    assert (found.code, found.primary.span) == ("GNN402", at(7))
    assert "APA" in found.message
    assert "more than 2 edges" in found.message


def test_indices_out_of_range_are_a_finding():
    with pytest.raises(SpecError) as caught:
        derive_relations([APA], {WRITES: torch.tensor([[0], [12]])}, COUNTS)
    assert caught.value.diagnostics[0].code == "GNN606"


class TestCache:
    def derive(self, cache, graph, counts=COUNTS):
        return derive_relations([INVERSE, APA], graph, counts, cache)

    def test_the_same_tensors_give_the_same_results(self):
        cache, graph = DerivationCache(), edges(WRITES)
        first, second = self.derive(cache, graph), self.derive(cache, dict(graph))
        assert first[WRITTEN_BY] is second[WRITTEN_BY]
        assert first["author", "APA", "author"] is second["author", "APA", "author"]
        assert len(cache) == 2

    def test_equal_tensors_of_another_graph_are_not_confused(self):
        cache, graph = DerivationCache(), edges(WRITES)
        first = self.derive(cache, graph)
        other = self.derive(cache, {WRITES: graph[WRITES].clone()})
        assert first[WRITTEN_BY] is not other[WRITTEN_BY]
        assert self.derive(cache, graph)[WRITTEN_BY] is first[WRITTEN_BY]

    def test_a_change_in_place_is_seen(self):
        cache, graph = DerivationCache(), edges(WRITES)
        self.derive(cache, graph)
        graph[WRITES][:, 0] = 0
        assert torch.equal(self.derive(cache, graph)[WRITTEN_BY], graph[WRITES].flip(0))

    def test_another_size_is_seen(self):
        cache, graph = DerivationCache(), edges(WRITES)
        self.derive(cache, graph)
        with pytest.raises(SpecError):
            self.derive(cache, graph, {"author": 2, "paper": 9})

    def test_a_freed_graph_frees_its_entries(self):
        cache, graph = DerivationCache(), edges(WRITES)
        result = weakref.ref(self.derive(cache, graph)[WRITTEN_BY])
        del graph
        gc.collect()
        assert len(cache) == 0
        assert result() is None

    def test_a_freed_second_origin_is_not_confused_with_its_successor(self):
        cache = DerivationCache()
        both = metapath(MetapathHop(WRITES, False), MetapathHop(CITES, False))
        graph = edges(WRITES, CITES)
        derive_relations([both], graph, COUNTS, cache)
        graph[CITES] = torch.zeros(2, 0, dtype=torch.long)
        assert derive_relations([both], graph, COUNTS, cache)[both.edge].shape == (2, 0)

    def test_copies_are_empty(self):
        cache, graph = DerivationCache(), edges(WRITES)
        self.derive(cache, graph)
        assert len(copy.deepcopy(cache)) == len(pickle.loads(pickle.dumps(cache))) == 0

    def test_results_made_in_inference_mode_serve_training(self):
        cache, graph = DerivationCache(), edges(WRITES)
        with torch.inference_mode():
            made = self.derive(cache, graph)
        assert not any(index.is_inference() for index in made.values())
        x = torch.randn(9, 2, requires_grad=True)
        x[self.derive(cache, graph)[WRITTEN_BY][0]].sum().backward()
        assert x.grad is not None

    def test_tensors_of_inference_mode_are_derived_anew(self):
        cache = DerivationCache()
        with torch.inference_mode():
            graph = {WRITES: edges(WRITES)[WRITES].clone()}
            self.derive(cache, graph)
            graph[WRITES][:, 0] = 0
            assert torch.equal(self.derive(cache, graph)[WRITTEN_BY], graph[WRITES].flip(0))
