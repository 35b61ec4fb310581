"""The path of an event and of a request, as code: read this first.

``ingest`` makes events durable and folds them into profiles; ``recommend`` answers one request with a slate. What
learns from what came of slates does so in jobs. The stages called here compute only: stores, clock and chance stay
outside of them and come in as arguments.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import count

from msgspec.structs import replace

from .afterwards import Afterwards
from .bandit.null import NoBandit
from .bandit.rows import Creative
from .bandits import LiveBandits
from .config import Settings
from .draft import Draft, DraftCache, Pick, Placed, Proposal, Question, picks_of, unseen_first
from .eligible import category_of, eligible_rows, rows_of
from .errors import NotFoundError, UnavailableError
from .experiment.null import NoExperiments
from .exploring import drawn, explored, new_products
from .filters import FilterMasks
from .flights import Flights
from .live import KINDS, Live, Serving
from .people import People
from .ports import Cache, Journal, SlateLog
from .profile.enrich.clock import ClockEnricher
from .profile.fold import Fold
from .profile.read import merge, recent_products
from .rank.diversity import diversify
from .records import (
    NOWHERE,
    BoolArray,
    ConsentLevel,
    Context,
    Decision,
    Event,
    FoldFunction,
    Placement,
    ProductTable,
    Profile,
    Query,
    SegmentRef,
    Slate,
    SlateEntry,
    SlateItem,
    SlateRequest,
    Strategy,
    Surroundings,
)
from .rule_source import Served
from .rules.plan import alternatives, plan_of
from .slotting import Filled, filled
from .steer import Steering, arranged

log = logging.getLogger(__name__)

LAST_RUNG = Strategy.BEST_SELLERS
OWN_PAST = frozenset({Strategy.RECENTLY_VIEWED, Strategy.BUY_IT_AGAIN})
NO_WORDS = Creative()
SPARES = 12
"""Products kept beyond the slate, to stand in for what the shop says cannot be bought."""
MORE_SPARES = 200
"""Spares of the second try, when too few of the first could be bought."""
MASKS_OF_RULES = 512
"""Conditions of rules whose answers for the whole catalogue are remembered."""

Availability = Callable[[Sequence[str]], Mapping[str, bool]]

STEPS = ("profile", "decide", "candidates", "availability", "slate")
"""What a slate's time goes into: reading the profile; segment, experiment, policies and rules; candidates, blend and
rank; the shop's word on what can be bought; and the whole."""
Observe = Callable[[Slate, str, tuple[float, ...]], None]
"""Told of each slate: the slate, ``draft``, ``miss`` or ``own`` (from the cache, not in it, never in it), and seconds
by :data:`STEPS`."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages that a shop may not have yet; each default does nothing."""

    experiments: NoExperiments = field(default_factory=NoExperiments)
    bandit: NoBandit | LiveBandits = field(default_factory=NoBandit)


class Reading:
    """What was read of a visitor for one page: its later blocks need not ask the store again.

    It holds until this process takes events, which may be that visitor's.
    """

    __slots__ = ("known", "profile")

    def __init__(self) -> None:
        self.known: tuple[tuple[str, ...], int] | None = None
        self.profile: Profile | None = None


