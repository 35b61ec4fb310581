"""What came of slates is found by time, in the journal: the job that reads its tail and settles who is concerned.

For each person of whom there is news, all that their events say is reckoned anew and compared with what is recorded;
only the difference is written. So nothing counts twice: not after a crash between two steps, and not when events come
late or out of order.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import chain

from .feedback.attribution import NAMES, Policy, Shown, Touch, attribute
from .feedback.settle import settle
from .memory import Remembered
from .records import Event, Outcome, ProductTable, SlateEntry
from .state import State

CURSOR = "feedback"
BATCH = 2000
BATCHES = 50
"""Batches of events read in one run at most; the next one goes on from there."""
SETTLED_S = 3.0
"""Age of an event before it is looked at: by then the slate that it names is written."""
LATEST = 5000
"""Events of a person that are looked at."""


def attribute_new(state: State, now: float | None = None) -> str:
    """Settle everybody of whom there are new events; the job. Gives a line on what it found."""
    now = time.time() if now is None else now
    last, found, persons = int(state.cursors.get(CURSOR) or 0), 0, 0
    for _ in range(BATCHES):
        events, place = state.journal.tail(last, names=NAMES, limit=BATCH)
        settled, place = _settled(events, place, now)
        whose = {event.profile_id for event in settled if event.source != "import" or event.recommendation_id}
        count, new = Attributor(state, now).settle(whose)
        persons, found = persons + count, found + new
        if place != last:
            state.cursors.put(CURSOR, str(place), now)
        if len(settled) < BATCH:
            break
        last = place
    return f"{found} outcomes of {persons} visitors"


def _settled(events: list[tuple[int, Event]], place: int, now: float) -> tuple[list[Event], int]:
    """The events before the first that is too young, and the number to go on from."""
    for index, (number, event) in enumerate(events):
        if now - SETTLED_S < event.received_at <= now:
            return [one for _, one in events[:index]], number - 1
    return [one for _, one in events], place


class Attributor:
    """Reckons what is owed for one person after the other."""

    def __init__(self, state: State, now: float) -> None:
        self._state, self._now = state, now
        settings = state.settings
        self._policy = Policy(
            window=settings.attribution_days * 86400,
            seen=settings.attribution_touch == "seen",
            match=settings.attribution_match,
        )
        self._table: ProductTable = state.pipeline.live.get().table
        self._slates: Remembered[str, tuple[Shown | None]] = Remembered(5000)

    def settle(self, profile_ids: Iterable[str]) -> tuple[int, int]:
        """Settle the persons whose profiles these are; gives how many, and how many outcomes are new."""
        todo, persons = dict.fromkeys(sorted(profile_ids)), 0
        found: list[Outcome] = []
        while todo:
            together = self._together(next(iter(todo)))
            for name in together:
                todo.pop(name, None)
            persons += 1
            found += self._person(together)
        return persons, self._state.outcomes.record(found)

    def _together(self, profile_id: str) -> tuple[str, ...]:
        """All profiles of the person, whether or not they are signed in now."""
        people = self._state.people
        account = next((node for node in people.identity.cluster(profile_id) if node.startswith("u:")), "")
        own = people.resolve([profile_id]).profile_ids
        joined = people.resolve([account]).profile_ids if account and account != profile_id else ()
        return tuple(dict.fromkeys((profile_id, *own, *joined)))

    def _person(self, profile_ids: tuple[str, ...]) -> list[Outcome]:
        """What is to be recorded of a person."""
        events = self._events(profile_ids)
        recorded = list(chain.from_iterable(map(self._state.outcomes.of_visitor, profile_ids)))
        if not recorded and not any(event.recommendation_id for event in events):
            return []
        credits = attribute(
            events,
            profile_ids,
            find=self._shown,
            price=self._table.worth,
            currency=self._state.settings.currency,
            policy=self._policy,
            known=_owed(recorded),
        )
        return settle(credits, recorded)

    def _events(self, profile_ids: Iterable[str]) -> list[Event]:
        events = chain.from_iterable(self._state.journal.events_of(name) for name in profile_ids)
        told = [event for event in events if event.name in NAMES]
        return sorted(told, key=lambda event: event.timestamp)[-LATEST:]

    def _shown(self, recommendation_id: str) -> Shown | None:
        known = self._slates.get(recommendation_id)
        if known is None:
            entry = self._state.slates.get(recommendation_id)
            known = self._slates.keep(recommendation_id, (_shown(entry) if entry else None,))
        return known[0]


def _shown(entry: SlateEntry) -> Shown:
    return Shown(
        created_at=entry.slate.created_at,
        positions={item.product_id: item.position for item in entry.slate.items},
        owners=frozenset(entry.request.profile_ids),
    )


def _owed(recorded: Iterable[Outcome]) -> dict[tuple[str, str], Touch]:
    """By order and product, to which slate it is owed by what is recorded."""
    owed: dict[tuple[str, str], Touch] = {}
    for one in recorded:
        if one.kind == "purchase" and one.quantity > 0:
            touch = Touch(one.at, True, one.recommendation_id, one.product_id, one.position)
            owed[one.order_id, one.product_id] = touch
    return owed
