"""From exposures, outcomes and orders to the table that statistics are computed from."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .experiment.metrics import METRICS
from .experiment.result import Result, analyse
from .experiment.rows import Row
from .experiment.units import Sums, UnitTable
from .experiments import VIEWED
from .feedback.orders import GIVEN_BACK, PURCHASED, Order, orders_of
from .records import Event
from .state import State

DAY = 86400.0
BEFORE = 28 * DAY
"""How far back a visitor's own past is looked at, for CUPED."""
HORIZON = 90 * DAY
"""How far back an experiment without a beginning is looked at."""
MIXED = -1


class Exposed(NamedTuple):
    """A visitor's first exposure."""

    variation: int
    at: float
    segment_id: str
    device: str


class Deed(NamedTuple):
    """Something that counts, of a visitor, at a time: ``seen``, ``click`` or ``order``; of what was seen ``value`` is
    the milliseconds that it took."""

    unit: str
    at: float
    kind: str
    value: float = 0.0
    margin: float = 0.0


@dataclass(slots=True)
class Facts:
    """What is known of an experiment, in the order of time; tables are cut from it."""

    row: Row
    units: dict[str, Exposed] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)

    def table(self, until: float = float("inf")) -> UnitTable:
        """What was known at a time."""
        units = [unit for unit, one in self.units.items() if one.variation != MIXED and one.at < until]
        mixed = sum(one.variation == MIXED for one in self.units.values())
        place = {unit: number for number, unit in enumerate(units)}
        shown = [self.units[unit] for unit in units]
        kinds = ("seen", "click", "order", "revenue", "margin", "before", "margin-before", "took")
        sums: dict[str, NDArray[np.float64]] = {name: np.zeros(len(units)) for name in kinds}
        for deed in self.deeds:
            number = place.get(deed.unit)
            if number is None or deed.at >= until:
                continue
            after = deed.at >= shown[number].at
            if deed.kind == "order":
                sums["revenue" if after else "before"][number] += deed.value
                sums["margin" if after else "margin-before"][number] += deed.margin
            if after:
                sums[deed.kind][number] += 1
                sums["took"][number] += deed.value if deed.kind == "seen" else 0.0
        ones = np.ones(len(units))
        return UnitTable(
            variation=np.array([one.variation for one in shown], dtype=np.int64),
            names=self.row.names,
            metrics={
                "revenue": Sums(sums["revenue"], ones, sums["before"]),
                "conversion": Sums((sums["order"] > 0).astype(float), ones),
                "order-value": Sums(sums["revenue"], sums["order"]),
                "margin": Sums(sums["margin"], ones, sums["margin-before"]),
                "ctr": Sums(sums["click"], sums["seen"]),
                "latency": Sums(sums["took"], sums["seen"]),
            },
            weights=self.row.shares,
            labels={
                "segment": np.array([one.segment_id for one in shown], dtype=np.str_),
                "device": np.array([one.device for one in shown], dtype=np.str_),
            },
            mixed=mixed,
        )


def result_of(state: State, row: Row, now: float | None = None, *, part: str = "segment") -> Result:
    """What an experiment says by now."""
    now = time.time() if now is None else now
    state.experiments.refresh()
    return judged(gather(state, row, now), now, part=part, stopped=state.experiments.stopped().get(row.key, ()))


def judged(
    facts: Facts, now: float, *, until: float = float("inf"), part: str = "", stopped: Collection[int] = ()
) -> Result:
    """Statistics of what was known at a time."""
    row = facts.row
    return analyse(
        facts.table(until),
        METRICS,
        goal=row.goal,
        guardrails=row.guardrails,
        planned=round(row.planned * 2 / len(row.variations)),
        matters=row.matters,
        started=min((one.at for one in facts.units.values()), default=now),
        now=min(now, until),
        part=part,
        factors=row.factors,
        stopped=stopped,
    )


def gather(state: State, row: Row, now: float) -> Facts:
    """Everybody who was exposed, and what they did from :data:`BEFORE` then until now."""
    since, until = max(row.begins, now - HORIZON), min(row.ends, now)
    people = _People(state)
    facts = Facts(row)
    for unit, one in (*_viewed(state, row, people, since, until), *_seen(state, row, people, since, until)):
        known = facts.units.get(unit)
        facts.units[unit] = one if known is None else _joined(known, one)
    facts.deeds += _clicks(state, facts, people, since, now)
    facts.deeds += _orders(state, facts, people, since - BEFORE, now)
    return facts


class _People:
    """Profiles to the visitors that experiments count, each asked for once."""

    def __init__(self, state: State) -> None:
        self._state, self._known = state, dict[str, str]()

    def of(self, profile_id: str) -> str:
        """The visitor, always named the same whichever of their profiles is asked for."""
        known = self._known.get(profile_id)
        if known is None:
            linked = self._state.people.identity.cluster(profile_id)
            account = next((node for node in linked if node.startswith("u:")), profile_id)
            known = self._known[profile_id] = self._state.people.resolve([account]).unit
        return known


