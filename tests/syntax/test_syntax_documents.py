"""Specs in YAML and JSON: forms, places, limits; the schema; what other commands see of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import graphdsl
from graphdsl.api import check_source
from graphdsl.syntax import parse
from graphdsl.syntax.documents.conversion import convert
from graphdsl.syntax.documents.places import content
from graphdsl.syntax.documents.schema import schema_text
from graphdsl.syntax.documents.tree import MAX_NODES
from graphdsl.syntax.grammar import grammar_file
from graphdsl.text import SourceText

LIBRARY = {
    "schema": "library",
    "members": [
        {"node": "author", "attributes": {"x": "float[8]", "y": "class[3]"}},
        {"node": "web page", "attributes": {"x": "float[4]"}},
        {"edge": ["author", "writes", "web page"], "reverse": "written_by", "attributes": {"year": "float"}},
        {"metapath": "AWA", "path": ["author", "writes", "web page", {"backward": "writes"}, "author"]},
    ],
}
SPELLED = """
schema library {
  node author { x: float[8], y: class[3] }
  node "web page" { x: float[4] }
  edge author -[writes]-> "web page" reverse written_by { year: float }
  metapath AWA = author -[writes]-> "web page" <-[writes]- author
}
"""


def as_gnn(document: object, name: str = "t.json") -> str:
    text = json.dumps(document) if name.endswith("json") else yaml.safe_dump(document, sort_keys=False)
    done = convert(SourceText(name, text), "gnn")
    assert isinstance(done, str), done
    return done


def formatted(text: str) -> str:
    done = convert(SourceText("t.gnn", text), "gnn")
    assert isinstance(done, str)
    return done


def codes(text: str, name: str = "t.yaml") -> list[tuple[str, str]]:
    found = check_source(SourceText(name, text))
    found = [item for item in found if item.code != "GNN120"]  # the metapath of LIBRARY is not always read
    return [
        (item.code, f"{item.primary.span.line}:{item.primary.span.column}" if item.primary else "-") for item in found
    ]


def wrap(*statements: object, **parameters: object) -> dict[str, object]:
    model = {"model": "m", "schema": "library", "parameters": parameters, "statements": list(statements)}
    return {"declarations": [LIBRARY, model]}


@pytest.mark.parametrize("name", ["t.json", "t.yaml"])
def test_structured_schemas(name: str) -> None:
    assert as_gnn({"declarations": [LIBRARY]}, name) == formatted(SPELLED)


@pytest.mark.parametrize(
    ("layer", "spelled"),
    [
        ({"layer": "relu"}, "relu"),
        ({"layer": "GATv2Conv", "arguments": {"heads": 4}}, "GATv2Conv(heads = 4)"),
        ({"layer": "GATv2Conv", "positional": ["hidden / heads"], "arguments": {"concat": False}}, "GATv2Conv(hidden / heads, concat = false)"),
        ({"layer": "SAGEConv", "positional": [8], "arguments": {"aggr": {"string": 'a "b"'}}}, 'SAGEConv(8, aggr = "a \\"b\\"")'),
        ({"layer": "MLP", "arguments": {"norm": None, "p": [0.5, -1, 1e-9, "h", ["x"]]}}, "MLP(norm = none, p = [0.5, -1, 1e-09, h, [x]])"),
        ({"layer": "GINConv", "arguments": {"nn": {"layer": "MLP", "positional": [4, 4]}}}, "GINConv(nn = MLP(4, 4))"),
        ("GINConv(nn = MLP(4, 4))", "GINConv(nn = MLP(4, 4))"),
    ],
)  # fmt: skip
def test_layers(layer: object, spelled: str) -> None:
    text = as_gnn(wrap({"nodes": [{"pattern": "*", "layer": layer}]}))
    assert f"nodes {{ *: {spelled} }}" in text


@pytest.mark.parametrize(
    ("rule", "spelled"),
    [
        ({"pattern": "author -[*]-> *, AWA"}, "author -[*]-> *, AWA"),
        ({"pattern": ["web page", "*", "author"]}, '"web page" -[*]-> author'),
        ({"pattern": {"source": "*", "relation": "a*b", "target": "*"}}, '* -["a*b"]-> *'),
        ({"patterns": [{"name": "AWA"}, "writes", ["*", "x", "*"]]}, "AWA, writes, * -[x]-> *"),
    ],
)
def test_patterns(rule: dict[str, object], spelled: str) -> None:
    text = as_gnn(wrap({"edges": [{**rule, "layer": "SAGEConv(8)", "share": True}], "combine": "mean"}))
    assert f"edges {{ {spelled}: share SAGEConv(8) }} combine mean" in text


@pytest.mark.parametrize(
    ("statement", "spelled"),
    [
        ({"predict": {"type": "author", "attribute": "y"}, "head": "MLP(4)", "weight": 0.5}, "predict author.y: MLP(4) weight 0.5"),
        ({"predict": {"type": "graph", "attribute": "y", "from": ["a b", "c"]}}, 'predict graph.y from "a b", c'),
        ({"predict": {"type": "graph", "attribute": "y", "from": "*"}}, "predict graph.y from *"),
        ({"predict": {"source": "a", "relation": "r", "target": "b"}, "negatives": 3, "keep_target": True}, "predict a -[r]-> b negatives 3 keep_target"),
        ({"predict": "a -[r]-> b.year"}, "predict a -[r]-> b.year"),
        ({"learn": "APA", "by": "MetaPath2Vec(8)", "weight": 0.5}, "learn APA: MetaPath2Vec(8) weight 0.5"),
        ({"learn": {"source": "a b", "relation": "r", "target": "a b"}, "by": {"layer": "Node2Vec", "positional": [8]}}, 'learn "a b" -[r]-> "a b": Node2Vec(8)'),
        ({"name": "h", "join": {"layer": "cat", "positional": ["h0", "h1"]}, "pipe": ["relu", {"layer": "dropout", "positional": [0.5]}]}, "h = cat(h0, h1) | relu | dropout(0.5)"),
        ({"nodes": [], "of": "h0", "pipe": [{"rules": [{"pattern": "*", "layer": "relu"}]}]}, "nodes(h0) {} | { *: relu }"),
        ({"drop": ["author", "web page"]}, 'drop author, "web page"'),
    ],
)  # fmt: skip
def test_statements(statement: object, spelled: str) -> None:
    assert f"  {spelled}\n" in as_gnn(wrap(statement))


def test_repeats_and_sequences() -> None:
    steps = [
        "relu",
        {"step": "GCNConv(4)", "inputs": ["x", None], "outputs": "x, _"},
        {"repeat": 2, "share": True, "steps": [{"layer": "Linear", "positional": [4]}]},
    ]
    document = wrap(
        {"repeat": "layers - 1", "share": True, "statements": [{"join": "h0"}]},
        {"sequential": "x, edge_index", "steps": steps},
    )
    body = as_gnn(document).split("on library {\n")[1]
    assert body == formatted("""model m on library {
      repeat layers - 1 share { h0 }
      sequential x, edge_index { relu GCNConv(4): x, none -> x, _ repeat 2 share { Linear(4) } }
    }""").split("on library {\n")[1]  # fmt: skip


def test_parameters_imports_amendments_and_train_blocks() -> None:
    document = {
        "gnn": 1,
        "declarations": [
            {"import": 'a "b".gnn'},
            {"model": "w", "amends": "m", "parameters": {"p": "float = 0.5", "q": {"type": "list", "default": [1]}, "r": {"type": "int"}},
             "changes": [{"parameter": "hidden", "value": 8}, {"replace": {"name": "h", "join": "h0"}}, {"predict": "a.y"}]},
            {"train": "w", "settings": {"epochs": 3, "clip": None, "data": 'pyg("DBLP")', "temporal": True}},
        ],
    }  # fmt: skip
    assert as_gnn(document) == formatted(r"""gnn 1 import "a \"b\".gnn"
    model w(p: float = 0.5, q: list = [1], r: int) amends m { hidden = 8 replace h = h0 predict a.y }
    train w { epochs: 3 clip: none data: pyg("DBLP") temporal: true }""")


def test_plain_yaml_scalars() -> None:
    """The core schema of YAML 1.2: words of 1.1 are texts, numbers stay as they are written."""
    text = "declarations: [{train: on, settings: {a: 1e-3, b: 20M, c: 007, d: .5, e: ~, f: yes, g: True}}]"
    assert convert(SourceText("t.yaml", text), "gnn") == formatted(
        "train on { a: 1e-3 b: 20M c: 007 d: 0.5 e: none f: yes g: true }"
    )


def test_empty_values_are_as_good_as_none() -> None:
    text = "declarations:\n- schema: s\n  parameters:\n  members:\n  - node: a\n    count:\n    attributes:\n"
    assert convert(SourceText("t.yaml", text), "gnn") == "schema s {\n  node a\n}\n"


def test_places_in_texts() -> None:
    """A finding points into a text, behind its quotes and escapes."""
    line = '{"declarations":[{"schema":"s","members":[{"node":"a","attributes":{"x":"float[3]","y":"class[2]"}},{"edge":"a -[r]-> a"}]},'
    rest = '\t{"model":"m","schema":"s","statements":[{"edges":[{"pattern":"*","layer":"SAGEConv(8, aggr = \\"men\\")"}]},{"predict":"a.y"}]}]}'
    (found,) = check_source(SourceText("t.json", f"{line}\n{rest}"))
    assert found.code == "GNN204"
    assert found.primary
    start = rest.index('\\"men') + 1
    assert (found.primary.span.line, found.primary.span.column, found.primary.span.end_column) == (2, start, start + 7)


@pytest.mark.parametrize(
    ("raw", "value", "places"),
    [
        ("abc", "abc", [0, 1, 2, 3]),
        ("'it''s'", "it's", [1, 2, 3, 5, 6]),
        (r'"a\u00e9b"', "aéb", [1, 2, 8, 9]),
        (r'"\ud83d\ude00x"', "😀x", [1, 13, 14]),
        (r'"\x41\U0001F600"', "A😀", [1, 5, 15]),
        ("|\n  two\n  lines", "two\nlines", None),
    ],
)
def test_places_of_characters(raw: str, value: str, places: list[int] | None) -> None:
    assert content(raw, value) == places


def test_strings_are_told_from_names() -> None:
    def rule(aggr: object) -> str:
        statements = [
            {
                "edges": [
                    {"pattern": "*", "layer": {"layer": "SAGEConv", "positional": [8], "arguments": {"aggr": aggr}}}
                ]
            },
            {"predict": "author.y"},
        ]
        return json.dumps(wrap(*statements))

    assert codes(rule('"mean"')) == codes(rule({"string": "mean"})) == []
    found = check_source(SourceText("t.json", rule("mean")))[-1]
    assert found.code == "GNN202"
    assert found.helps == ('write `{string: mean}`, or `"mean"` with the quotes inside the text',)


def test_nothing_grows_beyond_limits() -> None:
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
    )
    assert codes(bomb) == [("GNN003", "5:5")]
    assert codes("[" * 100_000) == [("GNN005", "1:61")]
    assert codes("[" * 100_000, "t.json") == [("GNN005", "1:61")]
    assert codes("{a: " * 100_000) == [("GNN005", "1:241")]
    assert codes("[" + "1, " * (MAX_NODES + 1) + "1]", "t.json") == [("GNN003", "1:599999")]
    deep = "A(" * 150 + ")" * 150
    assert codes(json.dumps(wrap({"join": deep})), "t.json")[0][0] == "GNN010"
    terms = " + ".join("1" * 300)
    assert [code for code, _ in codes(json.dumps(wrap({"join": f"A({terms})"})), "t.json")] == ["GNN005"]


def test_large_documents_are_answered() -> None:
    """Work grows with the size of a document, whatever is large in it."""
    settings = {f"k{i}": i for i in range(3_000)}
    assert codes(json.dumps({"declarations": [{"train": "m", "settings": settings}]}), "t.json")[0][0] == "GNN101"
    twice = "{" + ", ".join(['"a": 1'] * 100_000) + "}"
    assert len(codes(twice, "t.json")) == 20
    numbers = {"declarations": [{"train": "m", "settings": {"fanout": list(range(5_000))}}]}
    assert codes(json.dumps(numbers), "t.json")
    assert len(codes(json.dumps({"declarations": [{}] * 5_000}), "t.json")) == 20


def test_many_members(tmp_path: Path) -> None:
    members = [{"node": "a"}, *({"edge": ["a", f"r{i}", "a"], "reverse": f"q{i}"} for i in range(2000))]
    text = json.dumps({"declarations": [{"schema": "s", "members": members}]})
    parsed = parse(SourceText("t.json", text))
    assert parsed.diagnostics == ()
    assert len(parsed.file.declarations[0].members) == 2001


def test_the_schema_is_that_of_the_models() -> None:
    text = grammar_file("gnn.schema.json").read_text(encoding="utf-8")
    assert text == schema_text(), "run `python -m graphdsl.syntax.documents.schema > grammar/gnn.schema.json`"
    definitions = json.loads(text)["$defs"]
    for name, definition in definitions.items():
        if definition.get("type") == "object" and "properties" in definition:
            assert definition["description"].endswith("."), name
            assert definition["additionalProperties"] is False, name


def test_python_reads_documents(tmp_path: Path) -> None:
    document = wrap(
        {"edges": [{"pattern": "*", "layer": "SAGEConv(hidden)"}]}, {"predict": "author.y"}, hidden="int = 8"
    )
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    assert not any(item.is_error for item in graphdsl.check(tmp_path / "a.yaml"))
    spec = graphdsl.load(tmp_path / "a.yaml")
    assert spec.plan(hidden=4).heads[0].size == 3
    again = graphdsl.loads(spec.text, "kept.gnn")
    assert again.plan().to_json().count("SAGEConv") == spec.plan().to_json().count("SAGEConv")


def test_notations_import_each_other(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "schema.json").write_text(json.dumps({"declarations": [LIBRARY]}))
    model = {
        "model": "m",
        "schema": "library",
        "statements": [{"nodes": [{"pattern": "*", "layer": "Linear(4)"}]}, {"predict": "author.y"}],
    }
    (tmp_path / "model.yaml").write_text(yaml.safe_dump({"declarations": [{"import": "schema.json"}, model]}))
    (tmp_path / "train.gnn").write_text('import "model.yaml"\nmodel n amends m { replace predict author.y: MLP(3) }\n')
    spec = graphdsl.load(tmp_path / "train.gnn")
    assert spec.plan("n").heads[0].size == 3
    assert graphdsl.loads(spec.text).plan("m").heads[0].size == 3


def test_reading_gnn_needs_neither_pydantic_nor_yaml(tmp_path: Path) -> None:
    code = "import sys; from graphdsl.syntax.documents.conversion import convert; print('pydantic' in sys.modules, 'yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
