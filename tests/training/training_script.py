"""Run as a program by `test_training_processes`: several processes share runs, or one is interrupted."""

import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import torch

if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", message="`torch.jit.script` is deprecated")
    sys.path.insert(0, str(Path(__file__).parent))

from objective_cases import AUTHORS, PAPERS, authors, papers
from training_cases import SPEC, Case, make_case

import graphdsl
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


PENALIZED = SPEC.replace(
    "  predict user.y", "  penalty gini(user) weight 0.1\n  predict user.y: MLP(hidden, 3, norm = none)"
)
OWN = SPEC.replace(
    "reverse bought_by", "reverse bought_by\n  metapath UBU = user -[buys]-> item <-[buys]- user"
).replace(
    "edges {{ *: SAGEConv(hidden) }} | relu\n  predict",
    "edges {{ UBU: SuperGATConv(hidden) }} | relu\n  penalty SuperGATConv weight 0.2\n  predict",
)


def share_more(folder: Path) -> None:
    """Runs with penalties and walks, by however many processes the environment says; each writes its weights."""
    processes, rank = int(os.environ.get("WORLD_SIZE", "1")), os.environ.get("LOCAL_RANK", "0")
    machines = Machines(devices=processes, accelerator="cpu")
    cases = {
        "penalty": make_case(text=PENALIZED, epochs=4),
        "batches": make_case(text=PENALIZED, epochs=4, batch_size=31),
        "own": make_case(text=OWN, epochs=3),
        "walks": walks_case("along", AUTHORS, authors()),
        "second": walks_case("near", PAPERS, papers()),
        "sparse": walks_case("quick", PAPERS, papers()),
    }
    for name, case in cases.items():
        model = case.compile()
        case.fit(folder / name, model, machines=machines)
        torch.save(model.state_dict(), folder / f"{name}{rank}.pt")


def walks_case(name: str, text: str, data: object) -> Case:
    """Walks of a model that is alone in its spec and called `m`."""
    schema, _, rest = text.partition("model ")
    models = {part.split()[0]: part for part in ("model " + rest.partition("train ")[0]).split("model ")[1:]}
    trains = {part.split()[0]: part for part in rest.split("train ")[1:]}
    alone = f"{schema}model {models[name]}train {trains[name]}".replace(f"model {name}", "model m")
    spec = graphdsl.loads(alone.replace(f"train {name}", "train m"), "walks.gnn")
    return Case(spec, data, replace(spec.training("m"), epochs=6), {})


def run_long(folder: Path) -> None:
    """A run that only an interruption ends."""
    try:
        make_case(epochs=10**6, patience=None).fit(folder, machines=Machines(accelerator="cpu"))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    {"share": share, "more": share_more, "long": run_long}[sys.argv[1]](Path(sys.argv[2]))
