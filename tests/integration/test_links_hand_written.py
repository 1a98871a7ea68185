"""Link predictions compiled from text against PyG written by hand, with copied weights: same numbers, same gradients."""

import warnings

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import MLP, ARLinkPredictor, HeteroConv, SAGEConv
from torch_geometric.nn.kge import ComplEx, DistMult, RotatE, TransE

import graphdsl
from graphdsl.text import SpecError

SPEC = """
schema shop {{
  node user {{ x: float[6] }}
  node film {{ x: float[9] }}
  edge user -[rates]-> film reverse rated_by {{ stars: class[5] }}
}}
model m on shop {{
  edges {{ rates: SAGEConv(8)  rated_by: SAGEConv({back}) }} | relu
  predict user -[rates]-> film{head}
}}
"""
RATES, RATED = ("user", "rates", "film"), ("film", "rated_by", "user")
KNOWLEDGE = {
    "distmult": lambda: DistMult(1, 1, 8),
    "transe": lambda: TransE(1, 1, 8, p_norm=2.0),
    "complex": lambda: ComplEx(1, 1, 4),
    "rotate": lambda: RotatE(1, 1, 4, margin=6.0),
}
PAIRS = torch.tensor([[0, 3, 6, 6, 2], [1, 1, 9, 0, 4]])


@pytest.fixture
def data() -> HeteroData:
    torch.manual_seed(0)
    graph = HeteroData()
    graph["user"].x, graph["film"].x = torch.randn(7, 6), torch.randn(11, 9)
    graph[RATES].edge_index = torch.stack([torch.randint(7, (30,)), torch.randint(11, (30,))])
    return graph


class Hand(nn.Module):
    """What a careful person writes."""

    def __init__(self, kind: str, back: int) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.conv = HeteroConv({RATES: SAGEConv((6, 9), 8), RATED: SAGEConv((9, 6), back)})
        self.kind = kind
        if kind in KNOWLEDGE:
            self.knowledge = [KNOWLEDGE[kind]()]  # in a list: its embeddings of nodes are no parameters here
            relations = ("rel_emb", "rel_emb_im")
            self.head = nn.ModuleList(
                getattr(*self.knowledge, name) for name in relations if hasattr(*self.knowledge, name)
            )
        elif kind == "attract_repel":
            self.head = ARLinkPredictor(back, 12, 10, num_layers=3, attract_ratio=0.3)
        elif kind == "bilinear":
            self.head = nn.Bilinear(back, 8, 1)
        elif kind == "MLP":
            self.head = MLP([8 + back, 16, 1], norm=None)

    def forward(self, data: HeteroData, pairs: Tensor) -> Tensor:
        edges = {RATES: data[RATES].edge_index, RATED: data[RATES].edge_index.flip(0)}
        h = {name: value.relu() for name, value in self.conv(data.x_dict, edges).items()}
        source, target = h["user"][pairs[0]], h["film"][pairs[1]]
        if self.kind == "dot":
            return (source * target).sum(-1)
        if self.kind in KNOWLEDGE:
            return self.triple(source, target)
        if self.kind == "attract_repel":
            attract, repel = self.head.encode(torch.cat([source, target]))
            rows = torch.arange(len(source))
            return self.head.decode(attract, repel, torch.stack([rows, rows + len(source)]))
        if self.kind == "bilinear":
            return self.head(source, target).squeeze(-1)
        return self.head(torch.cat([source, target], -1)).squeeze(-1)

    def triple(self, source: Tensor, target: Tensor) -> Tensor:
        """PyG's score with these rows for its embeddings: those of sources, then those of targets."""
        real = torch.cat([source, target])
        model = self.knowledge[0]
        if hasattr(model, "node_emb_im"):
            real, imaginary = real.chunk(2, -1)
            model.node_emb_im = _Rows(imaginary)
        model.node_emb = _Rows(real)
        rows = torch.arange(len(source))
        return model(rows, torch.zeros_like(rows), rows + len(source))


class _Rows(nn.Module):
    """An embedding of given rows."""

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        self.rows = rows

    def forward(self, index: Tensor) -> Tensor:
        return self.rows[index]


