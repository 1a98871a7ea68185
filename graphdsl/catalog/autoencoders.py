"""Layers on the latent values of graph auto-encoders, whose losses are penalties."""

from typing import Final

from graphdsl.catalog.entry import Arguments, Entry, Parameter, Problem


def _half(_arguments: Arguments, width: int | None) -> int | None:
    return None if width is None else width // 2


def _even(_arguments: Arguments, width: int | None) -> Problem | None:
    if width is None or width % 2 == 0:
        return None
    message = f"`Variational` reads means and deviations side by side, and {width} is odd"
    return Problem("GNN204", message, help="join two states: `cat(mu, logstd) | Variational`")


ENTRIES: Final = (
    Entry(
        "Variational",
        "node",
        "graphdsl.layers.Variational",
        "In training, values drawn by `cat(mu, logstd)`; its loss is the KL divergence.",
        width=_half,
        rules=(_even,),
        loss="kl_loss",
        paper="Kipf and Welling, Variational Graph Auto-Encoders, 2016",
    ),
    Entry(
        "Adversarial",
        "node",
        "graphdsl.layers.Adversarial",
        "Leaves values as they are; its loss asks them to pass for noise before a discriminator (ARGA).",
        parameters=(Parameter("discriminator", "module"),),
        loss="adversarial_loss",
        paper="Pan et al., Adversarially Regularized Graph Autoencoder for Graph Embedding, IJCAI 2018",
    ),
)
