"""A client of a Redis or Valkey Cluster that, like the one of a single server, connects when it is first used."""

from __future__ import annotations

import math
import threading
from typing import Any

from redis import ConnectionError as Disconnected
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException
from redis.retry import Retry

from ..fork import after_fork
from ..patience import is_awaited, left
from .ahead import Ahead

SCHEME = "redis+cluster://"
TRIES = 3
"""Attempts of one command while slots move or a replica takes over: redirections cost one each."""


class LateCluster:
    """Every command of :class:`redis.cluster.RedisCluster`.

    :param url: ``redis+cluster://user:password@host:port``, any node of it; several by commas
    :param seconds: longest wait for a connection, and for an answer of one node
    """

    def __init__(self, url: str, seconds: float) -> None:
        self._url, self._seconds = url, seconds
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._cluster: Any = None
        self._ahead: Ahead[Any] = Ahead(lambda cluster: cluster.close(), limit=1, kept_s=math.inf)
        # A client of a cluster notices by itself when its nodes are others.

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connected(), name)

    def _connected(self) -> Any:
        if self._cluster is not None:
            return self._cluster
        wait = max(0.0, left(self._seconds)) if is_awaited() else threading.TIMEOUT_MAX
        if not self._lock.acquire(timeout=wait):
            raise Disconnected("the cluster is being looked for")
        try:
            if self._cluster is None:
                self._cluster = self._connect_in_time() if is_awaited() else self._connect()
            return self._cluster
        finally:
            self._lock.release()

    def _connect_in_time(self) -> Any:
        """A thread asks for the nodes: that takes several answers, and nobody is to wait for more than one."""
        found = self._ahead.get(self._connect, left(self._seconds))
        if found is None:
            raise Disconnected("the cluster did not answer in time")
        return found

    def _connect(self) -> Any:
        trouble: Exception | None = None
        for url in addresses(self._url):
            try:
                return RedisCluster.from_url(
                    url,
                    socket_connect_timeout=self._seconds,
                    socket_timeout=self._seconds,
                    retry=Retry(NoBackoff(), TRIES),
                )
            except RedisClusterException as error:
                trouble = error
        raise Disconnected(f"the cluster cannot be reached: {trouble}") from trouble

    def close(self) -> None:
        """Close what is open; a later use connects anew."""
        with self._lock:
            if self._cluster is not None:
                self._cluster.close()
            self._cluster = None


def addresses(url: str) -> list[str]:
    """The URL of each node that *url* names.

    >>> addresses("redis+cluster://:secret@one:7000,two:7001")
    ['redis://:secret@one:7000', 'redis://:secret@two:7001']
    """
    who, at, hosts = url.removeprefix(SCHEME).rpartition("@")
    return [f"redis://{who}{at}{host}" for host in hosts.split(",")]
