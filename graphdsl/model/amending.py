"""A model that differs from another by what it says: `model B amends A { … }` becomes a whole model declaration."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from graphdsl.model.penalties import written
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, did_you_mean, listing, renaming, report, show_name


@dataclass(frozen=True, slots=True)
class WholeModel:
    """A model declaration with nothing left to look up.

    Attributes:
        declared: the model, changes applied.
        base: name of the model that it amends.
        own: the parameters that are its own: a parameter of the base may lose its last reader by a change.
    """

    declared: n.ModelDecl
    base: str | None
    own: tuple[n.ParameterDecl, ...]


def _stages(statements: tuple[n.Statement, ...]) -> Iterator[n.StageStatement]:
    for statement in statements:
        if isinstance(statement, n.StageStatement):
            yield statement
        elif isinstance(statement, n.RepeatStatement):
            yield from _stages(statement.body)


def _exchange(statements: tuple[n.Statement, ...], old: n.Statement, new: n.Statement) -> tuple[n.Statement, ...]:
    result: list[n.Statement] = []
    for item in statements:
        if item is old:
            result.append(new)
        elif isinstance(item, n.RepeatStatement):
            result.append(replace(item, body=_exchange(item.body, old, new)))
        else:
            result.append(item)
    return tuple(result)


def target_text(target: n.LabelTarget | n.LinkTarget) -> str:
    """What a prediction predicts, as it is written."""
    if isinstance(target, n.LabelTarget):
        return f"{show_name(target.type.text)}.{show_name(target.attribute.text)}"
    source, relation, end = (show_name(name.text) for name in (target.source, target.relation, target.target))
    attribute = f".{show_name(target.attribute.text)}" if target.attribute else ""
    return f"{source} -[{relation}]-> {end}{attribute}"


class _Amendment:
    """Applies the changes of one amending model to its base; problems go to `found`."""

    def __init__(self, declared: n.AmendedDecl, base: n.ModelDecl, found: list[Diagnostic]) -> None:
        self.declared = declared
        self.base = base
        self.found = found
        self.body = base.body
        self.given: dict[str, Span] = {}

    def apply(self) -> n.ModelDecl:
        for change in self.declared.changes:
            if isinstance(change, n.Replacement):
                self.replace(change)
            elif isinstance(change, n.PredictStatement | n.PenaltyStatement | n.LearnStatement):
                self.body = (*self.body, change)
        return n.ModelDecl(
            self.declared.name,
            self.parameters(),
            self.declared.schema or self.base.schema,
            self.body,
            self.declared.span,
        )

    def parameters(self) -> tuple[n.ParameterDecl, ...]:
        """The base's parameters with new defaults, then the model's own."""
        known = {item.name.text: item for item in self.base.parameters}
        values: dict[str, n.Expression] = {}
        for change in self.declared.changes:
            if isinstance(change, n.Override) and self.fits(change, known):
                values[change.name.text] = change.value
        kept = [replace(item, default=values.get(item.name.text, item.default)) for item in self.base.parameters]
        for item in self.declared.parameters:
            if item.name.text in known:
                also = ((known[item.name.text].name.span, "declared here"),)
                helps = (f"give it another default: `{item.name.text} = …` between the braces",)
                message = f"`{self.base.name.text}` has a parameter `{item.name.text}` already"
                self.found.append(report("GNN102", message, item.name.span, also=also, helps=helps))
        return (*kept, *(item for item in self.declared.parameters if item.name.text not in known))

    def fits(self, change: n.Override, known: Mapping[str, n.ParameterDecl]) -> bool:
        name = change.name.text
        if name not in known:
            stage = any(item.name and item.name.text == name for item in _stages(self.base.body))
            helps = (f"`{name}` is a state: write `replace {name} = …`",) if stage else did_you_mean(name, known)
            notes = listing(f"parameters of `{self.base.name.text}`", known)
            message = f"`{self.base.name.text}` has no parameter `{name}`"
            fix = None if stage else renaming(change.name.span, name, known)
            self.found.append(report("GNN207", message, change.name.span, helps=helps, notes=notes, fix=fix))
            return False
        if name in self.given:
            also = ((self.given[name], "first given here"),)
            self.found.append(report("GNN209", f"`{name}` is given twice", change.span, also=also))
            return False
        self.given[name] = change.span
        return True

    def replace(self, change: n.Replacement) -> None:
        if isinstance(change.statement, n.PredictStatement):
            self.replace_prediction(change.statement)
        elif isinstance(change.statement, n.PenaltyStatement):
            self.replace_penalty(change.statement)
        else:
            self.replace_stage(change.statement)

    def replace_stage(self, new: n.StageStatement) -> None:
        named = {item.name.text: item for item in _stages(self.base.body) if item.name}
        notes = listing(f"named stages of `{self.base.name.text}`", named)
        if new.name is None:
            helps = ("name the stage of the base that it stands for: `replace NAME = …`",)
            message = "a stage without a name replaces nothing"
            self.found.append(report("GNN101", message, new.span, helps=helps, notes=notes))
            return
        name = new.name.text
        old = [item for item in _stages(self.body) if item.name and item.name.text == name]
        if not old:
            helps = did_you_mean(name, named)
            message, fix = f"`{self.base.name.text}` has no stage `{name}`", renaming(new.name.span, name, named)
            self.found.append(report("GNN101", message, new.name.span, helps=helps, notes=notes, fix=fix))
        elif len(old) > 1:
            also = [(item.name.span, "here") for item in old if item.name]
            helps = ("give the stages of the base different names",)
            message = f"`{self.base.name.text}` has {len(old)} stages `{name}`, so it is open which one is replaced"
            self.found.append(report("GNN102", message, new.name.span, also=also, helps=helps))
        else:
            self.body = _exchange(self.body, old[0], new)

    def replace_prediction(self, new: n.PredictStatement) -> None:
        predictions = [item for item in self.body if isinstance(item, n.PredictStatement)]
        wanted = target_text(new.target)
        old = next((item for item in predictions if target_text(item.target) == wanted), None)
        if old is None:
            known = [target_text(item.target) for item in predictions]
            helps = did_you_mean(wanted, known) or ("leave `replace` out to add a prediction",)
            notes = listing(f"predictions of `{self.base.name.text}`", known)
            message = f"`{self.base.name.text}` does not predict `{wanted}`"
            self.found.append(report("GNN101", message, new.target.span, helps=helps, notes=notes))
            return
        self.body = _exchange(self.body, old, new)

    def replace_penalty(self, new: n.PenaltyStatement) -> None:
        penalties = {written(item.what, {}): item for item in self.body if isinstance(item, n.PenaltyStatement)}
        wanted = written(new.what, {})
        if wanted not in penalties:
            helps = did_you_mean(wanted, penalties) or ("leave `replace` out to add a penalty",)
            notes = listing(f"penalties of `{self.base.name.text}`", penalties)
            message = f"`{self.base.name.text}` does not penalise `{wanted}`"
            self.found.append(report("GNN101", message, new.what.span, helps=helps, notes=notes))
            return
        self.body = _exchange(self.body, penalties[wanted], new)


class _Expansion:
    """Expands amending models, each once, bases before what amends them, without recursion in Python."""

    def __init__(self, declared: Mapping[str, n.ModelDecl | n.AmendedDecl], found: list[Diagnostic]) -> None:
        self.declared = declared
        self.found = found
        self.done: dict[str, WholeModel | None] = {}

    def chain(self, first: n.AmendedDecl) -> list[n.AmendedDecl] | None:
        """The model and what it amends, up to one that is known; None after a report."""
        chain = [first]
        seen = {first.name.text}
        while True:
            name = chain[-1].base
            base = self.declared.get(name.text)
            if base is None:
                helps, notes = did_you_mean(name.text, self.declared), listing("models", self.declared)
                message, fix = f"unknown model `{name.text}`", renaming(name.span, name.text, self.declared)
                self.found.append(report("GNN101", message, name.span, helps=helps, notes=notes, fix=fix))
                return None
            if isinstance(base, n.ModelDecl) or name.text in self.done:
                return chain
            if name.text in seen:
                also = [(item.base.span, "and this") for item in chain if item.base is not name]
                helps = ("one of them must be a whole model: `model NAME on SCHEMA { … }`",)
                message = f"`{chain[0].name.text}` amends itself"
                self.found.append(report("GNN110", message, name.span, also=also, helps=helps))
                for item in chain:
                    self.done[item.name.text] = None
                return None
            chain.append(base)
            seen.add(name.text)

    def expand(self, declared: n.ModelDecl | n.AmendedDecl) -> WholeModel | None:
        if isinstance(declared, n.ModelDecl):
            return WholeModel(declared, None, declared.parameters)
        if declared.name.text in self.done:
            return self.done[declared.name.text]
        chain = self.chain(declared)
        for item in reversed(chain or []):
            base = self.declared[item.base.text]
            whole = base if isinstance(base, n.ModelDecl) else self.whole(item.base.text)
            made = None if whole is None else _Amendment(item, whole, self.found).apply()
            self.done[item.name.text] = made and WholeModel(made, item.base.text, item.parameters)
        return self.done.setdefault(declared.name.text, None)

    def whole(self, name: str) -> n.ModelDecl | None:
        known = self.done[name]
        return known.declared if known else None


def expander(
    declared: Mapping[str, n.ModelDecl | n.AmendedDecl], found: list[Diagnostic]
) -> Callable[[n.ModelDecl | n.AmendedDecl], WholeModel | None]:
    """A function from a declaration to the whole model; it gives None after a report.

    Args:
        declared: all models that can be amended, by name.
        found: where problems are appended.
    """
    return _Expansion(declared, found).expand
