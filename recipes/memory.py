"""Memory that is free again."""

from __future__ import annotations

import ctypes
import mmap
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray  # idle workers do without numpy


def give_back_memory() -> None:
    """Give the system what this process has freed: after a job, or after a model has left the cache, nothing needs it."""
    with suppress(OSError, AttributeError):  # of glibc only
        ctypes.CDLL(None).malloc_trim(0)
    if "pyarrow" in sys.modules:
        import_module("pyarrow").default_memory_pool().release_unused()


def give_back_pages(array: NDArray[Any]) -> None:
    """Give the system the pages of the file that an array is mapped from; they are read again when they are needed.

    Nothing where the array is not mapped, or the system does not take them.
    """
    base: Any = array
    while getattr(base, "base", None) is not None:
        base = base.base
    mapped = base.obj if isinstance(base, memoryview) else base
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
