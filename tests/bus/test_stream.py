"""The stream itself, on a real server: bounded, shared by workers, taken over, put aside, erased."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from mtp_plugin.bus.direct import DirectBus
from mtp_plugin.bus.open import open_bus
from mtp_plugin.bus.pack import pack, unpack
from mtp_plugin.bus.scripts import DEAD_MOST, GROUP, KEY
from mtp_plugin.bus.stream import PART, Parcel, RedisStream
from mtp_plugin.bus.worker import MOST_TIMES, Worker
from mtp_plugin.config import Settings
from mtp_plugin.errors import InputError, UnavailableError
from mtp_plugin.records import Event
from tests.contract.events import make_event
from tests.servers import RedisServer, wait_until

pytestmark = pytest.mark.redis


class Journal:
    """What a worker recorded; refuses what a test wants it to, and forgets repetitions as a journal does."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.groups: list[int] = []
        self.away = 0
        self.bad: set[str] = set()

    def __call__(self, events: list[Event]) -> list[bool]:
        if self.away:
            self.away -= 1
            raise UnavailableError("away")
        if self.bad & {event.dedupe_key for event in events}:
            raise InputError("one of these is bad")
        self.groups.append(len(events))
        new = []
        for event in events:
            new.append(event.dedupe_key not in self.events)
            self.events.setdefault(event.dedupe_key, event)
        return new


def test_packed_events_come_back_whole() -> None:
    events = (make_event(1), make_event(2, "u:2", traits={"plan": "gold"}, permanent=True))
    assert unpack(pack(events)) == events
    with pytest.raises(InputError, match="no entry of the stream"):
        unpack(b"what is this")
    with pytest.raises(InputError, match="cannot be sent"):
        pack([make_event(1, properties={"n": 2**70})])


def test_without_a_setting_events_are_recorded_at_once() -> None:
    journal = Journal()
    bus = open_bus(Settings(), journal)
    assert isinstance(bus, DirectBus)
    assert bus.publish([make_event(1)]) == [True]
    assert (bus.lag(), bus.erase(["a:1"]), list(bus.find(["a:1"]))) == (None, 0, [])


