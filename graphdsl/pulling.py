"""A spec from data: schema, and if asked for a model that trains at once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from graphdsl.api import Spec, loads
from graphdsl.drafting import Draft, Remark, write_draft
from graphdsl.drafting.drift import find_drift
from graphdsl.drafting.graph_schema import read_graph_schema
from graphdsl.drafting.proposing import find_target, propose, with_inverses
from graphdsl.model import Schema
from graphdsl.text import Diagnostic, SourceText, SpecError


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was drawn from data.

    Attributes:
        text: the spec, laid out.
        remarks: what the data holds and a schema cannot say; each is a comment in the text, too.
    """

    text: str
    remarks: tuple[Remark, ...]

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """The remarks as warnings."""
        return tuple(remark.as_warning() for remark in self.remarks)


def pull(data: Any, name: str = "data", *, model: bool = False) -> Spec:
    """Draw a spec from data.

    Every type, attribute, width, number of classes, mask and time becomes a declaration, with its name unchanged; relations
    that hold the same edges both ways become one with its inverse. What the language cannot say is a comment in the text
    (`spec.text`) and a warning of `pull_text`.

    Args:
        data: a `HeteroData`, a `Data` (its types are called `node` and `to`), a `TemporalData`, a `(FeatureStore, GraphStore)`
            pair, or a list or dataset of graphs; a graph of networkx, whose nodes and edges bear their types as `type`; the
            text of a `GraphSchema` of TensorFlow GNN; or a draft that somebody else drew.
        name: of the schema.
        model: propose a model of two GraphSAGE layers and a train block, too, for the first label that has a `train_mask`,
            else a label of graphs, else links; one-way relations get inverses.

    Raises:
        SpecError: GNN611 for what is no graph.

    >>> import torch
    >>> from torch_geometric.data import HeteroData
    >>> data = HeteroData()
    >>> data["paper"].x = torch.zeros(3, 2)
    >>> print(pull(data, "tiny").text, end="")
    gnn 1
    <BLANKLINE>
    schema tiny {
      node paper { x: float[2] }
    }
    """
    return loads(pull_text(data, name, model=model).text, f"{name}.gnn")


def pull_text(data: Any, name: str = "data", *, model: bool = False, source: str = "") -> Pulled:
    """Draw the text of a spec from data.

    Args:
        data: as for `pull`.
        name: of the schema.
        model: propose a model, too.
        source: where the data is, as a train block names it (`pyg("DBLP", root = "data")`, `"graph.pt"`).
    """
    return write(_draw(data, name), model=model, source=source)


def _draw(data: Any, name: str) -> Draft:
    if isinstance(data, Draft):
        return replace(data, name=name)
    if isinstance(data, str):
        return read_graph_schema(data, name)
    if isinstance(data, SourceText):
        try:
            return read_graph_schema(data.text, name)
        except SpecError as error:
            raise SpecError([replace(item, where=data.name) for item in error.diagnostics]) from error
    from graphdsl.data.drawing import draw

    return draw(data, name)


def write(draft: Draft, *, model: bool = False, source: str = "") -> Pulled:
    """A draft as a spec, with or without a model."""
    remarks, proposed = list(draft.all_remarks()), ""
    if model:
        draft = with_inverses(draft)
        target = find_target(draft)
        if isinstance(target, Remark):
            remarks.append(target)
            proposed = f"# {target.where} {target.text}: no model is proposed\n"
        else:
            proposed = propose(draft, target, source)
    from graphdsl.syntax.formatting import format_source  # Nobody else who imports graphdsl needs it.

    text = format_source(SourceText(f"{draft.name}.gnn", write_draft(draft, proposed))).text
    return Pulled(text, tuple(remarks))


def drift(schema: Schema, data: Any) -> Iterator[Diagnostic]:
    """How data has drifted from a schema: what each has that the other lacks, and what changed its type (GNN676).

    What the data has and a schema cannot declare is told as `pull` tells it (GNN675).

    Args:
        schema: as a spec declares it.
        data: as for `pull`.
    """
    return find_drift(schema, _draw(data, schema.name))
