"""How events that servers send reach the journal: at once, or through a stream that workers read."""

from .direct import DirectBus
from .open import open_bus
from .stream import Entry, RedisStream
from .worker import Worker

__all__ = ["DirectBus", "Entry", "RedisStream", "Worker", "open_bus"]