def test_everything_is_recorded_once_and_leaves_nothing_behind(stream: RedisStream) -> None:
    journal = Journal()
    for start in range(0, 1000, 250):
        assert stream.publish([make_event(number) for number in range(start, start + 250)]) is None
    before = stream.lag()
    assert before is not None
    assert (before.events, before.entries, before.workers) == (1000, 4 * -(-250 // PART), 0)
    stream.publish([make_event(number) for number in range(5)])  # sent again

    tally = Worker(stream, journal, clock=lambda: 1.5).run(until_empty=True)
    assert (tally.events, tally.new, tally.dead) == (1005, 1000, 0)
    assert list(journal.events) == [make_event(number).dedupe_key for number in range(1000)], "in order"
    assert {event.received_at for event in journal.events.values()} == {1.5}, "received when the journal has it"
    after = stream.lag()
    assert after is not None
    assert (after.events, after.entries, after.taken, after.oldest_seconds) == (0, 0, 0, 0.0)


def test_a_full_stream_refuses_and_takes_again_when_there_is_room(stream: RedisStream) -> None:
    for start in range(0, 10_000, 1000):
        stream.publish([make_event(number) for number in range(start, start + 1000)])
    with pytest.raises(UnavailableError, match="full: 10000 events wait"):
        stream.publish([make_event(10_001)])
    Worker(stream, Journal()).run(until_empty=True)
    stream.publish([make_event(10_001)])


def test_what_comes_while_redis_is_waited_for_is_handed_over_together(stream: RedisStream, redis_url: str) -> None:
    with Redis.from_url(redis_url) as client, ThreadPoolExecutor(9) as threads:
        client.config_resetstat()
        client.client_pause(60_000, all=False)
        sent = [threads.submit(stream.publish, [make_event(0)])]
        wait_until(lambda: stream._turns._busy and not stream._turns._waiting, "the first one's turn")
        sent += [threads.submit(stream.publish, [make_event(number)]) for number in range(1, 9)]
        wait_until(lambda: len(stream._turns._waiting) == 8, "the others")
        client.execute_command("CLIENT UNPAUSE")
        assert [one.result(30) for one in sent] == [None] * 9
        assert client.info("commandstats")["cmdstat_eval"]["calls"] == 2
    lag = stream.lag()
    assert lag is not None
    assert (lag.events, lag.entries) == (9, 9)


def test_who_brings_too_much_is_refused_alone(stream: RedisStream) -> None:
    for start in range(0, 9_990, 999):
        stream.publish([make_event(number) for number in range(start, start + 999)])
    parcels = [Parcel(count, [count, pack([make_event(n) for n in range(count)])]) for count in (6, 7, 4)]
    first, second, third = stream._publish(parcels)
    assert (first, third) == (None, None)
    assert isinstance(second, UnavailableError)
    lag = stream.lag()
    assert lag is not None
    assert lag.events == 10_000


def test_what_is_in_the_stream_stays_told_when_redis_fails_at_the_next(stream: RedisStream) -> None:
    for start in range(0, 9_990, 999):
        stream.publish([make_event(number) for number in range(start, start + 999)])
    broken = Parcel(3, [3])  # has room, and no body that Redis could take
    whole = [Parcel(count, [count, pack([make_event(n) for n in range(count)])]) for count in (6, 4)]
    first, second, third = stream._publish([whole[0], broken, whole[1]])
    assert (first, third) == (None, None)
    assert isinstance(second, UnavailableError)
    assert "refuses" in str(second)
    lag = stream.lag()
    assert lag is not None
    assert lag.events == 10_000


def test_workers_share_what_there_is(stream: RedisStream) -> None:
    for number in range(6):
        stream.publish([make_event(number)])
    stream.join()
    mine, yours = stream.take("me", 3, 0.01), stream.take("you", 30, 0.01)
    assert (len(mine), len(yours)) == (3, 3)
    assert not {entry.entry_id for entry in mine} & {entry.entry_id for entry in yours}
    lag = stream.lag()
    assert lag is not None
    assert (lag.taken, lag.workers) == (6, 2)


def test_a_sibling_takes_over_from_the_dead(stream: RedisStream) -> None:
    stream.join()
    stream.publish([make_event(number) for number in range(3)])
    assert stream.take("dead", 10, 0.01)
    journal, worker = Journal(), Worker(stream, Journal())
    assert worker.run(until_empty=True).events == 0, "the dead may only be slow"
    heir = Worker(stream, journal, take_over_s=0.001)
    wait_until(lambda: heir.run(until_empty=True).events == 3, "taking over")
    assert (heir.tally.taken_over, len(journal.events)) == (1, 3)


def test_who_is_at_work_is_not_robbed(stream: RedisStream) -> None:
    stream.join()
    stream.publish([make_event(1)])
    entries = stream.take("slow", 10, 0.01)
    hour = {"idle": 3_600_000, "justid": True}
    stream._client.xclaim(KEY, GROUP, "slow", 0, [entries[0].entry_id], **hour)
    stream.hold("slow", entries)
    assert stream.take_over("other", 10, 1800) == []
    stream._client.xclaim(KEY, GROUP, "slow", 0, [entries[0].entry_id], **hour)
    assert [entry for entry, _ in stream.take_over("other", 10, 1800)] == entries


def test_what_ends_every_worker_is_put_aside(stream: RedisStream) -> None:
    stream.join()
    stream.publish([make_event(1)])
    assert stream.take("first", 10, 0.01)
    wait_until(lambda: bool(stream.take_over("next", 10, 0.001)), "taking over")
    for number in range(MOST_TIMES):
        wait_until(lambda n=number: bool(stream.take_over(f"w{n}", 10, 0.001)), "taking over")  # type: ignore[misc]
    journal = Journal()
    worker = Worker(stream, journal, take_over_s=0.001)
    wait_until(lambda: worker.run(until_empty=True).dead == 1, "putting aside")
    assert not journal.events
    [letter] = stream.dead_letters()
    assert "none finished" in letter.why


def test_a_bad_event_holds_up_nobody_and_can_be_tried_again(stream: RedisStream) -> None:
    journal = Journal()
    events = [make_event(number) for number in range(40)]
    journal.bad = {events[7].dedupe_key, events[31].dedupe_key}
    stream.publish(events)
    tally = Worker(stream, journal).run(until_empty=True)
    assert (tally.new, tally.dead) == (38, 2)
    letters = list(stream.dead_letters())
    assert [unpack(letter.entry.body)[0].dedupe_key for letter in letters] == [
        events[7].dedupe_key,
        events[31].dedupe_key,
    ]
    assert {letter.why for letter in letters} == {"one of these is bad"}

    journal.bad = set()
    assert [stream.revive(letter) for letter in letters] == [True, True]
    assert [stream.revive(letter) for letter in letters] == [False, False]
    assert Worker(stream, journal).run(until_empty=True).new == 2
    assert not list(stream.dead_letters())


def test_what_nobody_can_read_is_put_aside(stream: RedisStream) -> None:
    stream._client.xadd(KEY, {"n": "many", "e": b"\xff"})
    stream._client.xadd(KEY, {"other": "words"})
    stream.publish([make_event(1)])
    tally = Worker(stream, Journal()).run(until_empty=True)
    assert (tally.new, tally.entries) == (1, 3)
    assert len(list(stream.dead_letters())) == 2
    lag = stream.lag()
    assert lag is not None
    assert (lag.events, lag.entries, lag.dead) == (0, 0, 2)


def test_too_many_dead_letters_are_no_reason_to_lose_any(stream: RedisStream) -> None:
    pipe = stream._client.pipeline()
    for _ in range(DEAD_MOST):
        pipe.xadd(f"{KEY}:dead", {"n": 1, "e": b"x", "why": "y"})
    pipe.execute()
    with pytest.raises(UnavailableError, match="dead letters"):
        stream.bury(1, b"x", "why")


def test_while_the_database_is_away_nothing_is_given_up(stream: RedisStream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtp_plugin.bus.worker.PAUSE_S", 0.01)
    journal = Journal()
    journal.away = 5
    stream.publish([make_event(number) for number in range(30)])
    assert Worker(stream, journal).run(until_empty=True).new == 30


def test_told_to_stop_it_leaves_what_it_cannot_record(stream: RedisStream) -> None:
    stream.publish([make_event(1)])
    journal = Journal()

    def stop_and_fail(events: object) -> list[bool]:
        worker.stop()
        raise UnavailableError("away")

    worker = Worker(stream, stop_and_fail)
    assert worker.run().events == 0
    heir = Worker(stream, journal, take_over_s=0.001)
    wait_until(lambda: heir.run(until_empty=True).new == 1, "taking over")


def test_an_erasure_removes_a_visitor_and_nobody_else(stream: RedisStream) -> None:
    stream.publish([make_event(1, "a:gone"), make_event(2, "a:stays"), make_event(3, "a:gone")])
    stream.publish([make_event(4, "a:gone")])
    stream.publish([make_event(5, "a:stays")])
    stream.bury(2, pack([make_event(6, "a:gone"), make_event(7, "a:stays")]), "a reason")
    assert sorted(event.message_id for event in stream.find(["a:gone"])) == ["m1", "m3", "m4", "m6"]
    assert stream.erase(["a:gone"]) == 4
    assert list(stream.find(["a:gone"])) == []
    lag = stream.lag()
    assert lag is not None
    assert (lag.events, lag.dead) == (2, 1)
    journal = Journal()
    Worker(stream, journal).run(until_empty=True)
    assert sorted(event.message_id for event in journal.events.values()) == ["m2", "m5"]
    assert [letter.why for letter in stream.dead_letters()] == ["a reason"]


def test_an_erasure_waits_for_a_worker_that_is_at_it(stream: RedisStream) -> None:
    from threading import Thread

    stream.join()
    stream.publish([make_event(1, "a:gone")])
    entries = stream.take("busy", 10, 0.01)
    gone: list[int] = []
    eraser = Thread(target=lambda: gone.append(stream.erase(["a:gone"])))
    eraser.start()
    wait_until(lambda: not list(stream.find(["a:gone"])), "removal")
    assert eraser.is_alive(), "the worker is still at it"
    stream.acknowledge(entries)
    eraser.join(30)
    assert gone == [1]
    lag = stream.lag()
    assert lag is not None
    assert lag.events == 0


def test_an_emptied_server_is_filled_anew(stream: RedisStream) -> None:
    worker, journal = Worker(stream, Journal()), Journal()
    worker.run(until_empty=True)
    stream._client.flushall()
    stream.publish([make_event(1)])
    assert Worker(stream, journal).run(until_empty=True).new == 1
    stream._client.flushall()
    assert stream.take("anybody", 1, 0.01) == [], "the group is made anew"
    assert [group["name"] for group in stream._client.xinfo_groups(KEY)] == [GROUP.encode()]


def test_a_server_that_is_away_is_said_at_once(mortal_redis: RedisServer) -> None:
    bus = open_bus(Settings(stream_url=mortal_redis.url), lambda events: [])
    assert bus.probe() == ""
    assert "appendonly is off" in bus.durability()
    mortal_redis.kill()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        bus.publish([make_event(1)])
    with pytest.raises(UnavailableError, match="a moment ago"):
        bus.publish([make_event(1)])
    assert bus.probe()
    bus.close()


def test_durability_is_told_as_it_is(stream: RedisStream) -> None:
    client = stream._client
    try:
        client.config_set("appendonly", "yes")
        client.config_set("appendfsync", "everysec")
        assert "appendfsync is everysec" in stream.durability()
        client.config_set("appendfsync", "always")
        assert stream.durability() == ""
    finally:
        client.config_set("appendonly", "no")


def test_out_of_memory_is_a_refusal(stream: RedisStream) -> None:
    client = stream._client
    try:
        client.config_set("maxmemory", "1")
        with pytest.raises(UnavailableError, match="refuses"):
            stream.publish([make_event(1)])
    finally:
        client.config_set("maxmemory", "0")


def test_numbers_that_cannot_work_are_refused(stream: RedisStream) -> None:
    with pytest.raises(ValueError, match="most"):
        RedisStream(stream._client, 0)
    with pytest.raises(ValueError, match="take_over_s"):
        Worker(stream, Journal(), take_over_s=0)
