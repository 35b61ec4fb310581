"""The shared cache: a small cache of this process in front of Flask-Caching's, which is Redis when there is one."""

from __future__ import annotations

import struct
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from flask_caching.backends.base import BaseCache
from flask_caching.backends.nullcache import NullCache
from flask_caching.backends.rediscache import RedisCache
from redis import Redis, RedisError

from ..fork import after_fork
from ..patience import left
from .breaker import Breaker
from .redis_cluster import LateCluster

FRESH = 5.0
"""Seconds for which this process trusts its copy of what others may have changed."""


EXPIRY = struct.Struct("<d")
"""When a value expires goes with it, so that copies of it live no longer."""


class BytesOnly:
    """A serialiser for Flask-Caching's backends that takes bytes and gives bytes: the default one unpickles."""

    def dumps(self, value: Any) -> bytes:
        if not isinstance(value, bytes):
            raise TypeError(f"the cache takes bytes, not {type(value).__name__}")
        return value

    def loads(self, value: bytes | None) -> bytes | None:
        return value


class BytesRedisCache(RedisCache):
    """Flask-Caching's Redis backend without pickle, and without ``KEYS``, which would hold up everybody."""

    serializer = BytesOnly()  # type: ignore[assignment]  # it wants a subclass of the one that unpickles

    def clear(self) -> bool:
        for keys in self._read_client.scan_iter(f"{self._get_prefix()}*", count=1000):
            self._write_client.unlink(keys)
        return True


def redis_backend(client: Redis | LateCluster, prefix: str = "mtp:cache:") -> BaseCache:
    """Flask-Caching's backend on this client; needs neither application nor request."""
    return BytesRedisCache(host=client, key_prefix=prefix)


class Recent:
    """The least recently used go first; each entry has its time. Safe in threads.

    :param limit: most entries
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, not {limit}")
        self._limit, self._clock = limit, clock
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry[0] <= self._clock():
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def set(self, key: str, value: bytes, seconds: float) -> None:
        with self._lock:
            self._entries[key] = (self._clock() + seconds, value)
            self._entries.move_to_end(key)
            if len(self._entries) > self._limit:
                self._entries.popitem(last=False)

    def delete(self, key: str) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


class SharedCache:
    """Implements :class:`mtp_plugin.ports.Cache`.

    :param backend: what all workers share; ``None`` leaves each worker to itself
    :param limit: most entries in this process
    :param breaker: shared with whatever else asks the same server, so that a page finds out once
    """

    def __init__(self, backend: BaseCache | None = None, *, limit: int = 2000, breaker: Breaker | None = None) -> None:
        self._near = Recent(limit)
        self._far = backend if backend is not None else NullCache()
        self._shared = backend is not None
        self._breaker = breaker or Breaker("shared cache")

    def get(self, key: str) -> bytes | None:
        found = self._near.get(key)
        if found is not None or not self._shared:
            return found
        packed = self._ask(self._far.get, key)
        if packed is None or len(packed) < EXPIRY.size:
            return None
        left = EXPIRY.unpack_from(packed)[0] - time.time()
        if left <= 0:
            return None
        value = bytes(packed[EXPIRY.size :])
        self._near.set(key, value, min(left, FRESH))
        return value

    def set(self, key: str, value: bytes, seconds: int) -> None:
        if not isinstance(value, bytes):
            raise TypeError(f"the cache takes bytes, not {type(value).__name__}")
        if seconds <= 0:
            return
        self._near.set(key, value, min(seconds, FRESH) if self._shared else seconds)
        if self._shared:
            self._ask(self._far.set, key, EXPIRY.pack(time.time() + seconds) + value, seconds)

    def delete(self, key: str) -> None:
        self._near.delete(key)
        if self._shared:
            self._ask(self._far.delete, key)

    def clear(self) -> None:
        self._near.clear()
        if self._shared:
            self._ask(self._far.clear)

    def _ask(self, call: Callable[..., Any], *values: Any) -> Any:
        """What the backend says; ``None`` when it cannot be reached or could not a moment ago, or time is over."""
        if left(1.0) <= 0 or not self._breaker.admits():
            return None
        try:
            answer = call(*values)
        except (RedisError, OSError) as error:
            self._breaker.failed(error)
            return None
        self._breaker.succeeded()
        return answer
