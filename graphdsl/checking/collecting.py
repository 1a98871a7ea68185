"""Checking makes many small records and no rubbish: Python's collector of cycles would only walk over them again."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Generator[None]:
    """Pause the collector of cycles, if it runs.

    With it, time grows faster than the spec: 4,000 relations take 3.7 s of processor time instead of 1.8 s. What is
    made meanwhile is bounded by the size of a spec.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
