"""Changes of others are looked for beside requests, and who passes by never pays for how that goes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mtp_plugin.errors import UnavailableError
from mtp_plugin.lookout import Lookout
from mtp_plugin.patience import hurry, rest

PAGES, TIMES = 8, 500


@pytest.fixture
def hectic() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hectic")
def test_pages_that_pass_by_at_one_moment_do_not_trip_over_each_other() -> None:
    lookout, together = Lookout("changes", lambda: None, 0.0), threading.Barrier(PAGES)

    def page(_: int) -> None:
        hurry()
        together.wait()
        for _ in range(TIMES):
            lookout.pass_by()
        rest()

    with ThreadPoolExecutor(PAGES) as pages:
        list(pages.map(page, range(PAGES)))
    assert lookout.seen


def test_a_look_that_fails_is_nobody_s_who_passes_by() -> None:
    def away() -> None:
        raise UnavailableError("the store is away")

    lookout = Lookout("changes", away, 0.0)
    lookout.pass_by()
    assert not lookout.seen
    with pytest.raises(UnavailableError):
        lookout.must_look()
