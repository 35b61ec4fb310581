"""The path of an event and of a request, as code: read this first.

``ingest`` makes events durable and folds them into profiles; ``recommend`` answers one request with a slate;
``feedback`` lets what learns online learn. The stages called here compute only: stores, clock and chance stay outside
of them and come in as arguments.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from .bandit.null import NoBandit
from .config import Settings
from .draft import Draft, DraftCache, Pick
from .errors import NotFoundError, UnavailableError
from .experiment.null import NoExperiments
from .filters import FilterMasks
from .live import Live, Serving
from .ports import Cache, Journal, SlateLog
from .profile.fold import Fold
from .profile.read import current_session, history, merge
from .rank.diversity import diversify
from .records import (
    BoolArray,
    Candidates,
    ConsentLevel,
    Event,
    Placement,
    ProductTable,
    Profile,
    Query,
    Rung,
    SegmentRef,
    Slate,
    SlateEntry,
    SlateItem,
    SlateRequest,
    Strategy,
)
from .rules.null import NoRules
from .segment.null import NoSegments

log = logging.getLogger(__name__)

LAST_RUNG = Strategy.BEST_SELLERS
OWN_PAST = frozenset({Strategy.RECENTLY_VIEWED, Strategy.BUY_IT_AGAIN})
SPARES = 12
"""Products kept beyond the slate, to stand in for what the shop says cannot be bought."""

Availability = Callable[[Sequence[str]], Mapping[str, bool]]


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages that a shop may not have yet; each default does nothing."""

    segments: NoSegments = field(default_factory=NoSegments)
    experiments: NoExperiments = field(default_factory=NoExperiments)
    bandit: NoBandit = field(default_factory=NoBandit)
    rules: NoRules = field(default_factory=NoRules)


