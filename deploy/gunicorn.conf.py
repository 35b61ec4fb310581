"""gunicorn's side of figures that several workers count: what a worker that ended says of now must not stay.

Start with ``PROMETHEUS_MULTIPROC_DIR`` set to an empty folder, as in docs/operations.md.
"""

from __future__ import annotations

import os
from typing import Any

worker_class = "gthread"
workers = 2
threads = 4


def child_exit(server: Any, worker: Any) -> None:
    """A worker ended."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)
