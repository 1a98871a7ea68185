"""Values, layers, relations and rules of a spec in YAML or JSON.

Imported only where such a file is read, for it needs pydantic. Wherever a layer, a pattern, a type or a value stands, its
spelling in `.gnn` may stand as a text; the objects are for programs that write specs. A text is always read as `.gnn`, so
`heads` is the parameter and `"mean"`, with quotes inside, or `{string: mean}` is a text.
"""

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

_STRICT = StringConstraints(strict=True, min_length=1)
Name = Annotated[str, _STRICT]


def _identifier(name: str) -> str:
    if not re.fullmatch(r"[^\W\d]\w*", name):  # JSON Schema's patterns know the letters of English only
        raise PydanticCustomError("string_pattern_mismatch", "not a name")
    return name


Identifier = Annotated[str, _STRICT, AfterValidator(_identifier)]
Text = Annotated[str, _STRICT]


def pick(wanted: str, keys: dict[str, str] | None = None, **kinds: str) -> Discriminator:
    """Which alternative a value is meant to be: by its kind, and of mappings by a key that only one of them has.

    Args:
        wanted: what is accepted, for messages.
        keys: key: the name of the alternative; the first that is there decides.
        **kinds: names of the alternatives for `text`, `list`, `number`, `truth` and `nothing`.
    """

    def choose(value: Any) -> str | None:
        if isinstance(value, dict):
            return next((name for key, name in (keys or {}).items() if key in value), None)
        for kind, classes in (("text", str), ("list", list), ("truth", bool), ("number", int | float)):
            if isinstance(value, classes):
                return kinds.get(kind)
        return kinds.get("nothing") if value is None else None

    return Discriminator(
        choose,
        custom_error_type="alternatives",
        custom_error_message="expected {wanted}",
        custom_error_context={"wanted": wanted, "keys": " ".join(keys or ())},
    )


