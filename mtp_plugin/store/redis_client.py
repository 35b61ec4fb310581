"""Connections to Redis or Valkey that rather give up than keep a page waiting."""

from __future__ import annotations

from redis import ConnectionError as Disconnected
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .redis_cluster import SCHEME, LateCluster


def open_redis(url: str, budget_ms: float) -> Redis | LateCluster:
    """A client on *url*; connects when first used, in each process anew.

    :param url: ``redis://``, ``rediss://``, ``unix://`` or ``redis+cluster://``
    :param budget_ms: longest wait for a connection, and for an answer
    """
    seconds = budget_ms / 1000
    if url.startswith(SCHEME):
        return LateCluster(url, seconds)
    # One more try: a connection that lay idle while the server was restarted is found dead only when used.
    retry = Retry(NoBackoff(), 1, supported_errors=(Disconnected,))
    return Redis.from_url(url, socket_connect_timeout=seconds, socket_timeout=seconds, retry=retry)
