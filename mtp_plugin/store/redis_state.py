"""Copies of profiles in Redis, read in one round trip; the originals are in the database.

Each copy is a hash: ``b`` the profile's bytes, ``r`` the number of the last event folded into it, and one field
``w:<token>`` for each writer who is about to change the original. A copy counts only while no writer is announced. A
writer who dies leaves its announcement behind, so that everybody reads the original until somebody renews the copy: a
crash between the commit and the copy shows no reader an old profile.

Copies only ever move forward: one with a lower number never replaces one with a higher.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from redis import Redis

from .batch import Stored
from .chunks import chunks
from .redis_cluster import LateCluster
from .rows import packed, unpacked

PREFIX = "mtp:profile:"
LIFE = 3600
"""Seconds after its last renewal for which a copy lives. Bounds how long a copy can be wrong that an operator brought
back from an old snapshot; a visit is seldom longer."""

FORGOTTEN = 600.0
"""Seconds after which an announced writer is surely dead: longer than any transaction may take."""

CHUNK = 1000

PUBLISH = """
redis.call('HDEL', KEYS[1], 'w:' .. ARGV[1])
local known = tonumber(redis.call('HGET', KEYS[1], 'r') or '-1')
if tonumber(ARGV[3]) >= known then redis.call('HSET', KEYS[1], 'r', ARGV[3], 'b', ARGV[4]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""
"""By the writer: token, life, number, bytes."""

FILL = """
for i = 4, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
local known = tonumber(redis.call('HGET', KEYS[1], 'r') or '-1')
if tonumber(ARGV[2]) > known then
    redis.call('HSET', KEYS[1], 'r', ARGV[2], 'b', ARGV[3])
    redis.call('EXPIRE', KEYS[1], ARGV[1])
end
"""
"""By a reader: life, number, bytes, announcements of the dead."""

BURY = """
redis.call('HDEL', KEYS[1], 'w:' .. ARGV[1])
local known = tonumber(redis.call('HGET', KEYS[1], 'r') or '0')
redis.call('HSET', KEYS[1], 'r', math.max(known, tonumber(ARGV[3])), 'b', '')
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""
"""After an erasure: token, life, number. What remains keeps slow readers from bringing the copy back."""


class Copy:
    """What Redis holds of one profile; ``stored`` is ``None`` when the original must be read."""

    __slots__ = ("dead", "stored")

    def __init__(self, fields: Mapping[bytes, bytes], now: float) -> None:
        writers = {name: float(at) for name, at in fields.items() if name.startswith(b"w:")}
        self.dead = [name for name, at in writers.items() if now - at > FORGOTTEN]
        usable = not writers and b"b" in fields
        self.stored = Stored(int(fields[b"r"]), unpacked(fields[b"b"])) if usable else None


class RedisState:
    """The copies. Every method may raise what redis-py raises.

    :param clock: seconds since 1970
    """

    def __init__(
        self, client: Redis | LateCluster, *, prefix: str = PREFIX, clock: Callable[[], float] = time.time
    ) -> None:
        self._client: Any = client
        self._prefix, self._clock = prefix, clock

    def read(self, profile_ids: Sequence[str]) -> dict[str, Copy]:
        """Look at the copies, in one round trip."""
        now = self._clock()
        if len(profile_ids) == 1:
            return {profile_ids[0]: Copy(self._client.hgetall(self._key(profile_ids[0])), now)}
        pipe = self._client.pipeline(transaction=False)
        for profile_id in profile_ids:
            pipe.hgetall(self._key(profile_id))
        return {name: Copy(fields, now) for name, fields in zip(profile_ids, pipe.execute(), strict=True)}

    def announce(self, profile_ids: Sequence[str], token: str) -> None:
        """Say that a writer is about to change these originals."""
        now = self._clock()

        def one(pipe: Any, profile_id: str) -> None:
            pipe.hset(self._key(profile_id), f"w:{token}", now)
            pipe.expire(self._key(profile_id), LIFE)

        self._each(profile_ids, one)

    def withdraw(self, profile_ids: Iterable[str], token: str) -> None:
        """Say that this writer changed nothing."""
        self._each(list(profile_ids), lambda pipe, name: pipe.hdel(self._key(name), f"w:{token}"))

    def publish(self, profiles: Mapping[str, Stored], token: str) -> None:
        """Renew the copies after the commit and take the announcement back."""

        def one(pipe: Any, profile_id: str) -> None:
            number, body = profiles[profile_id]
            pipe.execute_command("EVAL", PUBLISH, 1, self._key(profile_id), token, LIFE, number, packed(body))

        self._each(list(profiles), one)

    def fill(self, profiles: Mapping[str, tuple[Stored, Sequence[bytes]]]) -> None:
        """Renew copies by what a reader found, each with the announcements of dead writers that may go."""

        def one(pipe: Any, profile_id: str) -> None:
            (number, body), dead = profiles[profile_id]
            pipe.execute_command("EVAL", FILL, 1, self._key(profile_id), LIFE, number, packed(body), *dead)

        self._each(list(profiles), one)

    def bury(self, profile_ids: Sequence[str], token: str, number: int) -> None:
        """Empty the copies of erased profiles whose last event had this *number*."""
        self._each(
            profile_ids, lambda pipe, name: pipe.execute_command("EVAL", BURY, 1, self._key(name), token, LIFE, number)
        )

    def ping(self) -> None:
        """Ask whether anybody is there."""
        self._client.ping()

    def _key(self, profile_id: str) -> str:
        return self._prefix + profile_id

    def _each(self, profile_ids: Sequence[str], one: Callable[[Any, str], object]) -> None:
        for some in chunks(profile_ids, CHUNK):
            pipe = self._client.pipeline(transaction=False)
            for profile_id in some:
                one(pipe, profile_id)
            pipe.execute()
