"""From what came of slates to what policies learn: each impression counts once, when its window has closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .bandit.features import features_of
from .bandit.learnt import DAY, cells_of, day_of
from .bandit.reward import bounded
from .bandit.rows import Row
from .feedback.reward import reward
from .ports import Advance, BanditState, BanditSum, Cursors, Outcomes, SlateLog
from .records import Choice, Outcome, SlateEntry

BATCH = 2000
"""Outcomes of one transaction."""
PATIENCE = 300.0
"""Seconds after the window for what happened in it to be found: attribution is a job, and may be behind."""
DAYS_APART = 45
"""Days that are kept one by one; older ones are put together."""


@dataclass(frozen=True, slots=True)
class Rewarder:
    """Reads on in the outcomes, for each policy from where it was, and adds what they say to its sums.

    Sums and cursor move in one transaction, so an outcome counts once, whatever crashes and however many workers try.
    """

    rows: Mapping[str, Row]
    outcomes: Outcomes
    slates: SlateLog
    state: BanditState
    cursors: Cursors

    def run(self, now: float) -> dict[str, int]:
        """How many impressions each policy has learnt from.

        :param now: seconds since 1970
        """
        counted = {name: sum(self._steps(name, row, now)) for name, row in self.rows.items()}
        self._settle(now)
        return counted

    def _steps(self, name: str, row: Row, now: float) -> Iterator[int]:
        while True:
            before = self.cursors.get(cursor_of(name))
            number = int(before or 0)
            found, after = self.outcomes.after(number, limit=BATCH)
            ready = _closed(found, row.window + PATIENCE, now)
            if ready < len(found):
                found, after = self.outcomes.after(number, limit=ready) if ready else ([], number)
            if not found:
                return
            since = 0.0 if before else now - row.window - DAY  # a new policy has hardly a past
            counted, sums = 0, list[BanditSum]()
            for impression in self._impressions(name, found, since, now):
                counted += 1
                sums += _sums(row, *impression)
            if not self.state.add(sums, advance=Advance(cursor_of(name), before, str(after)), now=now):
                return  # another worker was faster
            yield counted

    def _impressions(
        self, name: str, found: Sequence[Outcome], since: float, now: float
    ) -> Iterator[tuple[SlateEntry, Choice, float, list[Outcome]]]:
        """Slates that were seen, with what this policy chose for each, when it was seen and all that came of it."""
        for outcome in found:
            if outcome.kind != "seen" or not since <= outcome.at <= now:
                continue
            entry = self.slates.get(outcome.recommendation_id)
            choice = next((one for one in entry.slate.choices if one.policy == name), None) if entry else None
            if entry is None or choice is None:
                continue
            all_of_it = self.outcomes.of(outcome.recommendation_id)
            first = next((one for one in all_of_it if one.kind == "seen"), outcome)
            if first.outcome_id == outcome.outcome_id:
                yield entry, choice, outcome.at, all_of_it

    def _settle(self, now: float) -> None:
        today = day_of(now)
        if self.cursors.get("bandits-settled") == str(today):
            return
        for name, row in self.rows.items():
            if row.days:
                self.state.settle(name, today - row.days, 0.0)
            else:
                self.state.settle(name, today - DAYS_APART, row.discount)
        self.cursors.put("bandits-settled", str(today), now)


def cursor_of(name: str) -> str:
    """The cursor of a policy."""
    return f"bandit:{name}"


def _closed(found: Sequence[Outcome], wait: float, now: float) -> int:
    """How many of the outcomes come before the first impression that may still earn something."""
    for place, outcome in enumerate(found):
        if outcome.kind == "seen" and outcome.at <= now < outcome.at + wait:
            return place
    return len(found)


def _sums(
    row: Row, entry: SlateEntry, choice: Choice, seen_at: float, outcomes: Sequence[Outcome]
) -> Iterator[BanditSum]:
    segment = entry.slate.segment
    segment_id = segment.segment_id if segment and row.segments else ""
    features = features_of(entry.request) if row.policy == "linucb" else None
    mine = [one for one in outcomes if choice.about != "product" or one.product_id == choice.arm]
    earned = bounded(row, reward(mine, row.reward, served_at=seen_at, window=row.window))
    cells = cells_of(earned, features)
    for cell, value in cells.items():
        yield BanditSum(row.name, segment_id, choice.arm, day_of(seen_at), cell, value)
