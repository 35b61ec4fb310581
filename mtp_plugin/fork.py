"""What a forked worker must not share with its parent: connections, threads, locks."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable


def after_fork(reset: Callable[[], None]) -> None:
    """Call the bound method *reset* in each child process, for as long as its object lives."""
    method = weakref.WeakMethod(reset)

    def run() -> None:
        alive = method()
        if alive is not None:
            alive()

    os.register_at_fork(after_in_child=run)
