"""What a model predicts or learns, in specs written in YAML or JSON."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, Tag
from typing_extensions import TypeAliasType

from graphdsl.syntax.documents.values import Layer, Name, Record, RelationNames, Text, Value, pick


class Label(Record):
    """A label to predict, of a type or of the graph."""

    type: Annotated[Name, Field(description="the type, or `graph`")]
    attribute: Name
    from_: Annotated[
        Annotated[Literal["*"], Tag("every type")] | Annotated[list[Name], Field(min_length=1), Tag("types")] | None,
        Field(alias="from", description="the types that are read out for a graph: a list, or `*`"),
    ] = None


class Link(RelationNames):
    """An edge to predict, or what it carries."""

    attribute: Name | None = None
    from_: Annotated[Name | None, Field(alias="from", description="the value of a `sequential` block that is read")] = (
        None
    )


Target = TypeAliasType(
    "Target",
    Annotated[
        Annotated[Text, Tag("a spelled prediction")]
        | Annotated[Label, Tag("a label")]
        | Annotated[Link, Tag("a link")],
        pick(
            "what to predict: `author.y`, `a -[r]-> b`, `{type: …, attribute: …}` or `{source: …, relation: …, target: …}`",
            {"type": "a label", "source": "a link", "relation": "a link", "target": "a link"},
            text="a spelled prediction",
        ),
        Field(description="what to predict", examples=["author.y", "author -[writes]-> paper"]),
    ],
)


class Predict(Record):
    """A prediction: how a model ends."""

    predict: Target
    head: Annotated[Layer | None, Field(description="the layer that gives it")] = None
    weight: Annotated[Value | None, Field(description="scales its loss")] = None
    negatives: Annotated[Value | None, Field(description="for links: pairs without an edge drawn for each edge")] = None
    keep_target: Annotated[StrictBool, Field(description="for links: the predicted edges stay in the graph")] = False


Learned = TypeAliasType(
    "Learned",
    Annotated[
        Annotated[Text, Tag("a spelled target")] | Annotated[RelationNames, Tag("a relation")],
        pick(
            "what learns: `paper`, `APA`, `a -[r]-> a` or `{source: …, relation: …, target: …}`",
            {"source": "a relation", "relation": "a relation", "target": "a relation"},
            text="a spelled target",
        ),
        Field(description="a type, a metapath or a relation", examples=["paper", "APA", "paper -[cites]-> paper"]),
    ],
)


class Learn(Record):
    """An objective: what is learned without labels."""

    learn: Learned
    by: Annotated[Layer, Field(description="MetaPath2Vec, Node2Vec or DeepGraphInfomax")]
    weight: Annotated[Value | None, Field(description="scales its loss")] = None
