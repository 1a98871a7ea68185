"""Measure HAN on ACM with several seeds: ``python examples/acm/reproduce.py --seeds 10``."""

import argparse
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]

from data import acm, acm_20  # noqa: E402
from seeds import compare, train_seeds  # noqa: E402

RUNS = (("HAN, 60 a class", acm, "88.10"), ("HAN, 20 a class", acm_20, "85.11"))
"""Name, data, and micro F1 of HAN in Wang et al., Self-supervised Heterogeneous Graph Neural Network …, 2021."""


def main() -> None:
    """Train and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, metavar="K", help="runs of each split (default: 10)")
    seeds = parser.parse_args().seeds
    try:
        graphs = [load() for _, load, _ in RUNS]
    except FileNotFoundError as error:
        sys.exit(str(error))
    rows = [
        (name, train_seeds(name, FOLDER / "acm.gnn", graph, seeds), published)
        for (name, _, published), graph in zip(RUNS, graphs, strict=True)
    ]
    # Each paper has one class, so micro F1 is accuracy.
    compare("ACM, 1,000 test papers", rows, {"accuracy": "micro F1", "f1_macro": "macro F1"})


if __name__ == "__main__":
    main()
