"""Profiles at hand in Redis are never old: not after a crash, an outage, an erasure, nor a slow reader."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
import redis

from mtp_plugin.config import Settings
from mtp_plugin.errors import UnavailableError
from mtp_plugin.records import Event, Profile
from mtp_plugin.store.batch import Stored
from mtp_plugin.store.open import Stores
from mtp_plugin.store.redis_client import open_redis
from mtp_plugin.store.redis_state import FORGOTTEN, RedisState
from mtp_plugin.store.rows import profile_bytes
from tests.servers import RedisServer, wait_until

from .conftest import PATIENT_MS
from .events import make_event, note, noted

pytestmark = pytest.mark.redis
ROOT = Path(__file__).parents[2]
Open = Callable[[Settings], Stores]


def settings(url: str) -> Settings:
    return Settings(redis_url=url, latency_budget_ms=PATIENT_MS)


def seen(stores: Stores) -> list[str]:
    return noted(stores.journal.profiles(["a:1"])[0])


def copy_of(url: str) -> dict[bytes, bytes]:
    with redis.Redis.from_url(url) as client:
        return client.hgetall("mtp:profile:a:1")


def test_reads_come_from_the_copy(redis_url: str, open_again: Open) -> None:
    stores = open_again(settings(redis_url))
    stores.journal.record([make_event(1)], note)
    assert seen(stores) == ["a:1|1"]
    assert set(copy_of(redis_url)) == {b"r", b"b"}
    other = profile_bytes(Profile(profile_id="a:1", traits={"from": "copy"}))
    with redis.Redis.from_url(redis_url) as client:
        client.hset("mtp:profile:a:1", "b", other)
        assert 0 < client.ttl("mtp:profile:a:1") <= 3600
    assert stores.journal.profiles(["a:1"])[0].traits == {"from": "copy"}


def test_what_redis_lost_is_fetched_again(redis_url: str, open_again: Open) -> None:
    stores = open_again(settings(redis_url))
    stores.journal.record([make_event(1)], note)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    assert seen(stores) == ["a:1|1"]
    assert copy_of(redis_url)[b"r"] == b"1"


def test_a_writer_who_dies_after_the_commit_leaves_no_old_profile(
    redis_url: str, open_again: Open, tmp_path: Path
) -> None:
    stores = open_again(settings(redis_url))
    stores.journal.record([make_event(1)], note)
    assert seen(stores) == ["a:1|1"]
    command = [sys.executable, "-m", "tests.contract.child", "die-after-commit", str(tmp_path / "instance"), "1", "0"]
    config = msgspec.json.encode({"redis_url": redis_url}).decode()
    child = subprocess.run([*command, config], cwd=ROOT, check=False)
    assert child.returncode == -9
    assert copy_of(redis_url)[b"r"] == b"1", "the child must die before it renews the copy"
    assert seen(stores) == ["a:1|1", "a:1|0"]
    assert stores.journal.record([make_event(0)], note) == [False]
    assert seen(stores) == ["a:1|1", "a:1|0"]
    assert stores.journal.record([make_event(2)], note) == [True]
    assert seen(stores) == ["a:1|1", "a:1|0", "a:1|2"]


def test_announcements_of_the_dead_go_in_the_end(redis_url: str) -> None:
    now = 1000.0
    client = open_redis(redis_url, PATIENT_MS)
    state = RedisState(client, clock=lambda: now)
    state.publish({"a:1": Stored(4, b"four")}, "writer")
    state.announce(["a:1"], "dead")
    assert state.read(["a:1"])["a:1"].stored is None
    now += FORGOTTEN
    assert state.read(["a:1"])["a:1"].dead == []
    now += 1
    copy = state.read(["a:1"])["a:1"]
    state.fill({"a:1": (Stored(5, b"five"), copy.dead)})
    assert state.read(["a:1"])["a:1"].stored == Stored(5, b"five")
    client.close()


def test_copies_only_move_forward(redis_url: str) -> None:
    client = open_redis(redis_url, PATIENT_MS)
    state = RedisState(client)

    def stored() -> Stored | None:
        return state.read(["a:1", "a:2"])["a:1"].stored

    state.publish({"a:1": Stored(5, b"five")}, "x")
    state.publish({"a:1": Stored(4, b"a late writer")}, "x")
    state.fill({"a:1": (Stored(5, b"a slow reader"), [])})
    assert stored() == Stored(5, b"five")
    state.publish({"a:1": Stored(5, b"rebuilt")}, "x")
    assert stored() == Stored(5, b"rebuilt")
    state.bury(["a:1"], "x", 5)
    state.fill({"a:1": (Stored(5, b"a slow reader"), [])})
    assert stored() == Stored(5, b"")
    state.publish({"a:1": Stored(6, b"a new life")}, "x")
    assert stored() == Stored(6, b"a new life")
    client.close()


def test_nobody_trusts_a_copy_while_a_writer_is_at_work(redis_url: str, open_again: Open) -> None:
    writer, reader = open_again(settings(redis_url)), open_again(settings(redis_url))
    writer.journal.record([make_event(1)], note)
    observed: list[bool] = []

    def watching(profile: Profile | None, events: Sequence[Event]) -> Profile:
        observed.append(any(name.startswith(b"w:") for name in copy_of(redis_url)))
        observed.append(seen(reader) == ["a:1|1"])
        return note(profile, events)

    writer.journal.record([make_event(2)], watching)
    assert observed == [True, True]
    assert set(copy_of(redis_url)) == {b"r", b"b"}
    assert seen(reader) == ["a:1|1", "a:1|2"]


def test_a_fold_that_fails_withdraws_the_announcement(redis_url: str, open_again: Open) -> None:
    stores = open_again(settings(redis_url))
    stores.journal.record([make_event(1)], note)

    def broken(profile: Profile | None, events: Sequence[Event]) -> Profile:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stores.journal.record([make_event(2)], broken)
    assert set(copy_of(redis_url)) == {b"r", b"b"}


def test_an_outage_loses_nothing_and_leaves_nothing_old(mortal_redis: RedisServer, open_again: Open) -> None:
    one, other = open_again(settings(mortal_redis.url)), open_again(settings(mortal_redis.url))
    one.journal.record([make_event(1)], note)
    assert seen(other) == ["a:1|1"]
    with redis.Redis.from_url(mortal_redis.url) as client:
        before = client.dump("mtp:profile:a:1")
    mortal_redis.kill()
    assert one.probes["redis"]()
    assert one.journal.record([make_event(2)], note) == [True]
    assert seen(one) == seen(other) == ["a:1|1", "a:1|2"]
    mortal_redis.start()
    with redis.Redis.from_url(mortal_redis.url) as client:
        client.restore("mtp:profile:a:1", 3_600_000, before)
    wait_until(lambda: seen(one) == ["a:1|1", "a:1|2"] and copy_of(mortal_redis.url)[b"r"] != b"1", "renewing the copy")
    assert seen(other) == ["a:1|1", "a:1|2"]
    assert one.probes["redis"]() == ""


def test_an_erasure_during_an_outage_reaches_the_copy(mortal_redis: RedisServer, open_again: Open) -> None:
    stores = open_again(settings(mortal_redis.url))
    stores.journal.record([make_event(1)], note)
    with redis.Redis.from_url(mortal_redis.url) as client:
        before = client.dump("mtp:profile:a:1")
    mortal_redis.kill()
    assert stores.journal.erase("a:1") == 1
    assert seen(stores) == []
    mortal_redis.start()
    with redis.Redis.from_url(mortal_redis.url) as client:
        client.restore("mtp:profile:a:1", 3_600_000, before)

    def buried() -> bool:
        assert stores.journal.profiles(["a:1"]) == [None]
        return copy_of(mortal_redis.url)[b"b"] == b""

    wait_until(buried, "the end of the copy")


def test_a_process_that_starts_renews_what_others_could_not(mortal_redis: RedisServer, open_again: Open) -> None:
    one = open_again(settings(mortal_redis.url))
    one.journal.record([make_event(1)], note)
    with redis.Redis.from_url(mortal_redis.url) as client:
        before = client.dump("mtp:profile:a:1")
    mortal_redis.kill()
    one.journal.record([make_event(2)], note)
    one.close()
    mortal_redis.start()
    with redis.Redis.from_url(mortal_redis.url) as client:
        client.restore("mtp:profile:a:1", 3_600_000, before)
    assert seen(open_again(settings(mortal_redis.url))) == ["a:1|1", "a:1|2"]


def test_rebuilding_renews_the_copies(redis_url: str, open_again: Open) -> None:
    stores, other = open_again(settings(redis_url)), open_again(settings(redis_url))
    stores.journal.record([make_event(1)], note)
    assert seen(other) == ["a:1|1"]

    def otherwise(profile: Profile | None, events: Sequence[Event]) -> Profile:
        return msgspec.structs.replace(note(profile, events), searches=("other",))

    stores.journal.rebuild(otherwise)
    assert other.journal.profiles(["a:1"])[0].searches == ("other",)


def test_without_the_database_events_are_not_taken(redis_url: str, open_again: Open, tmp_path: Path) -> None:
    stores = open_again(
        Settings(
            redis_url=redis_url,
            database_url="postgresql://nobody@127.0.0.1:1/none",
            latency_budget_ms=PATIENT_MS,
        )
    )
    with pytest.raises(UnavailableError):
        stores.journal.record([make_event(1)], note)
    assert not any(name.startswith(b"w:") for name in copy_of(redis_url))
    assert stores.probes["database"]()


def test_a_forked_child_has_connections_of_its_own(redis_url: str, open_again: Open) -> None:
    stores = open_again(settings(redis_url))
    stores.journal.record([make_event(1)], note)
    child = os.fork()
    if child == 0:
        try:
            stores.journal.record([make_event(2)], note)
            os._exit(0 if seen(stores) == ["a:1|1", "a:1|2"] else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    stores.journal.record([make_event(3)], note)
    assert seen(stores) == ["a:1|1", "a:1|2", "a:1|3"]
