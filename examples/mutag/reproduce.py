"""Measure R-GCN on MUTAG with several seeds: ``python examples/mutag/reproduce.py --seeds 10``."""

import argparse
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]

from data import mutag  # noqa: E402
from seeds import compare, train_seeds  # noqa: E402

PUBLISHED = "73.23 ± 0.48"
"""Test accuracy in Schlichtkrull et al., 2018 (table 2, 10 runs)."""


def main() -> None:
    """Train and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, metavar="K", help="runs (default: 10)")
    seeds = parser.parse_args().seeds
    try:
        graph = mutag()
    except FileNotFoundError as error:
        sys.exit(str(error))
    rows = [("R-GCN", train_seeds("R-GCN", FOLDER / "mutag.gnn", graph, seeds), PUBLISHED)]
    compare("MUTAG, 68 test molecules", rows, {"accuracy": "accuracy", "f1_macro": "macro F1"})


if __name__ == "__main__":
    main()
