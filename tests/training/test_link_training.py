"""Loss, metrics, batches and whole runs of link predictions."""

import pytest
import sklearn.metrics as reference
import torch
import torch.nn.functional as F
from lightning.pytorch import seed_everything
from link_cases import KNOWS, RATED, RATES, SPEC, make_links, pairs, supervise

import graphdsl
from graphdsl.data import inspect
from graphdsl.data.derivation import with_derived
from graphdsl.data.hiding import without_edges
from graphdsl.data.link_loading import PairSeeds, pair_loader
from graphdsl.model import Training
from graphdsl.training import BatchSource, Fit, Origin, evaluate, fit, run_baselines
from graphdsl.training.link_task import ranks
from graphdsl.training.module import outputs_by_head, wanted_rows
from graphdsl.training.pairs import place_rows
from graphdsl.training.scores import Scores
from graphdsl.training.task import head_task

NAME = "user -[rates]-> film"


def run(folder, model: str = "m", text: str = SPEC, data=None, **settings) -> tuple[Fit, dict[str, float]]:
    data = make_links() if data is None else data
    spec, training = graphdsl.loads(text, "shop.gnn"), Training(model, **{"epochs": 25, "fanout": (-1,), **settings})
    plan, schema = spec.plan(model, data=data), spec.schema(model)
    seed_everything(0, workers=True, verbose=False)
    compiled = spec.compile(model, data=data)
    origin = Origin(spec.text, spec.name, model, plan.parameters, schema, inspect(data, schema))
    done = fit(compiled, plan, data, training, origin, folder)
    supervision = supervise(data, model, text, **settings)
    source = BatchSource(data, plan, training, schema)
    return done, evaluate(compiled, plan, source, supervision, ("test",))["test"]


def batches_of(data, model: str, split: str = "train", epoch: int = 0, **settings):
    spec, training = graphdsl.loads(SPEC, "shop.gnn"), Training(model, **{"fanout": (-1,), **settings})
    plan, supervision = spec.plan(model, data=data), supervise(data, model, **settings)
    source = BatchSource(data, plan, training, spec.schema(model))
    wanted = wanted_rows(supervision, plan, split, training.seed)
    (batches,) = source.batches(wanted, graph=supervision.graph(split), shuffle=split == "train")
    batches.epoch = epoch
    return plan, supervision, batches


# --- loss and metrics ---


def test_loss_and_metrics_equal_references() -> None:
    task = head_task(graphdsl.loads(SPEC).plan("m").heads[0])
    outputs, labels = torch.randn(40, 4), torch.tensor([[1, 0, 0, 0]]).repeat(40, 1)
    labels[::7, 2] = -1
    known = labels >= 0
    term = task.loss(outputs, labels)
    expected = F.binary_cross_entropy_with_logits(outputs[known], labels[known].float())
    torch.testing.assert_close(term.total / term.weight, expected)
    scores = Scores(task)
    scores.update(outputs[:15], labels[:15])
    scores.update(outputs[15:], labels[15:])
    found = scores.compute()
    assert found["auroc"] == pytest.approx(reference.roc_auc_score(labels[known], outputs[known]))
    assert found["average_precision"] == pytest.approx(reference.average_precision_score(labels[known], outputs[known]))
    by_hand = [
        1 + sum(float(other) > float(row[0]) for other in row[1:][seen[1:]])
        for row, seen in zip(outputs, known, strict=True)
    ]
    assert found["mrr"] == pytest.approx(sum(1 / rank for rank in by_hand) / 40)
    assert found["hits@1"] == pytest.approx(sum(rank <= 1 for rank in by_hand) / 40)
    assert set(found) == {"auroc", "average_precision", "mrr", "hits@1", "hits@3"}


def test_equal_scores_are_no_success() -> None:
    """A model that says the same of every pair must not rank every edge first."""
    assert ranks(torch.zeros(1, 4), torch.tensor([[1, 0, 0, 0]])).tolist() == [2.5]


def test_rows_of_edges_and_their_negatives() -> None:
    assert place_rows(2, 3).tolist() == [[0, 2, 3, 4], [1, 5, 6, 7]]
    assert place_rows(2, 0).tolist() == [[0], [1]]


# --- batches ---


