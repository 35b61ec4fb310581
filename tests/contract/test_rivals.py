"""Writers that make the same new visitors: the first time one of them does its work again, later it waits."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import text

from mtp_plugin.config import Settings
from mtp_plugin.records import Event, Profile
from mtp_plugin.store.open import Stores, open_stores

from ..servers import wait_until
from .events import make_event, note
from .test_numbering import Held

pytestmark = pytest.mark.postgres


@pytest.fixture
def both(postgres_url: str, tmp_path: object) -> Iterator[tuple[Stores, Stores]]:
    opened = [open_stores(Settings(database_url=postgres_url, latency_budget_ms=10_000), str(tmp_path)) for _ in "ab"]
    yield opened[0], opened[1]
    for stores in opened:
        stores.close()


class Counted(Held):
    """A fold that stands still until it may go on, and counts how often it is asked."""

    times = 0

    def __call__(self, profile: Profile | None, events: Sequence[Event]) -> Profile:
        self.times += 1
        return super().__call__(profile, events)


def meet(first: Stores, second: Stores, visitor: str, numbers: Iterator[int]) -> tuple[int, int]:
    """Both record an event of a new visitor, the second while the first folds; gives how often each of them folded."""
    slow, quick = Counted(), Counted()
    quick.go_on.set()
    threads = [
        threading.Thread(target=stores.journal.record, args=([make_event(next(numbers), visitor)], fold))
        for stores, fold in ((first, slow), (second, quick))
    ]
    threads[0].start()
    slow.there.wait()
    threads[1].start()
    wait_until(lambda: waiting(first) or not threads[1].is_alive(), "the second writer to be done or to wait")
    slow.go_on.set()
    for thread in threads:
        thread.join()
    (profile,) = first.journal.profiles([visitor])
    assert profile is not None
    assert profile.events == 2
    return slow.times, quick.times


def waiting(stores: Stores) -> bool:
    """Whether a statement waits for another transaction."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with stores.journal._database.reading() as connection:
        return bool(connection.execute(query).scalar())


def test_who_was_in_anothers_way_makes_new_visitors_first(both: tuple[Stores, Stores]) -> None:
    first, second = both
    numbers = itertools.count()
    assert meet(first, second, "a:1", numbers) == (2, 1), "neither knows of the other"
    assert meet(first, second, "a:2", numbers) == (1, 2), "now the first does"
    assert meet(first, second, "a:3", numbers) == (1, 1)
    assert meet(second, first, "a:4", numbers) == (1, 1)


def test_of_whom_there_was_nothing_new_nothing_stays(both: tuple[Stores, Stores]) -> None:
    first, second = both
    numbers = itertools.count()
    meet(first, second, "a:1", numbers)
    again = make_event(next(numbers), "a:2", dedupe_key="a:1|0")
    assert first.journal.record([again], note) == [False]
    assert first.journal.record([make_event(next(numbers), "a:1"), again], note) == [True, False]
    assert rows(first) == ["a:1"]


def rows(stores: Stores) -> list[str]:
    """Of whom there are rows, also such as no reader sees."""
    with stores.journal._database.reading() as connection:
        return list(connection.execute(text("SELECT profile_id FROM mtp_profile")).scalars())
