"""The beginning of the forward pass: what the data brings is named, completed and numbered."""

from graphdsl.model import Metapath
from graphdsl.plan import Derived, Ids, JointStep
from graphdsl.plan.bindings import METAPATH_WEIGHT
from graphdsl.source.attributes import (
    absent_places,
    argument,
    attribute_inputs,
    forms,
    in_form,
    live_reads,
    live_steps,
    may_be_absent,
    reads_graphs,
)
from graphdsl.source.block import Block
from graphdsl.source.context import Context, encoded, origins, place, table
from graphdsl.source.expressions import Expression, call, each, listing, mapping, pair, quote
from graphdsl.text import EdgeKey


def derivations(context: Context) -> list[Derived]:
    """What has to be made where the data lacks it, in order."""
    needed, kept = set(context.requirements.relations), list[Derived]()
    for item in reversed(context.plan.derived):
        if item.edge in needed:
            needed.update(origins(item))
            kept.append(item)
    return kept[::-1]


def optional_relations(context: Context) -> list[EdgeKey]:
    """Relations that a graph may lack, and that nothing makes."""
    made = {item.edge for item in derivations(context)}
    wanted = {*context.requirements.relations, *(edge for item in derivations(context) for edge in origins(item))}
    return sorted(edge for edge in wanted - made if may_be_absent(edge, context))


def write_reading(context: Context, block: Block) -> None:
    """Name, complete and number what was given."""
    _write_names(context, block)
    _write_values(context, block)
    optional, derived = optional_relations(context), derivations(context)
    if optional or derived:
        block.write("edge_index_dict = dict(edge_index_dict)")
    tables = made_tables(context)
    for name in tables:
        block.write(f"{name} = dict({name} or {{}})")
    if optional:
        block.comment("Relations that a graph may lack have no edges then.")
        block.loop("edge_type", context.relations(optional, "optional"))
        empty = f"{context.known()}.new_zeros(2, 0, dtype=torch.long)"
        block.write(f"edge_index_dict.setdefault(edge_type, {empty})", deeper=4)
    if derived:
        arguments = ["edge_index_dict"]
        if any(item.metapath for item in derived):
            block.write("num_nodes = {name: x.size(0) for name, x in x_dict.items()}")
            arguments.append("num_nodes")
        block.statement(call("add_relations", *arguments, *tables))
    _write_attributes(context, block)
    if reads_graphs(context):
        block.comment("Attention stays within each graph; one without a node of the type has no number there.")
        number = "batch.unique(return_inverse=True)[1]"
        block.assign("graphs", each("name", number, "name, batch", "(batch_dict or {}).items()"))


def _write_attributes(context: Context, block: Block) -> None:
    """Attributes in the form that layers read: of the dtype of the model, [rows] or [rows, width]."""
    for attribute in attribute_inputs(context):
        name, absent = argument(attribute), absent_places(attribute, context)
        if absent and name not in made_tables(context):
            block.write(f"{name} = dict({name})")
        for key, empty in absent.items():
            block.statement(call(f"{name}.setdefault", key, empty))
        if len(form := forms(attribute, context)) == 1:
            value = in_form(form.pop(), "value", context)
            block.assign(name, each("key", value, "key, value", f"{name}.items()"))


def made_tables(context: Context) -> list[str]:
    """Attributes that derived relations have: those of their originals, and weights of metapaths."""
    found: list[str] = []
    for item in derivations(context):
        found += [argument(name) for name in bound_attributes(item.edge, context) if _makes(item, name)]
    return sorted(set(found))


def bound_attributes(edge: EdgeKey, context: Context) -> list[str]:
    """Attributes of a relation that live steps read, or that weigh how labels spread."""
    spreads = [head.spread for head in context.plan.node_heads if head.spread is not None]
    weights = {item.weight for item in spreads if item.weight and item.edge == edge}
    return sorted(weights | {found.item.attribute for found in live_reads(context) if edge in found.places})


def _makes(item: Derived, attribute: str) -> bool:
    weighted = item.metapath is not None and item.metapath.multiplicity != "set"
    return item.inverse_of is not None or (weighted and attribute == METAPATH_WEIGHT)


