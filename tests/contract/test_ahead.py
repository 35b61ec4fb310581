"""Connecting in a thread of its own: who cannot wait goes on, and what comes late is for the next."""

from __future__ import annotations

import threading

import pytest

from mtp_plugin.errors import UnavailableError
from mtp_plugin.store.ahead import KEPT_S, Ahead
from mtp_plugin.store.turns import Turns

from ..servers import wait_until


def test_what_comes_late_is_for_the_next_and_what_is_more_is_closed() -> None:
    closed: list[str] = []
    ahead, come = Ahead(closed.append, limit=1), threading.Event()

    def late(name: str) -> str:
        come.wait()
        return name

    assert ahead.get(lambda: "soon", 60.0) == "soon"
    assert ahead.get(lambda: late("one"), 0.0) is None
    assert ahead.get(lambda: late("two"), 600.0, hopeless=lambda: True) is None
    come.set()
    wait_until(lambda: bool(closed), "the second one is too many")
    kept = ({"one", "two"} - set(closed)).pop()
    assert ahead.get(lambda: "new", 60.0) == kept
    assert ahead.get(lambda: "new", 60.0) == "new"


def test_what_came_late_is_not_kept_for_long() -> None:
    """The server may have been started anew since: one after the other would be found dead, by one page each."""
    closed: list[str] = []
    now, come = [0.0], threading.Event()
    ahead = Ahead(closed.append, clock=lambda: now[0])
    for _ in range(3):
        assert ahead.get(lambda: "old" if come.wait() else "", 0.0) is None
    come.set()
    wait_until(lambda: len(ahead._late) == 3, "the late ones")
    assert ahead.get(lambda: "new", 60.0) == "old"
    now[0] += KEPT_S + 1
    assert ahead.get(lambda: "new", 60.0) == "new"
    assert closed == ["old", "old"]


def test_errors_are_those_of_the_thread_and_the_end_closes_what_came_late() -> None:
    closed: list[str] = []
    ahead, come = Ahead(closed.append), threading.Event()

    def fail() -> str:
        raise OSError("no such name")

    with pytest.raises(OSError, match="no such name"):
        ahead.get(fail, 60.0)
    assert ahead.get(lambda: "late" if come.wait() else "", 0.0) is None
    come.set()
    wait_until(lambda: len(ahead._late) == 1, "the late one")
    ahead.close()
    assert closed == ["late"]


def test_nobody_but_its_own_thread_waits_for_a_group_that_is_stuck() -> None:
    """What waited behind it is refused and not run; later ones are refused at once, until it is over."""
    entered, over, ran = threading.Event(), threading.Event(), list[int]()

    def run(items: object) -> list[None]:
        ran.extend(items)  # type: ignore[arg-type]
        entered.set()
        over.wait()
        return [None] * len(list(items))  # type: ignore[call-overload]

    turns: Turns[int] = Turns(run, stuck_s=0.05)
    first = threading.Thread(target=turns.take, args=(1,))
    first.start()
    entered.wait()
    for item in (2, 3):
        with pytest.raises(UnavailableError, match="has not answered"):
            turns.take(item)
    over.set()
    first.join()
    turns.take(4)
    assert ran == [1, 4]
