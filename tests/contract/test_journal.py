"""What every journal promises: each event once and for ever, profiles in step with them, whoever else writes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.errors import InputError
from mtp_plugin.ports import Journal
from mtp_plugin.records import NOWHERE, Event, EventProduct, Profile, Surroundings
from mtp_plugin.store.memory import MemoryJournal
from mtp_plugin.store.open import Stores

from .conftest import REAL, settings_of
from .events import START, make_event, note, noted

ROOT = Path(__file__).parents[2]
KINDS = ("memory", *REAL, pytest.param("postgres by month", marks=pytest.mark.postgres))
DAY = 86_400.0


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def journals(
    kind: str, request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]
) -> Iterator[Callable[[], Journal]]:
    """Gives one journal more on the same store, as another worker has it."""
    if kind == "memory":
        only = MemoryJournal()
        yield lambda: only
    else:
        settings = settings_of(kind, request)

        def open_one() -> Journal:
            opened = open_again(settings).journal
            if kind.endswith("by month"):
                opened.partition(START)
            return opened

        yield open_one


@pytest.fixture
def journal(journals: Callable[[], Journal]) -> Journal:
    return journals()


def the_profile(journal: Journal, profile_id: str = "a:1") -> Profile | None:
    return journal.profiles([profile_id])[0]


def keys(events: list[Event]) -> list[str]:
    return [event.dedupe_key for event in events]


def test_events_come_back_as_they_were(journal: Journal) -> None:
    events = [make_event(n, traits={"tier": "gold", "n": n}, recommendation_id="r1") for n in range(3)]
    assert journal.record(events, note) == [True, True, True]
    assert list(journal.events_of("a:1")) == events
    assert journal.count() == 3
    assert noted(the_profile(journal)) == keys(events)


def test_nothing_is_recorded_of_nothing(journal: Journal) -> None:
    assert journal.record([], note) == []
    assert journal.profiles([]) == []
    assert journal.count() == 0
    assert list(journal.profile_ids()) == []


def test_profiles_come_in_the_order_asked(journal: Journal) -> None:
    journal.record([make_event(1, "a:1"), make_event(2, "a:2"), make_event(3, "u:é")], note)
    found = journal.profiles(["u:é", "a:9", "a:1", "a:1"])
    assert [profile and profile.profile_id for profile in found] == ["u:é", None, "a:1", "a:1"]


def test_another_worker_sees_the_profile_at_once(journals: Callable[[], Journal]) -> None:
    one, other = journals(), journals()
    for number in range(5):
        (one, other)[number % 2].record([make_event(number)], note)
        assert len(noted(the_profile((other, one)[number % 2]))) == number + 1


def test_repetitions_count_once_within_and_across_batches(journal: Journal) -> None:
    first, second = make_event(1), make_event(2)
    again = make_event(1)
    assert journal.record([first, again, second, second], note) == [True, False, True, False]
    assert journal.record([make_event(2), make_event(3), make_event(1)], note) == [False, True, False]
    assert keys(list(journal.events_of("a:1"))) == ["a:1|1", "a:1|2", "a:1|3"]
    assert noted(the_profile(journal)) == ["a:1|1", "a:1|2", "a:1|3"]
    assert the_profile(journal).revision == 2


def test_a_batch_of_repetitions_changes_nothing(journal: Journal) -> None:
    journal.record([make_event(1)], note)
    before = the_profile(journal)
    assert journal.record([make_event(1), make_event(1)], note) == [False, False]
    assert the_profile(journal) == before


def test_a_repetition_is_recognised_for_the_whole_window(journal: Journal) -> None:
    journal.record([make_event(1)], note)
    late = make_event(1, received_at=START + 1.25 + 2 * DAY)
    assert journal.record([late], note) == [False]


def test_after_two_windows_it_is_taken_for_new(journal: Journal) -> None:
    journal.record([make_event(1)], note)
    assert journal.record([make_event(1, received_at=START + 4 * DAY + 1)], note) == [True]


def test_what_is_permanent_is_recognised_for_ever(journal: Journal) -> None:
    lasting = [make_event(n, permanent=True) for n in range(4)]
    assert journal.record([*lasting, lasting[0]], note) == [True] * 4 + [False]
    later = [msgspec.structs.replace(event, received_at=START + 900 * DAY, dedupe_key="other") for event in lasting]
    assert journal.record(later, note) == [False] * 4
    assert journal.purge(START + 2000 * DAY) == 0
    assert journal.record(lasting, note) == [False] * 4
    assert journal.count() == 4


def test_purge_forgets_what_is_over_and_nothing_else(journal: Journal) -> None:
    old, young = make_event(1), make_event(2, received_at=START + 10 * DAY)
    journal.record([old, young], note)
    assert journal.purge(START + 9 * DAY) == 1
    assert journal.record([young, old], note) == [False, True]


def test_a_large_batch_is_recorded_whole(journal: Journal) -> None:
    events = [make_event(n, f"a:{n % 70}", permanent=n % 2 == 0, traits={"q": 'x"\\\t\n'}) for n in range(1500)]
    assert all(journal.record(events, note))
    assert not any(journal.record(events, note))
    assert [event for some in journal.scan(batch=400) for event in some] == events
    assert sum(len(noted(profile)) for profile in journal.profiles([f"a:{n}" for n in range(70)])) == 1500


def test_scan_selects_by_time_and_name_in_order_of_arrival(journal: Journal) -> None:
    events = [make_event(n, name="Order Completed" if n % 3 == 0 else "Product Viewed") for n in (5, 1, 3, 9, 6)]
    journal.record(events, note)

    def found(**options: object) -> list[str]:
        return [key[4:] for some in journal.scan(**options) for key in keys(some)]  # type: ignore[arg-type]

    assert found() == ["5", "1", "3", "9", "6"]
    assert found(since=START + 3, until=START + 9) == ["5", "3", "6"]
    assert found(names=["Order Completed"], batch=1) == ["3", "9", "6"]
    assert [len(some) for some in journal.scan(batch=2)] == [2, 2, 1]


def test_visitors_of_a_time_count_once_each(journal: Journal) -> None:
    journal.record([make_event(n, f"a:{n % 4}") for n in range(10)], note)
    assert journal.count_visitors(START, START + 10) == 4
    assert journal.count_visitors(START + 3, START + 5) == 2
    assert journal.count_visitors(START + 10, START + 99) == 0


def test_interactions_say_who_did_what_with_which_products(journal: Journal) -> None:
    names = ("Order Completed", "Product Viewed", "Products Searched", "Product Viewed", "Order Completed")
    ids = (("p1", "p2"), ("p1",), ("p3",), (), ("p2", "p2"))
    events = [
        make_event(n, f"a:{n}", name=name, products=tuple(map(EventProduct, some)))
        for n, (name, some) in enumerate(zip(names, ids, strict=True))
    ]
    journal.record(events, note)
    told = (0, 1, 3, 4)
    for batch in (1, 2, 5000):
        parts = list(journal.interactions(batch=batch))
        columns = [[one for part in column for one in part] for column in zip(*parts, strict=True)]
        if batch == 1:
            assert len(parts) == len(told)
        assert columns[0] == [events[n].profile_id for n in told]
        assert columns[1] == [names[n] for n in told]
        assert columns[2] == [events[n].timestamp for n in told]
        assert columns[3] == [len(ids[n]) for n in told]
        assert columns[4] == [one for n in told for one in ids[n]]
    last = journal.last_number()
    later = make_event(9, "a:9", name="Product Viewed", products=(EventProduct("p9"),))
    journal.record([later], note)
    for asked, names_found in (
        ({"after": last}, ["a:9"]),
        ({"after": last, "until": last}, []),
        ({"until": last}, [events[n].profile_id for n in told]),
        ({"after": journal.last_number()}, []),
    ):
        assert [name for part in journal.interactions(**asked) for name in part.profile_ids] == names_found


def test_interactions_say_what_was_around(journal: Journal) -> None:
    """Where something in a context is no text, nothing is known of it, and all of the others'."""
    contexts = (
        {"device": "mobile", "country": "DE", "city": "Bonn"},
        {},
        {"device": 5},
        {"device": None},
        {"region": "BY"},
    )
    journal.record([make_event(n, context=context) for n, context in enumerate(contexts)], note)
    known = [Surroundings(device="mobile", country="DE"), *[NOWHERE] * 3, Surroundings(region="BY")]
    for batch in (1, 5000):
        parts = list(journal.interactions(batch=batch))
        assert [one for part in parts for one in part.surroundings] == known
        assert [one for part in parts for one in part.product_ids] == [f"p{n}" for n in range(len(contexts))]