class Pipeline:
    """Events in, slates out.

    :param availability: the shop's word on what can be bought now, asked once a slate
    :param new_id: gives ids for slates, sorting by time
    :param switch_off: told of rules that fail: their version, and by rule what went wrong
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
        switch_off: Callable[[int, dict[str, str]], None] = lambda version, faults: None,
        people: People | None = None,
    ) -> None:
        self.settings, self.journal, self.slates, self.live = settings, journal, slates, live
        self.placements, self.availability, self.new_id = placements, availability, new_id
        self.stages, self.people = stages or Stages(), people
        self.fold = Fold(settings)
        self.clock = ClockEnricher(settings.time_zone, settings.commuting)
        self._takings = count(1)
        self._taken = 0
        self._folder: tuple[ProductTable, FoldFunction] | None = None
        self.drafts = DraftCache(cache, settings.cache_seconds)
        self._flights = Flights()
        self._afterwards: Afterwards[Draft] = Afterwards(settings.cache_seconds)
        self.filters = FilterMasks()
        self.steering = Steering(FilterMasks(MASKS_OF_RULES), switch_off)
        live.prepare = self.steering.prepare
        self._plain = self.stages.experiments == NoExperiments()
        self.observe: Observe = lambda slate, cache, seconds: None
        self.admitted: Callable[[Sequence[Event]], list[bool]] = lambda events: [True] * len(events)
        """Whether each event may be kept: not after an erasure, a restriction or an objection."""

    def by_page_alone(self, level: ConsentLevel) -> bool:
        """Whether a slate without a profile and a cart depends on nothing but its placement and the page.

        What is the same for everybody knows no more than the page to begin with; above that it is up to the rules, and
        to segments that a request alone may belong to. Policies that learn try nothing on anybody here, see
        :class:`mtp_plugin.bandit.stage.Ask`.
        """
        if level is ConsentLevel.NON_PERSONAL or not self._plain:
            return self._plain
        serving = self.live.get()
        return serving.rules.reader.page_alone and serving.segments.page_alone

    # -------------------------------------------------------------------------------------------- events

    def ingest(self, events: Sequence[Event]) -> list[bool]:
        """Make events durable, fold them into their profiles, link who they are of; gives for each whether it was new.

        :raises mtp_plugin.errors.UnavailableError: some of that could not be done; again, it changes nothing that was
        """
        admitted = self.admitted(events)
        if not all(admitted):
            kept = iter(self.ingest([event for event, good in zip(events, admitted, strict=True) if good]))
            return [good and next(kept) for good in admitted]
        if not events:
            return []
        known = self.journal.record(events, self.folding(self.live.get().table))
        self._taken = next(self._takings)
        if self.people:  # repeated events, too: who recorded them may have ended before it linked anybody
            self.people.observe(events, events[-1].received_at)
        return known

    def rebuild(self, progress: Callable[[int], None] | None = None) -> int:
        """Fold all profiles anew from the stored events; gives their number."""
        return self.journal.rebuild(self.folding(self.live.get().table), progress=progress)

    def folding(self, table: ProductTable) -> FoldFunction:
        """The fold over this catalogue, always the same: what is recorded together is then folded together."""
        known = self._folder
        if known is None or known[0] is not table:
            known = self._folder = (table, partial(self._fold, table))
        return known[1]

    def _fold(self, table: ProductTable, profile: Profile | None, events: Sequence[Event]) -> Profile:
        return self.fold(profile, events, table.facts)

    # -------------------------------------------------------------------------------------------- slates

    def recommend(self, request: SlateRequest, reading: Reading | None = None) -> Slate:
        """Answer one request: as asked if that can be, else by the next rung of the ladder, at the worst empty.

        :param reading: shared by the blocks of a page
        :raises NotFoundError: no such placement or segment
        :raises mtp_plugin.errors.ConditionError: a malformed ``filter``
        """
        started = time.perf_counter()
        question = self._question(request, started=started, reading=reading)
        draft = self._draft(question)
        asked = time.perf_counter()
        found, refused, draft = self._sellable(question, draft)
        answered = time.perf_counter()
        slate = self._slate(question, draft, found, (started, asked, answered))
        cache = "draft" if draft.reused else "miss" if draft.shared else "own"
        read, decided, now = question.read_at, question.decided_at, time.perf_counter()
        self.observe(slate, cache, (read - started, decided - read, asked - decided, answered - asked, now - started))
        if question.own or not draft.reused:
            self.slates.append(partial(self._entry, slate, question, draft, refused))
        if question.own and draft.shared and not draft.reused:
            self.slates.append(partial(_shared_entry, slate, question, draft, refused))
        return slate

    def preview(self, request: SlateRequest, rules: Served | None = None) -> tuple[Slate, Question]:
        """The slate of a request and what was decided about it; nothing is remembered or logged.

        :param rules: instead of those that serve
        :raises NotFoundError: no such placement or segment
        """
        slate, question, _, _ = self._previewed(request, None, rules)
        return slate, question

    def explain(
        self, request: SlateRequest, placement: Placement | None = None, rules: Served | None = None
    ) -> SlateEntry:
        """The slate of a request with all that it came from; nothing is remembered or logged.

        :param placement: instead of the one that stands there
        :param rules: instead of those that serve
        :raises NotFoundError: no such placement or segment
        """
        return _entry(*self._previewed(request, placement, rules))

    def _previewed(
        self, request: SlateRequest, placement: Placement | None, rules: Served | None
    ) -> tuple[Slate, Question, Draft, tuple[str, ...]]:
        started = time.perf_counter()
        question = self._question(request, rules, placement, started=started)
        draft = self._compose(question, SPARES)
        asked = time.perf_counter()
        found, refused, draft = self._sellable(question, draft)
        return self._slate(question, draft, found, (started, asked, time.perf_counter())), question, draft, refused

    def _question(
        self,
        request: SlateRequest,
        rules: Served | None = None,
        placement: Placement | None = None,
        *,
        started: float,
        reading: Reading | None = None,
    ) -> Question:
        """Profile, segment, experiment, strategy: what is decided before candidates are looked for.

        :param started: when the latency budget began, by ``time.perf_counter``
        """
        placement = placement or self._placement(request.placement)
        request = self._whole(request)
        profile, serving, read_at = self._profile(request, reading), self.live.get(), time.perf_counter()
        request = self._by_own_clock(request, profile)
        serving = serving if rules is None else self.live.under(serving, rules)
        segment = self._segment(request, profile, serving)
        assignment = self.stages.experiments.assign(request, segment)
        chosen = self.stages.bandit.choose(placement, request, segment)
        plan = self.steering.plan(placement, request, profile, segment, serving)
        chosen = chosen.under(plan.ladder, worded=bool(plan.title or plan.message))
        decided_at = time.perf_counter()
        deadline = started + self.settings.latency_budget_ms / 1000
        return Question(
            placement, request, profile, serving, segment, assignment, chosen, plan, read_at, decided_at, deadline
        )

    def profile_of(self, profile_ids: tuple[str, ...], level: ConsentLevel, now: float) -> Profile | None:
        """What is known of a visitor, as a slate reads it; ``None`` below full consent."""
        request = SlateRequest(placement="", now=now, consent_level=level, profile_ids=profile_ids)
        return self._profile(self._whole(request))

    def _by_own_clock(self, request: SlateRequest, profile: Profile | None) -> SlateRequest:
        """The request with the time of day where its visitor is, as earlier events told when this request cannot."""
        context = request.context
        zone = profile.traits.get("time_zone") if profile else None
        if context.time_zone or context.hour is None or not isinstance(zone, str):
            return request
        said = self.clock.at(request.now, zone)
        return replace(request, context=replace(context, **said))

    def _whole(self, request: SlateRequest) -> SlateRequest:
        """The request with all profiles of its visitor, and the id that experiments assign by."""
        if self.people is None or not request.profile_ids:
            return request
        person = self.people.resolve(request.profile_ids)
        if person.profile_ids == request.profile_ids and person.unit == request.unit:
            return request
        return replace(request, profile_ids=person.profile_ids, unit=person.unit)

    def _placement(self, name: str) -> Placement:
        placement = self.placements.get(name)
        if placement is None:
            raise NotFoundError(
                f"there is no placement {name!r}; there are {', '.join(self.placements)}", field="placement"
            )
        return placement

    def _profile(self, request: SlateRequest, reading: Reading | None = None) -> Profile | None:
        if request.consent_level is not ConsentLevel.FULL or not request.profile_ids or request.segment_id:
            return None  # a slate of a segment is the same for all who ask for it
        known = request.profile_ids, self._taken
        if reading is None:
            return self._read(request.profile_ids)
        if reading.known != known:
            reading.profile = self._read(request.profile_ids)
            reading.known = known
        return reading.profile

    def _read(self, profile_ids: tuple[str, ...]) -> Profile | None:
        try:
            found = [profile for profile in self.journal.profiles(profile_ids) if profile]
            return merge(found, self.settings.half_life_days * 86400)
        except UnavailableError as error:
            log.warning("profile could not be read, answering without: %s", error)
            return None

    def _segment(self, request: SlateRequest, profile: Profile | None, serving: Serving) -> SegmentRef | None:
        if not request.segment_id:
            if request.consent_level is ConsentLevel.NON_PERSONAL:
                return None  # what is the same for everybody knows no more than the page
            return serving.segments.assign(profile, request.context, request.now)
        segment = serving.segments.find(request.segment_id)
        if segment is None:
            raise NotFoundError(f"there is no segment {request.segment_id!r}", field="segment_id")
        return segment

    def _draft(self, question: Question) -> Draft:
        key = self.drafts.key(question)
        if key is None:
            return self._compose(question, SPARES)
        made = self._afterwards.take(key)
        if made is not None:
            self.drafts.set(key, made.value, made.took, age=time.monotonic() - made.at)
            return made.value
        known = self.drafts.get(key)
        if known is not None and not known.ageing:
            return known
        # Whoever has one that is still good does not wait for somebody else's renewal.
        with self._flights.first(key, question.deadline if known is None else 0.0) as first:
            known = known if first else self.drafts.get(key) or known
            if known is not None and not first:
                return known
            began = time.perf_counter()
            draft = self._shared(question)
            if draft.late:  # what there was no time for, the next one is to have
                unhurried = replace(question, deadline=math.inf)
                known = known or self.drafts.get(key)  # perhaps somebody had the time meanwhile
                if known is None or known.ageing:
                    self._afterwards.want(key, partial(self._shared, unhurried))
                if known is not None:
                    return known
            self.drafts.set(key, draft, time.perf_counter() - began)
        return draft

    def _shared(self, question: Question) -> Draft:
        draft = self._compose(question, SPARES)
        shared_id = draft.recommendation_id or self.new_id(question.request.now)
        return replace(draft, shared=True, recommendation_id=shared_id)

    def _compose(self, question: Question, spares: int, placed: tuple[Placed, ...] | None = None) -> Draft:
        """Candidates, rules' filters and weights, rank, diversity: one rung of the ladder after the other.

        :param placed: what rules have placed already
        """
        request, placement, serving, steering = question.request, question.placement, question.serving, self.steering
        eligible = eligible_rows(placement, request, question.profile, serving.table, self.filters)
        query = self._query(question, steering.allowed(question, eligible))
        placed = steering.placed(question, query, eligible) if placed is None else placed
        wanted = question.size + spares
        picks: list[Pick] = []
        proposals: list[Proposal] = []
        late = False
        for level, strategy in enumerate(_with_last(question.ladder)):
            enough = wanted if level < len(question.ladder) else placement.min_items
            late = len(picks) < enough and bool(picks) and time.perf_counter() > question.deadline
            if len(picks) >= enough or late:
                break
            depth = steering.depth(question.plan) * wanted
            found = question.recommender.candidates(strategy, query, depth)
            proposals.append(Proposal(strategy, found, serving.table, depth))
            found, touched = steering.steered(question, found, [*picks, *(place.picks[0] for place in placed)])
            order = diversify(found, serving.table, serving.titles, wanted)
            more = picks_of(found, order, serving.table, level, strategy, touched)
            taken = {pick.product_id for pick in picks}
            picks += [pick for pick in more if pick.product_id not in taken] if taken else more
        return Draft(
            recommendation_id="" if question.own else self.new_id(request.now),  # theirs is made with the slate
            picks=tuple(picks[:wanted]),
            placed=placed,
            arms=self._arms(question, query),
            fresh=self._fresh(question, query),
            proposals=tuple(proposals),
            late=late,
        )

    def _arms(self, question: Question, query: Query) -> tuple[Pick, ...]:
        """The products that the settings name for a slot, of those that may be shown."""
        slot, table, allowed = question.chosen.slot, question.serving.table, query.eligible
        rows = rows_of(table, slot.product_ids) if slot else ()
        names = (table.products[row].product_id for row in rows if allowed is None or allowed[row])
        return tuple(Pick(name, 0.0, (), "", 0, question.ladder[0]) for name in names)

    def _fresh(self, question: Question, query: Query) -> tuple[str, ...]:
        """The new products that a placement that explores may try."""
        if not question.placement.exploration or question.profile is None:
            return ()
        return new_products(question.serving.table, query.eligible, query.now, self.settings.new_days * 86400)

    def _query(self, question: Question, eligible: BoolArray) -> Query:
        request, profile, table = question.request, question.profile, question.serving.table
        idle = self.settings.session_idle_minutes * 60
        personal = request.consent_level is not ConsentLevel.NON_PERSONAL and not request.segment_id
        session, earlier = recent_products(profile, request.now, idle) if profile else ((), ())
        return Query(
            now=request.now,
            session=rows_of(table, session),
            history=rows_of(table, earlier),
            in_view=rows_of(table, request.product_ids),
            cart=rows_of(table, request.cart_ids) if personal else (),
            category=category_of(table, request.context.category),
            profile=profile,
            eligible=eligible,
            seed=request.seed,
            segment=question.segment,
            surroundings=_surroundings(request.context) if profile else NOWHERE,  # other answers are shared
        )

    def _sellable(self, question: Question, draft: Draft) -> tuple[Filled, tuple[str, ...], Draft]:
        """The slate's products with what was chosen among them, those that the shop refused, and the draft of it all.

        It is asked once. Only where it refused so many that the spares do not fill the slate, more are looked for
        without them and it is asked a second time.
        """
        tried = drawn(question, draft.fresh)
        ranked, available, refused = self._ask(question, draft, tried)
        lacking = len(draft.picks) > len(ranked) and len(ranked) < question.size
        if lacking:
            known = tuple(pick.product_id for pick in draft.picks)
            request = question.request
            without = replace(request, exclude_ids=request.exclude_ids + known)
            # Limits count what stands in the slate, not what rules would place there a second time.
            more = self._compose(replace(question, request=without), MORE_SPARES, draft.placed)
            more = replace(more, placed=(), arms=())
            found, _, also = self._ask(question, more)
            ranked, refused = ranked + found, refused + also
            proposals, late = draft.proposals + more.proposals, draft.late or more.late
            draft = replace(draft, proposals=proposals, late=late)
        if not about_past(question.placement):
            ranked = unseen_first(ranked, question.request.shown_ids)
        arms = [arm for arm in draft.arms if available.get(arm.product_id, False)]
        slate = filled(
            question.chosen.slot, ranked, arms, lambda picks: arranged(picks, draft.placed, available, question.size)
        )
        slate = explored(question, slate, draft.fresh, tried, available)
        return (slate if len(slate.picks) >= question.placement.min_items else Filled([], [])), refused, draft

    def _ask(
        self, question: Question, draft: Draft, tried: Pick | None = None
    ) -> tuple[list[Pick], Mapping[str, bool], tuple[str, ...]]:
        """What of a draft the shop can sell: its picks in order, the shop's words, and those that it refused."""
        placed = [pick for place in draft.placed for pick in place.picks]
        picks = [*draft.picks, *placed, *draft.arms, *((tried,) if tried else ())]
        asked = dict.fromkeys([pick.product_id for pick in picks])
        for product_id in question.request.cart_ids:
            asked.pop(product_id, None)
        available = self._available(list(asked))
        sold = {product_id: available.get(product_id, False) for product_id in asked}
        if len(asked) == len(picks) == len(draft.picks) and all(sold.values()):
            return picks, sold, ()
        kept = [pick for pick in draft.picks if sold.get(pick.product_id, False)]
        return kept, sold, tuple([product_id for product_id, can in sold.items() if not can])

    def all_sellable(self, product_ids: Sequence[str]) -> bool:
        """Whether the shop says that each of these can be bought now."""
        available = self._available(product_ids)
        return all(available.get(product_id, False) for product_id in product_ids)

    def _entry(self, slate: Slate, question: Question, draft: Draft, refused: tuple[str, ...]) -> SlateEntry:
        """The slate as it is logged, with the experiments that made a difference to it; off the request's path."""
        entry = _entry(slate, question, draft, refused)
        decision = question.plan.decision
        exposures = {one.experiment_id: one.variation for one in decision.exposures}
        if exposures and draft.late:  # what there was no time for is no difference between variations
            draft = self._compose(replace(question, deadline=math.inf), SPARES)
        seen = {
            name: variation
            for name, variation in exposures.items()
            if any(self._differs(question, draft, other) for other in alternatives(decision, name))
        }
        return replace(entry, exposures=tuple(seen.items())) if seen else entry

    def _differs(self, question: Question, draft: Draft, decision: Decision) -> bool:
        """Whether another decision would have shown something else."""
        plan, other = question.plan, plan_of(decision)
        if (plan.title, plan.message) != (other.title, other.message):
            return True
        own = question.placement.strategies if plan.ladder else question.ladder
        chosen = replace(question.chosen, ladder=other.ladder or own)
        unhurried = replace(question, plan=other, chosen=chosen, deadline=math.inf)
        elsewhere = self._compose(unhurried, SPARES)
        return [pick.product_id for pick in self._first(question, draft)] != [
            pick.product_id for pick in self._first(question, elsewhere)
        ]

    def _first(self, question: Question, draft: Draft) -> list[Pick]:
        """The slate of a draft if all of it could be bought."""
        picks = [*draft.picks, *(pick for place in draft.placed for pick in place.picks)]
        everything = dict.fromkeys((pick.product_id for pick in picks), True)
        return arranged(list(draft.picks), draft.placed, everything, question.size)

    def _available(self, product_ids: Sequence[str]) -> Mapping[str, bool]:
        if not product_ids:
            return {}
        try:
            return self.availability(product_ids)
        except UnavailableError as error:
            # Our own store is away: what was known when the catalogue was loaded has to do.
            log.warning("availability could not be read, going by the catalogue as loaded: %s", error)
            return dict.fromkeys(product_ids, True)
        except Exception:
            # The shop's own callable failed: a product that perhaps cannot be bought must not be shown.
            log.exception("Catalog.availability failed; the block stays empty")
            return {}

    def _slate(self, question: Question, draft: Draft, found: Filled, times: tuple[float, float, float]) -> Slate:
        request, serving, plan = question.request, question.serving, question.plan
        started, asked, answered = times
        kept, chosen, creative = found.picks, question.chosen, question.chosen.creative or NO_WORDS
        shares = found.propensities
        if chosen.propensity != 1.0:
            shares = [chosen.propensity * share for share in shares]
        first = next((pick for pick in kept if not pick.pinned), kept[0] if kept else None)
        return Slate(
            recommendation_id=self.new_id(request.now) if question.own else draft.recommendation_id,
            placement=question.placement.name,
            strategy=first.strategy if first else "",
            fallback_level=first.level if first else len(_with_last(question.ladder)),
            rungs=len(question.ladder),
            items=tuple(map(_item, kept, range(1, len(kept) + 1), shares, self._likely(question, kept))),
            consent_level=request.consent_level,
            segment=question.segment,
            experiment=question.assignment,
            model_version=question.model_version,
            catalog_version=serving.versions[0],
            rules=plan.rule_ids,
            rules_version=serving.rules.version,
            by_visitor=not serving.rules.rules.about_visitors.isdisjoint(plan.rule_ids),
            title=plan.title or creative.title,
            message=plan.message.text if plan.message else creative.message,
            message_url=plan.message.url if plan.message else creative.message_url,
            late=draft.late,
            choices=(*chosen.choices, *((found.choice,) if found.choice else ())),
            created_at=request.now,
            took_us=int((time.perf_counter() - started - (answered - asked)) * 1e6),
            availability_us=int((answered - asked) * 1e6),
        )

    def _likely(self, question: Question, picks: Sequence[Pick]) -> list[float | None]:
        """How probable it is that the visitor buys each; ``None`` of whom nothing is told."""
        profile, serving = question.profile, question.serving
        if profile is None or not serving.likely:
            return [None] * len(picks)
        return serving.likely.by_id(serving.table, profile, [pick.product_id for pick in picks], question.request.now)


