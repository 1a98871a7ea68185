"""What takes processes of their own: shared runs, and Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from training_cases import make_case, read_curve
from training_script import share, share_more

from graphdsl.training import read_checkpoint
from graphdsl.training.module import GraphModule

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECONDS = 300
"""More than enough; a test that takes so long hangs."""


def start(*words: object, **environment: str) -> "subprocess.Popen[str]":
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    variables = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, *map(str, words)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=variables, text=True, preexec_fn=_hear_interruptions, **pipes)


def _hear_interruptions() -> None:
    """A shell starts what runs in the background deaf to Ctrl-C, and every process below is deaf then."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
    return process.returncode, out, err


def free_port() -> str:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return str(it.getsockname()[1])


@pytest.mark.slow
def test_two_processes_compute_what_one_does(tmp_path: Path) -> None:
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": "2", "NODE_RANK": "0"}
    script = HERE / "training_script.py"
    several = [start(script, "share", tmp_path / "two", LOCAL_RANK=str(rank), **common) for rank in range(2)]
    share(tmp_path / "one")
    ended = [finish(process) for process in several]
    assert [(code, err) for code, _, err in ended] == [(0, ""), (0, "")]
    for name in ("whole", "batches", "binary", "multilabel", "real", "joint"):
        one, two = read_curve(tmp_path / "one" / name), read_curve(tmp_path / "two" / name)
        assert len(one) == len(two) >= 3
        for row, other in zip(one, two, strict=True):
            assert other == pytest.approx(row, rel=1e-4, nan_ok=True), name


@pytest.mark.slow
def test_penalties_and_walks_in_two_processes(tmp_path: Path) -> None:
    """Penalties are those of one process; walks are drawn apart, and both processes end with the same vectors."""
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": "2", "NODE_RANK": "0"}
    script = HERE / "training_script.py"
    several = [start(script, "more", tmp_path / "two", LOCAL_RANK=str(rank), **common) for rank in range(2)]
    share_more(tmp_path / "one")
    ended = [finish(process) for process in several]
    assert [(code, err) for code, _, err in ended] == [(0, ""), (0, "")]
    for name in ("penalty", "own", "batches", "walks", "second", "sparse"):
        one, two = read_curve(tmp_path / "one" / name), read_curve(tmp_path / "two" / name)
        assert len(one) == len(two) >= 3
        # The first process writes checkpoints, and goes back to the best epoch; the second stays where training ended.
        last = read_checkpoint(tmp_path / "two" / name / "last.ckpt").weights
        second = torch.load(tmp_path / "two" / f"{name}1.pt", weights_only=True)
        for key, value in last.items():
            assert torch.equal(value, second[key]), (name, key)
        if name == "penalty":
            for row, other in zip(one, two, strict=True):
                assert other == pytest.approx(row, rel=1e-4, nan_ok=True), name
        elif name in ("walks", "second", "sparse"):
            # The second number of a row is the loss in training.
            assert two[-1][1] < two[0][1]
            assert two[-1][1] == pytest.approx(one[-1][1], rel=0.1)


@pytest.mark.slow
def test_ctrl_c_leaves_a_checkpoint_to_resume_from(tmp_path: Path) -> None:
    process = start(HERE / "training_script.py", "long", tmp_path)
    end = time.monotonic() + SECONDS
    while not ((tmp_path / "last.ckpt").exists() and (tmp_path / "best.ckpt").exists()) and time.monotonic() < end:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert (code, err) == (130, "interrupted\n")
    last, best = (read_checkpoint(tmp_path / name) for name in ("last.ckpt", "best.ckpt"))
    assert last.header.epoch >= 1
    assert best.header.epoch >= 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.ckpt", "last.ckpt", "metrics.csv"]
    resumed = make_case(epochs=last.header.epoch + 2).fit(tmp_path, resume=True)
    assert resumed.epochs == last.header.epoch + 2
    assert [row[0] for row in read_curve(tmp_path)] == list(range(1, resumed.epochs + 1))


class _Deaf:
    """Something whose finalizer is running when Ctrl-C comes: Python prints the interruption and forgets it."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_an_interruption_inside_a_finalizer_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    case = make_case(epochs=50, patience=None)
    steps: list[int] = []

    def step(*_: object) -> None:
        steps.append(1)
        if len(steps) == 3:
            _Deaf()

    monkeypatch.setattr(GraphModule, "on_train_batch_start", step, raising=False)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            case.fit(tmp_path)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(steps) == 3