def test_negatives_are_no_edges_of_any_split_and_new_in_each_epoch() -> None:
    data = make_links()
    true, drawn = pairs(data[RATES].edge_index), []
    for epoch in (0, 1):
        _, supervision, batches = batches_of(data, "m", epoch=epoch)
        (batch,) = batches
        index = batch.inputs["edge_label_index"][NAME]
        rows = batch.rows[NAME]
        assert rows.shape == (len(supervision.links[NAME].edges["train"]), 4)
        assert pairs(index[:, rows[:, 0]]) <= true
        assert not pairs(index[:, rows[:, 1:].reshape(-1)]) & true
        assert torch.equal(index[0, rows[:, :1]].expand(-1, 3), index[0, rows[:, 1:]]), "negatives keep their source"
        drawn.append(index)
    assert not torch.equal(*drawn)
    again, other = (next(iter(batches_of(data, "m", "val", epoch=epoch)[2])) for epoch in (0, 1))
    assert torch.equal(again.inputs["edge_label_index"][NAME], other.inputs["edge_label_index"][NAME])


def test_negatives_within_a_type_are_neither_edges_nor_loops() -> None:
    data = make_links()
    (batch,) = batches_of(data, "friends")[2]
    name = "user -[knows]-> user"
    rows = batch.rows[name][:, 1:].reshape(-1)
    found = pairs(batch.inputs["edge_label_index"][name][:, rows])
    assert not found & pairs(data[KNOWS].edge_index)
    assert all(source != target for source, target in found)


@pytest.mark.parametrize(
    ("model", "relation", "back"), [("m", RATES, RATED), ("friends", KNOWS, ("user", "known_by", "user"))]
)
def test_sampled_batches_hold_none_of_their_own_edges(model: str, relation, back) -> None:
    data = make_links()
    _, supervision, batches = batches_of(data, model, batch_size=64)
    name = next(iter(supervision.links))
    seen = 0
    for batch in batches:
        numbers = batch.inputs["n_id_dict"]
        index = batch.inputs["edge_label_index"][name][:, batch.rows[name][:, 0]]
        asked = pairs(torch.stack([numbers[relation[0]][index[0]], numbers[relation[2]][index[1]]]))
        assert asked == pairs(
            supervision.links[name].edge_index[:, supervision.links[name].edges["train"]][:, batch.nodes[name]]
        )
        for edge, step in ((relation, 1), (back, -1)):
            edges = batch.inputs["edge_index_dict"][edge]
            here = pairs(torch.stack([numbers[edge[0]][edges[0]], numbers[edge[2]][edges[1]]]))
            assert here, "there are messages"
            assert not asked & {pair[::step] for pair in here}
            if relation[0] == relation[2]:
                assert not asked & {pair[::-step] for pair in here}
        seen += len(batch.nodes[name])
    assert seen == len(supervision.links[name].edges["train"])


def test_sampled_evaluation_with_all_neighbours_is_that_of_the_whole_graph() -> None:
    data = make_links()
    torch.manual_seed(0)
    compiled = graphdsl.loads(SPEC).compile("m", data=data).eval()
    found = []
    for size in (None, 32):
        plan, _, batches = batches_of(data, "m", "test", batch_size=size)
        with torch.no_grad():
            parts = [outputs_by_head(compiled, plan, batch)[NAME][batch.rows[NAME]] for batch in batches]
        found.append(torch.cat(parts))
    torch.testing.assert_close(*found)


def test_temporal_batches_see_nothing_later_than_their_edge() -> None:
    data = make_links()
    _, supervision, batches = batches_of(data, "m", batch_size=16, temporal=True, fanout=(5, 5))
    assert sum(len(batch.nodes[NAME]) for batch in batches) == len(supervision.links[NAME].edges["train"])
    drawn, schema = batches._wanted.draw(0), graphdsl.loads(SPEC).schema("m")
    index = drawn.index()
    seeds = PairSeeds(RATES, index, torch.arange(index.size(1)) < len(drawn.labels), drawn.times())
    view = with_derived(without_edges(data, supervision.graph("train").kept), graphdsl.loads(SPEC).plan("m", data=data))
    checked = 0
    for sampled in pair_loader(view, batches._plan, seeds, schema, batches._structure, batches._sampler, batch_size=20):
        limit = seeds.time[sampled[RATES].input_id]  # by example: a pair and the tree that grows from its ends
        for edge in (RATES, RATED):
            at = view.read(edge, "at")[sampled[edge].e_id]
            assert (at <= limit[sampled[edge[2]].batch[sampled[edge].edge_index[1]]]).all()
            checked += len(at)
    assert checked > 1000


