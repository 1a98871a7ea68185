"""The attributes of types and relations: there, of the declared dtype, as many rows and columns as they should have.

Shapes and dtypes decide all of it, so stored metadata is checked as a graph is.
"""

from collections.abc import Iterator, Mapping

from graphdsl.data.forms import explain_form
from graphdsl.data.holdings import Holdings
from graphdsl.data.phrases import mend, number, python
from graphdsl.data.places import BOOKKEEPING, Place, UnreadableTensorError, show_place
from graphdsl.data.validation.finding import Finding
from graphdsl.data.validation.kinds import RULES, VECTORS, expected_shape, fits_shape
from graphdsl.model import Attribute, Schema, TensorInfo
from graphdsl.text import Diagnostic, Facts, Span, closest, listing, report, show_name


def check_attributes(schema: Schema, view: Holdings) -> Iterator[Diagnostic]:
    """Check every attribute of the types and relations that schema and data share."""
    for place, declared, span in _places(schema, view):
        yield from _check_place(view, place, declared, span)


def sound_attributes(schema: Schema, view: Holdings) -> Iterator[Finding]:
    """The declared attributes that are there as declared, whose values may be looked at."""
    for place, declared, _ in _places(schema, view):
        rows = view.count(place)
        for attribute in declared.values():
            finding = Finding(place, attribute, rows)
            if attribute.name in view.keys(place) and _is_sound(view, finding):
                yield finding


def _places(schema: Schema, view: Holdings) -> Iterator[tuple[Place, Mapping[str, Attribute], Span]]:
    for node in schema.nodes.values():
        if node.name in view.node_types:
            yield node.name, node.attributes, node.span
    for edge in schema.edges.values():
        if edge.key in view.edge_types:
            yield edge.key, edge.attributes, edge.span


def _is_sound(view: Holdings, finding: Finding) -> bool:
    try:
        return not any(_check_attribute(view, finding))
    except UnreadableTensorError:
        return False


def _check_place(view: Holdings, place: Place, declared: Mapping[str, Attribute], span: Span) -> Iterator[Diagnostic]:
    held = view.keys(place)
    extra = [key for key in held if key not in declared and key not in BOOKKEEPING]
    rows = view.count(place)
    agreed = _agreed_rows(view, place, declared)
    if isinstance(place, str) and None not in (rows, agreed) and rows != agreed:
        yield _contradiction(place, rows or 0, agreed or 0, span)
        rows = agreed
    for attribute in declared.values():
        finding = Finding(place, attribute, rows)
        if attribute.name in held:
            try:
                yield from _check_attribute(view, finding)
            except UnreadableTensorError as error:
                yield report("GNN611", str(error), attribute.span, "declared here", where=finding.where)
        elif not attribute.type.optional:
            meant = closest(attribute.name, extra)
            if meant is not None:
                extra.remove(meant)
            yield _missing(finding, meant, held)
    for key in extra:
        info = _described(view, place, key)
        if info is not None:
            declare = f"declare it with `{show_name(key)}: …`"
            if len(info.shape) > 2:
                declare = f"rows of numbers can be declared: {mend(place, key, '{}.flatten(1)')}"
            yield report(
                "GNN619",
                f"the data has an attribute `{show_place(place, key)}` that the schema does not declare",
                span,
                f"`{key}` is not declared here",
                where=show_place(place, key),
                helps=(f"{declare}, or leave it: it is not used",),
            )


def _agreed_rows(view: Holdings, place: Place, declared: Mapping[str, Attribute]) -> int | None:
    """How many rows all attributes have, if there are several and they agree."""
    try:
        found = [view.describe(place, key) for key in view.keys(place) if key in declared]
    except UnreadableTensorError:
        return None
    rows = {item.shape[0] for item in found if item is not None and item.shape}
    return rows.pop() if len(rows) == 1 and len(found) > 1 else None


def _contradiction(node_type: str, count: int, rows: int, span: Span) -> Diagnostic:
    """One finding, where each attribute would have its own."""
    stated = f"`{show_name(node_type)}` has {number(count, 'node')} by its `num_nodes`"
    return report(
        "GNN607",
        f"{stated}, and each attribute has {number(rows, 'row')}",
        span,
        "declared here",
        where=show_place(node_type),
        helps=(f"`{python(node_type, 'num_nodes')} = {rows}`, or leave it out: attributes tell it",),
        facts=Facts(number(rows, "node"), number(count, "node")),
    )


def _described(view: Holdings, place: Place, key: str) -> TensorInfo | None:
    try:
        return view.describe(place, key)
    except UnreadableTensorError:  # Nobody needs it.
        return None


