"""Names that hide others: a reader takes them for what they usually are."""

from collections.abc import Iterator
from typing import Any, cast

from graphdsl.catalog import find
from graphdsl.model.combining import STATE_JOINS
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, report


def _below(node: Any) -> Iterator[Any]:
    """Every record below a node, without recursion."""
    stack: list[Any] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack += cast(tuple[Any, ...], item)
        elif hasattr(item, "__dataclass_fields__"):
            yield item
            stack += [getattr(item, name) for name in item.__dataclass_fields__ if name != "span"]


def hidden_names(declared: n.ModelDecl) -> list[Diagnostic]:
    """Parameters that hide an activation or an attribute, and states that hide a parameter or a join."""
    parameters = {item.name.text: item for item in declared.parameters}
    found: list[Diagnostic] = []
    helps = ("choose another name",)
    for name, item in parameters.items():
        entry = find(name)
        if entry is not None and entry.kind == "activation":
            message = f"the parameter `{name}` hides the activation `{name}` in arguments such as `act = {name}`"
            found.append(report("GNN121", message, item.name.span, helps=helps))
    states: set[str] = set()
    for node in _below(declared.body):
        if isinstance(node, n.StageStatement) and node.name is not None and node.name.text not in states:
            states.add(node.name.text)
            found += _state(node.name, parameters)
        elif isinstance(node, n.Call):
            found += _bound(node, parameters)
    return found


def _state(name: n.Name, parameters: dict[str, n.ParameterDecl]) -> list[Diagnostic]:
    if name.text in STATE_JOINS:
        message = f"the state `{name.text}` has the name of a join: `{name.text}` and `{name.text}(…)` differ"
        return [report("GNN121", message, name.span, helps=("choose another name",))]
    if name.text in parameters:
        also = ((parameters[name.text].name.span, "a parameter of this name"),)
        message = f"the state `{name.text}` has the name of a parameter"
        return [report("GNN121", message, name.span, also=also, helps=("choose another name",))]
    return []


def _bound(call: n.Call, parameters: dict[str, n.ParameterDecl]) -> list[Diagnostic]:
    """An input bound to an attribute whose name is that of a parameter too."""
    entry = find(call.name.text)
    found: list[Diagnostic] = []
    for argument in call.arguments if entry is not None else ():
        value = argument.value
        forward = entry.input(argument.name.text) if entry is not None and argument.name is not None else None
        if forward is None or not isinstance(value, n.Reference) or value.name.text not in parameters:
            continue
        what = "state" if forward.source == "state" else "attribute"
        name = value.name.text
        message = f"`{forward.name} = {name}` reads the {what} `{name}`, not the parameter"
        also = ((parameters[name].name.span, "a parameter of this name"),)
        found.append(report("GNN121", message, value.span, also=also, helps=("give the parameter another name",)))
    return found
