"""The C library's heap, so that a long sweep needs no more memory than a short one.

Rows join layer by layer, so every layer's tensors have other sizes; glibc keeps the gaps that they leave for
itself, and a sweep of 1,000 pairs took 25 % more than one of 32. With large blocks in the same heap as small
ones, with what outlives a layer in one block (`analysis.layers`), and with gaps given back every few layers,
it stays level. Elsewhere nothing is done.
"""

import ctypes
from functools import cache
from typing import Any

_SETTINGS = {-3: 1 << 30, -1: 1 << 30}  # M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h


@cache
def _glibc() -> Any | None:
    """The C library with one heap for blocks of all sizes, or None where it is another one."""
    try:
        library = ctypes.CDLL(None)
        for parameter, value in _SETTINGS.items():
            library.mallopt(parameter, value)
        return library if library.malloc_trim else None
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return None


def give_back_gaps() -> None:
    """Return to the system what earlier passes left free.

    It takes a few milliseconds; the pages that are wanted again take ten times as long.
    """
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)
