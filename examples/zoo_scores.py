"""Measure specs of the zoo on real data: ``python examples/zoo_scores.py han rgat --seeds 5 --write``.

A spec is measured on the dataset that its comment `# Data:` names, if its loader is here: IMDB and ACM are made
from files that you bring (see `imdb/data.py`, `acm/data.py`). `--write` puts the result into the spec, as
`# Score:`; `gnn zoo` shows it. Afterwards `pytest tests/tooling/test_zoo.py --update-golden` makes the table of
`specs/README.md` anew.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import mean

from torch_geometric.data import HeteroData

from graphdsl import SpecError
from graphdsl.tooling.commands.zoo import Described, zoo, zoo_files

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

from seeds import Trial, compare, spread, train_seeds  # noqa: E402

SOURCES = {
    "IMDB (PyG)": ("imdb", "imdb", ""),
    "ACM (HGB)": ("acm", "acm_words", "on HeCo's ACM, 60 training papers a class"),
}
"""Folder and function of each dataset, and what differs from what the spec names."""

METRICS = {"accuracy": "accuracy", "f1_macro": "macro F1"}
_SCORE = re.compile(r"# Score: .*\n(?:#   .*\n)*")
_WIDTH = 120


@cache
def load(dataset: str) -> HeteroData:
    """A dataset by the name that specs call it.

    Raises:
        FileNotFoundError: saying where to get it.
    """
    folder, function, _ = SOURCES[dataset]
    found = spec_from_file_location(f"{folder}_data", FOLDER / folder / "data.py")
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    reader: Callable[[], HeteroData] = getattr(module, function)
    return reader()


def measurable() -> dict[str, Described]:
    """Specs of the zoo whose dataset has a loader here."""
    return {item.spec: item for item in zoo() if item.data in SOURCES}


def score_line(trials: list[Trial], note: str = "") -> str:
    """What a spec says of its score: means and standard deviations over the seeds, in percent.

    >>> score_line([Trial(0, 5, {"accuracy": 0.5, "f1_macro": 0.25}, 1.0)])
    '# Score: accuracy 50.00, macro F1 25.00 (1 seed)'
    """
    told = [f"{title} {spread([100 * trial.test[name] for trial in trials])}" for name, title in METRICS.items()]
    seeds = f"{len(trials)} seed{'s' * (len(trials) > 1)}"
    return f"# Score: {', '.join(told)} ({seeds}{note and f'; {note}'})"


def write_score(path: Path, line: str) -> None:
    """Put a score behind the other comments at the top of a spec, in the place of an earlier one."""
    text = _SCORE.sub("", path.read_text(encoding="utf-8"))
    head, _, rest = text.partition("gnn 1\n")
    draft = path.with_suffix(".tmp")
    draft.write_text(f"{head}{wrapped(line)}\ngnn 1\n{rest}", encoding="utf-8")
    os.replace(draft, path)


def wrapped(line: str) -> str:
    """A comment in lines that fit, those after the first behind three blanks."""
    lines = [""]
    for word in line.split(" "):
        if len(lines[-1]) + len(word) >= _WIDTH:
            lines.append("#  ")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)


def main() -> None:
    """Train, print the comparison, and write the scores if asked."""
    known = measurable()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="*", metavar="SPEC", help=f"default: all of {', '.join(known)}")
    parser.add_argument("--seeds", type=int, default=5, metavar="K", help="runs of each (default: 5)")
    parser.add_argument("--write", action="store_true", help="put the scores into the specs")
    arguments = parser.parse_args()
    for name in arguments.specs:
        if name not in known:
            parser.error(f"no spec '{name}' with data that can be read here (specs: {', '.join(known)})")
    rows = []
    for name in arguments.specs or known:
        path, item = zoo_files()[name], known[name]
        try:
            trials = train_seeds(name, path, load(item.data), arguments.seeds)
        except FileNotFoundError as error:
            sys.exit(str(error))
        except SpecError as error:
            sys.exit(f"{name} wants another version of {item.data}:\n{error}")
        rows.append((f"{item.name} ({name}), {item.data}", trials, item.published or "–"))
        if arguments.write:
            write_score(path, score_line(trials, SOURCES[item.data][2]))
    compare("test nodes", rows, METRICS)
    print(f"{mean(trial.seconds for _, trials, _ in rows for trial in trials):.0f} s a run on average")


if __name__ == "__main__":
    main()
