"""How often one visitor or address may ask: counted in Redis for all workers together, else in each process.

The ``limits`` library is used by itself and not through Flask-Limiter, so that a shop's own Flask-Limiter keeps its
defaults, decorators and storage.
"""

from __future__ import annotations

import logging
import math
import time

from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from ..config import Settings
from ..errors import InputError, SettingError
from .windows import WindowStorage

log = logging.getLogger(__name__)

NAMESPACE = "mtp"


class RateLimitedError(InputError):
    """Asked too often.

    :param retry_after: whole seconds until the window ends
    """

    code = "rate-limited"
    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many requests, try again in {retry_after} s")
        self.retry_after = retry_after


class Limits:
    """The limits of ``MTP_RATE_LIMIT``, which may name several, such as ``20 per second; 600 per minute``.

    :raises SettingError: a limit that cannot be read
    """

    def __init__(self, settings: Settings) -> None:
        self._items = _parse(settings.rate_limit)
        self._local = FixedWindowRateLimiter(WindowStorage())
        self._shared = FixedWindowRateLimiter(_redis(settings.redis_url)) if settings.redis_url else None

    def hit(self, who: str) -> None:
        """Count one request of *who*.

        :raises RateLimitedError: it is one too many
        """
        for item in self._items:
            limiter, allowed = self._count(item, who)
            if not allowed:
                ends = limiter.get_window_stats(item, NAMESPACE, who).reset_time
                raise RateLimitedError(max(1, math.ceil(ends - time.time())))

    def _count(self, item: RateLimitItem, who: str) -> tuple[FixedWindowRateLimiter, bool]:
        if self._shared is not None:
            try:
                return self._shared, self._shared.hit(item, NAMESPACE, who)
            except StorageError as error:
                log.warning("rate limits cannot be shared, counting in this process: %s", error)
        return self._local, self._local.hit(item, NAMESPACE, who)


def _parse(text: str) -> list[RateLimitItem]:
    try:
        return list(parse_many(text))
    except ValueError:
        remedy = 'write it like "600 per minute" or "20 per second; 600 per minute"'
        raise SettingError("MTP_RATE_LIMIT", text, remedy) from None


def _redis(url: str) -> Storage:
    url = url.replace("unix://", "redis+unix://", 1) if url.startswith("unix://") else url
    storage = storage_from_string(
        url, wrap_exceptions=True, key_prefix="mtp:limits", socket_timeout=0.25, socket_connect_timeout=0.25
    )
    assert isinstance(storage, Storage)  # noqa: S101  the asynchronous ones have other addresses
    return storage