def _surroundings(context: Context) -> Surroundings:
    return Surroundings(device=context.device, daypart=context.daypart, country=context.country, region=context.region)


def about_past(placement: Placement) -> bool:
    """Whether the placement shows what visitors know already, wherever else on the page that stands."""
    return not OWN_PAST.isdisjoint(placement.strategies)


def _with_last(ladder: tuple[str, ...]) -> tuple[str, ...]:
    """The ladder and, under it, the rung of last resort; a block about a visitor's own past is rather empty."""
    return ladder if LAST_RUNG in ladder or OWN_PAST.intersection(ladder) else (*ladder, LAST_RUNG)


def _entry(slate: Slate, question: Question, draft: Draft, refused: tuple[str, ...]) -> SlateEntry:
    """The slate as it is logged; of a visitor who did not agree nothing but the page is in it."""
    request, rungs = question.request, tuple(proposal.rung() for proposal in draft.proposals)
    if not question.own:
        rungs = () if request.cart_ids else rungs
        request = replace(
            request,
            cart_ids=(),
            profile_ids=(),
            context=Context(page_type=request.context.page_type, category=request.context.category),
            shown_ids=() if request.cart_ids else request.shown_ids,
        )
    versions = map(str, (*question.serving.versions, question.serving.rules.version))
    made_of = dict(zip(("catalog", *KINDS, "segment_book", "rules"), versions, strict=True))
    return SlateEntry(
        slate=slate,
        request=request,
        profile=question.profile,
        rungs=rungs,
        unavailable=refused,
        versions=made_of | {"behaviour": question.model_version},
        placement=question.placement,
        stands=tuple(place.stand() for place in draft.placed),
        draft_id=draft.recommendation_id if draft.reused else "",
    )


