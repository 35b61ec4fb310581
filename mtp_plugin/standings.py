"""How the arms of a policy stand: for the command, the console and whoever asks why it shows what it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from .bandit.learnt import TRIES, Learnt, interval
from .bandit.rows import Row
from .bandit.stage import probabilities_of
from .ports import BanditSum
from .records import SlateRequest


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One arm: ``impressions`` and ``rewards`` as they count today, discounted; the mean with its 95 % interval.

    ``propensity`` is with which probability it is chosen now, for LinUCB where nothing is known of the request;
    ``None`` where it depends on which candidates a request has.
    """

    arm: str
    impressions: float
    rewards: float
    mean: float
    low: float
    high: float
    propensity: float | None = None


def standings(row: Row, learnt: Learnt, segment_id: str = "") -> list[Standing]:
    """The arms, the best first; of a candidates' slot those that were ever seen.

    :param segment_id: as this segment knows them, with what it takes from everybody; empty: everybody
    """
    arms = row.named or tuple(learnt.index)
    if not arms:
        return []
    known = learnt.of(arms, segment_id)
    shares: Sequence[float | None] = [None] * len(arms)
    if row.named:
        shares = probabilities_of(row, known, learnt.mean, SlateRequest(placement=row.placement, now=0.0)).tolist()
    found = [
        _standing(*one)
        for one in zip(arms, known.counts.tries.tolist(), known.counts.rewards.tolist(), shares, strict=True)
    ]
    return sorted(found, key=lambda one: (-one.mean, one.arm))


def _standing(arm: str, tries: float, rewards: float, propensity: float | None) -> Standing:
    low, high = interval(tries, rewards)
    mean = rewards / tries if tries > 0 else 0.0
    return Standing(arm=arm, impressions=tries, rewards=rewards, mean=mean, low=low, high=high, propensity=propensity)


def verdict(found: Sequence[Standing]) -> str:
    """In words which arm is ahead, by whether the intervals part."""
    tried = [one for one in found if one.impressions > 0]
    if len(tried) < 2:
        return "Nothing to compare yet: fewer than two arms have been seen."
    first, second = tried[0], max(tried[1:], key=lambda one: one.high)
    if first.low > second.high:
        return f"{first.arm} is ahead of all others."
    return f"Can't tell yet: {first.arm} leads, {second.arm} may be as good."


def shares_by_day(sums: Iterable[BanditSum]) -> dict[int, dict[str, float]]:
    """Impressions by day and arm, undiscounted; days that were put together stand at the first that was kept apart."""
    found: dict[int, dict[str, float]] = {}
    for one in sums:
        if one.cell == TRIES:
            of_day = found.setdefault(one.day, {})
            of_day[one.arm] = of_day.get(one.arm, 0.0) + one.value
    return dict(sorted(found.items()))


def about(row: Row) -> Mapping[str, object]:
    """A policy's settings in a few words, for lists."""
    arms = f"the first {row.first} candidates at place {row.position}" if row.first else ", ".join(row.named)
    return {
        "name": row.name,
        "placement": row.placement,
        "about": row.about,
        "policy": row.policy,
        "reward": row.reward,
        "window_hours": row.window / 3600,
        "arms": arms,
        "note": row.note,
    }
