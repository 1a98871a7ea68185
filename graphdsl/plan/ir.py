"""The plan: what a model computes, in order, with every width known and every decision's origin.

A plan is a frozen value. States are numbered: state 0 is the model's input, stage *i* (from 0) makes state *i* + 1.
A state is a typed map: one value per node type, with a width per type. Every module, with its full constructor
arguments, is named here; a backend only instantiates and wires.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from graphdsl.catalog import Scope, SlotKind
from graphdsl.model import Metapath, MetapathHop, SequenceInput
from graphdsl.plan.head_types import AnyHead, GraphHead, Head, LinkHead, ObjectiveHead, ShownLabels, WalkedLabels
from graphdsl.plan.module_spec import ModuleSpec, Width
from graphdsl.plan.penalty import Penalty
from graphdsl.text import EdgeKey, Span


@dataclass(frozen=True, slots=True)
class InputBinding:
    """A forward argument bound by keyword.

    Attributes:
        argument: the name of the forward argument (`edge_attr`).
        source: "edge": attribute of the relation; "node": attribute of node types; "state": earlier state;
            "batch": the graph of each node, None where all are one graph.
        attribute: name of the attribute (for "edge" and "node").
        state: number of the state (for "state").
        scalar: the tensor has one number per edge or node and is passed as [num_edges].
        width: columns of the attribute where they are known; what an absent optional relation stands in for.
        numbers: whole numbers that are looked up, passed as [num_edges] of int64.
        encoder: the module whose output is passed instead of the attribute.
        parts: what the encoder reads: one attribute, or several of which each has a module of its own.
    """

    argument: str
    source: Literal["edge", "node", "state", "batch"]
    attribute: str = ""
    state: int = -1
    scalar: bool = False
    width: int | None = None
    numbers: bool = False
    encoder: ModuleSpec | None = None
    parts: tuple["InputBinding", ...] = ()

    @property
    def read(self) -> tuple["InputBinding", ...]:
        """What is read from the data or from a state: the binding itself, or what its encoder reads."""
        return self.parts or (self,)


@dataclass(frozen=True, slots=True)
class NodeStep:
    """A module applied to one node type.

    Attributes:
        live: whether some prediction depends on it.
        labels: labels of training nodes that it reads.
        inputs: attributes that it reads in place of the value ("state"); several go to one module each, side by side.
    """

    type: str
    module: ModuleSpec
    width_in: Width
    width_out: Width
    rule: Span
    live: bool = True
    labels: ShownLabels | None = None
    inputs: tuple[InputBinding, ...] = ()

    @property
    def reads_value(self) -> bool:
        """Whether it reads the value that the type has before it."""
        return not self.inputs or any(item.source == "state" for item in self.inputs)


@dataclass(frozen=True, slots=True)
class RelationStep:
    """A module that serves one relation.

    Attributes:
        edge: the relation, or a metapath's key.
        module: its module; steps with the same `instance` share one.
        instance: number of the module instance within the stage (`share` gives several steps the same number).
        width_in: widths of source and target.
        inputs: forward arguments bound by keyword.
        live: whether some prediction depends on it.
        hops: how many edges a value travels in it: several in layers that propagate more than once.
    """

    edge: EdgeKey
    module: ModuleSpec
    instance: int
    width_in: tuple[Width, Width]
    width_out: int | None
    inputs: tuple[InputBinding, ...]
    rule: Span
    live: bool = True
    hops: int = 1


@dataclass(frozen=True, slots=True)
class JointStep:
    """One module that sees several relations at once.

    Attributes:
        edges: the relations in canonical (sorted) order.
        types: all node types that they touch, sorted.
        scope: "joint": the module takes x_dict and edge_index_dict; "typed": all types are numbered together and an
            edge_type vector says which relation each edge is of (index in `edges`); "walk": the module goes along
            `paths`.
        live: whether some prediction depends on it.
        hops: how many edges a value travels in it: several in modules with several layers.
        paths: of a walk, the hops of each of `edges`: several for a metapath, one for a relation.
        partial: whether the module can be told which types to make.
        tells_types: whether a typed module is told `node_type`, the type of each node (index in `types`), too.
        wanted: the types that it makes and that some prediction depends on.
        labels: of a walk, labels of training nodes that it carries, too.
    """

    edges: tuple[EdgeKey, ...]
    types: tuple[str, ...]
    module: ModuleSpec
    scope: Scope
    width_in: Mapping[str, Width]
    width_out: int | None
    inputs: tuple[InputBinding, ...]
    rule: Span
    live: bool = True
    hops: int = 1
    paths: Mapping[EdgeKey, tuple[MetapathHop, ...]] = field(default_factory=dict[EdgeKey, tuple[MetapathHop, ...]])
    partial: bool = False
    tells_types: bool = False
    wanted: tuple[str, ...] = ()
    labels: WalkedLabels | None = None

    @property
    def relations(self) -> tuple[EdgeKey, ...]:
        """The relations that the module is given, sorted: those on the way of a walk."""
        on_the_way = {hop.edge for hops in self.paths.values() for hop in hops}
        return tuple(sorted(on_the_way)) if self.paths else self.edges

    @property
    def targets(self) -> tuple[str, ...]:
        """Node types that receive messages, sorted."""
        return tuple(sorted({edge[2] for edge in self.edges}))


@dataclass(frozen=True, slots=True)
class PipeStep:
    """One step of a pipe, on the types that the stage produced.

    Attributes:
        kind: "apply": each type through its module; "residual": adds the value that the stage read.
        steps: the modules by type, for "apply"; types without one pass unchanged.
        span: where it stands in the spec.
    """

    kind: Literal["apply", "residual"]
    steps: tuple[NodeStep, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class StageBase:
    """What all stages have.

    Attributes:
        key: name in the state dict; the state's name, or `nodes1`, `edges2`, `join1`.
        reads: number of the state that the stage transforms.
        shares: index of an earlier stage whose modules it uses (`repeat n share`), or None.
        pipe: what follows the stage's own work.
        produced: types that the stage made anew, sorted; all others are carried through.
        widths: width of every type in the resulting state.
        span: where it stands in the spec.
    """

    key: str
    reads: int
    shares: int | None
    pipe: tuple[PipeStep, ...]
    produced: tuple[str, ...]
    widths: Mapping[str, Width]
    span: Span

    @property
    def carried(self) -> tuple[str, ...]:
        """Types that pass through unchanged."""
        return tuple(name for name in self.widths if name not in self.produced)


@dataclass(frozen=True, slots=True)
class NodeStage(StageBase):
    """Each type transformed on its own."""

    steps: tuple[NodeStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Combine:
    """How messages of several relations meet at a destination.

    Attributes:
        kind: sum, mean, max, min, cat or attention.
        arguments: of `attention`: "hidden", the width of its scoring layer, and if it is given "per": whether all nodes
            of a type share their weights ("type"), or each "node" has its own.
        span: where it is written, if it is.
    """

    kind: Literal["sum", "mean", "max", "min", "cat", "attention"] = "sum"
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class RelationStage(StageBase):
    """Relations send messages, destinations combine them.

    Attributes:
        steps: per-relation modules, in canonical (sorted by triple) order.
        joints: joint modules, in the order of their rules.
        combine: how results of several relations (and joints) into one type are combined.
        combined: width of each produced type after combining, before the pipe.
    """

    steps: tuple[RelationStep, ...] = ()
    joints: tuple[JointStep, ...] = ()
    combine: Combine = field(default_factory=Combine)
    combined: Mapping[str, int | None] = field(default_factory=dict[str, int | None])


@dataclass(frozen=True, slots=True)
class JoinStage(StageBase):
    """Several states joined into one.

    Attributes:
        kind: cat, add, mul, mean, max, jump or stack; `same` passes one state on (`h = h0 | relu`).
        states: numbers of the joined states, in order; `reads` is the first.
        modules: for jump: the JumpingKnowledge module of each type.
    """

    kind: Literal["cat", "add", "mul", "mean", "max", "jump", "stack", "same"] = "cat"
    states: tuple[int, ...] = ()
    modules: tuple[NodeStep, ...] = ()


@dataclass(frozen=True, slots=True)
class DropStage(StageBase):
    """Ends types on purpose."""

    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SequenceStep:
    """One child of a `Sequential`.

    Attributes:
        call: a module to build, a function to call with the module's arguments, or a join of its inputs.
        module: what it is; for a join its name, and for `jump` PyG's class.
        inputs: names that it reads; None passes `None`.
        outputs: names that it gives; None is not kept.
        shapes: of each input: "flat" = [rows], "columns" = [rows, width], "numbers" = [rows] of whole numbers, "" = as
            it is.
        kind: of the first value that it gives.
        shares: an earlier step whose module it uses.
        width_in: columns of the first input.
        width_out: columns of the first value that it gives.
    """

    call: Literal["module", "function", "join"]
    module: ModuleSpec
    inputs: tuple[str | None, ...]
    outputs: tuple[str | None, ...]
    shapes: tuple[Literal["", "flat", "columns", "numbers"], ...]
    kind: SlotKind
    shares: int | None
    width_in: int | None
    width_out: int | None
    rule: Span


@dataclass(frozen=True, slots=True)
class SequenceStage(StageBase):
    """A `sequential` block: the whole of a model; predictions read its last step's first value, or others by name.

    Attributes:
        type: the node type.
        edge: the relation.
        inputs: names of the header, in order: the positional arguments of the compiled module.
        steps: in order.
        columns: of each name behind the last step; None for what has none, or is not known.
    """

    type: str = ""
    edge: EdgeKey = ("", "", "")
    inputs: tuple[SequenceInput, ...] = ()
    steps: tuple[SequenceStep, ...] = ()
    columns: Mapping[str, int | None] = field(default_factory=dict[str, int | None])


Stage = NodeStage | RelationStage | JoinStage | DropStage | SequenceStage


@dataclass(frozen=True, slots=True)
class Derived:
    """A relation that the runtime makes when the data does not hold it.

    Attributes:
        edge: the relation's key.
        inverse_of: flipped from this relation, or
        metapath: composed along this metapath.
    """

    edge: EdgeKey
    inverse_of: EdgeKey | None = None
    metapath: Metapath | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A model ready for a backend.

    Attributes:
        model: the model's name.
        schema: the schema's name.
        parameters: the values that the model was planned with.
        inputs: width per node type that the model reads from the data: columns of `x`, or `Ids`.
        relations: all relations that the stages read, sorted, derived ones included.
        optional_types: node types that a graph may lack.
        optional_relations: relations that a graph may lack.
        derived: how to make relations that data may not hold, in an order in which each needs only earlier ones.
        stages: in order; stage i makes state i + 1.
        heads: predictions.
        penalties: losses that training adds to those of the predictions.
    """

    model: str
    schema: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Width]
    relations: tuple[EdgeKey, ...]
    optional_types: frozenset[str]
    optional_relations: frozenset[EdgeKey]
    derived: tuple[Derived, ...]
    stages: tuple[Stage, ...]
    heads: tuple[AnyHead, ...]
    penalties: tuple[Penalty, ...] = ()

    def widths(self, state: int) -> Mapping[str, Width]:
        """Widths of a state by type: state 0 is the input."""
        return self.inputs if state == 0 else self.stages[state - 1].widths

    @property
    def node_heads(self) -> tuple[Head, ...]:
        """Predictions of labels of nodes."""
        return tuple(head for head in self.heads if isinstance(head, Head))

    @property
    def link_heads(self) -> tuple[LinkHead, ...]:
        """Predictions of a relation's edges."""
        return tuple(head for head in self.heads if isinstance(head, LinkHead))

    @property
    def graph_heads(self) -> tuple[GraphHead, ...]:
        """Predictions of labels of whole graphs."""
        return tuple(head for head in self.heads if isinstance(head, GraphHead))

    @property
    def objectives(self) -> tuple[ObjectiveHead, ...]:
        """What is learned without labels."""
        return tuple(head for head in self.heads if isinstance(head, ObjectiveHead))

    @property
    def walks(self) -> ObjectiveHead | None:
        """The objective of a model of walks, which has nothing else."""
        return next((head for head in self.objectives if head.kind == "walks"), None)

    @property
    def sequence(self) -> SequenceStage | None:
        """The `sequential` block, if that is the form of the model."""
        return next((stage for stage in self.stages if isinstance(stage, SequenceStage)), None)

    def relation_stages(self) -> Iterator[tuple[int, RelationStage]]:
        """Index and stage of every message passing stage."""
        for index, stage in enumerate(self.stages):
            if isinstance(stage, RelationStage):
                yield index, stage

    def to_json(self) -> str:
        """The whole plan as JSON."""
        from graphdsl.plan.printing import plan_to_json

        return plan_to_json(self)

    def __str__(self) -> str:
        from graphdsl.plan.printing import render_plan

        return render_plan(self)
