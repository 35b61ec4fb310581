"""Pieces of a training that need not wait for each other: one after the other, on several cores, or on a cluster.

joblib hands them out, as scikit-learn does with its own. What comes back is the same wherever it was worked out. Pieces
and results are pickled between processes that are ours; nothing of that is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from .errors import SetupError

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")
PATIENCE = 10.0
"""Seconds that a scheduler may take to answer."""


def each(work: Callable[[T], R], pieces: Sequence[T]) -> list[R]:
    """What *work* makes of each piece, in their order; see :func:`spread_over`."""
    from joblib import Parallel, delayed

    return list(Parallel()(delayed(work)(piece) for piece in pieces))


@contextmanager
def spread_over(where: str) -> Iterator[None]:
    """Within it, :func:`each` works elsewhere.

    :param where: ``""`` for this process, a number of processes, or the address of a Dask scheduler such as
        ``tcp://10.0.0.5:8786``. One that does not answer is done without, with a line in the log
    :raises SetupError: an address, and the extra ``scale`` is not installed
    """
    from joblib import parallel_config

    if where.isdigit():
        with parallel_config(backend="loky", n_jobs=int(where)):
            yield
    elif where:
        with _cluster(where) as found:
            if not found:
                yield
                return
            with parallel_config(backend="dask"):
                yield
    else:
        yield


@contextmanager
def _cluster(address: str) -> Iterator[bool]:
    """Whether there is a scheduler at an address, with a client while it is needed."""
    try:
        from distributed import Client
    except ImportError as error:
        raise SetupError(
            f"MTP_TRAIN_ON is {address}, and Dask is not installed: pip install 'mtp-plugin[scale]'"
        ) from error
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=True)
    except (OSError, TimeoutError) as error:
        log.warning("the scheduler at %s does not answer, training here: %s", address, error)
        yield False
        return
    with client:
        yield True
