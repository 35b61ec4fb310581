"""gunicorn for a machine of two cores: ``gunicorn --config deploy/gunicorn.conf.py "shop:create_app()"``.

With ``PROMETHEUS_MULTIPROC_DIR`` set to an empty folder before the start (docs/operations.md) what a worker that ended
says of now does not stay in the figures.
"""

from __future__ import annotations

import gc
import os
from typing import Any

worker_class = "gthread"
workers = 2
threads = 4
# Longer than any answer of ours takes; a worker that hangs is killed and started again.
timeout = 30
# What began before SIGTERM may end.
graceful_timeout = 30
# Above the idle time of most balancers, so that they close first.
keepalive = 75
# Memory of libraries that leak a little is given back now and then, not by all workers at once.
max_requests = 100_000
max_requests_jitter = 10_000
# A heartbeat in memory: on a disk that is slow workers would be taken for dead.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  gunicorn's own name in it is random


def post_worker_init(worker: Any) -> None:
    """The shop is loaded: what stays is left out of collections of garbage, each of which holds up all pages."""
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """A worker ended."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)
