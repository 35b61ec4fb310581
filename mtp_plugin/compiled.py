"""Compile a kernel where numba can be had; say so where it can't."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

numba: ModuleType | None
try:
    import numba
except ImportError:
    numba = None

HAS_NUMBA = numba is not None


def compiled(function: F) -> F:
    """The function compiled at its first call, kept on disk, and running without the interpreter's lock.

    The disk cache lies where ``NUMBA_CACHE_DIR`` says, else beside the source, else in the user's cache folder; where
    none can be written each process compiles for itself. Without numba the function comes back as it is.
    """
    if numba is None:
        return function
    try:
        return cast(F, numba.njit(function, nogil=True, cache=True, fastmath=False))
    except RuntimeError:  # no folder for the cache can be written
        return cast(F, numba.njit(function, nogil=True, fastmath=False))