def _write_names(context: Context, block: Block) -> None:
    """Names that PyTorch's containers refuse are replaced."""
    types, edges = context.odd_types, context.odd_edges
    if not types and not edges:
        return
    block.comment("PyTorch's containers refuse some of the names.")
    if types:
        context.constants.setdefault("TYPE_KEYS", table(types))
        block.write("x_dict = {TYPE_KEYS.get(name, name): x for name, x in x_dict.items()}")
    if edges:
        context.constants.setdefault("EDGE_KEYS", table(edges))
        block.write("edge_index_dict = {EDGE_KEYS.get(key, key): x for key, x in edge_index_dict.items()}")
    keyed = [argument(name) for name in attribute_inputs(context)]
    keyed += ["n_id_dict"] if ids(context) else []
    keyed += ["batch_dict"] if context.plan.graph_heads else []
    both = "(TYPE_KEYS | EDGE_KEYS)" if types and edges else "TYPE_KEYS" if types else "EDGE_KEYS"
    for name in keyed:
        block.assign(name, each(f"{both}.get(key, key)", "value", "key, value", f"({name} or {{}}).items()"))


def ids(context: Context) -> dict[str, int]:
    """Node types that are read by their numbers, with how many nodes there are."""
    return {
        name: width.count
        for name, width in context.plan.inputs.items()
        if isinstance(width, Ids) and width.count is not None and (name in context.needed[0] or _on_path(name, context))
    }


def _on_path(name: str, context: Context) -> bool:
    paths = [item.metapath for item in derivations(context) if item.metapath is not None]
    walks = [
        edge for step in live_steps(context) if isinstance(step, JointStep) and step.paths for edge in step.relations
    ]
    return any(name in stops(path) for path in paths) or any(name in (edge[0], edge[2]) for edge in walks)


def stops(path: Metapath) -> tuple[str, ...]:
    """Node types along a metapath."""
    return (path.source, *(hop.edge[0] if hop.backward else hop.edge[2] for hop in path.hops))


def _write_values(context: Context, block: Block) -> None:
    numbered = ids(context)
    absent = [
        (name, width)
        for name, width in context.plan.inputs.items()
        if name in context.plan.optional_types and isinstance(width, int) and name in context.needed[0]
    ]
    if any(found.item.attribute == "x" for found in live_reads(context)):
        block.write("given_x_dict = x_dict")
    if numbered or absent:
        block.write("x_dict = dict(x_dict)")
    if numbered:
        block.comment("Node types that are read by their numbers: all of them, in order, unless given.")
        block.write("n_id_dict = n_id_dict or {}")
    for name, count in numbered.items():
        key, like = context.name(name), context.known()
        rows = f"0 if n_id_dict else {count}" if name in context.plan.optional_types else f"{count}"
        numbers = call("torch.arange", rows, device=f"{like}.device")
        block.assign(f"x_dict[{key}]", call("n_id_dict.get", key, numbers))
    for name, width in absent:
        key, like = context.name(name), context.known()
        block.statement(call("x_dict.setdefault", key, f"{like}.new_zeros(0, {width})"))


def write_relations(context: Context) -> Block | None:
    """The function `add_relations`, if some relations are made."""
    derived, tables = derivations(context), made_tables(context)
    if not derived:
        return None
    block = Block()
    paths = any(item.metapath for item in derived)
    context.imports.tensors = True
    types = ["edge_index_dict: dict[tuple[str, str, str], Tensor]"]
    types += ["num_nodes: dict[str, int]"] if paths else []
    types += [f"{name}: dict[tuple[str, str, str], Tensor]" for name in tables]
    head = f"def add_relations({', '.join(types)}) -> None:"
    if len(head) <= 100:
        block.write(head)
    else:
        block.extend(["def add_relations(", *(f"    {item}," for item in types), ") -> None:"])
    block.extend(
        [
            '    """Add the relations that a graph lacks, in place: inverses and metapaths.',
            "",
            "    Once before training is enough: what is there already is not made again.",
            '    """',
        ]
        if paths
        else ['    """Add the inverse relations that a graph lacks, in place."""']
    )
    inner = Block(4)
    turned = [item for item in derived if item.inverse_of is not None]
    read = _read_by_layers(context)
    _write_inverses("INVERSES", [item for item in turned if item.edge in read], context, inner)
    if paths:
        # Who gives all metapaths need not give what they are made of.
        _write_return([context.edge(item.edge) for item in derived if item.metapath is not None], inner)
        _write_inverses("INVERSES_ON_PATHS", [item for item in turned if item.edge not in read], context, inner)
        _write_sizes(context, inner)
    for item in derived:
        if item.metapath is not None:
            _write_path(item.metapath, context, inner)
    block.extend(inner.lines)
    return block


