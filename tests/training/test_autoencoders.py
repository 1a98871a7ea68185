"""Variational and adversarial auto-encoders: losses and gradients of PyG's classes, and links found again."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning.pytorch import seed_everything
from objective_cases import papers
from torch import nn
from torch_geometric.nn import ARGVA, MLP, VGAE, GCNConv

import graphdsl
from graphdsl.data import batch_inputs, inspect
from graphdsl.training import BatchSource, Origin, evaluate, fit, read_supervision

SPEC = """
schema papers {
  node paper { x: float[16] }
  edge paper -[cites]-> paper
}
model vgae(hidden: int = 32, out: int = 16, kl: float = 0.004) on papers {
  h = edges { cites: GCNConv(hidden) } | relu
  mu = edges(h) { cites: GCNConv(out) }
  logstd = edges(h) { cites: GCNConv(out) }
  z = cat(mu, logstd) | Variational
  predict paper -[cites]-> paper: dot
  penalty Variational(z) weight kl
}
model argva(hidden: int = 32, out: int = 16, kl: float = 0.004) on papers {
  h = edges { cites: GCNConv(hidden) } | relu
  mu = edges(h) { cites: GCNConv(out) }
  logstd = edges(h) { cites: GCNConv(out) }
  z = cat(mu, logstd) | Variational | Adversarial(MLP(64, 32, norm = none))
  predict paper -[cites]-> paper: dot
  penalty Variational weight kl
  penalty Adversarial
}
train vgae { epochs: 60 }
train argva { epochs: 60, optimizer: Adam(lr = 0.005) }
"""


def compiled(name: str, **values):
    data = papers(60)
    torch.manual_seed(0)
    spec = graphdsl.loads(SPEC)
    return spec.compile(name, data=inspect(data, spec.schema()), **values), data


def both(name: str):
    """Our model, its data, PyG's encoder of the same form, what that is given, and the layers of ours."""
    model, data = compiled(name)
    x, edges = data["paper"].x, data["paper", "cites", "paper"].edge_index
    convs = nn.ModuleList([GCNConv(16, 32), GCNConv(32, 16), GCNConv(32, 16)])
    ours = [module for module in model.modules() if isinstance(module, GCNConv)]

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convs = convs

        def forward(self, x: torch.Tensor, edges: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            h = self.convs[0](x, edges).relu()
            return self.convs[1](h, edges), self.convs[2](h, edges)

    return model, data, Encoder(), (x, edges), ours


def copy(ours: list[nn.Module], encoder: nn.Module) -> None:
    """Our weights for PyG's model, whose constructor has drawn its own."""
    for mine, other in zip(ours, encoder.convs, strict=True):
        other.load_state_dict(mine.state_dict())


def test_vgae_draws_and_penalises_as_pyg() -> None:
    model, data, encoder, given, ours = both("vgae")
    theirs, pairs = VGAE(encoder), given[1][:, :7]
    copy(ours, encoder)
    inputs = batch_inputs(data, model.plan)
    for training in (True, False):
        model.train(training)
        theirs.train(training)
        torch.manual_seed(3)
        scores = model(**inputs, edge_label_index=pairs)
        torch.manual_seed(3)
        z = theirs.encode(*given)
        torch.testing.assert_close(scores, theirs.decode(z, pairs, sigmoid=False))
        torch.testing.assert_close(model.penalties["Variational(z)"], theirs.kl_loss())
    model.penalties["Variational(z)"].backward()
    theirs.kl_loss().backward()
    for mine, other in zip(ours, encoder.convs, strict=True):
        torch.testing.assert_close(mine.lin.weight.grad, other.lin.weight.grad)


def test_argva_has_the_gradients_of_both_of_pygs_steps() -> None:
    model, data, encoder, given, ours = both("argva")
    (own,) = (module for module in model.modules() if isinstance(module, MLP))
    discriminator = MLP([16, 64, 32], norm=None)
    theirs = ARGVA(encoder, discriminator)
    discriminator.load_state_dict(own.state_dict())
    copy(ours, encoder)
    torch.manual_seed(3)
    model(**batch_inputs(data, model.plan), edge_label_index=given[1][:, :7])
    model.penalties["Adversarial"].backward()
    torch.manual_seed(3)
    z = theirs.encode(*given)
    reg, judged = theirs.reg_loss(z), theirs.discriminator_loss(z)
    torch.testing.assert_close(model.penalties["Adversarial"], reg + judged)
    from_encoder = torch.autograd.grad(reg, [conv.lin.weight for conv in encoder.convs])
    for mine, wanted in zip(ours, from_encoder, strict=True):
        torch.testing.assert_close(mine.lin.weight.grad, wanted)
    from_discriminator = torch.autograd.grad(judged, list(discriminator.parameters()))
    for mine, wanted in zip(own.parameters(), from_discriminator, strict=True):
        torch.testing.assert_close(mine.grad, wanted)


@pytest.mark.parametrize("name", ["vgae", "argva"])
def test_links_of_a_planted_graph_are_found(name: str, tmp_path: Path) -> None:
    spec, data = graphdsl.loads(SPEC), papers(tell=1.0, communities=8, inside=0.3)
    schema, metadata = spec.schema(), inspect(data, spec.schema())
    training = replace(spec.training(name), model=name)
    seed_everything(0, workers=True, verbose=False)
    model = spec.compile(name, data=metadata)
    supervision = read_supervision(data, model.plan.heads, schema=schema, training=training)
    source = BatchSource(data, model.plan, training, schema)
    before = evaluate(model, model.plan, source, supervision, ("test",))["test"]["test_auroc"]
    origin = Origin(spec.text, spec.name, name, model.plan.parameters, schema, metadata)
    fit(model, model.plan, data, training, origin, tmp_path)
    found = evaluate(model, model.plan, source, supervision, ("test",))["test"]["test_auroc"]
    assert found > 0.8
    assert found > before
    columns = (tmp_path / "metrics.csv").read_text().splitlines()[0]
    assert "train_penalty" in columns
