"""The calling convention: what may be missing, what is derived, and what is said when something is not there."""

import pytest
import torch
from plans import CITES, TEACHES, WRITES, WRITTEN_BY, Draft, apply, at, edges, features, joint, metadata, module, sends
from test_derivation import APA, INVERSE, by_definition, metapath

from graphdsl.model import MetapathHop
from graphdsl.plan import Ids, InputBinding
from graphdsl.text import SpecError

EVEN = {"author": 4, "paper": 4}


def sage(**arguments):
    return module("SAGEConv", 4, in_channels=(4, 4), out_channels=4, **arguments)


def finding(run) -> tuple[str, object, str]:
    """Code, place and message of the only finding that a call raises."""
    with pytest.raises(SpecError) as caught:
        run()
    (found,) = caught.value.diagnostics
    return found.code, found.primary.span, found.message


class TestMissing:
    def test_features(self):
        model = Draft(dict(EVEN)).edges(sends(WRITES, sage(), line=23)).predict("paper").compile()
        x = features(EVEN)
        del x["author"]
        assert finding(lambda: model(x, edges(WRITES))) == ("GNN618", at(23), "`x_dict` has no features of `author`")

    def test_features_that_a_later_stage_reads_first(self):
        draft = (
            Draft(dict(EVEN))
            .edges(sends(CITES, sage()))
            .edges(sends(WRITES, sage(), line=27), key="h2")
            .predict("paper")
        )
        x = {"paper": features(EVEN)["paper"]}
        assert finding(lambda: draft.compile()(x, edges(CITES, WRITES)))[:2] == ("GNN618", at(27))

    def test_features_that_only_a_node_map_a_residual_or_a_head_reads(self):
        lin = module("Linear", 4, in_channels=4, out_channels=4)
        node_map = Draft(dict(EVEN)).nodes("h0", paper=lin, line=16).predict("paper").compile()
        assert finding(lambda: node_map({}, {}))[:2] == ("GNN618", at(16))
        assert finding(lambda: Draft(dict(EVEN)).predict("paper").compile()({}, {}))[:2] == ("GNN618", at(50))
        joined = Draft(dict(EVEN)).join("cat", 0, 0).predict("paper").compile()
        assert finding(lambda: joined({}, {}))[:2] == ("GNN618", at(10))

    def test_relation(self):
        model = Draft(dict(EVEN)).edges(sends(WRITES, sage(), line=23)).predict("paper").compile()
        code, span, message = finding(lambda: model(features(EVEN), edges(CITES)))
        assert (code, span, message) == ("GNN618", at(23), "`edge_index_dict` has no `author -[writes]-> paper`")

    def test_relation_and_what_it_is_derived_from(self):
        draft = Draft(dict(EVEN)).edges(sends(WRITTEN_BY, sage(), line=24)).predict("author")
        code, span, message = finding(lambda: draft.compile(INVERSE)(features(EVEN), edges(CITES)))
        assert (code, span) == ("GNN618", at(24))
        assert "made from: `author -[writes]-> paper`" in message

    def test_metapath_and_what_it_is_derived_from(self):
        draft = Draft(dict(EVEN)).edges(sends(APA.edge, sage(), line=24)).predict("author")
        with pytest.raises(SpecError) as caught:
            draft.compile(APA)(features(EVEN), edges(CITES))
        (found,) = caught.value.diagnostics
        assert [label.span for label in found.labels] == [at(24), at(7)]

    def test_bound_attribute(self):
        year = InputBinding("edge_attr", "edge", "year")
        spec = module("GATv2Conv", 4, in_channels=(4, 4), out_channels=4, edge_dim=1, add_self_loops=False)
        model = Draft(dict(EVEN)).edges(sends(WRITES, spec, year, line=25)).predict("paper").compile()
        for inputs in ({}, {"year_dict": {CITES: torch.rand(17)}}):
            code, span, message = finding(lambda inputs=inputs: model(features(EVEN), edges(WRITES), **inputs))
            assert (code, span, message) == (
                "GNN618",
                at(25),
                "`year_dict` holds nothing for `author -[writes]-> paper`",
            )

    def test_numbers_of_nodes_whose_count_nobody_knows(self):
        spec = module("torch.nn.Embedding", 4, num_embeddings=4, embedding_dim=4)
        model = Draft({"venue": Ids(None)}).nodes("h0", venue=spec, line=17).predict("venue").compile()
        assert finding(lambda: model({}, {})) == ("GNN618", at(17), "`n_id_dict` has no node numbers of `venue`")
        assert model({}, {}, n_id_dict={"venue": torch.tensor([2, 0])}).shape == (2, 3)

    def test_numbers_of_the_nodes_of_a_batch(self):
        spec = module("torch.nn.Embedding", 4, num_embeddings=4, embedding_dim=4)
        model = Draft({"venue": Ids(4)}).nodes("h0", venue=spec, line=17).predict("venue").compile()
        batch = {"venue": torch.randn(2, 3)}  # Features that an embedding does not read.
        assert finding(lambda: model(batch, {})) == ("GNN618", at(17), "`n_id_dict` has no node numbers of `venue`")
        assert model({"venue": torch.randn(4, 3)}, {}).shape == (4, 3)

    def test_the_message_shows_what_there_is(self):
        model = Draft(dict(EVEN)).edges(sends(WRITES, sage())).predict("paper").compile()
        with pytest.raises(SpecError) as caught:
            model({"autor": torch.zeros(1, 4), "paper": torch.zeros(1, 4)}, edges(WRITES))
        assert "did you mean `autor`?" in caught.value.diagnostics[0].helps
        assert caught.value.diagnostics[0].notes == ("entries of `x_dict`: `autor`, `paper`",)