class Pipeline:
    """Events in, slates out.

    :param availability: the shop's word on what can be bought now, asked once a slate
    :param new_id: gives ids for slates, sorting by time
    """

    def __init__(
        self,
        *,
        settings: Settings,
        journal: Journal,
        slates: SlateLog,
        live: Live,
        cache: Cache,
        placements: Mapping[str, Placement],
        availability: Availability,
        new_id: Callable[[float], str],
        stages: Stages | None = None,
    ) -> None:
        self.settings, self.journal, self.slates, self.live = settings, journal, slates, live
        self.placements, self.availability, self.new_id = placements, availability, new_id
        self.stages = stages or Stages()
        self.fold = Fold(settings)
        self.drafts = DraftCache(cache, settings.cache_seconds)
        self.filters = FilterMasks()

    # -------------------------------------------------------------------------------------------- events

    def ingest(self, events: Sequence[Event]) -> list[bool]:
        """Make events durable and fold them into their profiles; gives for each whether it was new."""
        if not events:
            return []
        known = self.journal.record(events, partial(self._fold, self.live.get().table))
        for event, new in zip(events, known, strict=True):
            if new and event.recommendation_id:
                self.feedback(event)
        return known

    def rebuild(self, progress: Callable[[int], None] | None = None) -> int:
        """Fold all profiles anew from the stored events; gives their number."""
        return self.journal.rebuild(partial(self._fold, self.live.get().table), progress=progress)

    def _fold(self, table: ProductTable, profile: Profile | None, events: Sequence[Event]) -> Profile:
        return self.fold(profile, events, table.facts)

    def feedback(self, event: Event) -> None:
        """Tell the policies that learn online of an event that names the slate it came from."""
        self.stages.bandit.update(event)

    # -------------------------------------------------------------------------------------------- slates

    def recommend(self, request: SlateRequest) -> Slate:
        """Answer one request: as asked if that can be, else by the next rung of the ladder, at the worst empty.

        :raises NotFoundError: no such placement or segment
        :raises mtp_plugin.errors.ConditionError: a malformed ``filter``
        """
        started = time.perf_counter()
        placement = self._placement(request.placement)
        serving = self.live.get()
        profile = self._profile(request)
        draft = self._draft(placement, request, profile, serving)
        return self._finish(placement, request, profile, draft, serving, started)

    def _placement(self, name: str) -> Placement:
        placement = self.placements.get(name)
        if placement is None:
            raise NotFoundError(
                f"there is no placement {name!r}; there are {', '.join(self.placements)}", field="placement"
            )
        return placement

    def _profile(self, request: SlateRequest) -> Profile | None:
        if request.consent_level is not ConsentLevel.FULL or not request.profile_ids:
            return None
        try:
            found = [profile for profile in self.journal.profiles(request.profile_ids) if profile]
            return merge(found, self.settings.half_life_days * 86400)
        except UnavailableError as error:
            log.warning("profile could not be read, answering without: %s", error)
            return None

    def _draft(self, placement: Placement, request: SlateRequest, profile: Profile | None, serving: Serving) -> Draft:
        if profile is not None:
            return self._compose(placement, request, profile, serving)
        key = self.drafts.key(placement, request, serving.versions)
        draft = self.drafts.get(key) if key else None
        if draft is None:
            draft = self._compose(placement, request, None, serving)
            if key:
                self.drafts.set(key, draft)
        return draft

    def _compose(self, placement: Placement, request: SlateRequest, profile: Profile | None, serving: Serving) -> Draft:
        segment = self._segment(request, profile)
        assignment = self.stages.experiments.assign(request, segment)
        ladder, propensity = self.stages.bandit.choose(placement, request, segment)
        eligible = self._eligible(placement, request, profile, serving.table)
        query = self._query(request, profile, serving.table, eligible)
        wanted = self._size(placement, request) + SPARES
        picks: list[Pick] = []
        rungs: list[Rung] = []
        deadline = time.perf_counter() + self.settings.latency_budget_ms / 1000
        for level, strategy in enumerate(_with_last(ladder)):
            enough = wanted if level < len(ladder) else placement.min_items
            if len(picks) >= enough or (rungs and time.perf_counter() > deadline):
                break
            found = serving.recommender.candidates(strategy, query, 4 * wanted)
            found = self.stages.rules.apply(found, serving.table, request, segment)
            order = diversify(found, serving.table, wanted)
            rungs.append(_rung(strategy, found, serving.table))
            taken = {pick.product_id for pick in picks}
            picks += [p for p in _picks(found, order, serving.table, level, strategy) if p.product_id not in taken]
        return Draft(
            recommendation_id=self.new_id(request.now),
            picks=tuple(picks[:wanted]),
            rungs=tuple(rungs),
            segment=segment,
            experiment=assignment,
            propensity=propensity,
        )

    def _segment(self, request: SlateRequest, profile: Profile | None) -> SegmentRef | None:
        if not request.segment_id:
            return self.stages.segments.assign(profile, request.context, request.now)
        segment = self.stages.segments.find(request.segment_id)
        if segment is None:
            raise NotFoundError(f"there is no segment {request.segment_id!r}", field="segment_id")
        return segment

    def _eligible(
        self, placement: Placement, request: SlateRequest, profile: Profile | None, table: ProductTable
    ) -> BoolArray:
        eligible = table.visible & table.in_stock
        left_out = _rows(table, request.exclude_ids)
        if profile is not None and not placement.allow_repeats:
            left_out += _rows(table, (item.product_id for item in profile.recent))
        if placement.exclude_in_view:
            left_out += _rows(table, request.product_ids)
        eligible[list(left_out)] = False
        below = _below(table, request.context.category)
        if below is not None:
            eligible &= below
        return eligible & self.filters.mask(request.filter, table, request.now) if request.filter else eligible

    def _query(self, request: SlateRequest, profile: Profile | None, table: ProductTable, eligible: BoolArray) -> Query:
        idle = self.settings.session_idle_minutes * 60
        personal = request.consent_level is not ConsentLevel.NON_PERSONAL
        return Query(
            now=request.now,
            session=_rows(table, current_session(profile, request.now, idle)) if profile else (),
            history=_rows(table, history(profile, request.now, idle)) if profile else (),
            in_view=_rows(table, request.product_ids),
            cart=_rows(table, request.cart_ids) if personal else (),
            category=_category(table, request.context.category),
            profile=profile,
            eligible=eligible,
            seed=request.seed,
        )

    def _size(self, placement: Placement, request: SlateRequest) -> int:
        return request.limit or placement.size

    def _finish(
        self,
        placement: Placement,
        request: SlateRequest,
        profile: Profile | None,
        draft: Draft,
        serving: Serving,
        started: float,
    ) -> Slate:
        in_cart = frozenset(request.cart_ids)
        picks = [pick for pick in draft.picks if pick.product_id not in in_cart]
        asked = time.perf_counter()
        available = self._available([pick.product_id for pick in picks])
        answered = time.perf_counter()
        kept = [pick for pick in picks if available.get(pick.product_id, False)][: self._size(placement, request)]
        if len(kept) < placement.min_items:
            kept = []
        slate = Slate(
            recommendation_id=draft.recommendation_id,
            placement=placement.name,
            strategy=kept[0].strategy if kept else placement.strategies[0],
            fallback_level=kept[0].level if kept else len(placement.strategies),
            items=tuple(_item(pick, position, draft.propensity) for position, pick in enumerate(kept, 1)),
            consent_level=request.consent_level,
            segment=draft.segment,
            experiment=draft.experiment,
            model_version=serving.model_version,
            catalog_version=serving.versions[0],
            created_at=request.now,
            took_us=int((time.perf_counter() - started - (answered - asked)) * 1e6),
            availability_us=int((answered - asked) * 1e6),
        )
        self._log(slate, request, profile, draft, picks, available, serving)
        return slate

    def _available(self, product_ids: list[str]) -> Mapping[str, bool]:
        if not product_ids:
            return {}
        try:
            return self.availability(product_ids)
        except Exception:
            # The shop's own callable failed: a product that perhaps cannot be bought must not be shown.
            log.exception("Catalog.availability failed; the block stays empty")
            return {}

    def _log(
        self,
        slate: Slate,
        request: SlateRequest,
        profile: Profile | None,
        draft: Draft,
        picks: Iterable[Pick],
        available: Mapping[str, bool],
        serving: Serving,
    ) -> None:
        if draft.reused:
            return
        self.slates.append(
            SlateEntry(
                slate=slate,
                request=request,
                profile=profile,
                rungs=draft.rungs,
                unavailable=tuple(pick.product_id for pick in picks if not available.get(pick.product_id, False)),
                versions=dict(zip(("catalog", "behaviour", "content"), map(str, serving.versions), strict=True)),
            )
        )


