"""Random specs: a schema and a model that is mostly right, as text.

`specs()` draws specs that may be wrong in width or wiring; `sound_specs()` those that check clean of errors, with every
size known, so that they can be compiled without data.
"""

from dataclasses import dataclass, field

from hypothesis import assume
from hypothesis import strategies as st

from graphdsl.api import check_source
from graphdsl.text import SourceText, show_edge, show_name

NAMES = (
    "a",
    "b_c",
    "node",
    "edges",
    "web page",
    "a__b",
    "x.y",
    "größe",
    "論文",
    "Z",
    "repeat",
    "type",
    "forward",
    "weight",
)
RELATIONS = ("to", "has", "b__c", "is in", "drop", "combine", "r1", "share", "in.out")
WIDTH = 4

RELATION_LAYERS = (
    "SAGEConv(4)",
    'SAGEConv(4, aggr = "max")',
    'SAGEConv(4, aggr = ["mean", "min", "softmax"])',
    "SAGEConv(4, project = true, normalize = true)",
    'GraphConv(4, aggr = "std")',
    "SAGEConv(w)",
    "GraphConv(4)",
    "GATConv(2, heads = 2)",
    "GATConv(w, heads = 2, concat = false)",
    "GATv2Conv(4)",
    "TransformerConv(4)",
    "TransformerConv(2, heads = 2, beta = true)",
    "GINConv(nn = MLP(4, 4, norm = none))",
    "GINConv(nn = MLP(4, 4), train_eps = true)",
    "SimpleConv",
    'SimpleConv(aggr = "max")',
    "ResGatedGraphConv(4)",
    "LEConv(4)",
)
WITHIN_ONE_TYPE = (
    "GCNConv(4)",
    "LGConv",
    "TAGConv(4)",
    "APPNP(K = 2, alpha = 0.1)",
    "ChebConv(4, K = 2)",
    "HPNConv(4, K = 2)",
    "AGNNConv",
)
JOINT_LAYERS = (
    "HGTConv(4, heads = 2)",
    "HANConv(4, heads = 2)",
    "RGCNConv(4, num_bases = 2)",
    "RGATConv(4)",
    'RGATConv(2, heads = 2, num_bases = 2, attention_mechanism = "within-relation", mod = "f-scaled")',
    'RGATConv(1, heads = 2, dim = 2, attention_mode = "multiplicative-self-attention")',
    "RGCNConv(w)",
    'RGCNConv(4, aggr = "max")',
    "SimpleHGNConv(2, num_layers = 2, heads = 2)",
    'CompGCNConv(4, composition = "corr", num_layers = 2)',
    "IEHGCNConv(4)",
    "HetSANNConv(2, heads = 2)",
    "RHGNNConv(4, heads = 2)",
)
NODE_LAYERS = ("Linear(4)", "Linear(w)", "MLP(5, 4)", "MLP(4, norm = none)")
PIPES = (
    "relu",
    "elu",
    "LayerNorm",
    'LayerNorm(mode = "node")',
    "BatchNorm",
    "dropout(0.5)",
    "residual",
    "Linear(4)",
    "prelu",
)
JUMP_MODES = ("cat", "max", "lstm")
COMBINES = (
    "",
    "combine sum",
    "combine mean",
    "combine max",
    "combine min",
    "combine attention(hidden = 3)",
    "combine cat",
)


@dataclass
class Drawing:
    """A schema while it is drawn: what its parts are called, for the model to use."""

    nodes: list[str] = field(default_factory=list)
    bare: set[str] = field(default_factory=set)
    edges: list[tuple[str, str, str]] = field(default_factory=list)
    weighted: set[tuple[str, str, str]] = field(default_factory=set)
    metapaths: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    label: str = ""


