"""What a policy of ``MTP_BANDITS`` would have earned had it chosen otherwise, from the slates that were seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

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


def evaluate_choices(
    row: Row, slates: SlateLog, outcomes: Outcomes, *, since: float, now: float, always: str = "", matters: float = 0.1
) -> dict[str, Any]:
    """Estimate what a policy would have earned for each slate seen had it always taken one arm, or any as likely.

    :param since: seconds since 1970
    :param always: an arm; each as likely as any other if empty
    :raises InputError: a policy or an arm that this cannot be told of, or nothing was seen
    """
    _check(row, always)
    report = _judged(row, read_log(row, slates, outcomes, since=since, now=now), always, matters)
    return {
        **as_data(report),
        "target": f"always {always}" if always else "each arm as likely",
        "reward": row.reward,
    }


def judge_arms(row: Row, slates: SlateLog, outcomes: Outcomes, *, since: float, now: float) -> dict[str, Report]:
    """The same for each arm, and under ``""`` for all as likely.

    :raises InputError: a policy that this cannot be told of, or nothing was seen
    """
    _check(row, "")
    log = read_log(row, slates, outcomes, since=since, now=now)
    return {arm: _judged(row, log, arm, 0.1) for arm in (*row.named, "")}


def _check(row: Row, always: str) -> None:
    if row.about == "product":
        raise InputError(f"{row.name} chooses products, whose number differs from slate to slate", field="name")
    if always and always not in row.named:
        raise InputError(f"{row.name} has no arm {always!r}; there are {', '.join(row.named)}", field="always")


def _judged(row: Row, log: Log, always: str, matters: float) -> Report:
    target = Target.always(log, row.named.index(always)) if always else Target.uniform(log)
    return compare(log, target, matters=matters)


def read_log(row: Row, slates: SlateLog, outcomes: Outcomes, *, since: float, now: float) -> Log:
    """The decisions of a policy in a time; slates whose window is still open are left out.

    :raises InputError: there are none
    """
    slates.flush()
    found = (one for batch in outcomes.between(since, now) for one in batch)
    return log_of(row, slates.sample(since, now - row.window, MOST), found)


def log_of(row: Row, entries: Sequence[SlateEntry], outcomes: Iterable[Outcome]) -> Log:
    """The decisions of a policy whose slates were seen, with what each earned in the window after that.

    :raises InputError: there are none
    """
    came = defaultdict[str, list[Outcome]](list)
    for outcome in outcomes:
        came[outcome.recommendation_id].append(outcome)
    rows = [one for entry in entries if (one := _decision(row, entry, came[entry.slate.recommendation_id]))]
    if not rows:
        raise InputError(f"no slate of {row.placement} that {row.name} chose was seen in this time", field="name")
    earned, propensity, arm, segment, visitor = zip(*rows, strict=True)
    return Log(
        np.array(earned, dtype=float),
        np.array(propensity),
        np.array(arm),
        len(row.named),
        group=np.unique(segment, return_inverse=True)[1],
        cluster=np.unique(visitor, return_inverse=True)[1],
    )


def _decision(row: Row, entry: SlateEntry, came: Sequence[Outcome]) -> tuple[float, float, int, str, str] | None:
    """Reward, propensity, arm, segment and visitor of one slate; ``None`` where it was not seen or another chose."""
    seen = next((one for one in came if one.kind == "seen"), None)
    choice = _choice(row, entry)
    if seen is None or choice is None:
        return None
    segment = entry.slate.segment.segment_id if entry.slate.segment and row.segments else ""
    earned = reward(came, row.reward, served_at=seen.at, window=row.window)
    return earned, choice.propensity, row.named.index(choice.arm), segment, seen.profile_id


def _choice(row: Row, entry: SlateEntry) -> Choice | None:
    return next((one for one in entry.slate.choices if one.policy == row.name and one.arm in row.named), None)
