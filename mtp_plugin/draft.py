"""A slate before the shop was asked what can be bought: ranked, with spares. Drafts of no visitor are cached."""

from __future__ import annotations

import hashlib
import math
import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from itertools import repeat

import msgspec

from .bandit.null import Chosen
from .candidates.recommender import Recommender
from .live import Serving
from .ports import Cache
from .records import (
    Assignment,
    BoolArray,
    Candidates,
    ConsentLevel,
    IntArray,
    Placement,
    ProductTable,
    Profile,
    Rung,
    SegmentRef,
    SlateRequest,
    Stand,
)
from .rules.plan import NO_PLAN, Plan

MINUTE = 60.0
LATE_SECONDS = 5
"""How long a draft is kept that there was no time for: those who ask meanwhile need not wait as long for as little."""


class Question(msgspec.Struct, frozen=True, eq=False):
    """A request with all that was decided about it before candidates are looked for.

    ``chosen`` is what policies that learn chose, the ladder of strategies to try among it, ``plan`` what the rules
    want. ``read_at`` and ``decided_at`` say when the profile was there and when all was decided, by
    ``time.perf_counter``, and ``deadline`` when the latency budget of the whole request ends.
    """

    placement: Placement
    request: SlateRequest
    profile: Profile | None
    serving: Serving
    segment: SegmentRef | None
    assignment: Assignment | None
    chosen: Chosen
    plan: Plan = NO_PLAN
    read_at: float = 0.0
    decided_at: float = 0.0
    deadline: float = math.inf

    @property
    def ladder(self) -> tuple[str, ...]:
        """The strategies to try, in order."""
        return self.chosen.ladder

    @property
    def recommender(self) -> Recommender:
        """What answers: the model that serves, or the one that rules say."""
        return self.serving.others.get(self.plan.model, self.serving.recommender)

    @property
    def model_version(self) -> str:
        """The version of the behaviour model that answers."""
        return self.plan.model if self.plan.model in self.serving.others else self.serving.model_version

    @property
    def size(self) -> int:
        """How many products are wanted."""
        return self.request.limit or self.placement.size

    @property
    def own(self) -> bool:
        """Whether the answer is one known visitor's, and not shared."""
        return self.request.consent_level is ConsentLevel.FULL and bool(self.request.profile_ids)