class TestShapes:
    model = (
        Draft(dict(EVEN))
        .edges(
            sends(
                WRITES,
                module("GraphConv", 4, in_channels=(4, 4), out_channels=4),
                InputBinding("edge_weight", "edge", "w", scalar=True),
                line=26,
            )
        )
        .predict("paper")
        .compile()
    )

    @pytest.mark.parametrize(("shape", "code"), [((6, 5), "GNN604"), ((6,), "GNN607"), ((6, 4, 1), "GNN607")])
    def test_features(self, shape, code):
        x = {"author": torch.zeros(shape), "paper": torch.zeros(9, 4)}
        assert finding(lambda: self.model(x, edges(WRITES), w_dict={WRITES: torch.rand(17)}))[:2] == (code, at(26))

    @pytest.mark.parametrize("index", [torch.zeros(17, 2).long(), torch.zeros(2, 17), torch.zeros(4).long()])
    def test_edges(self, index):
        found = finding(lambda: self.model(features(EVEN), {WRITES: index}, w_dict={WRITES: torch.rand(17)}))
        assert found[:2] == ("GNN607", at(26))

    @pytest.mark.parametrize("shape", [(16,), (17, 2), (17, 1, 1)])
    def test_attributes(self, shape):
        found = finding(lambda: self.model(features(EVEN), edges(WRITES), w_dict={WRITES: torch.rand(shape)}))
        assert found[:2] == ("GNN607", at(26))
        assert "`w` of `author -[writes]-> paper`" in found[2]

    def test_unread_keywords_are_refused(self):
        with pytest.raises(TypeError, match=r"does not read 'weight_dict' \(further inputs: w_dict\)"):
            self.model(features(EVEN), edges(WRITES), weight_dict={})
        assert self.model.input_names == ("w_dict",)