def _read_by_layers(context: Context) -> set[EdgeKey]:
    """The relations that layers are given, metapaths' own edges among them."""
    found: set[EdgeKey] = set()
    for step in live_steps(context):
        found.update(step.relations if isinstance(step, JointStep) else (step.edge,))
    return found


def _write_return(metapaths: list[str], block: Block) -> None:
    """Nothing to do where all metapaths are there."""
    if len(metapaths) == 1:
        block.write(f"if {metapaths[0]} in edge_index_dict:")
    else:
        block.assign("metapaths", listing(metapaths))
        block.write("if all(edge_type in edge_index_dict for edge_type in metapaths):")
    block.write("return", 4)


def _write_inverses(name: str, items: list[Derived], context: Context, block: Block) -> None:
    if not items:
        return
    pairs = {context.edge(item.edge): item.inverse_of for item in items if item.inverse_of is not None}
    inverses = {key: pair(map(quote, encoded(edge))) for key, edge in pairs.items()}
    context.constants[name] = mapping(dict[str, Expression](inverses))
    block.write(f"for edge_type, inverse in {name}.items():")
    block.write("if edge_type not in edge_index_dict:", 4)
    block.write("edge_index_dict[edge_type] = edge_index_dict[inverse].flip(0)", 8)
    bound = {argument(name) for item in items for name in bound_attributes(item.edge, context)}
    for values in sorted(bound):
        block.write(f"if inverse in {values}:", 8)
        block.write(f"{values}.setdefault(edge_type, {values}[inverse])", 12)


def _write_sizes(context: Context, block: Block) -> None:
    """Sizes of types without features follow from the edges."""
    on_paths = {name for item in derivations(context) if item.metapath for name in stops(item.metapath)}
    if on_paths <= context.needed[0] | set(ids(context)):
        return
    block.comment("Nodes of types without features are as many as the edges tell.")
    block.extend(
        [
            "    for (source, _, target), index in edge_index_dict.items():",
            "        for name, nodes in ((source, index[0]), (target, index[1])):",
            "            if nodes.numel() > 0:",
            "                num_nodes[name] = max(num_nodes.get(name, 0), int(nodes.max()) + 1)",
            "            num_nodes.setdefault(name, 0)",
        ]
    )


def _write_path(path: Metapath, context: Context, block: Block) -> None:
    context.helpers.add("compose")
    block.comment(f"metapath {path.name}: {place(path.span)}")
    block.write(f"if {context.edge(path.key)} not in edge_index_dict:")
    inner = Block(block.indent + 4)
    if path.sample is not None:
        said = (
            f"metapath {path.name} has at most {path.sample} pairs of each node, which graphdsl draws: pass its edges"
        )
        inner.statement(call("ValueError", quote(said)), "raise ", deeper=4)
        block.extend(inner.lines)
        return
    hops = [f"edge_index_dict[{context.index(hop.edge)}]" + (".flip(0)" if hop.backward else "") for hop in path.hops]
    sizes = [f"num_nodes[{context.name(name)}]" for name in stops(path)]
    weighted = path.multiplicity != "set" and METAPATH_WEIGHT in bound_attributes(path.key, context)
    inner.assign("pairs, paths" if weighted else "pairs, _", call("compose", listing(hops), listing(sizes)))
    if path.budget is not None:
        inner.write(f"if pairs.size(1) > {path.budget:_}:")
        name = path.name.replace("{", "{{").replace("}", "}}")
        said = quote(f"metapath {name} has {{pairs.size(1)}} edges, more than its budget")
        inner.statement(call("ValueError", f"f{said}"), "raise ", deeper=4)
    inner.assign(f"edge_index_dict[{context.index(path.key)}]", "pairs")
    if weighted:
        if path.multiplicity == "mean":
            size = f"num_nodes[{context.name(path.target)}]"
            inner.assign("total", f"paths.new_zeros({size}).index_add_(0, pairs[1], paths)")
            inner.assign("paths", "paths / total[pairs[1]]")
        weight = "paths.to(torch.get_default_dtype())"
        inner.statement(call(f"{argument(METAPATH_WEIGHT)}.setdefault", f"({context.index(path.key)})", weight))
    block.extend(inner.lines)


def needs_numbers(context: Context) -> bool:
    """Whether the forward pass takes `n_id_dict`."""
    return bool(ids(context))