# --- whole runs ---


@pytest.mark.parametrize(
    "settings", [{}, {"batch_size": 128, "epochs": 4, "fanout": (8, 8)}, {"disjoint": 0.3}], ids=str
)
def test_planted_links_are_found(tmp_path, settings) -> None:
    done, found = run(tmp_path, **settings)
    assert done.monitor.name == "val_auroc"
    assert found["test_auroc"] > 0.75
    assert found["test_mrr"] > 0.7


def test_noise_is_not_found(tmp_path) -> None:
    """Were a test edge anywhere among the messages, a random graph would be predicted too well."""
    data = make_links()
    g = torch.Generator().manual_seed(3)
    count = data[RATES].num_edges
    data[RATES].edge_index = torch.stack(
        [torch.randint(150, (count,), generator=g), torch.randint(60, (count,), generator=g)]
    )
    _, found = run(tmp_path, data=data)
    assert found["test_auroc"] < 0.6


def test_what_edges_carry_is_learned(tmp_path) -> None:
    done, found = run(tmp_path, "stars", epochs=60)
    assert done.monitor.name == "val_rmse"
    assert found["test_rmse"] < 0.9, "always the mean scores 0.9 or so"


def test_runs_are_reproducible_and_resumed(tmp_path) -> None:
    first = run(tmp_path / "a", epochs=6)
    run(tmp_path / "b", epochs=3)
    data = make_links()
    spec, training = graphdsl.loads(SPEC, "shop.gnn"), Training("m", epochs=6, fanout=(-1,))
    plan, schema = spec.plan("m", data=data), spec.schema("m")
    origin = Origin(spec.text, spec.name, "m", plan.parameters, schema, inspect(data, schema))
    resumed = fit(spec.compile("m", data=data), plan, data, training, origin, tmp_path / "b", resume=True)
    assert resumed.metrics == pytest.approx(first[0].metrics)


def test_labels_of_nodes_and_links_are_learned_together(tmp_path) -> None:
    text = SPEC.replace(
        "user(count = 150) { x: float[4]? }",
        "user(count = 150) { x: float[4]?, y: class[5], train_mask: mask, val_mask: mask, test_mask: mask }",
    )
    text = text.replace("negatives 3", "negatives 3 weight 0.5\n  predict user.y")
    data = make_links()
    data["user"].y = torch.arange(150) % 5
    for number, split in enumerate(("train", "val", "test")):
        data["user"][f"{split}_mask"] = torch.randperm(150, generator=torch.Generator().manual_seed(0)) % 3 == number
    for settings in ({}, {"batch_size": 64, "epochs": 3}):
        done, found = run(tmp_path / str(len(settings)), text=text, data=data, **settings)
        assert done.monitor.name == f"val_{NAME}_auroc"
        assert found[f"test_{NAME}_auroc"] > 0.75
        assert found["test_user.y_accuracy"] > 0.6


def test_baselines_of_links_are_on_the_same_pairs() -> None:
    """Targets that are linked often are linked again; the baseline sees that, and the mean of what edges carry."""
    data = make_links()
    popular = torch.randint(5, (data[RATES].num_edges,), generator=torch.Generator().manual_seed(0))
    data[RATES].edge_index = torch.stack(
        [data[RATES].edge_index[0], torch.where(popular < 4, data[RATES].edge_index[1] % 15, data[RATES].edge_index[1])]
    )
    found = {}
    for model in ("m", "stars"):
        plan = graphdsl.loads(SPEC).plan(model, data=data)
        (found[model],) = run_baselines(data, plan, supervise(data, model))
    assert found["m"].scores["auroc"] > 0.7
    assert found["stars"].name == "mean"
    links = supervise(data, "stars").links["user -[rates]-> film.stars"]
    train, test = (links.labels[links.edges[split]] for split in ("train", "test"))
    assert found["stars"].scores["rmse"] == pytest.approx(float((test - train.mean()).square().mean().sqrt()), rel=1e-4)
