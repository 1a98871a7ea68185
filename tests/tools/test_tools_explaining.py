"""PyG's explainers on compiled models: the same masks as on the model written by hand, attributions that add up."""

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData
from torch_geometric.explain import CaptumExplainer, Explainer, GNNExplainer
from torch_geometric.explain.algorithm.utils import clear_masks, set_hetero_masks
from torch_geometric.nn import GATConv, HeteroConv, Linear, SAGEConv

import graphdsl
from graphdsl.backends import Explainable
from graphdsl.data import batch_inputs

SPEC = """
schema library {
  node author     { x: float[6], y: class[3], age: real }
  node "web page" { x: float[4] }
  node venue(count = 3)
  edge author -[writes]-> "web page"   reverse "written.by" { order: float }
  edge author -[knows]-> author
  edge "web page" -[in]-> venue        reverse holds
}
model m on library {
  nodes { venue: Embedding(8)  *: Linear(8) } | relu
  repeat 2 {
    edges {
      knows: GATConv(8)
      "written.by", writes: GATConv(8, edge_attr = order)
      *: SAGEConv(8)
    } | relu
  }
  predict author.y
  predict author.age
}
model plain on library {
  edges { knows: GATConv(8)  "written.by": SAGEConv(8) } | relu
  predict author.y
}
model joint on library {
  nodes { author, "web page": Linear(8) } | relu
  edges { author -[*]-> author: HANConv(8)  "written.by": SAGEConv(8) } | relu
  predict author.y
}
"""
KNOWS, WRITES, WRITTEN = (
    ("author", "knows", "author"),
    ("author", "writes", "web page"),
    ("web page", "written.by", "author"),
)
CONFIG = {"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"}


@pytest.fixture
def data() -> HeteroData:
    torch.manual_seed(0)
    made = HeteroData()
    made["author"].x, made["web page"].x = torch.randn(9, 6), torch.randn(7, 4)
    made["venue"].num_nodes = 3
    made[KNOWS].edge_index = torch.randint(9, (2, 20))
    made[WRITES].edge_index = torch.stack([torch.randint(9, (18,)), torch.randint(7, (18,))])
    made[WRITES].order = torch.rand(18)
    made["web page", "in", "venue"].edge_index = torch.stack([torch.arange(7), torch.arange(7) % 3])
    return made


def view_of(data: HeteroData, model: str, prediction: str | None = None) -> Explainable:
    torch.manual_seed(1)
    compiled = graphdsl.loads(SPEC).compile(model, data=data)
    return Explainable(compiled, batch_inputs(data, compiled.plan), prediction)


def gnn_explainer(model: nn.Module, **fields) -> Explainer:
    given = {"node_mask_type": "attributes", "edge_mask_type": "object", "model_config": CONFIG, **fields}
    return Explainer(model, GNNExplainer(epochs=8), explanation_type="model", **given)


