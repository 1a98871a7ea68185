"""A draft as the text of a spec."""

from collections.abc import Iterator

from graphdsl.drafting.draft import Draft, DraftAttribute, DraftEdges, DraftNodes, Remark
from graphdsl.text import show_edge, show_name

_WIDE = 90


def write_draft(draft: Draft, model: str = "") -> str:
    """The spec of a draft: a schema with every type and attribute, and a comment for each that cannot be declared.

    Args:
        draft: what the data holds.
        model: text of model and train blocks to stand behind the schema.

    >>> from graphdsl.model import AttributeType
    >>> x = DraftAttribute("x", AttributeType("float", 3))
    >>> print(write_draft(Draft("tiny", (DraftNodes("a", (x,)),), (DraftEdges(("a", "r", "a")),))), end="")
    gnn 1
    <BLANKLINE>
    schema tiny {
      node a { x: float[3] }
    <BLANKLINE>
      edge a -[r]-> a
    }
    """
    lines = ["gnn 1", "", *(f"# {_comment(remark)}" for remark in draft.remarks), f"schema {show_name(draft.name)} {{"]
    for node in draft.nodes:
        lines += [*map(_note, node.notes), *_nodes(node)]
    if draft.edges:
        lines.append("")
    for edge in draft.edges:
        lines += [*map(_note, edge.notes), *_edges(edge)]
    if draft.graph:
        lines += ["", *_declare("graph", "", draft.graph, None)]
    return "\n".join([*lines, "}"]) + "\n" + (f"\n{model}" if model else "")


def _comment(remark: Remark) -> str:
    advice = f"; {remark.help}" if remark.help else ""
    return " ".join(f"{remark.where} {remark.text}{advice}".split())


def _note(text: str) -> str:
    return f"  # {' '.join(text.split())}"


def _nodes(node: DraftNodes) -> list[str]:
    head = f"{'optional ' if node.optional else ''}node {show_name(node.name)}"
    return _declare(head, "", node.attributes, node.remark)


def _edges(edge: DraftEdges) -> list[str]:
    head = f"{'optional ' if edge.optional else ''}edge {show_edge(edge.key)}"
    reverse = f" reverse {show_name(edge.inverse)}" if edge.inverse else ""
    return _declare(head, reverse, edge.attributes, edge.remark)


def _declare(head: str, more: str, attributes: tuple[DraftAttribute, ...], remark: Remark | None) -> list[str]:
    remarks = [remark, *(item.remark for item in attributes)]
    lines = [f"  # {_comment(item)}" for item in remarks if item is not None]
    declared = list(_declared(attributes))
    if not declared:
        return [*lines, f"  {head}{more}"]
    inline = f"  {head}{more} {{ {', '.join(declared)} }}"
    if len(inline) <= _WIDE:
        return [*lines, inline]
    return [*lines, f"  {head}{more} {{", *(f"    {item}" for item in declared), "  }"]


def _declared(attributes: tuple[DraftAttribute, ...]) -> Iterator[str]:
    for item in attributes:
        if item.type is not None:
            yield f"{show_name(item.name)}: {item.type}"