def _nodes(draw: st.DrawFn, made: Drawing) -> None:
    made.nodes = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    made.label = made.nodes[0]
    for name in made.nodes:
        attributes = []
        if draw(st.integers(0, 3)):
            attributes.append(f"x: float[{draw(st.sampled_from((2, WIDTH, 7)))}]")
        else:
            made.bare.add(name)
        if name == made.label:
            attributes.append("y: class[3], z: real[2]")
        count = f"(count = {draw(st.integers(1, 9))})"
        optional = "optional " if name != made.label and draw(st.integers(0, 4)) == 0 else ""
        made.members.append(f"{optional}node {show_name(name)}{count} {{ {', '.join(attributes)} }}")


def _edges(draw: st.DrawFn, made: Drawing) -> None:
    ends = st.sampled_from(made.nodes)
    triples = draw(st.lists(st.tuples(ends, st.sampled_from(RELATIONS), ends), min_size=1, max_size=5, unique=True))
    for number, (source, relation, target) in enumerate(triples):
        made.edges.append((source, relation, target))
        text = f"edge {show_edge((source, relation, target))}"
        if draw(st.booleans()):
            made.edges.append((target, f"rev{number}", source))
            text += f" reverse rev{number}"
        if draw(st.booleans()):
            made.weighted |= {edge for edge in made.edges[-2:] if edge[1] in (relation, f"rev{number}")}
            text += " { strength: float, f: float[3] }"
        made.members.append(text)


def _metapaths(draw: st.DrawFn, made: Drawing) -> None:
    for number in range(draw(st.integers(0, 2))):
        here = draw(st.sampled_from(made.nodes))
        text = show_name(here)
        for _ in range(draw(st.integers(1, 3))):
            hops = [(e, False) for e in made.edges if e[0] == here] + [(e, True) for e in made.edges if e[2] == here]
            if not hops:
                break
            (source, relation, target), backward = draw(st.sampled_from(hops))
            here = source if backward else target
            arrow = f"<-[{show_name(relation)}]-" if backward else f"-[{show_name(relation)}]->"
            text += f" {arrow} {show_name(here)}"
        else:
            how = draw(st.sampled_from(("", "(set)", "(count)", "(mean)")))
            made.members.append(f"metapath P{number}{how} = {text} budget 1K")
            made.metapaths.append(f"P{number}")


def _relation_rule(draw: st.DrawFn, made: Drawing) -> str:
    edge = draw(st.sampled_from(made.edges))
    source, relation, target = map(show_name, edge)
    patterns = [show_edge(edge), f"* -[{relation}]-> *", f"* -[*]-> {target}", f"{source} -[*]-> *", *made.metapaths]
    chosen = draw(st.lists(st.sampled_from(patterns), min_size=1, max_size=2, unique=True))
    layers = [*RELATION_LAYERS, *JOINT_LAYERS, *(f"share {layer}" for layer in RELATION_LAYERS)]
    if edge[0] == edge[2]:
        layers += WITHIN_ONE_TYPE
        # Two relations within one type; whether the rule has exactly these is for the check to find.
        others = [other for other in made.edges if other[0] == other[2] == edge[0] and other != edge]
        if others:
            signed = f'SignedConv(2, first_aggr = true, positive = "{edge[1]}")'
            pair = ", ".join(show_edge(item) for item in (edge, draw(st.sampled_from(others))))
            if draw(st.integers(0, 2)) == 0:
                return f"{pair}: {signed}"
    if edge in made.weighted:
        layers += ["GCNConv(4, edge_weight = strength)"] if edge[0] == edge[2] else []
        layers += ["GraphConv(4, edge_weight = strength)", "GATv2Conv(4, edge_attr = f)"]
        layers += [f"{name}(2, heads = 2, edge_attr = f)" for name in ("GATConv", "TransformerConv")]
        layers += ["TransformerConv(4, edge_attr = strength, beta = true)"]
        if draw(st.integers(0, 4)) == 0:  # It needs the attribute on all of its relations.
            rest = "edge_type_emb_dim = 2, edge_attr_emb_dim = 3, heads = 2, concat = false, edge_attr = f"
            return f"{', '.join(show_edge(item) for item in sorted(made.weighted))}: HEATConv(4, {rest})"
    return f"{', '.join(chosen)}: {draw(st.sampled_from(layers))}"