class ByHand(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = HeteroConv({KNOWS: GATConv(6, 8), WRITTEN: SAGEConv((4, 6), 8)})
        self.head = Linear(8, 3)

    def forward(self, x_dict: dict[str, Tensor], edge_index_dict: dict) -> Tensor:
        return self.head(self.conv(x_dict, edge_index_dict)["author"].relu())


@pytest.mark.filterwarnings("ignore:There exist node types")
def test_masks_are_those_of_the_model_written_by_hand(data: HeteroData) -> None:
    view, by_hand = view_of(data, "plain"), ByHand()
    by_hand.load_state_dict(dict(zip(by_hand.state_dict(), view.model.state_dict().values(), strict=True)))
    assert sorted(view.edge_index_dict) == [KNOWS, WRITTEN]
    found = []
    for model in (view, by_hand):
        torch.manual_seed(2)
        found.append(gnn_explainer(model)(view.x_dict, view.edge_index_dict, index=4))
    for name in view.x_dict:
        torch.testing.assert_close(found[0][name].node_mask, found[1][name].node_mask)
    for edge in view.edge_index_dict:
        torch.testing.assert_close(found[0][edge].edge_mask, found[1][edge].edge_mask)
    assert float(found[0][KNOWS].edge_mask.max()) > 0


@pytest.mark.parametrize("prediction", ["author.y", "author.age"])
def test_a_model_with_attributes_embeddings_and_several_predictions(data: HeteroData, prediction: str) -> None:
    view = view_of(data, "m", prediction)
    config = CONFIG if prediction == "author.y" else {**CONFIG, "mode": "regression"}
    explanation = gnn_explainer(view, model_config=config)(view.x_dict, view.edge_index_dict, index=0)
    assert explanation.validate_masks()
    shapes = {edge: mask.shape for edge, mask in explanation.edge_mask_dict.items()}
    assert shapes == {edge: (index.size(1),) for edge, index in view.edge_index_dict.items()}
    assert ("venue", "holds", "web page") in shapes
    assert set(explanation.node_mask_dict) == {"author", "web page"}, "an embedding has no features to mask"
    own = view.model(**batch_inputs(data, view.model.plan))
    torch.testing.assert_close(view(view.x_dict, view.edge_index_dict), own[prediction])
    assert not any(getattr(module, "_explain", False) for module in view.modules()), "no mask is left"


def test_relations_of_joint_layers_are_masked(data: HeteroData) -> None:
    view = view_of(data, "joint")
    assert sorted(view.edge_index_dict) == [KNOWS, WRITTEN]
    explanation = gnn_explainer(view)(view.x_dict, view.edge_index_dict)
    assert sorted(explanation.edge_mask_dict) == [KNOWS, WRITTEN]
    assert all(float(mask.sum()) > 0 for mask in explanation.edge_mask_dict.values())
    assert float(explanation["author"].node_mask.sum()) > 0


JOINT = [
    "HGTConv(8, heads = 2)",
    "RGCNConv(8)",
    "RGCNConv(8, num_bases = 2)",
    "FastRGCNConv(8)",
    "RGATConv(8)",
    "HEATConv(8, edge_type_emb_dim = 3, edge_attr_emb_dim = 3, edge_attr = w)",
    "SimpleHGNConv(4, heads = 2, num_layers = 2)",
    "CompGCNConv(8)",
    'CompGCNConv(8, composition = "corr", num_layers = 2)',
    "IEHGCNConv(8)",
    "HetSANNConv(4, heads = 2)",
    "RHGNNConv(8, heads = 2)",
    "HANConv(8, heads = 2)",
]
LIKES, LIKED = ("user", "likes", "item"), ("item", "liked_by", "user")
SEES, SEEN = ("user", "sees", "item"), ("item", "seen_by", "user")


def planted(joint: str) -> tuple[Explainable, Tensor]:
    """Items whose label is what the users say that like them; who sees them says nothing of it.

    Returns:
        The view of a trained model, and the labels of the items.
    """
    torch.manual_seed(3)
    data = HeteroData()
    side = torch.arange(60) % 2
    data["user"].x = torch.eye(2)[side] + 0.05 * torch.randn(60, 2)
    data["item"].x = torch.randn(40, 2) * 0.1
    label = torch.arange(40) % 2
    data[LIKES].edge_index = torch.stack([torch.randint(30, (40,)) * 2 + label, torch.arange(40)])
    data[SEES].edge_index = torch.stack([torch.randint(60, (120,)), torch.randint(40, (120,))])
    data[LIKES].w, data[SEES].w = torch.ones(40), torch.ones(120)
    spec = graphdsl.loads(f"""
        schema s {{
          node user {{ x: float[2] }}
          node item {{ x: float[2], y: class[2] }}
          edge user -[likes]-> item reverse liked_by {{ w: float }}
          edge user -[sees]-> item reverse seen_by {{ w: float }}
        }}
        model m on s {{ nodes {{ *: Linear(8) }} | relu  edges {{ *: {joint} }} | relu  predict item.y }}""")
    model = spec.compile()
    inputs = batch_inputs(data, model.plan)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(80):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(**inputs), label).backward()
        optimizer.step()
    return Explainable(model.eval(), inputs), label


def masked(view: Explainable, kept: dict) -> Tensor:
    """The prediction when the edges that are not kept send nothing."""
    weights = {edge: item.float() for edge, item in kept.items()}
    set_hetero_masks(view, weights, view.edge_index_dict, apply_sigmoid=False)
    made = view(view.x_dict, view.edge_index_dict)
    clear_masks(view)
    return made


@pytest.mark.parametrize("joint", ["CompGCNConv(8)", "CompGCNConv(8, num_layers = 2)"])
def test_a_masked_edge_of_a_sum_is_as_good_as_removed(joint: str) -> None:
    view, _ = planted(joint)
    kept = {edge: torch.rand(index.size(1)) > 0.4 for edge, index in view.edge_index_dict.items()}
    left = {edge: index[:, kept[edge]] for edge, index in view.edge_index_dict.items()}
    torch.testing.assert_close(masked(view, kept), view(view.x_dict, left))


