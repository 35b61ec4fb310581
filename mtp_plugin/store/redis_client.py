"""Connections to Redis or Valkey that rather give up than keep a page waiting."""

from __future__ import annotations

import socket
from typing import Any

from redis import ConnectionError as Disconnected
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection, parse_url
from redis.retry import Retry

from ..patience import is_awaited, left
from .ahead import Ahead
from .redis_cluster import SCHEME, LateCluster

Mixin: Any = object
LEAST_S = 0.001
"""An answer that is there already is taken, however late it is."""


class InTime(Mixin):  # type: ignore[misc]  # its class is that of what it is mixed into
    """A connection that keeps to the time that its caller has left, see :mod:`mtp_plugin.patience`.

    Where somebody waits a thread looks the name up and connects.

    :param ahead: what is shared by all connections of a pool
    """

    def __init__(self, *, ahead: Ahead[socket.socket], **options: Any) -> None:
        super().__init__(**options)
        self._ahead = ahead

    def _connect(self) -> socket.socket:
        if not is_awaited():
            return self._connect_at_leisure()
        found = self._ahead.get(self._connect_at_leisure, left(self.socket_timeout))
        if found is None:
            raise TimeoutError
        return found

    def _connect_at_leisure(self) -> socket.socket:
        made: socket.socket = super()._connect()
        return made

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if self._sock is not None:
            self._sock.settimeout(max(LEAST_S, left(self.socket_timeout)))
        super().send_packed_command(command, check_health)


class InTimeConnection(InTime, Connection): ...


class InTimeSSLConnection(InTime, SSLConnection): ...


class InTimeUnixConnection(InTime, UnixDomainSocketConnection): ...


KINDS: dict[type, type] = {SSLConnection: InTimeSSLConnection, UnixDomainSocketConnection: InTimeUnixConnection}


def open_redis(url: str, budget_ms: float) -> Redis | LateCluster:
    """A client on *url*; connects when first used, in each process anew.

    :param url: ``redis://``, ``rediss://``, ``unix://`` or ``redis+cluster://``
    :param budget_ms: longest wait for a connection, and for an answer; both at most what is left to who asks
    """
    seconds = budget_ms / 1000
    if url.startswith(SCHEME):
        return LateCluster(url, seconds)
    return Redis.from_pool(open_pool(url, seconds))


def open_pool(url: str, seconds: float) -> ConnectionPool:
    """Connections to one server.

    :param seconds: longest wait for a connection, and for an answer
    """
    options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    kind = KINDS.get(options.pop("connection_class", Connection), InTimeConnection)
    # One more try: a connection that lay idle while the server was restarted is found dead only when used.
    retry = Retry(NoBackoff(), 1, supported_errors=(Disconnected,))
    limits = {"socket_connect_timeout": seconds, "socket_timeout": seconds, "retry": retry}
    return ConnectionPool(connection_class=kind, ahead=Ahead(socket.socket.close), **{**options, **limits})
