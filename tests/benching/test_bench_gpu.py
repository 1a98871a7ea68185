"""The script that measures a GPU runs through, its checks included, where Triton's interpreter stands in for one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphdsl.kernels.implementations import has_triton

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.skipif(not has_triton(), reason="Triton is not installed: it is made for Linux")
def test_the_script_for_a_gpu(tmp_path: Path) -> None:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TRITON_INTERPRET": "1", "CUDA_VISIBLE_DEVICES": ""}
    words = [sys.executable, ROOT / "tests" / "bench" / "gpu.py", "--tiny", "--json", tmp_path / "gpu.json"]
    made = subprocess.run(words, env=variables, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "right: 28 of 28 checks" in made.stdout
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert {item["by"] for item in found["primitives"]} == {"triton", "cpu", "torch"}
    assert not any("refused" in item for item in found["primitives"])
    assert [cell["model"] for cell in found["models"]] == ["sage", "gat"]
