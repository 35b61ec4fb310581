"""Orders and customers that the shop's own systems hold, asked for now and then: incremental, and each row counts once.

A source is a callable that gives what changed since a time. Its rows become events with ids of their own, so that a row
told again is no second order, and rebuilding all profiles from the stored events gives what came in bit by bit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from .errors import InputError, MTPError, SetupError
from .receiving import has_refused, hashes_of
from .records import Event
from .state import OrderSource, State
from .track.bodies import plain_object
from .track.clock import FileTimes
from .track.identifiers import dedupe_key, permanent_id
from .track.limits import PERSONAL_TRAITS, bounded, identifier
from .track.products import products_of
from .track.webhooks.reading import Person

BATCH = 1000
OVERLAP_S = 600.0
"""Seconds asked for again: rows that were written late, by a transaction that began before the last run."""
SHOWN = 5
STATES = {"": "Order Completed", "completed": "Order Completed", "paid": "Order Completed"} | {
    "cancelled": "Order Cancelled",
    "refunded": "Order Refunded",
}
"""What an order's ``status`` makes of it."""
FIELDS = ("order_id", "user_id", "anonymous_id", "email", "phone", "placed_at", "changed_at", "status", "products")
"""Fields of a row that are not just properties of the order."""


class SourceResult(msgspec.Struct, frozen=True):
    """What a run of a source did."""

    read: int = 0
    added: int = 0
    refused: int = 0
    wrong: int = 0
    reasons: tuple[str, ...] = ()

    def line(self) -> str:
        """The result as one readable line; reasons hold no values of rows."""
        said = f"{self.read} rows read, {self.added} events added, {self.refused} of customers who refused"
        return f"{said}, {self.wrong} wrong: {'; '.join(self.reasons)}" if self.wrong else said


def pull(state: State, source: OrderSource, *, anew: bool = False) -> SourceResult:
    """Ask a source for what changed since the last run, or for everything, and record it.

    :raises SetupError: the shop's callable failed; the next run asks for the same again
    """
    name, now = f"source:{source.name}", time.time()
    position = "" if anew else state.cursors.get(name)
    since = max(0.0, float(position) - OVERLAP_S) if position else 0.0
    result, latest = SourceResult(), float(position or 0.0)
    rows = iter(_rows(source, since))
    while batch := list(islice(rows, BATCH)):
        result, latest = _take(state, source.name, batch, now, result, latest)
    state.cursors.put(name, repr(latest), now)
    return result


def _rows(source: OrderSource, since: float) -> Iterator[Mapping[str, Any]]:
    try:
        yield from source.rows(since)
    except MTPError:
        raise
    except Exception as error:  # the shop's own code, whose text may hold personal data
        raise SetupError(f"the source {source.name} failed: {type(error).__name__}") from error


def _take(
    state: State, name: str, rows: Sequence[Mapping[str, Any]], now: float, before: SourceResult, latest: float
) -> tuple[SourceResult, float]:
    events: list[Event] = []
    reasons, refused = list(before.reasons), 0
    wrong = before.wrong
    times = FileTimes(ZoneInfo(state.settings.time_zone), now)
    for row in rows:
        try:
            made, changed = events_of(state, name, row, times, now)
        except InputError as error:
            wrong += 1
            if len(reasons) < SHOWN:
                reasons.append(f"{error.field}: {error.message}")
            continue
        latest = max(latest, changed)
        if has_refused(state, made[0].profile_id):
            refused += 1
        else:
            events += made
    new = state.pipeline.ingest(events) if events else []
    done = SourceResult(
        before.read + len(rows), before.added + sum(new), before.refused + refused, wrong, tuple(reasons)
    )
    return done, latest


def events_of(
    state: State, name: str, row: Mapping[str, Any], times: FileTimes, now: float
) -> tuple[list[Event], float]:
    """The events of one row and when it was changed; an order that was cancelled is told as placed first.

    :raises InputError: a field is missing or wrong
    """
    row = plain_object(row)
    order_id = identifier(row.get("order_id"), "order_id")
    placed = times.read(row.get("placed_at"), "placed_at")
    changed = times.read(row["changed_at"], "changed_at") if row.get("changed_at") else placed
    happened = STATES.get(str(row.get("status") or "").lower())
    if happened is None:
        raise InputError(f"this must be one of {', '.join(filter(None, STATES))}", field="status")
    person = Person(contacts={key: str(row[key]) for key in ("email", "phone") if row.get(key)})
    hashes = hashes_of(state, person)
    user, anonymous = (identifier(row[key], key) if row.get(key) else "" for key in ("user_id", "anonymous_id"))
    if not user and not anonymous:
        anonymous = f"{name}/{hashes['email_hash']}" if "email_hash" in hashes else f"{name}/{order_id}"
    properties = bounded({key: value for key, value in row.items() if key not in FIELDS}, "row", PERSONAL_TRAITS)
    properties["order_id"] = order_id
    products = products_of("Order Completed", {**properties, "products": row.get("products")}, "row")
    make = _Maker(name, user, anonymous, now)
    events = [make("Order Completed", order_id, placed, products=products, properties=properties)]
    if happened != "Order Completed":
        told = {key: properties[key] for key in ("order_id", "refund") if key in properties}
        told |= {"total": told.pop("refund")} if "refund" in told else {}
        events.append(make(happened, order_id, changed, properties=told))
    if hashes:
        events.append(make("Identify", f"{order_id}:contacts", placed, properties=dict(hashes)))
    return events, changed


class _Maker:
    """Makes the events of one row."""

    def __init__(self, source: str, user_id: str, anonymous_id: str, now: float) -> None:
        self._source, self._user, self._anonymous, self._now = source, user_id, anonymous_id, now

    def __call__(self, name: str, key: str, t: float, **more: Any) -> Event:
        whole = f"{self._source}\x1f{name}\x1f{key}"
        profile_id = f"u:{self._user}" if self._user else f"a:{self._anonymous}"
        return Event(
            event_id=permanent_id(t, whole),
            name=name,
            profile_id=profile_id,
            timestamp=t,
            received_at=t,
            dedupe_key=dedupe_key("source", self._source, whole),
            permanent=True,
            user_id=self._user,
            anonymous_id=self._anonymous,
            source="source",
            **more,
        )
