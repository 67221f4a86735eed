"""Memory that is free again."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from importlib import import_module


def give_back_memory() -> None:
    """Give the system what this process has freed: after a job, or after a model has left the cache, nothing needs it."""
    with suppress(OSError, AttributeError):  # of glibc only
        ctypes.CDLL(None).malloc_trim(0)
    if "pyarrow" in sys.modules:
        import_module("pyarrow").default_memory_pool().release_unused()