def _missing(finding: Finding, meant: str | None, held: tuple[str, ...]) -> Diagnostic:
    name, target = finding.attribute.name, python(finding.place, finding.attribute.name)
    if meant is not None:
        help_line = f"is it `{meant}`? then rename one of them: `{target} = {python(finding.place, meant)}`"
    elif name == "x":
        help_line = "a type without features needs no `x`: leave it out of the schema and give the type an `Embedding`"
    else:
        help_line = f"add `{target}`, or declare it `{show_name(name)}: {finding.attribute.type}?`"
    notes = listing(f"attributes of `{show_place(finding.place)}`", held)
    facts = Facts(expected=str(finding.attribute.type), found="nothing")
    return finding.say("GNN603", "is missing in the data", help_line, notes=notes, facts=facts)


def _check_attribute(view: Holdings, finding: Finding) -> Iterator[Diagnostic]:
    """Whatever is no dense tensor ends the examination."""
    form = view.form(finding.place, finding.attribute.name)
    info = view.describe(finding.place, finding.attribute.name)
    if form != "tensor" or info is None:
        words, help_line = explain_form(form, finding.place, finding.attribute.name, finding.attribute.type.kind)
        facts = Facts(expected="a dense tensor", found=form)
        if info is not None and info.dtype.startswith(("object", "str", "bytes", "datetime")):
            words, help_line = f"a numpy array of dtype {info.dtype}, not a tensor of numbers", "encode it as numbers"
        yield finding.say("GNN605", f"is {words}", help_line, facts=facts)
        return
    yield from _check_shape(finding, info)
    rule = RULES[finding.attribute.type.kind]
    if info.dtype not in rule.dtypes:
        message, facts = f"is {info.dtype}, expected {rule.words}", Facts(expected=rule.words, found=info.dtype)
        help_line = finding.mend("{}" + rule.convert)
        if info.dtype.startswith("complex"):
            help_line = (
                f"keep one part, {finding.mend('{}.real' + rule.convert)}, or both: `torch.view_as_real(…).flatten(1)`"
            )
        yield finding.say("GNN605", message, help_line, facts=facts)


def _check_shape(finding: Finding, info: TensorInfo) -> Iterator[Diagnostic]:
    shape, type_, rows = info.shape, finding.attribute.type, finding.rows
    wanted = expected_shape(type_, "N" if rows is None else str(rows))
    noun = "node" if isinstance(finding.place, str) else "edge"
    found = str(list(shape))
    if not fits_shape(type_, shape):
        facts = Facts(expected=wanted, found=found)
        yield finding.say("GNN607", f"has shape {found}, expected {wanted}", *_mend_shape(finding, shape), facts=facts)
        return
    if rows is not None and shape[0] != rows:
        message = f"has {number(shape[0], 'row')} for {number(rows, noun)}"
        facts = Facts(expected=number(rows, "row"), found=number(shape[0], "row"))
        yield finding.say("GNN607", message, *_mend_rows(finding, info, rows), facts=facts)
    if type_.width is not None and len(shape) == 2 and shape[1] != type_.width:
        message = f"has {number(shape[1], 'column')}, the schema says {type_.width}"
        actual = f"{show_name(finding.attribute.name)}: {type_.kind}[{shape[1]}]"
        facts = Facts(expected=number(type_.width, "column"), found=number(shape[1], "column"))
        yield finding.say("GNN604", message, f"write `{actual}` in the schema, or mend the data", facts=facts)


def _mend_shape(finding: Finding, shape: tuple[int, ...]) -> tuple[str, ...]:
    type_ = finding.attribute.type
    if type_.kind in VECTORS and len(shape) == 2:
        if shape[1] == 1:
            return (finding.mend("{}.view(-1)"),)
        if type_.kind == "mask":
            return (f"one split at a time: {finding.mend('{}[:, 0]')}",)
        if type_.kind == "class":
            several = f"several labels a node are a `multilabel[{shape[1]}]`"
            return (f"{several}; one-hot rows become numbers by {finding.mend('{}.argmax(dim=1)')}",)
    if not shape:
        return (f"give each {'node' if isinstance(finding.place, str) else 'edge'} a row",)
    if len(shape) == 1 and finding.rows and type_.width and shape[0] == finding.rows * type_.width > finding.rows:
        return (finding.mend(f"{{}}.view(-1, {type_.width})"),)
    if len(shape) == 1 and type_.kind != "multilabel":
        return (finding.mend("{}.view(-1, 1)"),) if type_.width == 1 else ()
    if len(shape) > 2 and type_.kind not in VECTORS:
        return (finding.mend("{}.flatten(1)"),)
    return ()


def _mend_rows(finding: Finding, info: TensorInfo, rows: int) -> tuple[str, ...]:
    """A mask that is a list of node numbers is the usual cause."""
    if finding.attribute.type.kind == "mask" and info.dtype.startswith("int"):
        target = python(finding.place, finding.attribute.name)
        return (f"node numbers become a mask by `torch_geometric.utils.index_to_mask({target}, size={rows})`",)
    if isinstance(finding.place, str) and info.shape:
        return (f"if {rows:,} is not the number of nodes, set `{python(finding.place, 'num_nodes')}`",)
    return ()
