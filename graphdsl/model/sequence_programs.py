"""From a model in the sequential form to a program: one block, and what its output predicts."""

from collections.abc import Mapping
from typing import Any

from graphdsl.model.layers import LayerReader
from graphdsl.model.penalties import distinct
from graphdsl.model.program import Program
from graphdsl.model.schema import Schema
from graphdsl.model.sequence_outputs import predict_values
from graphdsl.model.sequence_penalties import BlockPenalties, unused_outputs
from graphdsl.model.sequences import SequenceBuilder
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, report


def elaborate_sequence(
    declared: n.ModelDecl, schema: Schema, values: Mapping[str, Any], found: list[Diagnostic]
) -> Program:
    """The program of a model in the sequential form; problems are appended to `found`.

    Raises:
        Enough: the model is too large; the reason is in `found`.
    """
    block = next(item for item in declared.body if isinstance(item, n.SequenceStatement))
    _refuse_others(declared, block, found)
    program = Program(declared.name.text, schema, values, (), (), declared.name.span)
    edges = [edge for edge in schema.edges.values() if not edge.derived]
    if len(schema.nodes) != 1 or len(edges) != 1:
        many = f"{_count(len(schema.nodes), 'node type')} and {_count(len(edges), 'edge type')}"
        message = f"`sequential` needs a schema with one node type and one edge type; `{schema.name}` has {many}"
        also = ((schema.span, "declared here"),)
        helps = ("use `nodes { … }` and `edges { … }`",)
        found.append(report("GNN534", message, declared.schema.span, also=also, helps=helps))
        return program
    before = len(found)
    builder = SequenceBuilder(schema, values, found)
    stage = builder.build(block)
    errors = any(item.is_error for item in found[before:])
    layers = LayerReader(values, {}, found)
    predictions = predict_values(declared, builder, layers, not errors)
    if not any(item.is_error for item in found[before:]):
        builder.unused()
    statements = [item for item in declared.body if isinstance(item, n.PenaltyStatement)]
    reader = BlockPenalties(builder, layers)
    penalties = distinct((reader.read(item) for item in statements), found)
    if not errors and len(penalties) == len(statements):
        found += unused_outputs(stage.steps, penalties)
    return Program(declared.name.text, schema, values, (stage,), predictions, declared.name.span, penalties)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _refuse_others(declared: n.ModelDecl, block: n.SequenceStatement, found: list[Diagnostic]) -> None:
    for statement in declared.body:
        if statement is block or isinstance(statement, n.PredictStatement | n.PenaltyStatement):
            continue
        also = ((block.inputs[0].span, "the block"),)
        helps = ("write it as a step of the block, or the whole model with `nodes { … }` and `edges { … }`",)
        message = "a model is one `sequential` block, what it predicts and its penalties, nothing else"
        found.append(report("GNN107", message, statement.span, also=also, helps=helps))
