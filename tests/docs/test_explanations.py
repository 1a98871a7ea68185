"""Every code has a page, and the examples on it are true: the bad one gives exactly that code, the good one nothing.

Blocks of a page: `gnn` is checked, or, with `python` or `sh` blocks in its section, only saved as `spec.gnn`; `python` is
executed in one namespace, and what it leaves in `found` or raises counts; `sh` is executed line by line, `gnn …` in this
process; `yaml` is checked as `spec.yaml`; `text` is only shown. What lies in the folder stays there from the bad example to the good one.
"""

import contextlib
import io
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from graphdsl.api import check
from graphdsl.text import CODES, Code, SpecError
from graphdsl.text.explanation import FOLDER
from graphdsl.tooling.cli import main

TESTS = Path(__file__).resolve().parents[1]
SHOWN_ONLY = {
    "GNN115": "plugins/test_plugins.py",
    "GNN310": "catalog/test_catalog_packages.py",
    "GNN617": "data/test_sources.py",
    "GNN685": "benching/test_bench_command.py",
    "GNN900": "tooling/test_tooling_commands.py",
}
"""Codes whose example cannot be executed, and the test that produces them."""

FORM = """{place} is missing. A finding needs a page:

    # {code} {name}

    What it is about. Why it matters; what PyG does instead, if it is about that.

    ## Bad

    ```gnn
    a spec that gives exactly {code}
    ```

    ## Good

    ```gnn
    the same spec, mended
    ```

Examples may also be `python` blocks that leave findings in `found`, or `sh` blocks with `gnn …` (see GNN604.md, GNN206.md).
"""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def sections(text: str) -> tuple[str, str, str]:
    """The introduction, the bad and the good example of a page."""
    parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)
    assert parts[1::2] == ["Bad", "Good"], "a page has the sections `## Bad` and `## Good`, in this order"
    return parts[0], parts[2], parts[4]


def run_shell(text: str) -> set[str]:
    """Run the lines of a block; codes of findings in what the `gnn` commands print."""
    printed = io.StringIO()
    for line in text.splitlines():
        if not line.startswith("gnn "):
            subprocess.run(["bash", "-c", line], check=True)
            continue
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            assert main(shlex.split(line)[1:]) in (0, 1), printed.getvalue()
    return set(re.findall(r"^(?:error|warning|note)\[(GNN\d{3})\]", printed.getvalue(), re.MULTILINE))


def run_python(text: str, names: dict[str, object]) -> set[str]:
    """Run a block; codes of what it raises or leaves in `found`."""
    names.pop("found", None)
    try:
        exec(text, names)
    except SpecError as error:
        return {item.code for item in error.diagnostics}
    return {item.code for item in names.get("found", ())}


def run_section(section: str, names: dict[str, object], pedantic: bool) -> set[str]:
    """Codes of everything that an example gives."""
    blocks = _BLOCK.findall(section)
    assert blocks, "a section has a block of `gnn`, `python`, `sh` or `text`"
    languages = {language for language, _ in blocks}
    assert languages <= {"gnn", "python", "sh", "text", "yaml"}, languages
    codes: set[str] = set()
    for language, text in blocks:
        if language == "gnn":
            Path("spec.gnn").write_text(text, encoding="utf-8")
            if languages == {"gnn"}:
                codes |= {item.code for item in check("spec.gnn", pedantic)}
        elif language == "yaml":
            Path("spec.yaml").write_text(text, encoding="utf-8")
            codes |= {item.code for item in check("spec.yaml", pedantic)}
        elif language == "python":
            codes |= run_python(text, names)
        elif language == "sh":
            codes |= run_shell(text)
    return codes


@pytest.mark.parametrize("entry", CODES, ids=lambda entry: entry.code)
def test_examples_of_a_page_are_true(entry: Code, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = FOLDER / f"{entry.code}.md"
    if not place.is_file():
        pytest.fail(FORM.format(place=place.relative_to(TESTS.parent), code=entry.code, name=entry.name), pytrace=False)
    text = place.read_text(encoding="utf-8")
    introduction, bad, good = sections(text)
    assert text.startswith(f"# {entry.code} {entry.name}\n\n"), (
        f"{place.name} starts with `# {entry.code} {entry.name}`"
    )
    also = set(re.findall(r"GNN\d{3}", introduction + re.sub(_BLOCK, "", bad))) - {entry.code}
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    pedantic = entry.code.startswith("GNN7")
    notes = {item.code for item in CODES if item.severity == "note"} - {entry.code}  # Data of examples is tiny.
    gives = run_section(bad, names, pedantic) - notes
    if entry.code in SHOWN_ONLY:
        assert not gives
        assert entry.code in (TESTS / SHOWN_ONLY[entry.code]).read_text(encoding="utf-8")
        return
    assert entry.code in gives, f"the bad example gives {sorted(gives)}, not {entry.code}"
    assert gives <= also | {entry.code}, f"name {sorted(gives - also - {entry.code})} on the page, or leave them out"
    assert run_section(good, names, pedantic) - notes == set(), "the good example gives findings"


def test_every_page_is_of_a_code() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {entry.code for entry in CODES}, (
        "pages without a code, or codes without a page"
    )


def test_pages_fit_a_terminal() -> None:
    long = [
        f"{path.name}:{number}"
        for path in sorted(FOLDER.iterdir())
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert not long, f"lines longer than 120 characters: {long}"
