"""No search for garbage while hundreds of thousands of rows are read: none is any, and looking takes a sixth."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Within it, what is no longer needed is freed as ever, but circles of it are not looked for. For moments only."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
