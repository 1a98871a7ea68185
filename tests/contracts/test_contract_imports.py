"""Who imports whom: the table in `graphdsl/README.md` against the code, and what a fresh process loads."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "graphdsl"
HEAVY = ("torch", "torch_geometric", "pandas", "lightning", "numpy", "pydantic", "networkx", "yaml", "rich")

SPEC = """
schema s {
  node a { x: float[3], y: class[2] }
  edge a -[r]-> a reverse q
  metapath P = a -[r]-> a <-[r]- a
}
model m(hidden: int = 8) on s {
  h0 = nodes { a: Linear(hidden) } | relu
  edges { P: HANConv(hidden)  *: GATConv(hidden) } combine mean | LayerNorm | residual
  predict a.y
}
train m { data: pyg("DBLP", root = "data")  epochs: 3 }
"""


def table() -> dict[str, tuple[set[str], set[str]]]:
    """Package: what it may import of ours, and what it never imports."""
    text = (PACKAGE / "README.md").read_text(encoding="utf-8")
    rows: dict[str, tuple[set[str], set[str]]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        name = re.fullmatch(r"`(\w+)`", cells[0]) if len(cells) == 4 else None
        if name:
            rows[name.group(1)] = (set(re.findall(r"`(\w+)`", cells[2])), set(re.findall(r"\w+", cells[3])))
    return rows


TABLE = table()


def modules(package: str) -> list[Path]:
    single = PACKAGE / f"{package}.py"
    return [single] if single.is_file() else sorted((PACKAGE / package).rglob("*.py"))


def imported(path: Path) -> set[tuple[str, int]]:
    """Dotted names that a module imports anywhere, in functions and for type checking too, with their lines."""
    found: set[tuple[str, int]] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {(alias.name, node.lineno) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found.add((node.module or "", node.lineno))
            if node.module == "graphdsl":
                found |= {(f"graphdsl.{alias.name}", node.lineno) for alias in node.names}
    return found


def test_the_table_lists_every_package() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert set(TABLE) == folders | files


@pytest.mark.parametrize("package", TABLE)
def test_imports_follow_the_table(package: str) -> None:
    allowed, never = TABLE[package]
    for path in modules(package):
        for name, line in imported(path):
            place = f"{path.relative_to(ROOT)}:{line}: {name}"
            top = name.split(".")[0]
            assert top not in never, place
            if top == "graphdsl" and name != "graphdsl":
                other = name.split(".")[1]
                assert other == package or other in allowed or other not in TABLE, place


def test_the_table_has_no_cycle() -> None:
    left = {name: set(allowed) for name, (allowed, _) in TABLE.items()}
    while left:
        free = {name for name, allowed in left.items() if not allowed & set(left)}
        assert free, f"these import each other: {sorted(left)}"
        left = {name: allowed for name, allowed in left.items() if name not in free}


def loaded_after(arguments: list[str]) -> set[str]:
    """Top packages in `sys.modules` of a fresh process that has run a command."""
    code = (
        "import sys; from graphdsl.tooling.cli import main; "
        f"code = main({arguments!r}); "
        "print('loaded:', *sorted({name.split('.')[0] for name in sys.modules})); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.rsplit("loaded:", 1)[1].split())


@pytest.mark.parametrize("command", ["check", "fmt", "fix", "explain", "plan", "build", "layers"])
def test_commands_without_torch_start_light(command: str, tmp_path: Path) -> None:
    spec = tmp_path / "s.gnn"
    spec.write_text(SPEC, encoding="utf-8")
    loaded = loaded_after([command] if command in ("explain", "layers") else [command, str(spec)])
    assert "graphdsl" in loaded
    assert not loaded & set(HEAVY)


def test_api_starts_light() -> None:
    code = "import sys, graphdsl; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & set(HEAVY)
