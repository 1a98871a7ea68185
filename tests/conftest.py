"""Options of the whole suite."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin starve the other workers
if find_spec("triton") is not None and not Path("/dev/nvidia0").exists():
    # Before anything imports Triton: its kernels run on a CPU, interpreted.
    os.environ.setdefault("TRITON_INTERPRET", "1")

# The same examples at each run, so that a change is judged by what it changes. `HYPOTHESIS_PROFILE=default` draws new ones.
settings.register_profile("steady", derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite expected results with the present ones")


@pytest.fixture
def golden(request: pytest.FixtureRequest):
    """Compare a text with the one in a file, or rewrite the file under `--update-golden`."""

    def compare(path: Path, actual: str) -> None:
        if request.config.getoption("--update-golden"):
            path.write_text(actual, encoding="utf-8")
        assert actual == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture(autouse=True)
def _forget_plugins():
    """Layers that a test registers are unknown to the next one."""
    yield
    from graphdsl.catalog import forget

    forget()
