"""A slate before the shop was asked what can be bought: ranked, with spares. Drafts of no visitor are cached."""

from __future__ import annotations

import hashlib

import msgspec

from .ports import Cache
from .records import Assignment, ConsentLevel, Placement, Rung, SegmentRef, SlateRequest


class Pick(msgspec.Struct, frozen=True, array_like=True):
    """One ranked product; ``level`` is the rung of the ladder that *strategy* stands on."""

    product_id: str
    score: float
    origins: tuple[str, ...]
    because: str
    level: int
    strategy: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """``picks`` best first; ``reused`` tells that it came out of the cache."""

    recommendation_id: str
    picks: tuple[Pick, ...]
    rungs: tuple[Rung, ...]
    segment: SegmentRef | None = None
    experiment: Assignment | None = None
    propensity: float = 1.0
    reused: bool = False


class DraftCache:
    """Drafts that hold nothing of a visitor, for *seconds*.

    What a draft depends on is its key: placement, page, filter and versions. A request with a cart below full consent
    is not cached: carts are too many and too personal.
    """

    def __init__(self, cache: Cache, seconds: int) -> None:
        self._cache, self._seconds = cache, seconds
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Draft)

    def key(self, placement: Placement, request: SlateRequest, versions: tuple[int, str, str]) -> str | None:
        """The key of this request's draft, ``None`` when it must not be shared."""
        personal = request.consent_level is not ConsentLevel.NON_PERSONAL
        if self._seconds <= 0 or (personal and request.cart_ids):
            return None
        context = request.context
        parts = (
            placement,
            versions,
            request.product_ids,
            request.exclude_ids,
            request.filter,
            request.limit,
            request.segment_id,
            request.consent_level,
            context.category,
            context.query,
            context.page_type,
        )
        return "draft:" + hashlib.blake2b(self._encoder.encode(parts), digest_size=16).hexdigest()

    def get(self, key: str) -> Draft | None:
        """The draft under this key, marked as reused."""
        found = self._cache.get(key)
        if found is None:
            return None
        try:
            return msgspec.structs.replace(self._decoder.decode(found), reused=True)
        except msgspec.DecodeError:
            return None

    def set(self, key: str, draft: Draft) -> None:
        """Keep a draft; what replay alone needs stays out."""
        self._cache.set(key, self._encoder.encode(msgspec.structs.replace(draft, rungs=())), self._seconds)
