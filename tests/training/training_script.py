"""Run as a program by `test_training_processes`: several processes share runs, or one is interrupted."""

import os
import sys
import warnings
from pathlib import Path

import torch

if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", message="`torch.jit.script` is deprecated")
    sys.path.insert(0, str(Path(__file__).parent))

from training_cases import SPEC, make_case

from graphdsl.training import Machines

JOINT = SPEC.replace("edges {{ *: SAGEConv(hidden) }} | relu", "edges {{ *: HGTConv(hidden, heads = 2) }} | relu")


def share(folder: Path) -> None:
    """The same runs by however many processes the environment says."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    machines = Machines(devices=processes, accelerator="cpu")
    for name, batch_size in (("whole", None), ("batches", 31)):
        make_case(epochs=4, class_weights=True, clip=0.5, batch_size=batch_size).fit(folder / name, machines=machines)
    # One validation node: a process has none, and AUROC means nothing.
    for kind in ("binary", "multilabel", "real"):
        tiny = make_case(kind, epochs=3, monitor="val_loss")
        tiny.data["user"].val_mask[tiny.data["user"].val_mask.nonzero()[1:, 0]] = False
        tiny.fit(folder / kind, machines=machines)
    # A layer of which a part serves no prediction.
    make_case(text=JOINT, epochs=4).fit(folder / "joint", machines=machines)


def run_long(folder: Path) -> None:
    """A run that only an interruption ends."""
    try:
        make_case(epochs=10**6, patience=None).fit(folder, machines=Machines(accelerator="cpu"))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    {"share": share, "long": run_long}[sys.argv[1]](Path(sys.argv[2]))