@pytest.mark.filterwarnings("ignore:.*GNN")
@pytest.mark.parametrize("joint", JOINT)
def test_masks_of_a_joint_layer_are_those_of_its_messages(joint: str) -> None:
    """An edge whose mask is 0 sends nothing, and removing important edges changes more than removing random ones."""
    view, label = planted(joint)
    x, edges = view.x_dict, view.edge_index_dict
    assert {LIKES, SEES} <= set(edges)
    logits = view(x, edges)
    assert float((logits.argmax(1) == label).float().mean()) > 0.8
    explainer = Explainer(
        view,
        GNNExplainer(epochs=80, lr=0.05),
        explanation_type="model",
        node_mask_type=None,
        edge_mask_type="object",
        model_config=CONFIG,
    )
    mask = explainer(x, edges).edge_mask_dict
    assert {edge: item.shape for edge, item in mask.items()} == {edge: (edges[edge].size(1),) for edge in edges}
    assert float(mask[LIKES].mean()) > float(mask[SEES].mean())

    def changed(score: dict) -> float:
        """How much the predictions of the labels fall when the 20 edges with the highest score are removed."""
        bound = torch.cat([score[edge] for edge in (LIKES, SEES)]).topk(20).values[-1]
        left = {edge: (score[edge] < bound) | (edge not in (LIKES, SEES)) for edge in edges}
        with torch.no_grad():
            before, after = view(x, edges), masked(view, left)
        return float((before.softmax(1) - after.softmax(1))[torch.arange(40), label].mean())

    random = sum(changed({edge: torch.rand(edges[edge].size(1)) for edge in edges}) for _ in range(5)) / 5
    assert changed(mask) > random + 0.05


def test_attributions_of_captum_add_up(data: HeteroData) -> None:
    pytest.importorskip("captum")
    view = view_of(data, "m", "author.y").eval()
    explainer = Explainer(
        view,
        CaptumExplainer("IntegratedGradients", n_steps=300),
        explanation_type="model",
        node_mask_type="attributes",
        edge_mask_type=None,
        model_config=CONFIG,
    )
    explanation = explainer(view.x_dict, view.edge_index_dict, index=4)
    nothing = {name: torch.zeros_like(x) for name, x in view.x_dict.items()}
    target = int(explanation.target[4])
    gained = view(view.x_dict, view.edge_index_dict)[4, target] - view(nothing, view.edge_index_dict)[4, target]
    total = sum(mask.sum() for mask in explanation.node_mask_dict.values())
    torch.testing.assert_close(total, gained, rtol=0.02, atol=0.02)


@pytest.mark.filterwarnings("ignore:Input Tensor")  # Captum asks for gradients itself, and says so
def test_edges_by_captum(data: HeteroData) -> None:
    pytest.importorskip("captum")
    view = view_of(data, "m", "author.y").eval()
    explainer = Explainer(
        view,
        CaptumExplainer("Saliency"),
        explanation_type="model",
        node_mask_type="attributes",
        edge_mask_type="object",
        model_config=CONFIG,
    )
    explanation = explainer(view.x_dict, view.edge_index_dict, index=4)
    assert sum(float(mask.abs().sum()) for mask in explanation.edge_mask_dict.values()) > 0


def test_a_sequential_block_is_explained_as_it_is() -> None:
    torch.manual_seed(0)
    model = graphdsl.loads(
        "schema s { node a { x: float[4], y: class[2] } edge a -[r]-> a }"
        " model m on s { sequential x, edge_index { GCNConv(8): x, edge_index -> x  relu  GCNConv(2): x, edge_index -> x } predict a.y }"
    ).compile()
    x, edges = torch.randn(8, 4), torch.randint(8, (2, 20))
    explanation = gnn_explainer(model)(x, edges, index=2)
    assert explanation.edge_mask.shape == (20,)
    assert float(explanation.edge_mask.max()) > 0


def test_which_prediction_must_be_said(data: HeteroData) -> None:
    with pytest.raises(KeyError, match=r"name one of the predictions of model 'm': author\.y, author\.age"):
        view_of(data, "m")
    with pytest.raises(KeyError, match=r"author\.y"):
        view_of(data, "plain", "author.z")
