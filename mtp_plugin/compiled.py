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
    """The function compiled at its first call and kept on disk: for the short loops of a request.

    It keeps the interpreter's lock. A request that let go of it a dozen times would each time wait for whatever thread
    took it, up to five milliseconds, to save others some microseconds.

    The disk cache lies where ``NUMBA_CACHE_DIR`` says, else beside the source, else in the user's cache folder; where
    none can be written each process compiles for itself. Without numba the function comes back as it is.
    """
    return _compiled(function, nogil=False)


def compiled_long(function: F) -> F:
    """The same for loops that learn: they let other threads work meanwhile."""
    return _compiled(function, nogil=True)


def _compiled(function: F, *, nogil: bool) -> F:
    if numba is None:
        return function
    try:
        return cast(F, numba.njit(function, nogil=nogil, cache=True, fastmath=False))
    except RuntimeError:  # no folder for the cache can be written
        return cast(F, numba.njit(function, nogil=nogil, fastmath=False))
