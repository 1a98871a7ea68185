"""How long checking takes as specs grow: generated specs with many relations and rules, one process each.

python tests/bench/checking.py [--relations 500 1000 2000 4000]
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TYPES = 40
"""Node types of a generated spec."""
MAPS = 3
"""Relation maps; five rules for two relations in all, most of them naming one relation."""


def write_spec(relations: int, seed: int = 0) -> str:
    """A spec with so many relations (every fourth with an inverse beside it) and 2.5 rules for each."""
    draw = random.Random(seed)
    types = [f"t{number}" for number in range(TYPES)]
    lines = ["gnn 1", "schema big {"]
    lines += [f"  node {name} {{ x: float[{8 + number}], y: class[3] }}" for number, name in enumerate(types)]
    edges: list[tuple[str, str, str]] = []
    for number in range(relations):
        edge = (types[number % TYPES], f"r{number}", draw.choice(types))
        edges.append(edge)
        lines.append(f"  edge {edge[0]} -[{edge[1]}]-> {edge[2]}")
    lines += ["}", "model m(hidden: int = 16) on big {", "  nodes { *: Linear(hidden) } | relu"]
    rules = 0
    for level in range(MAPS):
        lines.append("  edges {")
        named = edges if level < MAPS - 1 else edges[: relations // 2]
        for source, name, target in named:
            layer = draw.choice(["SAGEConv(hidden)", "GraphConv(hidden)", "GATv2Conv(hidden / 4, heads = 4)"])
            lines.append(f"    {source} -[{name}]-> {target}: {layer}")
            rules += 1
        lines += ["    *: SAGEConv(hidden)" if level == MAPS - 1 else "", "  } combine mean | LayerNorm | relu"]
    lines += [*(f"  predict {name}.y" for name in types), "}"]
    return "\n".join(lines) + "\n"


def measure(text: str, runs: int = 3) -> tuple[float, int]:
    """Seconds of the fastest `gnn check`, and its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.gnn"
        path.write_text(text)
        command = [sys.executable, "-m", "graphdsl", "check", str(path)]
        best, code = float("inf"), 0
        for _ in range(runs):
            start = time.perf_counter()
            code = subprocess.run(command, capture_output=True, check=False).returncode
            best = min(best, time.perf_counter() - start)
    return best, code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--relations", type=int, nargs="+", default=[500, 1000, 2000, 4000])
    print(f"{'relations':>10} {'rules':>7} {'KB':>6} {'seconds':>8} {'ms a rule':>10}  exit")
    for relations in parser.parse_args().relations:
        text = write_spec(relations)
        rules = text.count("Conv(")
        seconds, code = measure(text)
        print(
            f"{relations:>10} {rules:>7} {len(text) // 1000:>6} {seconds:>8.2f} {seconds / rules * 1000:>10.3f}  {code}"
        )


if __name__ == "__main__":
    main()
