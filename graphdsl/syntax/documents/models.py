"""What a spec in YAML or JSON looks like; the JSON Schema `grammar/gnn.schema.json` is made from these models.

Imported only where such a file is read, for it needs pydantic. Wherever a layer, a pattern, a type or a value stands, its
spelling in `.gnn` may stand as a text; the objects are for programs that write specs. A text is always read as `.gnn`, so
`heads` is the parameter and `"mean"`, with quotes inside, or `{string: mean}` is a text.
"""

from typing import Annotated

from pydantic import Field, StrictBool, Tag
from typing_extensions import TypeAliasType

from graphdsl.syntax.documents.targets import Learn, Predict
from graphdsl.syntax.documents.values import (
    Attributes,
    Call,
    Identifier,
    Layer,
    Name,
    Parameters,
    Pipe,
    Record,
    Relation,
    Rule,
    Text,
    Value,
    pick,
)

Optional = Annotated[StrictBool, Field(description="it may be absent from a graph or a batch")]
Share = Annotated[StrictBool, Field(description="the same weights each time")]

# --- schema ----------------------------------------------------------------------------------------------------------


class NodeType(Record):
    """A node type."""

    node: Annotated[Name, Field(description="its name", examples=["author"])]
    count: Annotated[Value | None, Field(description="how many nodes there are")] = None
    optional: Optional = False
    attributes: Attributes | None = None


class EdgeType(Record):
    """An edge type."""

    edge: Annotated[Relation, Field(description="source, name and target", examples=["author -[writes]-> paper"])]
    reverse: Annotated[Name | None, Field(description="the name of its inverse")] = None
    optional: Optional = False
    attributes: Attributes | None = None


class Backward(Record):
    """A step of a metapath against the direction of its edges."""

    backward: Name


Hop = TypeAliasType(
    "Hop",
    Annotated[
        Annotated[Name, Tag("a name")] | Annotated[Backward, Tag("a step back")],
        pick("a name or `{backward: NAME}`", {"backward": "a step back"}, text="a name"),
    ],
)
Path = TypeAliasType(
    "Path",
    Annotated[
        Annotated[Text, Tag("a spelled path")] | Annotated[list[Hop], Field(min_length=3), Tag("a path")],
        pick("a path: `a -[r]-> b <-[r]- a` or `[a, r, b, {backward: r}, a]`", text="a spelled path", list="a path"),
        Field(description="types and relations in turn", examples=["author -[writes]-> paper <-[writes]- author"]),
    ],
)


class Metapath(Record):
    """A named composition of relations."""

    metapath: Annotated[Name, Field(description="its name")]
    kind: Annotated[Value | None, Field(description="set, count or mean: what its edges weigh")] = None
    sample: Annotated[Value | None, Field(description="the most pairs of each destination, drawn from all")] = None
    seed: Annotated[Value | None, Field(description="of the drawing")] = None
    path: Path
    budget: Annotated[Value | None, Field(description="the most edges that may be made", examples=["20M"])] = None


class GraphAttributes(Record):
    """What a whole graph carries."""

    graph: Attributes


Member = TypeAliasType(
    "Member",
    Annotated[
        Annotated[NodeType, Tag("a node type")]
        | Annotated[EdgeType, Tag("an edge type")]
        | Annotated[Metapath, Tag("a metapath")]
        | Annotated[GraphAttributes, Tag("attributes of the graph")],
        pick(
            "a member: a mapping with `node`, `edge`, `metapath` or `graph`",
            {
                "node": "a node type",
                "edge": "an edge type",
                "metapath": "a metapath",
                "graph": "attributes of the graph",
            },
        ),
    ],
)


class SchemaBlock(Record):
    """What a graph is made of."""

    schema_: Annotated[Name, Field(alias="schema", description="its name")]
    parameters: Parameters | None = None
    members: list[Member] | None = None


# --- model -----------------------------------------------------------------------------------------------------------

StageName = Annotated[Identifier | None, Field(description="what the result is called, for later stages")]
Of = Annotated[Identifier | None, Field(description="the state that it reads; the one before it when left out")]


class NodesStage(Record):
    """A node map: each type on its own."""

    name: StageName = None
    nodes: list[Rule]
    of: Of = None
    pipe: Pipe | None = None


class EdgesStage(Record):
    """A relation map: each relation sends messages, each destination combines what it receives."""

    name: StageName = None
    edges: list[Rule]
    of: Of = None
    combine: Annotated[Layer | None, Field(description="sum, mean, max, min, cat or attention")] = None
    pipe: Pipe | None = None


class JoinStage(Record):
    """Several states made one: `cat(h0, h1)`, `jump(h0, h1)`, or a state that is read again."""

    name: StageName = None
    join: Layer
    pipe: Pipe | None = None


class Repeat(Record):
    """Statements that are repeated."""

    repeat: Annotated[Value, Field(description="how often")]
    share: Share = False
    statements: list["Statement"]


class Drop(Record):
    """Types that end here."""

    drop: Annotated[list[Name], Field(min_length=1)]


class Penalty(Record):
    """A loss beside those of the predictions."""

    penalty: Annotated[Text, Field(description="what is penalised, as in `.gnn`", examples=["gini(h1.author)"])]
    weight: Annotated[Value | None, Field(description="scales it; 1 when left out")] = None


Slots = TypeAliasType(
    "Slots",
    Annotated[
        Annotated[Text, Tag("spelled slots")] | Annotated[list[Identifier | None], Field(min_length=1), Tag("slots")],
        pick("names of tensors: `x, edge_index` or `[x, edge_index]`", text="spelled slots", list="slots"),
        Field(description="names of tensors, null for none", examples=["x, edge_index"]),
    ],
)


