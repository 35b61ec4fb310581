"""Webhooks received, in a dictionary."""

from __future__ import annotations

import threading

import msgspec

from ...ports import Webhook


class MemoryWebhooks:
    """Implements :class:`mtp_plugin.ports.WebhookBox`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, Webhook] = {}
        self._bodies: dict[int, bytes] = {}
        self._known: dict[tuple[str, str | bytes], int] = {}
        self._last = 0

    def add(
        self, source: str, topic: str, delivery_id: str, digest: bytes, body: bytes, *, now: float, next_try_at: float
    ) -> Webhook | None:
        keys: tuple[tuple[str, str | bytes], ...] = ((source, delivery_id), (source, digest))
        with self._lock:
            if any(key in self._known for key in keys):
                return None
            self._last += 1
            self._known |= dict.fromkeys(keys, self._last)
            self._bodies[self._last] = body
            self._kept[self._last] = Webhook(
                webhook_id=self._last,
                source=source,
                topic=topic,
                delivery_id=delivery_id,
                received_at=now,
                state="new",
                tries=0,
                next_try_at=next_try_at,
                message="",
            )
            return self._kept[self._last]

    def body(self, webhook_id: int) -> bytes | None:
        return self._bodies.get(webhook_id)

    def finish(self, webhook: Webhook, *, keep_body: bool = True) -> None:
        self._kept[webhook.webhook_id] = webhook
        if not keep_body:
            self._bodies.pop(webhook.webhook_id, None)

    def due(self, now: float, limit: int) -> list[Webhook]:
        wanted = (one for one in self._kept.values() if one.state in ("new", "waiting") and one.next_try_at <= now)
        return list(wanted)[:limit]

    def get(self, webhook_id: int) -> Webhook | None:
        return self._kept.get(webhook_id)

    def kept(self, state: str = "", limit: int = 100) -> list[Webhook]:
        return [one for one in reversed(self._kept.values()) if not state or one.state == state][:limit]

    def of(self, profile_id: str) -> list[Webhook]:
        return [one for one in self._kept.values() if one.profile_id == profile_id and profile_id]

    def erase(self, profile_id: str) -> int:
        return self._empty(self.of(profile_id))

    def erase_source(self, source: str) -> int:
        return self._empty([one for one in self._kept.values() if one.source == source])

    def _empty(self, gone: list[Webhook]) -> int:
        for one in gone:
            state = "ignored" if one.state in ("new", "waiting", "dead") else one.state
            self._kept[one.webhook_id] = msgspec.structs.replace(one, state=state, profile_id="", message="erased")
            self._bodies.pop(one.webhook_id, None)
        return len(gone)

    def purge(self, before: float, *, dry: bool = False) -> int:
        gone = [number for number, one in self._kept.items() if one.received_at < before]
        for number in () if dry else gone:
            del self._kept[number]
            self._bodies.pop(number, None)
        self._known = {key: number for key, number in self._known.items() if number in self._kept}
        return len(gone)