def test_profile_ids_are_all_there(journal: Journal) -> None:
    journal.record([make_event(n, f"a:{n:03}") for n in range(25)], note)
    assert sorted(name for some in journal.profile_ids(batch=10) for name in some) == [f"a:{n:03}" for n in range(25)]


def test_a_name_that_cannot_be_stored_names_nothing(journal: Journal) -> None:
    journal.record([make_event(1)], note)
    for name in ("a:\0", "a:\udcff"):
        assert [profile is None for profile in journal.profiles([name, "a:1"])] == [True, False]
        assert list(journal.events_of(name)) == []
        assert journal.erase(name) == 0


def test_erasure_leaves_nothing_of_one_and_all_of_others(journals: Callable[[], Journal]) -> None:
    journal, other = journals(), journals()
    journal.record([make_event(1), make_event(2, "a:2"), make_event(3)], note)
    assert other.profiles(["a:1", "a:2"])[0] is not None
    assert journal.erase("a:1") == 2
    assert journal.erase("a:1") == 0
    for reader in (journal, other):
        assert list(reader.events_of("a:1")) == []
        gone, stays = reader.profiles(["a:1", "a:2"])
        assert gone is None
        assert noted(stays) == ["a:2|2"]
    assert [name for some in journal.profile_ids() for name in some] == ["a:2"]
    journal.record([make_event(7)], note)
    assert noted(the_profile(other)) == ["a:1|7"]