class TestOptional:
    def test_an_absent_relation_has_no_edges(self):
        norm = apply(paper=module("LayerNorm", 8, in_channels=8))
        draft = (
            Draft(dict(EVEN))
            .edges(sends(WRITES, sage()), sends(CITES, sage()), combine="cat", pipe=(norm,))
            .predict("paper")
        )
        model = draft.compile(optional_relations=[WRITES])
        graph = edges(CITES)
        empty = {**graph, WRITES: torch.zeros(2, 0, dtype=torch.long)}
        assert torch.equal(model(features(EVEN), graph), model(features(EVEN), empty))

    @pytest.mark.parametrize("kind", ["HANConv", "HGTConv", "RGCNConv", "RGATConv"])
    def test_an_absent_relation_of_a_joint_layer_has_no_edges(self, kind):
        used = (WRITES, CITES, TEACHES)
        inputs = ()
        if kind.startswith("H"):
            spec = module(kind, 4, in_channels=dict(EVEN), out_channels=4, heads=2, metadata=metadata(*used))
        else:
            spec = module(kind, 4, in_channels=4, out_channels=4, num_relations=3)
        if kind == "RGATConv":
            spec = module(kind, 4, in_channels=4, out_channels=4, num_relations=3, edge_dim=2)
            inputs = (InputBinding("edge_attr", "edge", "f", width=2),)
        draft = Draft(dict(EVEN)).edges(joint(used, spec, EVEN, *inputs, typed=kind.startswith("R")))
        model = draft.compile(optional_relations=[TEACHES, WRITES])
        graph = edges(CITES)
        empty = {key: torch.zeros(2, 0, dtype=torch.long) for key in (WRITES, TEACHES)}
        f = {"f_dict": {CITES: torch.ones(17, 2)}} if inputs else {}
        none = {"f_dict": {**f["f_dict"], **{key: torch.ones(0, 2) for key in empty}}} if inputs else {}
        absent, there = (
            model.encode(features(EVEN), graph, **f),
            model.encode(features(EVEN), {**graph, **empty}, **none),
        )
        assert {name: tuple(value.shape) for name, value in absent.items()} == {"author": (6, 4), "paper": (9, 4)}
        assert all(torch.equal(absent[name], there[name]) for name in absent)

    @pytest.mark.parametrize("scalar", [True, False])
    def test_attributes_of_an_absent_relation_are_empty(self, scalar):
        if scalar:
            spec = module("GraphConv", 4, in_channels=(4, 4), out_channels=4)
            binding = InputBinding("edge_weight", "edge", "w", scalar=True)
        else:
            spec = module("TransformerConv", 4, in_channels=(4, 4), out_channels=4, edge_dim=3)
            binding = InputBinding("edge_attr", "edge", "w", width=3)
        model = (
            Draft(dict(EVEN)).edges(sends(WRITES, spec, binding)).predict("paper").compile(optional_relations=[WRITES])
        )
        assert model(features(EVEN), {}).shape == (9, 3)

    @pytest.mark.parametrize("kind", ["LayerNorm", "BatchNorm"])
    def test_an_absent_type_has_no_rows_and_its_relations_no_edges(self, kind):
        norm = module(kind, 4, in_channels=4)
        pipe = (apply(paper=norm, author=norm),)
        draft = Draft(dict(EVEN)).edges(sends(WRITES, sage()), sends(WRITTEN_BY, sage()), pipe=pipe)
        model = draft.predict("paper").compile(INVERSE, optional_types=["author"])
        x = {"paper": features(EVEN)["paper"]}
        there = {"author": torch.zeros(0, 4), **x}
        empty = {WRITES: torch.zeros(2, 0, dtype=torch.long)}
        assert torch.equal(model(x, {}), model(there, empty))
        values = model.encode(x, {})
        assert values["author"].shape == (0, 4)
        sum(value.sum() for value in values.values()).backward()
        assert all(parameter.grad is not None for parameter in model.stages.parameters())

    def test_an_absent_type_without_features(self):
        spec = module("torch.nn.Embedding", 4, num_embeddings=4, embedding_dim=4)
        draft = Draft({"paper": 4, "venue": Ids(4)}).nodes(venue=spec)
        key = ("venue", "prints", "paper")
        model = draft.edges(sends(key, sage())).predict("paper").compile(optional_types=["venue"])
        x = {"paper": features(EVEN)["paper"]}
        assert model(x, {}, n_id_dict={"paper": torch.arange(9)}).shape == (9, 3)
        assert model(x, edges(key)).shape == (9, 3)

    def test_an_inverse_of_an_absent_relation_and_a_metapath_along_it_have_no_edges(self):
        han = module("HANConv", 4, in_channels={"author": 4}, out_channels=4, metadata=metadata(APA.edge))
        draft = Draft(dict(EVEN)).edges(sends(WRITTEN_BY, sage()), joint((APA.edge,), han, EVEN)).predict("author")
        model = draft.compile(INVERSE, APA, optional_relations=[WRITES])
        assert model(features(EVEN), {}).shape == (6, 3)


