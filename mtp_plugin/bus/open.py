"""Chooses the bus by the settings; nothing connects before it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..config import Settings
from ..ports import Broker, Bus
from ..records import Event
from ..store.redis_client import open_redis
from .broker import KombuBroker
from .direct import DirectBus
from .stream import RedisStream

PATIENCE_MS = 2000.0
"""Longest wait for Redis: it may have to write to its disk first."""


def open_bus(settings: Settings, record: Callable[[Sequence[Event]], list[bool]]) -> Bus:
    """A stream where ``MTP_STREAM_URL`` says, else none.

    :param record: makes events durable at once
    """
    if not settings.stream_url:
        return DirectBus(record)
    return RedisStream(open_redis(settings.stream_url, PATIENCE_MS), settings.stream_max)


def open_broker(settings: Settings) -> Broker | None:
    """The broker of ``MTP_BROKER_URL``.

    :raises SettingError: kombu is not installed
    """
    return KombuBroker(settings.broker_url) if settings.broker_url else None
