"""Run as a program by `test_training_processes`: several processes share runs, or one is interrupted."""

import os
import sys
import warnings
from pathlib import Path

import torch

torch.set_num_threads(1)
warnings.simplefilter("error")
warnings.filterwarnings("ignore", message="`torch.jit.script` is deprecated")
sys.path.insert(0, str(Path(__file__).parent))

from graphdsl.training import Machines  # noqa: E402
from training_cases import make_case  # noqa: E402


def share(folder: Path) -> None:
    """The same runs by however many processes the environment says."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    machines = Machines(devices=processes, accelerator="cpu")
    settings = {"epochs": 4, "class_weights": True, "clip": 0.5}
    for name, batch_size in (("whole", None), ("batches", 31)):
        make_case(**settings, batch_size=batch_size).fit(folder / name, machines=machines)


def run_long(folder: Path) -> None:
    """A run that only an interruption ends."""
    try:
        make_case(epochs=10**6, patience=None).fit(folder, machines=Machines(accelerator="cpu"))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    {"share": share, "long": run_long}[sys.argv[1]](Path(sys.argv[2]))