@pytest.mark.parametrize(
    ("kind", "head", "back"),
    [
        ("dot", "", 8),
        ("distmult", ": distmult", 8),
        ("transe", ": transe(p_norm = 2)", 8),
        ("complex", ": complex", 8),
        ("rotate", ": rotate(6)", 8),
        ("attract_repel", ": attract_repel(12, 10, num_layers = 3, attract_ratio = 0.3)", 8),
        ("bilinear", ": bilinear", 5),
        ("MLP", ": MLP(16, 1, norm = none)", 5),
    ],
)
def test_scores_and_gradients_are_those_of_the_hand(kind: str, head: str, back: int, data: HeteroData) -> None:
    compiled = graphdsl.loads(SPEC.format(head=head, back=back)).compile("m")
    hand = Hand(kind, back)
    own, other = list(compiled.parameters()), list(hand.parameters())
    names = {name: value for name, value in hand.named_parameters() if name.startswith("conv.")}
    own_convs = {name.removeprefix("stages.edges1."): value for name, value in compiled.named_parameters()}
    with torch.no_grad():
        for name, value in names.items():
            own_convs[name].copy_(value)
        for mine, theirs in zip(compiled.heads.parameters(), other[len(names) :], strict=True):
            mine.copy_(theirs)
    found = compiled(data.x_dict, data.edge_index_dict, edge_label_index=PAIRS)
    expected = hand(data, PAIRS)
    torch.testing.assert_close(found, expected)
    assert found.shape == (5,)
    found.square().sum().backward()
    expected.square().sum().backward()
    for name, value in names.items():
        torch.testing.assert_close(own_convs[name].grad, value.grad)
    for mine, theirs in zip(compiled.heads.parameters(), other[len(names) :], strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)
    assert len(own) == len(other)


def test_scores_of_embeddings_are_those_of_the_model(data: HeteroData) -> None:
    spec = graphdsl.loads(SPEC.format(head=".stars: bilinear", back=5))
    model, name = spec.compile("m"), "user -[rates]-> film.stars"
    found = model(data.x_dict, data.edge_index_dict, edge_label_index=PAIRS)
    assert found.shape == (5, 5)
    h = model.encode(data.x_dict, data.edge_index_dict, prediction=name)
    assert set(h) == {"user", "film"}
    torch.testing.assert_close(model.score(h, name, PAIRS), found)
    assert any(key.startswith("heads.user__rates__film__stars.") for key in model.state_dict())


def test_no_pairs_give_no_scores_and_gradients_of_zeros(data: HeteroData) -> None:
    model = graphdsl.loads(SPEC.format(head=": MLP(4, 1)", back=5)).compile("m")
    found = model(data.x_dict, data.edge_index_dict, edge_label_index=torch.zeros(2, 0, dtype=torch.long))
    assert found.shape == (0,)
    found.sum().backward()
    assert all(item.grad is not None and not item.grad.any() for item in model.heads.parameters())


def test_wrong_pairs_are_refused_with_the_line_of_the_spec(data: HeteroData) -> None:
    model = graphdsl.loads(SPEC.format(head="", back=8)).compile("m")
    given = (data.x_dict, data.edge_index_dict)
    with pytest.raises(SpecError, match="GNN618") as missing:
        model(*given)
    assert missing.value.diagnostics[0].primary.span.line == 9
    with pytest.raises(SpecError, match="GNN607"):
        model(*given, edge_label_index=PAIRS.t())
    with pytest.raises(TypeError, match="no link prediction 'x'"):
        model(*given, edge_label_index={"x": PAIRS})
    with pytest.raises(KeyError, match="no prediction 'y'"):
        model.score({}, "y", PAIRS)
    with pytest.raises(IndexError) as outside:
        model(*given, edge_label_index=torch.tensor([[0], [11]]))
    assert "user -[rates]-> film" in outside.value.__notes__[0]


def test_names_of_predictions_never_meet() -> None:
    """`a__b -[c]-> d` and `a -[b__c]-> d` are different keys."""
    text = """
    schema s {
      node "a__b" { x: float[3] }  node a { x: float[3] }  node d { x: float[3] }
      edge "a__b" -[c]-> d reverse c_back   edge a -["b__c"]-> d reverse "b__c_back"
    }
    model m on s {
      edges { *: SAGEConv(3) }
      predict "a__b" -[c]-> d: distmult
      predict a -["b__c"]-> d: distmult
    }"""
    model = graphdsl.loads(text).compile("m")
    assert len(model.heads) == 2
    assert len({key for key in model.state_dict() if key.startswith("heads.")}) == 2


def test_attract_repel_is_pygs_predictor(data: HeteroData) -> None:
    """On nodes of one type, with PyG's own forward pass and state dict; every pair at once, too."""
    from graphdsl.kernels.attraction import AttractRepel

    ours, theirs = AttractRepel(6, 8, dropout=0.5).eval(), ARLinkPredictor(6, 8, dropout=0.5).eval()
    theirs.load_state_dict(ours.state_dict())
    x, pairs = data["user"].x, torch.tensor([[0, 1, 2], [3, 3, 6]])
    torch.testing.assert_close(ours(x[pairs[0]], x[pairs[1]]).squeeze(-1).sigmoid(), theirs(x, pairs))
    torch.testing.assert_close(ours.every(x, x)[pairs[0], pairs[1]], ours(x[pairs[0]], x[pairs[1]]))
    before = ours.lin_repel.weight.clone()
    ours.reset_parameters()
    assert not torch.equal(before, ours.lin_repel.weight)
