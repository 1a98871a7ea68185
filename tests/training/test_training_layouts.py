"""Training lays a graph out once, not once an epoch, also where validation sees a graph that lacks some edges."""

from pathlib import Path

import pytest
import torch
from training_cases import SPEC, Case, make_case, make_graph

from graphdsl.kernels.layouts import Layout
from graphdsl.training import BatchSource, read_supervision

LINKS = SPEC.replace("edge user", "edge item -[alike]-> item\n  edge user").replace(
    "predict user.y", "predict user -[buys]-> item: dot"
)


def layouts_of(case: Case, epochs: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many layouts are made by training for some epochs."""
    made: list[bool] = []
    usual = Layout.of.__func__

    def counted(cls: type[Layout], *arguments: object) -> Layout:
        made.append(True)
        return usual(cls, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Layout, "of", classmethod(counted))
        model = case.spec.compile("m", data=case.data, backend="fused")
        case.with_(epochs=epochs).fit(folder, model)
    return len(made)


@pytest.mark.parametrize("text", [SPEC, LINKS], ids=["labels", "links"])
def test_a_graph_is_laid_out_once(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_graph()
    if text == LINKS:
        data["item", "alike", "item"].edge_index = torch.randint(60, (2, 90))
    case = make_case(text=text, data=data)
    few, many = (layouts_of(case, epochs, tmp_path / str(epochs), monkeypatch) for epochs in (2, 6))
    assert 0 < few == many


def test_splits_of_nodes_read_one_graph() -> None:
    text = SPEC.replace("bought_by\n", "bought_by\n  metapath UIU = user -[buys]-> item <-[buys]- user\n")
    case = make_case(
        text=text.replace("*: SAGEConv(hidden) }} | relu\n  predict", "UIU: SAGEConv(hidden) }}\n  predict")
    )
    plan = case.plan()
    found = read_supervision(case.data, plan.heads)
    source = BatchSource(case.data, plan, case.training, case.schema)
    graphs = [next(iter(source.batches({}, graph=found.graph(split))[0])).inputs for split in ("train", "val")]
    edge = ("user", "UIU", "user")
    assert graphs[0]["edge_index_dict"][edge] is graphs[1]["edge_index_dict"][edge]
