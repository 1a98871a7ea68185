"""Specs that use a row's layer, and the same graph for both sides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from equal_rows import (
    DEGREES,
    EDGE_WIDTH,
    OTHER,
    PLACES,
    WIDTH,
    Case,
    Graph,
    Joint,
    Nodes,
    Readout,
    Relation,
    Row,
    Steps,
)
from torch import Tensor, nn

import graphdsl
from graphdsl.catalog import ForwardInput, header_of
from graphdsl.model import Metadata, StoreInfo

NUMBER = {"user": 9, "item": 7}
LIKES, LINKS = ("user", "likes", "item"), ("item", "links", "item")
LIKED, FOLLOWS = ("item", "liked_by", "user"), ("user", "follows", "user")
EDGES = 20


@dataclass(frozen=True)
class Variant:
    """One way to use a row: where the layer stands, and whether all of its inputs are bound."""

    place: str
    bound: bool = True


@dataclass
class Sides:
    """A compiled spec and the layer by hand, with what each is called with.

    Attributes:
        ours: the compiled model.
        part: the part of it that holds the layer's weights.
        theirs: the layer by hand.
        leaves: tensors that gradients are asked for.
        call: gives the output of ours, then of theirs.
    """

    ours: nn.Module
    part: nn.Module
    theirs: Any
    leaves: list[Tensor]
    call: tuple[Any, Any] = field(default=(None, None))


def variants(row: Row) -> Iterator[Variant]:
    """Every variant that the entry of a row has."""
    entry = row.entry
    if isinstance(row, Relation):
        optional = any(not item.required for item in entry.inputs)
        steps = header_of(entry) is not None and not entry.stacked  # a stack: `tests/backends/test_sequences.py`
        for place in ("within", "equal", "unequal", *(["step"] if steps else [])):
            yield Variant(place)
            if optional:
                yield Variant(place, bound=False)
    elif isinstance(row, Joint):
        for place in ("several", "one", *(["unequal"] if entry.scope == "typed" else [])):
            yield Variant(place)
            if entry.inputs:
                yield Variant(place, bound=False)
        if entry.accepts_ids:
            yield Variant("ids")
    elif isinstance(row, Nodes):
        yield from map(Variant, ("nodes",) if entry.accepts_ids else ("nodes", "pipe", "step"))
    elif isinstance(row, Readout):
        yield from map(Variant, ("step", "predict"))
    else:
        yield Variant("step")


def refusal(row: Row, variant: Variant) -> str | None:
    """The code of the finding that refuses a variant, None for one that must work."""
    entry = row.entry
    if variant.place in row.refused:
        return row.refused[variant.place]
    if isinstance(row, Relation) and variant.place in ("equal", "unequal") and not entry.bipartite:
        return "GNN301"
    narrow = (isinstance(row, Relation) and entry.equal_pair) or entry.scope == "typed"
    return "GNN502" if variant.place == "unequal" and narrow else None


def floats(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def positive(*shape: int) -> Tensor:
    return (torch.rand(*shape, dtype=torch.float64) + 0.1).requires_grad_()


def edges(sources: int, targets: int, count: int) -> Tensor:
    return torch.stack([torch.randint(sources, (count,)), torch.randint(targets, (count,))])


def compiled(text: str) -> nn.Module:
    degrees = StoreInfo(None, received=DEGREES)
    metadata = Metadata({"item": StoreInfo(None, sizes=DEGREES)}, {LIKES: degrees, LINKS: degrees})
    return graphdsl.loads(text).compile("m", data=metadata).double()


def with_inputs(layer: str, bound: Mapping[str, str]) -> str:
    """A call with inputs: `GATConv(4)` and `edge_attr = a`."""
    inside = layer[layer.index("(") + 1 : -1]
    told = ", ".join([*([inside] if inside else []), *(f"{name} = {value}" for name, value in bound.items())])
    return f"{layer[: layer.index('(')]}({told})"


def _bound(row: Row, variant: Variant) -> list[ForwardInput]:
    return [item for item in row.entry.inputs if variant.bound or item.required]


def _attribute(item: ForwardInput) -> str:
    return {"edge": "w" if item.scalar else "a", "node": "p", "state": "h0"}[item.source]


def relation(row: Relation, variant: Variant, count: int) -> Sides:
    """A relation within a type or between two."""
    if variant.place == "step":
        return relation_step(row, variant, count)
    within = variant.place == "within"
    source, edge = ("item", LINKS) if within else ("user", LIKES)
    width = {"item": row.width, "user": OTHER if variant.place == "unequal" else row.width}
    inputs = _bound(row, variant)
    layer = with_inputs(row.layer, {item.name: _attribute(item) for item in inputs})
    state = row.entry.stacked or any(item.source == "state" for item in inputs)
    model = compiled(f"""
      schema s {{
        node user {{ x: float[{width["user"]}], p: float[{PLACES}] }}
        node item {{ x: float[{width["item"]}], p: float[{PLACES}], y: real }}
        edge {edge[0]} -[{edge[1]}]-> item {{ w: float, a: float[{EDGE_WIDTH}] }}
      }}
      model m on s {{
        {"h0 = nodes { *: tanh }  h1 = nodes { *: sigmoid }" if state else ""}
        {"s = stack(h0, h1)" if row.entry.stacked else ""}
        edges {{ {edge[1]}: {layer} }}
        predict item.y
      }}""")
    x = {name: floats(NUMBER[name], width[name]) for name in {source, "item"}}
    tables = {"w": positive(count), "a": floats(count, EDGE_WIDTH)}
    places = {name: floats(NUMBER[name], PLACES) for name in x}
    index = edges(NUMBER[source], NUMBER["item"], count)
    has = {_attribute(item) for item in inputs}
    given = {f"{name}_dict": {edge: tables[name]} for name in has & {"w", "a"}}
    given |= {"p_dict": places} if "p" in has else {}
    first = {name: value.tanh() for name, value in x.items()} if state else x
    second = {name: value.sigmoid() for name, value in first.items()} if state else x
    read = {name: torch.stack([first[name], second[name]], 1) if row.entry.stacked else second[name] for name in x}
    ends = (lambda of: of["item"]) if within else (lambda of: (of["user"], of["item"]))
    values = {"w": tables["w"], "a": tables["a"], "p": ends(places), "h0": ends(first)}
    graph = Graph(ends(read), index, {item.name: values[_attribute(item)] for item in inputs})
    case = Case(ends(width), EDGE_WIDTH if "a" in has else None)
    theirs = row.hand(case).double()
    leaves = [*x.values(), *(tables[name] for name in has & {"w", "a"}), *(places.values() if "p" in has else ())]
    call = (
        lambda: model.encode(x, {edge: index}, prediction="item.y", **given)["item"],
        lambda: row.call(theirs, graph),
    )
    return Sides(model, model.stages, theirs, leaves, call)


def relation_step(row: Relation, variant: Variant, count: int) -> Sides:
    """A convolution as a step of a `sequential` block."""
    names = {item.name: "x0" if item.source == "state" else _attribute(item) for item in _bound(row, variant)}
    graph, leaves = one_graph(count)
    header = header_of(row.entry)
    assert header is not None
    own = {"x": "x", "edge_index": "edge_index"}
    told = [own.get(slot.name) or names.get(slot.name, "none") for slot in header.takes]
    first = graph.x.tanh()
    values = {**graph.inputs, "x0": first, "x": graph.x, "edge_index": graph.edge_index}
    theirs = row.hand(Case(row.width, EDGE_WIDTH if "a" in names.values() else None)).double()
    by_hand = Graph(graph.x, graph.edge_index, {name: values[value] for name, value in names.items()})
    before = "tanh: x -> x0\n" if "x0" in names.values() else ""
    block = f"{before}{row.layer}: {', '.join(told)} -> x"
    return in_block(block, graph, leaves, theirs, lambda: row.call(theirs, by_hand), "item")


def one_graph(count: int = 36) -> tuple[Graph, list[Tensor]]:
    """Three graphs in one batch, of 6, 4 and 8 nodes, `count` edges within them."""
    batch = torch.repeat_interleave(torch.arange(3), torch.tensor([6, 4, 8]))
    x, w, a, p = floats(18, WIDTH), positive(count), floats(count, EDGE_WIDTH), floats(18, PLACES)
    t = positive(18)
    start, size = torch.tensor([0, 6, 10]), torch.tensor([6, 4, 8])
    kind = torch.arange(count) % 3
    index = start[kind] + (torch.rand(2, count) * size[kind]).long()
    return Graph(x, index, {"a": a, "w": w, "p": p, "t": t}, batch), [x, w, a, p, t]


def in_block(block: str, graph: Graph, leaves: list[Tensor], theirs: Any, by_hand: Any, rows: str) -> Sides:
    """A `sequential` block and the same by hand."""
    read = {"x": graph.x, "edge_index": graph.edge_index, **graph.inputs, "batch": graph.batch}
    words = set(block.replace(":", " ").replace(",", " ").split())
    names = [name for name in read if name in words]
    if isinstance(theirs, nn.Module):
        theirs.eval()  # Running statistics must not see the pass that asks for the width.
    size = by_hand().size(-1)
    label = {"item": ("", f"graph {{ y: real[{size}] }}"), "graph": (f", y: real[{size}]", "")}
    on_nodes, on_graphs = label["graph" if rows == "item" else "item"]
    model = compiled(f"""
      schema s {{
        node item {{ x: float[{WIDTH}], p: float[{PLACES}], t: float{on_nodes} }}
        edge item -[links]-> item {{ w: float, a: float[{EDGE_WIDTH}] }}
        {on_graphs}
      }}
      model m on s {{ sequential {", ".join(names)} {{ {block} }} predict {rows}.y }}""")
    given = [read[name] for name in names]
    return Sides(model, model, theirs, leaves, (lambda: model(*given), by_hand))


def nodes(row: Nodes, variant: Variant, count: int) -> Sides:
    """A layer of single types."""
    theirs = row.hand(Case(row.width)).double()
    if variant.place == "step":
        graph, leaves = one_graph()
        header = header_of(row.entry)
        assert header is not None
        batched = len(header.takes) > 1
        name, value = ("t", graph.inputs["t"]) if row.width == 1 else ("x", graph.x)
        call = (lambda: theirs(value, graph.batch)) if batched else (lambda: theirs(value))
        return in_block(f"{row.layer}: {name}{', batch' if batched else ''} -> x", graph, leaves, theirs, call, "item")
    ids = row.entry.accepts_ids
    told = {"nodes": f"nodes {{ item: {row.layer} }}", "pipe": f"nodes {{ item: identity }} | {row.layer}"}
    model = compiled(f"""
      schema s {{ node item(count = 7) {{ {"" if ids else f"x: float[{row.width}], "}y: real }} }}
      model m on s {{ {told[variant.place]} predict item.y }}""")
    x = floats(NUMBER["item"], row.width)
    number = torch.tensor([3, 1, 1, 6, 0])
    call = (
        lambda: model.encode(
            {} if ids else {"item": x}, {}, prediction="item.y", **({"n_id_dict": {"item": number}} if ids else {})
        )["item"],
        lambda: theirs(number if ids else x),
    )
    return Sides(model, model.stages, theirs, [] if ids else [x], call)


def readout(row: Readout, variant: Variant, count: int) -> Sides:
    """Nodes of each graph to one row."""
    theirs = row.hand(Case(WIDTH))
    theirs = theirs.double() if isinstance(theirs, nn.Module) else theirs
    graph, leaves = one_graph()
    by_hand = lambda: theirs(graph.x, graph.batch)  # noqa: E731
    if variant.place == "step":
        return in_block(f"{row.layer}: x, batch -> x", graph, leaves, theirs, by_hand, "graph")
    model = compiled(f"""
      schema s {{ node item {{ x: float[{WIDTH}] }} graph {{ y: real[{by_hand().size(-1)}] }} }}
      model m on s {{ nodes {{ item: identity }} predict graph.y from item: readout({row.layer}, head = identity) }}""")
    ours = lambda: model({"item": graph.x}, {}, batch_dict={"item": graph.batch})  # noqa: E731
    return Sides(model, model, theirs, leaves, (ours, by_hand))


def steps(row: Steps, variant: Variant, count: int) -> Sides:
    """Steps of a `sequential` block."""
    graph, leaves = one_graph()
    theirs = row.hand(Case(WIDTH)).double()
    block = row.block.replace("LAYER", row.layer)
    return in_block(block, graph, leaves, theirs, lambda: row.call(theirs, graph), row.rows)


def joint(row: Joint, variant: Variant, count: int) -> Sides:
    """Several relations at once."""
    relations = [LINKS] if variant.place == "one" else sorted([LIKES, LINKS, LIKED, FOLLOWS])
    types = dict.fromkeys(sorted({end for edge in relations for end in (edge[0], edge[2])}), WIDTH)
    if "user" in types and (variant.place == "unequal" or row.entry.scope == "joint"):
        types["user"] = OTHER
    ids = variant.place == "ids"
    inputs = _bound(row, variant)
    layer = with_inputs(row.layer, {item.name: _attribute(item) for item in inputs})
    features = {name: "" if ids else f"x: float[{types.get(name, WIDTH)}], " for name in NUMBER}
    model = compiled(f"""
      schema s {{
        node user(count = {NUMBER["user"]}) {{ {features["user"]}z: real }}
        node item(count = {NUMBER["item"]}) {{ {features["item"]}y: real }}
        {"".join(f" edge {a} -[{r}]-> {b} {{ w: float, a: float[{EDGE_WIDTH}] }}" for a, r, b in relations)}
      }}
      model m on s {{ edges {{ *: {layer} }} predict item.y {"predict user.z" if "user" in types else ""} }}""")
    x = {} if ids else {name: floats(NUMBER[name], width) for name, width in types.items()}
    index = {edge: edges(NUMBER[edge[0]], NUMBER[edge[2]], count) for edge in relations}
    given = {
        f"{_attribute(item)}_dict": {
            edge: positive(count) if item.scalar else floats(count, EDGE_WIDTH) for edge in relations
        }
        for item in inputs
    }
    widths = sum(NUMBER.values()) if ids else WIDTH
    case = Case(widths, EDGE_WIDTH if "a_dict" in given else None, tuple(relations), types)
    theirs = row.hand(case).double()

    def by_hand() -> Tensor:
        if row.entry.scope == "joint":
            return torch.cat([theirs(x, index)[name] for name in types])
        start = dict(zip(types, (0, NUMBER["item"]), strict=False))
        shift = {edge: torch.tensor([[start[edge[0]]], [start[edge[2]]]]) for edge in relations}
        kind = torch.arange(len(relations)).repeat_interleave(count)
        extra = {item.name: torch.cat(list(given[f"{_attribute(item)}_dict"].values())) for item in inputs}
        if "types" in row.entry.derived.values():
            sizes = torch.tensor([NUMBER[name] for name in types])
            extra["node_type"] = torch.arange(len(types)).repeat_interleave(sizes)
        values = torch.arange(widths) if ids else torch.cat([x[name] for name in types])
        together = torch.cat([index[edge] + shift[edge] for edge in relations], 1)
        # One pass for each type, as for predictions: a pass draws the dropout of its own.
        made = [theirs(values, together, edge_type=kind, **extra)[start[name] :][: NUMBER[name]] for name in types]
        return torch.cat(made)

    def ours() -> Tensor:
        made = [model.encode(x, index, prediction=head.name, **given) for head in model.plan.heads]
        values = {name: value for part in made for name, value in part.items()}
        return torch.cat([values[name] for name in types])

    leaves = [*x.values(), *(value for table in given.values() for value in table.values())]
    return Sides(model, model.stages, theirs, leaves, (ours, by_hand))


BUILD = {Relation: relation, Joint: joint, Nodes: nodes, Readout: readout, Steps: steps}


def build(row: Row, variant: Variant, count: int = EDGES) -> Sides:
    """Both sides of a variant on a graph with so many edges per relation."""
    return BUILD[type(row)](row, variant, count)
