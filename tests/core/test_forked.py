"""A worker that is forked while a thread of its parent looks for changes looks for them itself."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.state import State

from .shops import mounted, watches

LOOKS: dict[str, tuple[Callable[[State], Any], str]] = {
    "models": (lambda state: state.pipeline.live, "refresh"),
    "bandits": (lambda state: state.bandits, "refresh"),
    "suppressions": (lambda state: state.subjects.suppressed, "look"),
}


@pytest.mark.parametrize("kind", LOOKS)
def test_a_child_does_not_wait_for_a_thread_that_it_has_not(kind: str, tmp_path: Path) -> None:
    _, state = mounted(tmp_path, watches(2))
    of, look = LOOKS[kind]
    looker, entered, go = of(state), threading.Event(), threading.Event()

    def hold() -> None:
        with looker._lock:
            entered.set()
            go.wait(60.0)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(30.0)
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # ends a child that hangs
        getattr(looker, look)()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    go.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0
    state.close()
