"""Measure R-GCN on AIFB with several seeds: ``python examples/aifb/reproduce.py --seeds 10``."""

import argparse
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]

from data import aifb, aifb_typed  # noqa: E402
from seeds import compare, train_seeds  # noqa: E402

RUNS = (
    ("R-GCN", "aifb.gnn", aifb, "95.83 ± 0.62"),
    ("R-GCN, 7 types", "typed.gnn", aifb_typed, "–"),
)
"""Name, spec, data, and test accuracy in Schlichtkrull et al., 2018 (table 2, 10 runs)."""


def main() -> None:
    """Train and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, metavar="K", help="runs of each model (default: 10)")
    seeds = parser.parse_args().seeds
    try:
        graphs = [load() for _, _, load, _ in RUNS]
    except FileNotFoundError as error:
        sys.exit(str(error))
    rows = [
        (name, train_seeds(name, FOLDER / spec, graph, seeds), published)
        for (name, spec, _, published), graph in zip(RUNS, graphs, strict=True)
    ]
    compare("AIFB, 36 test persons", rows, {"accuracy": "accuracy", "f1_macro": "macro F1"})


if __name__ == "__main__":
    main()