class TestDerived:
    def test_missing_inverses_and_metapaths_are_made(self):
        han = module("HANConv", 4, in_channels={"author": 4}, out_channels=4, metadata=metadata(APA.edge))
        draft = Draft(dict(EVEN)).edges(sends(WRITTEN_BY, sage()), joint((APA.edge,), han, EVEN)).predict("author")
        model = draft.compile(INVERSE, APA)
        graph = edges(WRITES)
        complete = {
            **graph,
            WRITTEN_BY: graph[WRITES].flip(0),
            APA.edge: torch.tensor(by_definition(graph)).t(),
        }
        assert torch.equal(model(features(EVEN), graph), model(features(EVEN), complete))

    def test_results_are_kept_between_calls(self, monkeypatch):
        model = Draft(dict(EVEN)).edges(sends(APA.edge, sage())).predict("author").compile(APA)
        graph = edges(WRITES)
        first = model(features(EVEN), graph)
        monkeypatch.setattr("graphdsl.backends.derivation.compose_named", lambda *_: pytest.fail("composed again"))
        assert torch.equal(model(features(EVEN), dict(graph)), first)

    def test_only_what_a_prediction_depends_on_is_made(self, monkeypatch):
        draft = Draft(dict(EVEN)).edges(sends(APA.edge, sage()), sends(CITES, sage())).predict("paper")
        model = draft.compile(APA)
        monkeypatch.setattr(
            "graphdsl.backends.derivation.compose_named", lambda *_: pytest.fail("composed for nothing")
        )
        assert model(features(EVEN), edges(WRITES, CITES)).shape == (9, 3)

    def test_origins_of_a_given_metapath_are_not_needed(self):
        through = metapath(MetapathHop(WRITES, False), MetapathHop(WRITTEN_BY, False))
        model = Draft(dict(EVEN)).edges(sends(through.edge, sage())).predict("author").compile(INVERSE, through)
        assert model(features(EVEN), {through.edge: torch.tensor([[0], [1]])}).shape == (6, 3)

    def test_an_inverse_has_the_attributes_of_its_original(self):
        spec = module("GraphConv", 4, in_channels=(4, 4), out_channels=4)
        weighted = InputBinding("edge_weight", "edge", "w", scalar=True)
        model = Draft(dict(EVEN)).edges(sends(WRITTEN_BY, spec, weighted)).predict("author").compile(INVERSE)
        graph, w = edges(WRITES), torch.rand(17)
        flipped = {WRITTEN_BY: graph[WRITES].flip(0)}
        derived = model(features(EVEN), graph, w_dict={WRITES: w})
        assert torch.equal(derived, model(features(EVEN), flipped, w_dict={WRITTEN_BY: w}))
        code, _, _ = finding(lambda: model(features(EVEN), flipped, w_dict={WRITES: w}))
        assert code == "GNN618"

    def test_path_counts_are_weights(self):
        counted = metapath(MetapathHop(WRITES, False), MetapathHop(WRITES, True), multiplicity="count")
        spec = module("GraphConv", 4, in_channels=4, out_channels=4)
        weighted = InputBinding("edge_weight", "edge", "weight", scalar=True)
        model = Draft(dict(EVEN)).edges(sends(counted.edge, spec, weighted)).predict("author").compile(counted)
        graph = edges(WRITES)
        matrix = torch.zeros(6, 9).index_put_(tuple(graph[WRITES]), torch.ones(17), accumulate=True)
        counts = matrix @ matrix.t()
        pairs = counts.nonzero().t()
        given = model(features(EVEN), {counted.edge: pairs}, weight_dict={counted.edge: counts[tuple(pairs)]})
        torch.testing.assert_close(model(features(EVEN), graph), given)