class Pick(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """One ranked product; ``level`` is the rung of the ladder that *strategy* stands on.

    ``rules`` are those that had a part in where it stands; ``pinned``: they put it there.
    """

    product_id: str
    score: float
    origins: tuple[str, ...]
    because: str
    level: int
    strategy: str
    rules: tuple[str, ...] = ()
    pinned: bool = False


class Placed(msgspec.Struct, frozen=True, array_like=True):
    """A place of the slate (from 1) that rules fill, with the first of these that can be bought."""

    position: int
    picks: tuple[Pick, ...]

    def stand(self) -> Stand:
        """As it is logged."""
        return Stand(
            position=self.position,
            rule_id=self.picks[0].rules[0],
            strategy=self.picks[0].strategy,
            product_ids=tuple(pick.product_id for pick in self.picks),
            scores=tuple(pick.score for pick in self.picks),
        )


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What of a draft is cached: until when (seconds since 1970), how many seconds it took, and whether too many."""

    recommendation_id: str
    picks: tuple[Pick, ...]
    placed: tuple[Placed, ...] = ()
    arms: tuple[Pick, ...] = ()
    until: float = math.inf
    took: float = 0.0
    late: bool = False


class Draft(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """``picks`` best first, out of the ``proposals`` of the strategies tried, and what rules have ``placed`` among
    them; ``arms`` are the products that the settings name for a slot, ``fresh`` the new ones that
    may be tried. ``reused`` tells that it came out of the cache,
    where what replay alone needs is not kept, ``shared`` that it went into it.

    ``late`` tells that the latency budget ended before all strategies were asked, ``ageing`` that whoever got it is to
    make it anew, as it expires soon.

    ``recommendation_id`` is that of all who share the draft; a visitor who is known gets one of their own.
    """

    recommendation_id: str
    picks: tuple[Pick, ...]
    placed: tuple[Placed, ...] = ()
    arms: tuple[Pick, ...] = ()
    fresh: tuple[str, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    reused: bool = False
    shared: bool = False
    late: bool = False
    ageing: bool = False


class DraftCache:
    """Drafts that hold nothing of a visitor, for *seconds*.

    What a draft depends on is its key: placement, ladder, segment, page, filter, versions and what the rules decided.
    What policies choose is chosen for each request: their ladder and the words over the block are in the key, so that
    no two share an id; a slot is filled when the shop has said what it sells.
    A request with a cart below full consent is not cached: carts are too many and too personal.

    What expires is wanted by many at once. So it is made anew a little before, by whom chance picks: ever more probably
    as the end comes near, and the earlier the longer it takes to make. Workers and machines need not speak of it.
    (A. Vattani, F. Chierichetti, K. Lowenstein, *Optimal probabilistic cache stampede prevention*, VLDB 2015.)

    :param seconds: that a draft lives
    :param clock: seconds since 1970
    :param chance: gives numbers from 0 to 1, such as ``random.random``
    """

    def __init__(
        self,
        cache: Cache,
        seconds: int,
        *,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._cache, self._seconds, self._clock, self._chance = cache, seconds, clock, chance
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Kept)

    def key(self, question: Question) -> str | None:
        """The key of this question's draft, ``None`` when it must not be shared."""
        request, context = question.request, question.request.context
        with_cart = request.cart_ids and request.consent_level is not ConsentLevel.NON_PERSONAL
        if self._seconds <= 0 or question.profile is not None or with_cart:
            return None
        decision = question.plan.decision
        moment = int(request.now // MINUTE) if decision else 0  # conditions of rules speak of prices of now
        parts = (
            decision.version if decision else 0, [fired.then for fired in decision.fired], moment,
            question.placement, question.ladder, question.segment, question.serving.versions, request.product_ids,
            request.exclude_ids, request.filter, request.private_facts, question.size, request.consent_level,
            context.category, context.query, context.page_type, question.chosen.creative, question.model_version,
        )  # fmt: skip
        try:
            return "draft:" + hashlib.blake2b(self._encoder.encode(parts), digest_size=16).hexdigest()
        except (TypeError, ValueError, OverflowError):
            return None  # a filter may hold what cannot be written out, such as a number of more than 64 bits

    def get(self, key: str) -> Draft | None:
        """The draft under this key, marked as reused; for whom chance picks to make it anew, as ageing, too."""
        found = self._cache.get(key)
        if found is None:
            return None
        try:
            kept = self._decoder.decode(found)
        except msgspec.DecodeError:
            return None
        ahead = -kept.took * math.log(max(self._chance(), 1e-12))
        return Draft(
            recommendation_id=kept.recommendation_id,
            picks=kept.picks,
            placed=kept.placed,
            arms=kept.arms,
            reused=True,
            late=kept.late,
            ageing=self._clock() + ahead >= kept.until,
        )

    def set(self, key: str, draft: Draft, took: float = 0.0, *, age: float = 0.0) -> None:
        """Keep a draft; a late one for a moment only, until there is a better one.

        :param took: seconds it took to make
        :param age: seconds that it has waited since
        """
        seconds = max((min(self._seconds, LATE_SECONDS) if draft.late else self._seconds) - age, 0.0)
        until = self._clock() + seconds
        kept = Kept(draft.recommendation_id, draft.picks, draft.placed, draft.arms, until, took, draft.late)
        self._cache.set(key, self._encoder.encode(kept), max(math.ceil(seconds), 1))


class Proposal(msgspec.Struct, frozen=True, eq=False):
    """What a strategy proposed, as it came; it is put into words when the slate is logged, off the request's path."""

    strategy: str
    found: Candidates
    table: ProductTable
    depth: int = 0

    def rung(self) -> Rung:
        """The proposal as it is logged."""
        found, ids = self.found, self.table.ids
        return Rung(
            strategy=self.strategy,
            product_ids=tuple(ids[found.rows].tolist()),
            scores=tuple(found.scores.tolist()),
            origins=tuple(found.origins.tolist()),
            anchors=tuple(ids[found.anchors].tolist()),
            sources=found.sources,
            depth=self.depth,
        )


def picks_of(
    found: Candidates,
    order: IntArray,
    table: ProductTable,
    level: int,
    strategy: str,
    touched: Mapping[str, BoolArray] | None = None,
) -> list[Pick]:
    """The candidates at these places, in this order.

    :param touched: which of the candidates each rule had a part in
    """
    names = origins_in(found.sources)
    rows, scores, bits, anchors = found.rows[order], found.scores[order], found.origins[order], found.anchors[order]
    ids, because = table.ids[rows].tolist(), table.ids[anchors].tolist()
    by: Iterable[tuple[str, ...]] = repeat(())
    if touched:
        by = [tuple([rule_id for rule_id, hit in touched.items() if hit[place]]) for place in order.tolist()]
    named = [names[one] for one in bits.tolist()]
    return list(map(Pick, ids, scores.tolist(), named, because, repeat(level), repeat(strategy), by))


def unseen_first(ranked: list[Pick], shown_ids: Collection[str]) -> list[Pick]:
    """What no other block of the page shows comes first; a rung of the ladder stays before the next."""
    shown = frozenset(shown_ids)
    return sorted(ranked, key=lambda pick: (pick.level, pick.product_id in shown)) if shown else ranked


class Origins(dict[int, tuple[str, ...]]):
    """Names of the sources in each set of bits, put together when first asked for."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        super().__init__()
        self._sources = sources

    def __missing__(self, bits: int) -> tuple[str, ...]:
        names = tuple(name for shift, name in enumerate(self._sources) if bits >> shift & 1)
        return self.setdefault(bits, names)


origins_in = lru_cache(maxsize=16)(Origins)
"""The names of some sources by sets of bits, the same for all who ask."""
