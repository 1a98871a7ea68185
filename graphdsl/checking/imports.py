"""`import "file.gnn"`: the declarations of other files, each read once, none from outside the project."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from graphdsl.syntax import Parsed, is_document, parse, spell_out
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, SourceText, Span, did_you_mean, read_source, report

MAX_FILES = 100
"""Files that a spec may import, all in all."""
_MARKS = (".git", "pyproject.toml")
"""What marks the top folder of a project."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A spec with all that it imports.

    Attributes:
        file: the spec's tree; imported declarations stand before its own.
        diagnostics: what is wrong with the texts and the imports.
        lost: words of statements that could not be read.
        sources: all texts, the spec's own first.
        spelled: the `.gnn` text of a spec in YAML or JSON that imports nothing.
    """

    file: n.File
    diagnostics: tuple[Diagnostic, ...]
    lost: frozenset[str]
    sources: tuple[SourceText, ...]
    spelled: str = ""


@dataclass(slots=True)
class _Entry:
    """A file on the way from the spec to what is being read, and the imports in it that are still to be read."""

    real: Path
    parsed: Parsed
    waiting: Iterator[n.ImportDecl]
    by: n.ImportDecl | None


@dataclass(slots=True)
class _Reader:
    """Reads imports depth first; the files on the way are a stack, not recursion."""

    root: Path
    declarations: list[n.Declaration] = field(default_factory=list[n.Declaration])
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])
    lost: set[str] = field(default_factory=set[str])
    sources: list[SourceText] = field(default_factory=list[SourceText])
    read: set[Path] = field(default_factory=set[Path])
    stack: list[_Entry] = field(default_factory=list[_Entry])

    def run(self, source: SourceText) -> None:
        self.push(_real(source.name), source, None)
        while self.stack:
            top = self.stack[-1]
            declared = next(top.waiting, None)
            if declared is None:
                self.stack.pop()
                kept = [item for item in top.parsed.file.declarations if not isinstance(item, n.ImportDecl)]
                self.declarations += kept
            else:
                self.follow(declared)

    def push(self, real: Path, source: SourceText, by: n.ImportDecl | None) -> None:
        self.read.add(real)
        parsed = parse(source)
        self.sources.append(source)
        self.found += parsed.diagnostics if by is None else [item for item in parsed.diagnostics if item.is_error]
        self.lost |= parsed.lost
        imports = (item for item in parsed.file.declarations if isinstance(item, n.ImportDecl))
        self.stack.append(_Entry(real, parsed, imports, by))

    def follow(self, declared: n.ImportDecl) -> None:
        """Read an imported file, unless it is read already."""
        written = str(declared.path.value)
        here = Path(declared.span.file).parent
        refused = self.refuse(declared, written, here)
        if refused:
            self.found.append(refused)
            self.missing()
            return
        real = _real(here / written)
        cycle = next((place for place, item in enumerate(self.stack) if item.real == real), None)
        if cycle is not None:
            self.found.append(self.cycle(declared, cycle))
        elif real not in self.read:
            source = read_source(here / written)
            if isinstance(source, SourceText):
                self.push(real, source, declared)
                return
            helps = _near(here / written) or source.helps
            self.found.append(report(source.code, source.message, declared.path.span, helps=helps))
            self.missing()

    def missing(self) -> None:
        """What the file would have declared is unknown, so nothing is said about names that are not found."""
        self.lost |= {"schema", "model", "node", "edge", "metapath"}

    def refuse(self, declared: n.ImportDecl, written: str, here: Path) -> Diagnostic | None:
        """Why a path is not followed."""
        span = declared.path.span
        if not written or "\0" in written:
            helps = ('write the path of a file: `import "file.gnn"`',)
            return report("GNN111", "an import needs the path of a file", span, helps=helps)
        if len(self.read) > MAX_FILES:
            return report("GNN111", f"more than {MAX_FILES} files are imported", span)
        if Path(written).is_absolute() or "://" in written or written.startswith("~"):
            helps = ("write a path relative to this file",)
            return report("GNN111", "an import is relative to the file that it stands in", span, helps=helps)
        real = _real(here / written)
        if not real.is_relative_to(self.root):
            notes = (f"the project is `{self.root}`: the nearest folder with `.git` or `pyproject.toml`, "
                     "or the spec's own",)  # fmt: skip
            helps = ("copy the file into the project",)
            return report("GNN111", "the import leads out of the project", span, helps=helps, notes=notes)
        return None

    def cycle(self, declared: n.ImportDecl, place: int) -> Diagnostic:
        chain = self.stack[place:]
        also = [(item.by.path.span, "on the way from here") for item in chain[1:] if item.by]
        what = "itself" if len(chain) == 1 else " → ".join(f"`{item.real.name}`" for item in [*chain, chain[0]])
        message = "the file imports itself" if len(chain) == 1 else f"the files import each other: {what}"
        helps = ("move what both need into a third file",) if len(chain) > 1 else ("leave it out",)
        return report("GNN110", message, declared.path.span, also=also, helps=helps)


def _real(path: str | Path) -> Path:
    """The path without links and `..`; as it is where it cannot be followed."""
    try:
        return Path(path).resolve()
    except (OSError, ValueError, RuntimeError):
        return Path(path).absolute()


def project_of(name: str) -> Path:
    """The folder that imports of a spec stay in: the nearest with a project's marks, or the spec's own.

    >>> project_of("<string>") == project_of("other.gnn")
    True
    """
    folder = _real(Path(name).parent)
    marked = (place for place in (folder, *folder.parents) if any((place / mark).exists() for mark in _MARKS))
    return next(marked, folder)


def _near(path: Path) -> tuple[str, ...]:
    """Files that stand where an import looks for one of another name."""
    try:
        there = sorted(item.name for item in path.parent.iterdir() if item.suffix == path.suffix)
    except OSError:
        return ()
    return did_you_mean(path.name, [name for name in there if name != path.name])


def gather(source: SourceText) -> Gathered:
    """A spec and the declarations of all files that it imports, directly or not.

    Args:
        source: the spec; its imports are relative to the folder of its name.

    Returns:
        One tree: what is imported first, in the order of import. Train blocks of other files are among it, but for
        those of models that the spec trains itself.
    """
    parsed = parse(source)
    if not any(isinstance(item, n.ImportDecl) for item in parsed.file.declarations):
        return Gathered(parsed.file, parsed.diagnostics, parsed.lost, (source,), parsed.spelled)
    reader = _Reader(project_of(source.name))
    reader.run(source)
    own = {item.model.text for item in parsed.file.declarations if isinstance(item, n.TrainDecl)}
    declarations = tuple(
        item
        for item in reader.declarations
        if not isinstance(item, n.TrainDecl) or item.span.file == source.name or item.model.text not in own
    )
    file = replace(parsed.file, declarations=declarations)
    return Gathered(file, tuple(reader.found), frozenset(reader.lost), tuple(reader.sources))


def bundle(gathered: Gathered) -> str:
    """One `.gnn` text with the meaning of a spec and all that it imports: what a checkpoint keeps.

    A `.gnn` spec without imports is its own text.
    """
    if len(gathered.sources) == 1:
        return gathered.spelled or gathered.sources[0].text
    slices: dict[Span, str] = {}
    for source in gathered.sources:
        slices |= _slices(source)
    parts = [slices.get(item.span, "") for item in gathered.file.declarations]
    return "\n\n".join(["gnn 1", *parts]) + "\n"


def _slices(source: SourceText) -> dict[Span, str]:
    """The declarations of a file in `.gnn`, by their places in it."""
    declared = parse(source).file.declarations
    if not is_document(source.name):
        return {item.span: _slice(source, item) for item in declared}
    spelled = SourceText(f"{source.name}.gnn", spell_out(source))
    again = parse(spelled).file.declarations
    return {item.span: _slice(spelled, other) for item, other in zip(declared, again, strict=False)}


def _slice(source: SourceText, declared: n.Declaration) -> str:
    span = declared.span
    lines = list(source.lines[span.line - 1 : span.end_line])
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)
