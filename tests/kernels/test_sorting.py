"""Both ways of sorting give the same, whatever the numbers."""

import numpy as np
import pytest
import torch

from graphdsl.kernels import sorting
from graphdsl.kernels.sorting import in_order, sort_order, sort_with_places


@pytest.fixture(params=[True, False], ids=["radix", "numpy"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How this processor is taken to sort faster."""
    monkeypatch.setattr(sorting, "is_radix_faster", lambda kind: request.param)


@pytest.mark.parametrize("kind", [np.uint32, np.uint64, np.int64])
@pytest.mark.parametrize("count", [3, 40_000])
def test_numbers(kind: type[np.integer], count: int) -> None:
    for high in (100, np.iinfo(kind).max):
        numbers = np.random.default_rng(0).integers(0, high, count, dtype=kind, endpoint=True)
        made = in_order(numbers.copy())
        assert made.dtype == kind
        assert (made == np.sort(numbers)).all()


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
@pytest.mark.parametrize("size", [1, 7, 1 << 16, (1 << 16) + 1, 1 << 31, 1 << 60])
@pytest.mark.parametrize("count", [0, 1, 2, 500, 40_000])
def test_stable_order(dtype: torch.dtype, size: int, count: int) -> None:
    high = min(size, torch.iinfo(dtype).max)
    numbers = torch.randint(high, (count,), generator=torch.Generator().manual_seed(0)).to(dtype)
    for given in (numbers, numbers.remainder(min(high, 100)), numbers.clamp(min=high - 3)):
        found = sort_order(given, size)
        assert found.dtype == torch.int64
        assert torch.equal(found, torch.argsort(given, stable=True))


@pytest.mark.parametrize("bits", [3, 40, 62])
@pytest.mark.parametrize("count", [0, 1, 500, 40_000])
def test_places(bits: int, count: int) -> None:
    keys = np.random.default_rng(0).integers(0, 1 << bits, count)
    found, places = sort_with_places(keys, bits)
    order = np.argsort(keys, kind="stable")
    assert (found == keys[order]).all()
    assert (places == order).all()