def _joined(one: Exposed, other: Exposed) -> Exposed:
    """The earlier exposure; of a visitor who saw two variations nothing can be told."""
    first = min(one, other, key=lambda exposed: exposed.at)
    return first if one.variation == other.variation else first._replace(variation=MIXED)


def _viewed(state: State, row: Row, people: _People, since: float, until: float) -> Iterator[tuple[str, Exposed]]:
    """Exposures that the shop's code told of."""
    for events in state.journal.scan(since=since, until=until, names=(VIEWED,)):
        for event in events:
            variation = _number(event.properties.get("variation_id"), row)
            if event.properties.get("experiment_id") == row.key and variation is not None:
                device = str(event.context.get("device", ""))
                yield people.of(event.profile_id), Exposed(variation, event.timestamp, _segment(event), device)


def _segment(event: Event) -> str:
    return str(event.properties.get("segment_id", ""))


def _number(value: Any, row: Row) -> int | None:
    """A variation by its number or name."""
    if value in row.names:
        return row.names.index(value)
    text = str(value)
    return int(text) if text.isdecimal() and int(text) < len(row.variations) else None


def _seen(state: State, row: Row, people: _People, since: float, until: float) -> Iterator[tuple[str, Exposed]]:
    """Slates that a rule of the experiment made different, and that were seen."""
    for slates in state.slates.exposed(since, until):
        mine = {one.recommendation_id: one for one in slates if row.key in one.exposures}
        for name, outcomes in state.outcomes.of_slates(list(mine)).items():
            one = mine[name]
            variation = one.exposures[row.key]
            for outcome in outcomes:
                if outcome.kind == "seen" and 0 <= variation < len(row.variations):
                    yield people.of(outcome.profile_id), Exposed(variation, outcome.at, one.segment_id, one.device)


def _clicks(state: State, facts: Facts, people: _People, since: float, until: float) -> Iterator[Deed]:
    """Slates seen, each with how long it took to make, and clicks."""
    for outcomes in state.outcomes.between(since, until):
        seen = [one.recommendation_id for one in outcomes if one.kind == "seen"]
        took = state.slates.took(seen) if seen else {}
        for one in outcomes:
            if one.kind in ("seen", "click"):
                ms = took.get(one.recommendation_id, 0.0) if one.kind == "seen" else 0.0
                yield Deed(people.of(one.profile_id), one.at, one.kind, ms)


def _orders(state: State, facts: Facts, people: _People, since: float, until: float) -> Iterator[Deed]:
    """Orders of those who were exposed, less what was given back of them."""
    by: dict[str, list[Event]] = {}
    for events in state.journal.scan(since=since, until=until, names=(PURCHASED, *sorted(GIVEN_BACK))):
        for event in events:
            unit = people.of(event.profile_id)
            if unit in facts.units:
                by.setdefault(unit, []).append(event)
    table = state.pipeline.live.get().table
    for unit, events in by.items():
        for order in orders_of(events, table.worth, state.settings.currency):
            yield Deed(unit, order.at, "order", *_worth(order))


def _worth(order: Order) -> tuple[float, float]:
    """What was kept of an order: money, and margin."""
    kept = [(line, 1.0 - order.returned.get(line.product_id, 0.0)) for line in order.lines]
    return sum(line.value * share for line, share in kept), sum(line.margin * share for line, share in kept)


def days_of(facts: Facts, now: float, most: int = 60) -> Iterable[float]:
    """Midnights (UTC) since the first exposure, the latest *most*, and now."""
    first = min((one.at for one in facts.units.values()), default=now)
    days = np.arange(np.floor(first / DAY) + 1, np.floor(now / DAY) + 1) * DAY
    return [*map(float, days[-most:]), now]


def stop_harmful(state: State, now: float | None = None) -> str:
    """Stop variations that are worse for certain; the job. Gives a line on what it did."""
    now = time.time() if now is None else now
    running = [row for row in state.experiments.rows.values() if row.stops and row.runs(now)]
    stopped = []
    for row in running:
        verdict = result_of(state, row, now, part="").verdict
        if verdict.word == "stop" and verdict.variation not in state.experiments.stopped().get(row.key, ()):
            state.experiments.stop(row.key, verdict.variation, now)
            name = row.names[verdict.variation]
            state.audit.append("job", "experiment.stopped", f"experiment:{row.key}", {"variation": name}, at=now)
            stopped.append(f"{row.key}: {name}")
    return f"{len(running)} running, stopped: {', '.join(stopped) or 'none'}"