class SequenceStep(Record):
    """A step of a sequence with what it reads and gives."""

    step: Layer
    inputs: Slots
    outputs: Slots


class RepeatedSteps(Record):
    """Steps that are repeated."""

    repeat: Annotated[Value, Field(description="how often")]
    share: Share = False
    steps: "Steps"


Steps = TypeAliasType(
    "Steps",
    list[
        Annotated[
            Annotated[Text, Tag("a spelled layer")]
            | Annotated[Call, Tag("a layer")]
            | Annotated[SequenceStep, Tag("a step")]
            | Annotated[RepeatedSteps, Tag("repeated steps")],
            pick(
                "a step: a layer, `{step: …, inputs: …, outputs: …}` or `{repeat: …, steps: …}`",
                {"step": "a step", "repeat": "repeated steps", "layer": "a layer"},
                text="a spelled layer",
            ),
        ]
    ],
)


class Sequential(Record):
    """PyG's `Sequential`: steps that say what they read and give."""

    sequential: Slots
    steps: Steps


_STAGES = {"nodes": "a node map", "edges": "a relation map", "join": "a join"}
Statement = TypeAliasType(
    "Statement",
    Annotated[
        Annotated[NodesStage, Tag("a node map")]
        | Annotated[EdgesStage, Tag("a relation map")]
        | Annotated[JoinStage, Tag("a join")]
        | Annotated[Repeat, Tag("a repeat")]
        | Annotated[Drop, Tag("a drop")]
        | Annotated[Predict, Tag("a prediction")]
        | Annotated[Penalty, Tag("a penalty")]
        | Annotated[Learn, Tag("an objective")]
        | Annotated[Sequential, Tag("a sequence")],
        pick(
            "a statement: a mapping with `nodes`, `edges`, `join`, `repeat`, `drop`, `predict`, `penalty`, `learn` or "
            "`sequential`",
            {
                **_STAGES,
                "repeat": "a repeat",
                "drop": "a drop",
                "predict": "a prediction",
                "penalty": "a penalty",
                "learn": "an objective",
                "sequential": "a sequence",
            },
        ),
    ],
)


class ModelBlock(Record):
    """What is computed."""

    model: Annotated[Name, Field(description="its name")]
    schema_: Annotated[Name, Field(alias="schema", description="the schema that it is for")]
    parameters: Parameters | None = None
    statements: list[Statement]


class Override(Record):
    """A new default of a parameter."""

    parameter: Identifier
    value: Value


class Replacement(Record):
    """A named stage or a prediction that takes the place of the base's."""

    replace: Annotated[
        Annotated[NodesStage, Tag("a node map")]
        | Annotated[EdgesStage, Tag("a relation map")]
        | Annotated[JoinStage, Tag("a join")]
        | Annotated[Predict, Tag("a prediction")]
        | Annotated[Penalty, Tag("a penalty")],
        pick(
            "a stage with `nodes`, `edges` or `join`, a prediction or a penalty",
            {**_STAGES, "predict": "a prediction", "penalty": "a penalty"},
        ),
    ]


class AmendedBlock(Record):
    """A model that differs from another by what it says."""

    model: Annotated[Name, Field(description="its name")]
    amends: Annotated[Name, Field(description="the other model")]
    schema_: Annotated[Name | None, Field(alias="schema", description="its schema, if it is not the other's")] = None
    parameters: Parameters | None = None
    changes: Annotated[
        list[
            Annotated[
                Annotated[Override, Tag("an override")]
                | Annotated[Replacement, Tag("a replacement")]
                | Annotated[Predict, Tag("a prediction")]
                | Annotated[Penalty, Tag("a penalty")]
                | Annotated[Learn, Tag("an objective")],
                pick(
                    "a change: `{parameter: …, value: …}`, `{replace: …}`, `{predict: …}`, `{penalty: …}` or `{learn: …}`",
                    {
                        "parameter": "an override",
                        "replace": "a replacement",
                        "predict": "a prediction",
                        "penalty": "a penalty",
                        "learn": "an objective",
                    },
                ),
            ]
        ],
        Field(description="what is different"),
    ]


class TrainBlock(Record):
    """How a model is fitted."""

    train: Annotated[Name, Field(description="the model")]
    settings: Annotated[
        dict[Identifier, Value] | None, Field(description="settings by name", examples=[{"epochs": 200}])
    ] = None


class ImportBlock(Record):
    """The names of another spec."""

    import_: Annotated[str, Field(alias="import", strict=True, description="its path, relative to this file")]


Declaration = TypeAliasType(
    "Declaration",
    Annotated[
        Annotated[ImportBlock, Tag("an import")]
        | Annotated[AmendedBlock, Tag("an amended model")]
        | Annotated[ModelBlock, Tag("a model")]
        | Annotated[SchemaBlock, Tag("a schema")]
        | Annotated[TrainBlock, Tag("a train block")],
        pick(
            "a declaration: a mapping with `import`, `schema`, `model` or `train`",
            {
                "import": "an import",
                "train": "a train block",
                "amends": "an amended model",
                "model": "a model",
                "schema": "a schema",
            },
        ),
    ],
)


class Document(Record):
    """A graphdsl spec: declarations in order."""

    gnn: Annotated[int | None, Field(strict=True, description="the version of the language: 1")] = None
    declarations: Annotated[list[Declaration], Field(description="imports, schemas, models and train blocks, in order")]