def _shared_entry(slate: Slate, question: Question, draft: Draft, refused: tuple[str, ...]) -> SlateEntry:
    """The same as those will see it who share the draft with the known visitor who was the first to ask."""
    request = replace(question.request, profile_ids=(), unit="")
    shared = replace(slate, recommendation_id=draft.recommendation_id)
    return _entry(shared, replace(question, request=request), draft, refused)


REASONS = {
    "session-neighbours": "session-neighbours",
    "viewed-together": "viewed-together",
    "bought-together": "bought-together",
    "content": "viewed-similar",
    "affinity": "affinity",
    "segment-top": "segment-popular",
    "leans-on-content": "leans-on-content",
    "leans-on-behaviour": "leans-on-behaviour",
    "popular": "popular",
    "trending": "trending",
    "best-sellers": "best-seller",
    "recent": "recently-viewed",
    "buy-again": "buy-it-again",
    "on-sale": "on-sale",
    "newest": "new",
    "likely-to-buy": "likely-to-buy",
}
"""What each candidate source means to a reader."""


@lru_cache(maxsize=4096)
def _codes(origins: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(REASONS.get(origin, origin) for origin in origins)


def _reasons(pick: Pick) -> tuple[str, ...]:
    """Why one that rules moved is there, in codes: a pin first, then where it came from, then the rules."""
    moved_by = (f"rule:{rule_id}" for rule_id in pick.rules)
    return (*(("pinned",) if pick.pinned else ()), *_codes(pick.origins), *moved_by)


def _item(pick: Pick, position: int, propensity: float, likely: float | None) -> SlateItem:
    origins = pick.origins
    return SlateItem(
        product_id=pick.product_id,
        position=position,
        score=pick.score,
        reason_codes=_reasons(pick) if pick.rules else _codes(origins),
        origins=origins,
        propensity=propensity,
        purchase_probability=likely,
        because=pick.because,
    )
