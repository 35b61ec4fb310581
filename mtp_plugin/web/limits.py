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

LONGEST_WAIT_S = 0.25
"""How long Redis may take to count, where the latency budget allows even more."""

PAUSE_S = 5.0
"""How long Redis is left alone after it failed: a server that hangs would otherwise hold up every request."""


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
    """The limits of ``MTP_RATE_LIMIT``, which may name several, such as ``20 per second; 600 per minute``, and of
    ``MTP_KEY_RATE_LIMIT``.

    :raises SettingError: a limit that cannot be read
    """

    def __init__(self, settings: Settings) -> None:
        self._items = _parse("MTP_RATE_LIMIT", settings.rate_limit)
        self._of_key = _parse("MTP_KEY_RATE_LIMIT", settings.key_rate_limit) if settings.key_rate_limit else []
        self._windows = WindowStorage()
        self._local = FixedWindowRateLimiter(self._windows)
        self._retry_at = 0.0
        self._url = settings.redis_url
        self._wait_s = min(LONGEST_WAIT_S, settings.latency_budget_ms / 1000)
        self._limiter = (
            FixedWindowRateLimiter(_redis(self._url, self._wait_s))
            if self._url and not _is_cluster(self._url)
            else None
        )

    def hit(self, who: str) -> None:
        """Count one request of *who*.

        :raises RateLimitedError: it is one too many
        """
        self._hit(self._items, who)

    def hit_key(self, key: str) -> None:
        """Count one request of a page with this public key, whoever looks at the page.

        :raises RateLimitedError: it is one too many
        """
        if self._of_key:
            self._hit(self._of_key, f"key:{key}")

    def _hit(self, items: list[RateLimitItem], who: str) -> None:
        for item in items:
            ends = self._count(item, who)
            if ends:
                raise RateLimitedError(max(1, math.ceil(ends - time.time())))

    def _count(self, item: RateLimitItem, who: str) -> float:
        """Count one; 0.0 when it is allowed, else when the window ends (seconds since 1970)."""
        if self._url and self._may_try():
            try:
                ends = _hit(self._shared(), item, who)
            except StorageError as error:
                log.warning("rate limits cannot be shared, counting in this process for %g s: %s", PAUSE_S, error)
                self._retry_at = time.monotonic() + PAUSE_S
            else:
                self._retry_at = 0.0
                return ends
        key = item.key_for(NAMESPACE, who)
        if self._windows.incr(key, item.get_expiry()) <= item.amount:
            return 0.0
        return self._local.get_window_stats(item, NAMESPACE, who).reset_time

    def _shared(self) -> FixedWindowRateLimiter:
        """That of a cluster is made when it is first needed: it asks for the nodes at once."""
        if self._limiter is None:
            try:
                self._limiter = FixedWindowRateLimiter(_redis(self._url, self._wait_s))
            except Exception as error:  # what redis-py raises here is of no common kind
                raise StorageError(error) from error
        return self._limiter

    def _may_try(self) -> bool:
        """Whether Redis is to be asked; after a pause one request tries, the others of that moment do not wait."""
        if not self._retry_at:
            return True
        now = time.monotonic()
        if now < self._retry_at:
            return False
        self._retry_at = now + PAUSE_S
        return True


def _hit(limiter: FixedWindowRateLimiter, item: RateLimitItem, who: str) -> float:
    return 0.0 if limiter.hit(item, NAMESPACE, who) else limiter.get_window_stats(item, NAMESPACE, who).reset_time


def _parse(name: str, text: str) -> list[RateLimitItem]:
    try:
        return list(parse_many(text))
    except ValueError:
        remedy = 'write it like "600 per minute" or "20 per second; 600 per minute"'
        raise SettingError(name, text, remedy) from None


def _is_cluster(url: str) -> bool:
    return url.startswith("redis+cluster:")


def _redis(url: str, wait_s: float) -> Storage:
    url = url.replace("unix://", "redis+unix://", 1) if url.startswith("unix://") else url
    storage = storage_from_string(
        url, wrap_exceptions=True, key_prefix="mtp:limits", socket_timeout=wait_s, socket_connect_timeout=wait_s
    )
    assert isinstance(storage, Storage)  # noqa: S101  the asynchronous ones have other addresses
    return storage
