"""What a policy of ``MTP_BANDITS`` would have earned had it chosen otherwise, from the slates that were seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..bandit.off_policy import Log, Report, Target, compare
from ..bandit.rows import Row
from ..errors import InputError
from ..feedback.reward import reward
from ..ports import Outcomes, SlateLog
from ..records import Choice, Outcome, SlateEntry
from .policies import as_data

MOST = 100_000
"""Slates that one estimate looks at, spread over the time."""


class Decision(NamedTuple):
    """What a policy chose for a slate that was seen: the reward, the probability of the choice, the number of the arm
    and those of all that could be chosen, segment and visitor."""

    reward: float
    propensity: float
    arm: int
    among: tuple[int, ...]
    segment: str
    visitor: str


def evaluate_choices(
    row: Row, slates: SlateLog, outcomes: Outcomes, *, since: float, now: float, always: str = "", matters: float = 0.1
) -> dict[str, Any]:
    """Estimate what a policy would have earned for each slate seen had it always taken one arm, or any as likely.

    :param since: seconds since 1970
    :param always: an arm; each as likely as any other if empty
    :raises InputError: an arm that there is not, or nothing was seen
    """
    if always and always not in targets_of(row):
        raise InputError(f"{row.name} has no arm {always!r}; there are {', '.join(targets_of(row))}", field="always")
    report = _judged(row, read_decisions(row, slates, outcomes, since=since, now=now), always, matters)
    return {
        **as_data(report),
        "target": f"always {always}" if always else "each arm as likely",
        "reward": row.reward,
    }


def judge_arms(row: Row, slates: SlateLog, outcomes: Outcomes, *, since: float, now: float) -> dict[str, Report]:
    """The same for each arm that could be chosen at all, and under ``""`` for all as likely.

    :raises InputError: nothing was seen
    """
    made = read_decisions(row, slates, outcomes, since=since, now=now)
    could = {number for one in made for number in one.among}
    arms = [arm for number, arm in enumerate(targets_of(row)) if number in could]
    return {arm: _judged(row, made, arm, 0.1) for arm in (*arms, "")}


def targets_of(row: Row) -> tuple[str, ...]:
    """What a policy could always have chosen: its arms; where these are the best candidates, their numbers from 1."""
    return row.named or tuple(str(number) for number in range(1, row.first + 1))


def _judged(row: Row, made: Sequence[Decision], always: str, matters: float) -> Report:
    if not always:
        log = _log(row, made)
        rows = np.repeat(np.arange(len(made)), [len(one.among) for one in made])
        actions = np.array([number for one in made for number in one.among])
        shares = np.array([1.0 / len(one.among) for one in made for _ in one.among])
        return compare(log, Target(rows, actions, shares), matters=matters)
    arm = targets_of(row).index(always)
    could = [one for one in made if arm in one.among]
    if not could:
        raise InputError(f"{row.name} could choose {always!r} for none of the slates seen in this time", field="always")
    log = _log(row, could)
    return compare(log, Target.always(log, arm), matters=matters)


def read_decisions(row: Row, slates: SlateLog, outcomes: Outcomes, *, since: float, now: float) -> list[Decision]:
    """The decisions of a policy in a time; slates whose window is still open are left out.

    :raises InputError: there are none
    """
    slates.flush()
    found = (one for batch in outcomes.between(since, now) for one in batch)
    return decisions_of(row, slates.sample(since, now - row.window, MOST), found)


def decisions_of(row: Row, entries: Sequence[SlateEntry], outcomes: Iterable[Outcome]) -> list[Decision]:
    """The decisions of a policy whose slates were seen, with what each earned in the window after that.

    :raises InputError: there are none
    """
    came = defaultdict[str, list[Outcome]](list)
    for outcome in outcomes:
        came[outcome.recommendation_id].append(outcome)
    known = {arm: number for number, arm in enumerate(row.named)}
    found = (_decision(row, entry, came[entry.slate.recommendation_id], known) for entry in entries)
    made = [one for one in found if one]
    if not made:
        raise InputError(f"no slate of {row.placement} that {row.name} chose was seen in this time", field="name")
    return made


def _log(row: Row, made: Sequence[Decision]) -> Log:
    return Log(
        np.array([one.reward for one in made], dtype=float),
        np.array([one.propensity for one in made]),
        np.array([one.arm for one in made]),
        1 + max(number for one in made for number in one.among),
        group=np.unique([one.segment for one in made], return_inverse=True)[1],
        cluster=np.unique([one.visitor for one in made], return_inverse=True)[1],
    )


def _decision(row: Row, entry: SlateEntry, came: Sequence[Outcome], known: dict[str, int]) -> Decision | None:
    """What was chosen for one slate; ``None`` where it was not seen, or another or an older policy chose."""
    seen = next((one for one in came if one.kind == "seen"), None)
    choice = next((one for one in entry.slate.choices if one.policy == row.name), None)
    among = _among(row, choice, known) if choice else {}
    if seen is None or choice is None or choice.arm not in among:
        return None
    segment = entry.slate.segment.segment_id if entry.slate.segment and row.segments else ""
    # A product earns what came of it, as it is learnt; the others of its slate are not its doing.
    mine = [one for one in came if row.about != "product" or one.product_id == choice.arm]
    earned = reward(mine, row.reward, served_at=seen.at, window=row.window)
    return Decision(earned, choice.propensity, among[choice.arm], tuple(among.values()), segment, seen.profile_id)


def _among(row: Row, choice: Choice, known: dict[str, int]) -> dict[str, int]:
    """The arms that could be chosen, with their numbers; also those that the settings know no longer.

    :param known: numbers of named products, filled as they are met
    """
    if row.about != "product":
        return known
    if row.named:
        return {arm: known.setdefault(arm, len(known)) for arm in choice.among}
    return {arm: number for number, arm in enumerate(choice.among)}
