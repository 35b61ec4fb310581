"""The merchant's hand on the path: facts to a plan, the plan's effects on candidates and slates."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from .draft import Pick, Placed, Question
from .errors import MTPError
from .facts import Subject
from .filters import FilterMasks
from .live import Serving
from .records import BoolArray, Candidates, Placement, Profile, Query, Segment, SegmentRef, SlateRequest
from .rules.apply import Quota, arrange, sieve, weigh
from .rules.plan import NO_PLAN, Plan, Slot, wheres

log = logging.getLogger(__name__)

DEPTH, STEERED_DEPTH = 4, 10
"""How many times the products wanted are looked at: more where rules change their order or refuse some."""
STAND_INS = 3
"""Products that may fill one place, the first that can be bought does."""


class Steering:
    """Applies plans. A rule that fails is left out from then on, and the slate goes on without it.

    :param switch_off: told of a failed rule: version, rule and what went wrong
    """

    def __init__(self, masks: FilterMasks, switch_off: Any = lambda version, faults: None) -> None:
        self._masks, self._switch_off = masks, switch_off
        self._off: set[tuple[int, str]] = set()
        self._segments: tuple[object, dict[str, Segment]] = (None, {})

    def prepare(self, serving: Serving) -> None:
        """Ask the catalogue what the conditions of all rules ask, before a visitor has to wait for it."""
        now = time.time()
        for rule in serving.rules.rules.rules:
            for where in wheres(rule.then):
                try:
                    self._masks.mask(where, serving.table, now, private=True)
                except MTPError as error:
                    log.warning("rule %r: %s", rule.rule_id, error)

    def plan(
        self,
        placement: Placement,
        request: SlateRequest,
        profile: Profile | None,
        segment: SegmentRef | None,
        serving: Serving,
    ) -> Plan:
        """What the rules want of this request; nothing where they cannot be asked."""
        served = serving.rules
        if not served.rules:
            return NO_PLAN
        try:
            about = self.about(serving, segment) if served.reader.asks_of_segment else None
            subject = Subject(request, profile, segment, serving.table, about, serving.likely)
            key = served.reader.key(subject)
            return served.rules.plan(placement.name, request.now, key, lambda: served.reader.facts(subject))
        except Exception:
            log.exception("rules could not be asked, %s goes on without", placement.name)
            return NO_PLAN

    def about(self, serving: Serving, segment: SegmentRef | None) -> Segment | None:
        """What is known of a segment beside its name."""
        if segment is None:
            return None
        known, found = self._segments
        if known is not serving.segments:
            found = {segment.segment_id: segment for segment in serving.segments.all()}
            self._segments = (serving.segments, found)
        return found.get(segment.segment_id)

    def depth(self, plan: Plan) -> int:
        """How many times the products wanted are to be looked at."""
        return STEERED_DEPTH if plan.weights or plan.limits else DEPTH

    def allowed(self, question: Question, eligible: BoolArray) -> BoolArray:
        """Of the eligible rows those that the rules' filters let through."""
        return sieve(question.plan, eligible, self._mask(question)) if question.plan.sieves else eligible

    def steered(
        self, question: Question, found: Candidates, before: Iterable[Pick]
    ) -> tuple[Candidates, Mapping[str, BoolArray]]:
        """Candidates as factors order them and limits leave them, and which of them each rule touched.

        :param before: what the slate has already, which counts for limits
        """
        plan, table = question.plan, question.serving.table
        found, touched = weigh(plan, found, self._mask(question))
        if not plan.limits:
            return found, touched
        quota = Quota(plan.limits, table)
        for pick in before:
            quota.count(table.index[pick.product_id])
        kept = quota.cut(found.rows)
        left = Candidates(
            rows=found.rows[kept],
            scores=found.scores[kept],
            origins=found.origins[kept],
            anchors=found.anchors[kept],
            sources=found.sources,
        )
        return left, {rule_id: hit[kept] for rule_id, hit in touched.items()}

    def placed(self, question: Question, query: Query, eligible: BoolArray) -> tuple[Placed, ...]:
        """What stands at places of its own.

        :param query: with the rows that rules let through
        :param eligible: the rows before the rules: a locked slot heeds no other rule
        """
        found = []
        for slot in question.plan.slots:
            picks = tuple(self._picks(question, slot, query, eligible))
            if picks and slot.position <= question.size:
                found.append(Placed(slot.position, picks))
        return tuple(found)

    def _picks(self, question: Question, slot: Slot, query: Query, eligible: BoolArray) -> Iterable[Pick]:
        table, strategy = question.serving.table, question.ladder[0]
        rows = [table.index[name] for name in slot.product_ids if name in table.index]
        allowed = eligible if slot.locked else query.eligible
        scores: dict[int, float] = {row: 0.0 for row in rows if allowed is None or allowed[row]}
        if not slot.product_ids:
            mask = self._mask(question)(slot.rule_id, slot.where)
            if mask is not None and allowed is not None:
                scores = self._best(question, msgspec.structs.replace(query, eligible=allowed & mask))
        for row, score in list(scores.items())[:STAND_INS]:
            yield Pick(table.products[row].product_id, score, (), "", 0, strategy, (slot.rule_id,), True)

    def _best(self, question: Question, query: Query) -> dict[int, float]:
        for strategy in dict.fromkeys((*question.ladder, "best-sellers")):
            found = question.recommender.candidates(strategy, query, STAND_INS)
            if len(found):
                return dict(zip(found.rows.tolist(), found.scores.tolist(), strict=True))
        return {}

    def _mask(self, question: Question) -> Any:
        version = question.plan.decision.version

        def mask(rule_id: str, where: Mapping[str, Any]) -> BoolArray | None:
            if (version, rule_id) in self._off:
                return None
            try:
                return self._masks.mask(where, question.serving.table, question.request.now, private=True)
            except Exception as error:
                log.exception("rule %r failed and is switched off", rule_id)
                self._off.add((version, rule_id))
                self._switch_off(version, {rule_id: f"{type(error).__name__}: {error}"})
                return None

        return mask


def arranged(ranked: list[Pick], placed: Iterable[Placed], available: Mapping[str, bool], size: int) -> list[Pick]:
    """The slate: those that were ranked, and at their places the first of each that can be bought."""
    slots: list[tuple[int, Pick]] = []
    used: set[str] = set()
    for place in placed:
        for pick in place.picks:
            if available.get(pick.product_id, False) and pick.product_id not in used:
                used.add(pick.product_id)
                slots.append((place.position, pick))
                break
    return arrange([pick for pick in ranked if pick.product_id not in used], slots, size) if slots else ranked[:size]
