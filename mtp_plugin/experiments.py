"""Who sees what, and who saw it: variations for the shop's own code and templates, and the exposures that follow."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec

from .errors import NotFoundError, SettingError, UnavailableError
from .experiment.rows import Row, load_experiments
from .facts import variation_of
from .memory import Remembered
from .ports import Change, ChangeLog, Cursors
from .records import Event, Gate

log = logging.getLogger(__name__)

VIEWED = "Experiment Viewed"
"""The event of an exposure, as Segment's specification of A/B tests names it."""
EVERY = 5.0
"""Seconds between two looks at what was stopped."""


class Assigned(msgspec.Struct, frozen=True, kw_only=True):
    """What a visitor is to see of an experiment: the number of the variation, its name and variables.

    ``takes_part`` is false of visitors without an id, outside of the experiment's share or dates, or whose variation
    was stopped; they see the control and are not counted.
    """

    experiment: str
    variation: int
    name: str
    variables: Mapping[str, Any]
    takes_part: bool

    def get(self, name: str, default: Any = None) -> Any:
        """One of the variables."""
        return self.variables.get(name, default)


class About(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment without its figures. ``state`` is ``draft``, ``scheduled``, ``running`` or ``over``; ``stopped``
    are variations that nobody sees any more.
    """

    key: str
    title: str
    state: str
    variations: tuple[str, ...]
    stopped: tuple[str, ...]
    goal: str
    guardrails: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Found:
    """Experiments by key, and drafts."""

    rows: Mapping[str, Row]
    drafts: Mapping[str, Row] = field(default_factory=dict)


def found_in(declared: Mapping[str, Row], written: Mapping[str, Change]) -> Found:
    """All experiments; where one is in the settings and in the console, the settings count. What this release cannot
    read is logged and left out."""
    rows, drafts = dict(declared), dict[str, Row]()
    for key, change in written.items():
        if key in declared or not change.options:
            continue
        try:
            row = load_experiments({key: change.options["entry"]})[key]
        except (SettingError, KeyError, TypeError) as error:
            log.error("the experiment %s of the console is left out: %s", key, error)
            continue
        (drafts if change.options.get("draft") else rows)[key] = row
    return Found(MappingProxyType(rows), MappingProxyType(drafts))


def cursor_of(key: str) -> str:
    """Where it is kept which variations of an experiment were stopped."""
    return f"experiment-stopped:{key}"


class LiveExperiments:
    """Assigns visitors; what was stopped is looked for every few seconds in a thread, so that no page waits for it.

    :param declared: the experiments of the settings, by key
    :param keep: takes the events of exposures, at once
    :param written: experiments that were written in the console
    """

    def __init__(
        self,
        declared: Mapping[str, Row],
        cursors: Cursors,
        keep: Callable[[Sequence[Event]], None],
        *,
        written: ChangeLog | None = None,
        every: float = EVERY,
    ) -> None:
        self.declared = MappingProxyType(dict(declared))
        self._written, self._version = written, 0
        self._found = Found(self.declared)
        self._cursors, self._keep, self._every = cursors, keep, every
        self._stopped: dict[str, dict[int, float]] = {}
        self._looked = float("-inf")
        self._looker: threading.Thread | None = None
        self._told: Remembered[tuple[str, str, int], bool] = Remembered(50_000)

    @property
    def rows(self) -> Mapping[str, Row]:
        """All experiments by key but drafts; looks for more in passing."""
        self._look()
        return self._found.rows

    @property
    def drafts(self) -> Mapping[str, Row]:
        """Those that were written and not begun; all see the control."""
        self._look()
        return self._found.drafts

    def known(self) -> Mapping[str, Row]:
        """All of them, drafts too."""
        return {**self.rows, **self.drafts}

    def about(self, now: float) -> Iterator[About]:
        """All of them as they are now, drafts last."""
        self.refresh()
        for row in (*self.rows.values(), *self.drafts.values()):
            yield About(
                key=row.key,
                title=row.title,
                state=row.state(now) if row.key in self.rows else "draft",
                variations=row.names,
                stopped=tuple(row.names[number] for number in sorted(self._stopped.get(row.key, ()))),
                goal=row.goal,
                guardrails=row.guardrails,
                note=row.note,
            )

    def assign(self, key: str, unit: str, now: float) -> Assigned:
        """What a visitor is to see.

        :param unit: the visitor, ``""`` for somebody who is not to be known
        :raises NotFoundError: no such experiment
        """
        row = self.rows.get(key) or self.drafts.get(key)
        if row is None:
            known = ", ".join((*self.rows, *self.drafts)) or "none"
            raise NotFoundError(f"there is no experiment {key!r}; there are {known}", field="experiment")
        number = row.of(unit, now) if unit and key in self.rows and row.runs(now) else -1
        number = number if self._shows(key, number, now) else -1
        shown = row.variations[max(0, number)]
        return Assigned(
            experiment=key,
            variation=max(0, number),
            name=shown.name,
            variables=shown.variables,
            takes_part=number >= 0,
        )

    def vary(self, gate: Gate, unit: str, now: float) -> int:
        """The variation of a visitor in the experiment of a rule, -1 for none.

        An experiment that only rules know runs for ever, divided as the rule says.
        """
        key = gate.experiment_id
        row = self.rows.get(key)
        if row is None:
            return -1 if key in self.drafts else variation_of(gate, unit)
        number = row.of(unit, now) if row.runs(now) else -1
        return number if self._shows(key, number, now) else -1

    def _shows(self, key: str, variation: int, now: float) -> bool:
        """Whether it is one at all, and was not stopped by then."""
        return variation >= 0 and now < self.stopped().get(key, {}).get(variation, float("inf"))

    def exposed(self, seen: Assigned, unit: str, event: Callable[[str, dict[str, Any]], Sequence[Event]]) -> None:
        """Record that a visitor could see the difference; once is enough.

        :param event: makes the event from its name and properties
        """
        mark = (seen.experiment, unit, seen.variation)
        if not seen.takes_part or self._told.get(mark):
            return
        row = self.rows[seen.experiment]
        properties = {
            "experiment_id": seen.experiment,
            "experiment_name": row.title or seen.experiment,
            "variation_id": str(seen.variation),
            "variation_name": seen.name,
        }
        if made := event(VIEWED, properties):
            self._keep(made)
            self._told.keep(mark, True)

    def stopped(self) -> Mapping[str, Mapping[int, float]]:
        """By experiment the variations that were stopped, and when; looks for more in passing."""
        self._look()
        return self._stopped

    def _look(self) -> None:
        """At first at once, later in a thread."""
        if self._looked == float("-inf"):
            self.refresh()
        idle = self._looker is None or not self._looker.is_alive()
        if idle and time.monotonic() - self._looked >= self._every:
            self._looked = time.monotonic()
            self._looker = threading.Thread(target=self.refresh, name="mtp-experiments", daemon=True)
            self._looker.start()

    def refresh(self) -> None:
        """Look now; while that cannot be, what was known holds."""
        self._looked = time.monotonic()
        try:
            if self._written is not None and (version := self._written.version()) != self._version:
                self._found, self._version = found_in(self.declared, self._written.current()), version
            self._stopped = {key: _stops(self._cursors.get(cursor_of(key))) for key in self._found.rows}
        except UnavailableError as error:
            log.warning("experiments could not be read: %s", error)

    def stop(self, key: str, variation: int, now: float) -> None:
        """Show the control to all who would see this variation."""
        found = {variation: now, **_stops(self._cursors.get(cursor_of(key)))}
        self._cursors.put(cursor_of(key), ",".join(f"{number}@{at!r}" for number, at in sorted(found.items())), now)
        self.refresh()

    def resume(self, key: str, now: float) -> None:
        """Show all variations again."""
        self._cursors.put(cursor_of(key), "", now)
        self.refresh()


def _stops(text: str) -> dict[int, float]:
    """Variations and when each was stopped, as the cursor has them."""
    parts = (part.partition("@") for part in text.split(",") if part)
    return {int(number): float(at or 0.0) for number, _, at in parts}