def _with_last(ladder: tuple[str, ...]) -> tuple[str, ...]:
    """The ladder and, under it, the rung of last resort; a block about a visitor's own past is rather empty."""
    return ladder if LAST_RUNG in ladder or OWN_PAST.intersection(ladder) else (*ladder, LAST_RUNG)


def _rows(table: ProductTable, product_ids: Iterable[str]) -> tuple[int, ...]:
    index = table.index
    return tuple(index[product_id] for product_id in product_ids if product_id in index)


def _category(table: ProductTable, category: str) -> int:
    try:
        return table.category_names.index(category) if category else -1
    except ValueError:
        return -1


def _below(table: ProductTable, category: str) -> BoolArray | None:
    """Which rows lie below a category that holds others, such as a department; ``None`` for any other."""
    if not category or category in table.category_names:
        return None
    inside = np.zeros(len(table.category_names) + 1, dtype=np.bool_)  # the last is code -1: no category
    inside[[code for code, name in enumerate(table.category_names) if name.startswith(f"{category} > ")]] = True
    return inside[table.category] if inside.any() else None


def _origin_names(candidates: Candidates, bits: int) -> tuple[str, ...]:
    return tuple(name for shift, name in enumerate(candidates.sources) if bits >> shift & 1)


def _rung(strategy: str, found: Candidates, table: ProductTable) -> Rung:
    products = table.products
    return Rung(
        strategy=strategy,
        product_ids=tuple(products[row].product_id for row in found.rows.tolist()),
        scores=tuple(found.scores.tolist()),
        origins=tuple(found.origins.tolist()),
        anchors=tuple(products[row].product_id if row >= 0 else "" for row in found.anchors.tolist()),
        sources=found.sources,
    )


def _picks(found: Candidates, order: Iterable[int], table: ProductTable, level: int, strategy: str) -> list[Pick]:
    products = table.products
    rows, scores, origins, anchors = (
        column.tolist() for column in (found.rows, found.scores, found.origins, found.anchors)
    )
    return [
        Pick(
            product_id=products[rows[place]].product_id,
            score=scores[place],
            origins=_origin_names(found, origins[place]),
            because=products[anchors[place]].product_id if anchors[place] >= 0 else "",
            level=level,
            strategy=strategy,
        )
        for place in order
    ]


REASONS = {
    "session-neighbours": "session-neighbours",
    "viewed-together": "viewed-together",
    "bought-together": "bought-together",
    "content": "viewed-similar",
    "affinity": "affinity",
    "popular": "popular",
    "trending": "trending",
    "best-sellers": "best-seller",
    "recent": "recently-viewed",
    "buy-again": "buy-it-again",
    "on-sale": "on-sale",
    "newest": "new",
}
"""What each candidate source means to a reader."""


def _item(pick: Pick, position: int, propensity: float) -> SlateItem:
    return SlateItem(
        product_id=pick.product_id,
        position=position,
        score=pick.score,
        reason_codes=tuple(REASONS.get(origin, origin) for origin in pick.origins),
        origins=pick.origins,
        propensity=propensity,
        because=pick.because,
    )