def _edges_stage(draw: st.DrawFn, made: Drawing) -> str:
    rules = draw(st.integers(0, 2))
    said = [_relation_rule(draw, made) for _ in range(rules)]
    if draw(st.booleans()) or not said:
        said.append(f"*: {draw(st.sampled_from((*RELATION_LAYERS, *JOINT_LAYERS)))}")
    return f"edges{_of(draw, made)} {{ {'  '.join(said)} }} {draw(st.sampled_from(COMBINES))}"


def _nodes_stage(draw: st.DrawFn, made: Drawing) -> str:
    name = show_name(draw(st.sampled_from(made.nodes)))
    first = f"{name}: {draw(st.sampled_from(NODE_LAYERS))}  " if draw(st.booleans()) else ""
    rest = f"*: {draw(st.sampled_from(NODE_LAYERS))}" if not first or len(made.nodes) > 1 else ""
    return f"nodes{_of(draw, made)} {{ {first}{rest} }}"


def _of(draw: st.DrawFn, made: Drawing) -> str:
    return f"({draw(st.sampled_from(made.states))})" if made.states and draw(st.integers(0, 3)) == 0 else ""


def _join(draw: st.DrawFn, made: Drawing) -> str:
    states = draw(st.lists(st.sampled_from(made.states), min_size=2, max_size=3))
    kind = draw(st.sampled_from(("cat", "add", "mean", "max", "jump")))
    mode = f', mode = "{draw(st.sampled_from(JUMP_MODES))}"' if kind == "jump" else ""
    return f"{kind}({', '.join(states)}{mode})"


def _stage(draw: st.DrawFn, made: Drawing) -> str:
    makers = [_edges_stage, _edges_stage, _nodes_stage, *([_join] if made.states else [])]
    text = draw(st.sampled_from(makers))(draw, made)
    for pipe in draw(st.lists(st.sampled_from(PIPES), max_size=2)):
        text += f" | {pipe}"
    if draw(st.integers(0, 2)) == 0:
        name = f"h{len(made.states)}"
        text = f"{name} = {text}"
        made.states.append(name)
    return text


def _statements(draw: st.DrawFn, made: Drawing, depth: int) -> list[str]:
    said: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 9))
        if kind == 0 and depth < 2:
            share = draw(st.sampled_from(("", "share ")))
            known = list(made.states)
            body = "  ".join(_statements(draw, made, depth + 1))
            made.states = known  # what a repeat names is not there if it never runs
            said.append(f"repeat {draw(st.integers(1, 3))} {share}{{ {body} }}")
        elif kind == 1 and depth == 0 and len(made.nodes) > 1:
            said.append(f"drop {show_name(draw(st.sampled_from(made.nodes[1:])))}")
        else:
            said.append(_stage(draw, made))
    return said


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A spec that follows the grammar; most have no error, some do."""
    made = Drawing()
    _nodes(draw, made)
    _edges(draw, made)
    _metapaths(draw, made)
    start = [f"{show_name(name)}: Embedding(4)" for name in made.nodes if name in made.bare]
    start += ["*: Linear(4)"] if len(start) < len(made.nodes) else []
    body = [f"h0 = nodes {{ {'  '.join(start)} }}"]
    made.states.append("h0")
    body += _statements(draw, made, 0)
    body.append(f"predict {show_name(made.label)}.y")
    if draw(st.booleans()):
        body.append(f"predict {show_name(made.label)}.z: MLP(3, 2) weight 0.5")
    members = "\n  ".join(draw(st.permutations(made.members)))
    statements = "\n  ".join(body)
    return f"schema s {{\n  {members}\n}}\nmodel m(w: int = 4) on s {{\n  {statements}\n}}\n"


@st.composite
def sound_specs(draw: st.DrawFn) -> str:
    """A spec without errors."""
    text = draw(specs())
    assume(not any(item.is_error for item in check_source(SourceText("random.gnn", text))))
    return text
