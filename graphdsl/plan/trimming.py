"""How far from the seeds of a sampled batch each stage has to work.

A batch is sampled hop by hop: the sources of the edges into a node *k* hops away are at most *k* + 1 hops away. So what a
prediction reads of its seeds (hop 0) follows from nodes and edges near them, and the fewer layers are left, the nearer.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphdsl.catalog import locality
from graphdsl.plan.head_types import Head, LinkHead
from graphdsl.plan.ir import JoinStage, JointStep, NodeStage, Plan, RelationStage, RelationStep, Stage
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.text import EdgeKey

_Needed = defaultdict[int, dict[str, int]]


@dataclass(slots=True)
class Extent:
    """How far a stage works, in hops from the seeds; what has no entry is not read at all.

    Attributes:
        reads: by node type, nodes that it reads.
        makes: by node type, nodes of which it makes a value.
        edges: by relation, edges that it follows: those into nodes so far away; -1 for none.
    """

    reads: dict[str, int] = field(default_factory=dict[str, int])
    makes: dict[str, int] = field(default_factory=dict[str, int])
    edges: dict[EdgeKey, int] = field(default_factory=dict[EdgeKey, int])

    def read(self, names: Iterable[str], hops: int) -> None:
        """Read some types at least so far."""
        _raise(self.reads, names, hops)

    def follow(self, edge: EdgeKey, hops: int) -> None:
        """Follow a relation at least so far."""
        self.edges[edge] = max(self.edges.get(edge, -1), hops)


def can_trim(plan: Plan) -> bool:
    """Whether predictions are of seeds alone: labels of nodes and edges, without penalties or spreading labels."""
    if plan.penalties or any(head.spread is not None for head in plan.node_heads):
        return False
    return all(isinstance(head, Head | LinkHead) for head in plan.heads)


def find_extents(
    plan: Plan, hops: int, whole: Sequence[bool], whole_heads: Container[str], uncounted: Container[EdgeKey]
) -> tuple[Extent, ...]:
    """Find how far each stage must work for the predictions of the seeds to be those of the whole batch.

    Args:
        plan: the model; only what is live counts.
        hops: how many hops were sampled; so far away nodes are the last.
        whole: stages that must see all nodes, beside those that `reads_graph` finds.
        whole_heads: names of predictions that must.
        uncounted: relations of which nobody knows which edges belong to which hop; both of their ends are read whole.

    Returns:
        The extent of each stage.
    """
    needed: _Needed = defaultdict(dict)
    for head in plan.heads:
        _raise(needed[head.state], head.types, hops if head.name in whole_heads else 0)
    found: list[Extent] = []
    for index in reversed(range(len(plan.stages))):
        stage = plan.stages[index]
        wanted = needed[index + 1]
        made = {name: far for name, far in wanted.items() if name in stage.produced}
        if whole[index] or reads_graph(stage):
            made = dict.fromkeys(made, hops)
        extent = _extent(stage, made, hops, uncounted)
        if whole[index] or reads_graph(stage):
            extent = Extent(dict.fromkeys(extent.reads, hops), made, dict.fromkeys(extent.edges, hops))
        for state in sorted(_read_states(stage)):
            for name, far in extent.reads.items():
                _raise(needed[state], (name,), far)
        for name in wanted.keys() & set(stage.carried):
            _raise(needed[stage.reads], (name,), wanted[name])
        found.append(extent)
    return tuple(reversed(found))


def reads_graph(stage: Stage) -> bool:
    """Whether a stage has a layer whose rows depend on nodes that no edge joins to theirs."""
    if isinstance(stage, RelationStage) and stage.combine.kind == "attention":
        per_node = stage.combine.arguments.get("per") == "node"
        if not per_node:
            return True  # One mean score for all nodes.
    return any(locality(spec.name) == "graph" for spec in _specs(stage))


def _extent(stage: Stage, made: Mapping[str, int], hops: int, uncounted: Container[EdgeKey]) -> Extent:
    extent = Extent(makes=dict(made))
    if isinstance(stage, RelationStage):
        steps = [step for step in stage.steps if step.live]
        for step in steps:
            _relation(extent, step, made.get(step.edge[2], hops), hops, uncounted)
        for joint in stage.joints:
            if joint.live:
                _joint(extent, joint, made, hops, uncounted)
        for step in steps:
            source, _, target = step.edge
            if source == target:  # The layer has one value for both ends, and gives a row for each.
                extent.makes[target] = extent.reads[target]
    elif isinstance(stage, NodeStage | JoinStage):
        extent.reads = dict(made)
    if any(item.kind == "residual" for item in stage.pipe):
        for name, far in extent.makes.items():
            extent.read((name,), far)
    extent.reads = {name: min(far, hops) for name, far in extent.reads.items()}
    extent.makes = {name: min(far, hops) for name, far in extent.makes.items()}
    return extent


def _relation(extent: Extent, step: RelationStep, far: int, hops: int, uncounted: Container[EdgeKey]) -> None:
    """What one relation needs for rows of its target `far` hops away."""
    source, _, target = step.edge
    look = _look(step)
    into = hops if step.edge in uncounted else far + look - 1
    if step.edge not in uncounted:
        extent.follow(step.edge, into)
    extent.read((source,), into + 1)
    extent.read((target,), into)
    _raise(extent.makes, (target,), into)


def _joint(extent: Extent, step: JointStep, made: Mapping[str, int], hops: int, uncounted: Container[EdgeKey]) -> None:
    """The same of several relations at once."""
    look = _look(step)
    furthest = max(made[name] for name in step.targets if name in made)
    extent.read(step.types, 0)
    for edge in step.relations:
        source, _, target = edge
        # In several rounds, what is wanted of one type depends on all.
        far = made.get(target, -1) if look == 1 else furthest
        into = hops if edge in uncounted else far + look - 1
        if edge not in uncounted:
            extent.follow(edge, into)
        extent.read((source,), into + 1)
        extent.read((target,), into)


def _look(step: RelationStep | JointStep) -> int:
    """How many hops of edges a step needs: those that values travel, and one more to count what arrives at sources."""
    degrees = any(locality(spec.name) == "degrees" for spec in step.module.walk())
    return step.hops + degrees


def _read_states(stage: Stage) -> set[int]:
    states = {stage.reads}
    if isinstance(stage, JoinStage):
        states |= set(stage.states)
    if isinstance(stage, RelationStage):
        bound = (item for step in (*stage.steps, *stage.joints) for item in step.inputs)
        states |= {item.state for item in bound if item.source == "state"}
    return states


def _specs(stage: Stage) -> Iterator[ModuleSpec]:
    """All modules that a stage runs, those among arguments too."""
    modules = [step.module for item in stage.pipe for step in item.steps]
    if isinstance(stage, RelationStage):
        modules += [step.module for step in (*stage.steps, *stage.joints) if step.live]
    elif isinstance(stage, NodeStage):
        modules += [step.module for step in stage.steps]
    elif isinstance(stage, JoinStage):
        modules += [step.module for step in stage.modules if step.module.name != "jump"]
    for module in modules:
        yield from module.walk()


def _raise(table: dict[str, int], names: Iterable[str], hops: int) -> None:
    for name in names:
        table[name] = max(table.get(name, 0), hops)