def test_rebuilding_gives_the_same_profiles(journal: Journal) -> None:
    for number in range(30):
        journal.record([make_event(number * 10 + k, f"a:{k % 3}") for k in range(4)], note)
    before = journal.profiles(["a:0", "a:1", "a:2"])
    told: list[int] = []
    assert journal.rebuild(note, progress=told.append) == 3
    assert told[-1] == 3
    after = journal.profiles(["a:0", "a:1", "a:2"])
    assert [noted(profile) for profile in after] == [noted(profile) for profile in before]
    assert [profile.revision for profile in after if profile] == [1, 1, 1]


def test_rebuilding_keeps_traits_that_no_event_tells_of(journal: Journal) -> None:
    def with_tier(profile: Profile | None, events: tuple[Event, ...]) -> Profile:
        return msgspec.structs.replace(note(profile, events), traits={"tier": "gold", "seen": "before"})

    def with_seen(profile: Profile | None, events: tuple[Event, ...]) -> Profile:
        return msgspec.structs.replace(note(profile, events), traits={"seen": "now"})

    journal.record([make_event(1)], with_tier)
    journal.rebuild(with_seen)
    assert the_profile(journal).traits == {"tier": "gold", "seen": "now"}


def test_a_fold_that_fails_records_nothing(journal: Journal) -> None:
    def broken(profile: Profile | None, events: tuple[Event, ...]) -> Profile:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        journal.record([make_event(1)], broken)
    assert journal.count() == 0
    assert journal.record([make_event(1)], note) == [True]
    assert noted(the_profile(journal)) == ["a:1|1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"properties": {"x": "\ud800"}},
        {"profile_id": "a:\0"},
        {"name": "x\0y"},
        {"event_id": "no hex"},
        {"properties": {"x": object()}},
        {"profile_id": "a:\udcff"},
    ],
    ids=["surrogate", "null in id", "null in name", "no hex", "no JSON", "surrogate in id"],
)
def test_what_cannot_be_stored_is_the_senders_fault(journal: Journal, wrong: dict[str, object]) -> None:
    event = msgspec.structs.replace(make_event(1), **wrong)
    with pytest.raises(InputError):
        journal.record([make_event(2), event], note)
    assert journal.count() == 0


def test_a_trait_that_is_too_large_is_the_senders_fault(journal: Journal) -> None:
    with pytest.raises(InputError):
        journal.record([msgspec.structs.replace(make_event(1), traits={"n": 2**70})], note)
    assert journal.count() == 0


def test_sixteen_threads_lose_nothing(journals: Callable[[], Journal]) -> None:
    workers, each = 16, 12
    ready = threading.Barrier(workers)
    shared = [journals(), journals()]

    def work(worker: int) -> None:
        ready.wait()
        for number in range(each):
            at = worker * each + number
            batch = [make_event(at, "a:1"), make_event(at, f"u:{worker % 3}"), make_event(at, "a:2")]
            assert shared[worker % 2].record(batch[:: (-1) ** worker], note) == [True] * 3

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    for profile_id in ("a:1", "a:2"):
        profile = the_profile(shared[0], profile_id)
        assert profile.events == workers * each
        assert noted(profile) == keys(list(shared[1].events_of(profile_id)))
    assert shared[0].count() == 3 * workers * each


def test_the_same_delivery_at_the_same_time_counts_once(journals: Callable[[], Journal]) -> None:
    ready = threading.Barrier(8)
    shared = [journals(), journals()]
    batch = [make_event(n, f"a:{n % 3}", permanent=n % 2 == 0) for n in range(9)]

    def deliver(worker: int) -> list[bool]:
        ready.wait()
        return shared[worker % 2].record(batch, note)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(deliver, range(8)))
    assert [sum(flags) for flags in zip(*answers, strict=True)] == [1] * 9
    assert shared[0].count() == 9


@pytest.mark.parametrize("kind", REAL, indirect=True)
def test_two_processes_lose_nothing(kind: str, settings: Settings, stores: Stores, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.contract.child", "record", str(tmp_path / "instance"), "40"]
    config = msgspec.json.encode({"database_url": settings.database_url, "redis_url": settings.redis_url}).decode()
    children = [subprocess.Popen([*command, f"{n}", config], cwd=ROOT) for n in range(2)]
    assert [child.wait(120) for child in children] == [0, 0]
    profile = the_profile(stores.journal, "a:1")
    assert profile.events == 80
    assert noted(profile) == keys(list(stores.journal.events_of("a:1")))