class Record(BaseModel):
    """A mapping with known keys only."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- values and layers -----------------------------------------------------------------------------------------------


class StringValue(Record):
    """A text that is meant as such: `{string: mean}` is `"mean"` in `.gnn`."""

    string: Annotated[str, Field(strict=True, description="the text")]


class Call(Record):
    """A layer, norm, activation, combination, optimizer or the like with its arguments."""

    layer: Annotated[Identifier, Field(description="its name, as in PyG", examples=["GATv2Conv"])]
    positional: Annotated[list["Value"] | None, Field(description="arguments without a name, in order")] = None
    arguments: Annotated[dict[Identifier, "Value"] | None, Field(description="arguments by name")] = None


Value = TypeAliasType(
    "Value",
    Annotated[
        Annotated[Text, Tag("a spelled value")]
        | Annotated[StrictInt | StrictFloat, Tag("a number")]
        | Annotated[StrictBool, Tag("a truth value")]
        | Annotated[None, Tag("nothing")]
        | Annotated[list["Value"], Tag("a list of values")]
        | Annotated[StringValue, Tag("a string")]
        | Annotated[Call, Tag("a call")],
        pick(
            "a value: a number, true, false, null, a list, `.gnn` text, `{string: …}` or `{layer: …}`",
            {"string": "a string", "layer": "a call"},
            text="a spelled value",
            list="a list of values",
            number="a number",
            truth="a truth value",
            nothing="nothing",
        ),
        Field(description='a number, truth value, null, list, or text in `.gnn`: `heads`, `hidden / 2`, `"mean"`'),
    ],
)
Layer = TypeAliasType(
    "Layer",
    Annotated[
        Annotated[Text, Tag("a spelled layer")] | Annotated[Call, Tag("a layer")],
        pick("a layer: `.gnn` text or `{layer: …, arguments: …}`", {"layer": "a layer"}, text="a spelled layer"),
        Field(description="a layer as in `.gnn`, or an object", examples=["GATv2Conv(hidden / heads, heads = heads)"]),
    ],
)


class Parameter(Record):
    """A parameter of a schema or model."""

    type: Annotated[Identifier, Field(description="int, float, bool, string or list")]
    default: Annotated["Value", Field(description="its value where none is given")] = None


Parameters = TypeAliasType(
    "Parameters",
    Annotated[
        dict[
            Identifier,
            Annotated[
                Annotated[Text, Tag("a spelled parameter")] | Annotated[Parameter, Tag("a parameter")],
                pick(
                    "a parameter: `int = 64` or `{type: int, default: 64}`",
                    {"type": "a parameter"},
                    text="a spelled parameter",
                ),
            ],
        ],
        Field(description="parameters by name: `int = 64`, or an object"),
    ],
)


class Type(Record):
    """The type of an attribute."""

    type: Annotated[Identifier, Field(description="float, int, bool, class, multilabel, real, mask or time")]
    size: Annotated["Value", Field(description="columns or classes; `*` for any")] = None
    optional: Annotated[StrictBool, Field(description="it may be absent")] = False


Attributes = TypeAliasType(
    "Attributes",
    Annotated[
        dict[
            Name,
            Annotated[
                Annotated[Text, Tag("a spelled type")] | Annotated[Type, Tag("a type")],
                pick("a type: `float[16]` or `{type: float, size: 16}`", {"type": "a type"}, text="a spelled type"),
            ],
        ],
        Field(description="types of the attributes by name", examples=[{"x": "float[334]", "y": "class[4]"}]),
    ],
)

# --- relations and patterns ------------------------------------------------------------------------------------------

Triple = Annotated[list[Name], Field(min_length=3, max_length=3, description="source, relation, target")]


class RelationNames(Record):
    """An edge type by the names of its three parts."""

    source: Name
    relation: Name
    target: Name


class PatternName(Record):
    """A type, relation or metapath by its name."""

    name: Name


Relation = TypeAliasType(
    "Relation",
    Annotated[
        Annotated[Text, Tag("a spelled relation")]
        | Annotated[Triple, Tag("a triple")]
        | Annotated[RelationNames, Tag("a relation")],
        pick(
            "a relation: `a -[r]-> b`, `[a, r, b]` or `{source: …, relation: …, target: …}`",
            {"relation": "a relation", "source": "a relation", "target": "a relation"},
            text="a spelled relation",
            list="a triple",
        ),
    ],
)
Pattern = TypeAliasType(
    "Pattern",
    Annotated[
        Annotated[Text, Tag("a spelled pattern")]
        | Annotated[Triple, Tag("a triple")]
        | Annotated[RelationNames, Tag("a relation")]
        | Annotated[PatternName, Tag("a named pattern")],
        pick(
            "a pattern: `*`, a name, `a -[r]-> b`, `[a, r, b]` or `{source: …, relation: …, target: …}`",
            {"name": "a named pattern", "relation": "a relation", "source": "a relation", "target": "a relation"},
            text="a spelled pattern",
            list="a triple",
        ),
        Field(
            description="what a rule is for; a list or object takes `*` for any name",
            examples=["*", "author -[*]-> paper"],
        ),
    ],
)


class Rule(Record):
    """A rule of a map: what serves which types or relations. The first that matches decides."""

    pattern: Annotated[Pattern | None, Field(description="what it matches; several in one text with commas")] = None
    patterns: Annotated[list[Pattern] | None, Field(min_length=1, description="several patterns")] = None
    layer: Layer
    share: Annotated[StrictBool, Field(description="one instance for all relations of the rule")] = False

    @model_validator(mode="after")
    def _one(self) -> "Rule":
        if (self.pattern is None) == (self.patterns is None):
            raise PydanticCustomError("form", "a rule has either `pattern` or `patterns`")
        return self


class Rules(Record):
    """A node map of its own in a pipe."""

    rules: list[Rule]


Pipe = TypeAliasType(
    "Pipe",
    Annotated[
        list[
            Annotated[
                Annotated[Text, Tag("a spelled layer")]
                | Annotated[Call, Tag("a layer")]
                | Annotated[Rules, Tag("a map in a pipe")],
                pick(
                    "a layer or `{rules: […]}`",
                    {"rules": "a map in a pipe", "layer": "a layer"},
                    text="a spelled layer",
                ),
            ]
        ],
        Field(description="norms, activations, `dropout(p)`, `residual`, or `{rules: […]}`, in order"),
    ],
)
