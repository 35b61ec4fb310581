"""What can be learnt from slates: each product shown, what was known of it then, and what came of it.

Everything on a row but the label was known when the slate was made: it comes from the slate's log alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..records import Outcome, SlateEntry
from .reward import Metric, is_final, rewards_by_product, within

DAY = 86400.0
Find = Callable[[Sequence[str]], Mapping[str, list[Outcome]]]
"""Slates to their outcomes, such as ``Outcomes.of_slates``."""


@dataclass(frozen=True, slots=True)
class Label:
    """A product of a slate for one visitor.

    ``entry`` is the slate as it was logged: profile, segment, context, versions. ``strategy``, ``rank`` (from 0),
    ``score`` and ``origins`` (names of sources) are what was proposed, before any rule moved it; ``rank`` is -1 for
    what nobody proposed, such as a pin. ``likely`` is how probable a purchase was held to be, ``None`` where nothing
    told. ``position`` counts from 1, 0 is a candidate that was not shown, whose ``propensity`` is 0 where nothing was
    random. ``seen`` is whether the slate was.
    ``value`` is the reward by the metric, ``positive`` whether it is one. ``profile_id`` is the visitor's, empty where
    nobody known met the slate.
    """

    entry: SlateEntry
    profile_id: str
    product_id: str
    position: int
    propensity: float
    seen: bool
    strategy: str
    rank: int
    score: float
    origins: tuple[str, ...]
    value: float
    likely: float | None = None

    @property
    def positive(self) -> bool:
        return self.value > 0


def labels(
    slates: Iterable[Sequence[SlateEntry]],
    find: Find,
    *,
    now: float,
    metric: Metric = "click",
    window: float = 7 * DAY,
    delay: float = 3600.0,
    unshown: bool = False,
) -> Iterator[Label]:
    """Rows of slates whose reward is final; no more than one list of slates is held at a time.

    :param slates: lists of slates, such as ``SlateLog.between`` gives
    :param find: gives their outcomes
    :param now: seconds since 1970: slates whose window is not over by then are left out
    :param metric: what the value is
    :param window: seconds after a slate that count
    :param delay: seconds more, for events that come late
    :param unshown: also the candidates that were not shown
    """
    for some in slates:
        final = [entry for entry in some if is_final(entry.slate.created_at, now, window, delay)]
        found = find([entry.slate.recommendation_id for entry in final])
        for entry in final:
            outcomes = found.get(entry.slate.recommendation_id, [])
            for profile_id, own in _by_visitor(entry, outcomes).items():
                yield from _rows(entry, profile_id, own, metric, window, unshown)


def _by_visitor(entry: SlateEntry, outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """The outcomes by visitor: all of one's own slate, whatever profile they are of; of a shared one by profile."""
    if entry.request.profile_ids:
        return {entry.request.profile_ids[0]: list(outcomes)}
    found: dict[str, list[Outcome]] = {}
    for one in outcomes:
        found.setdefault(one.profile_id, []).append(one)
    return found or {"": []}


def _rows(
    entry: SlateEntry, profile_id: str, outcomes: list[Outcome], metric: Metric, window: float, unshown: bool
) -> Iterator[Label]:
    served_at = entry.slate.created_at
    seen = any(within(one, served_at, window) for one in outcomes if one.quantity > 0)
    values = rewards_by_product(outcomes, metric, served_at=served_at, window=window)
    proposed = _proposed(entry)
    for item in entry.slate.items:
        own = (entry.slate.strategy, -1, item.score, ())
        strategy, rank, score, _ = proposed.get(item.product_id, own)
        yield Label(
            entry=entry,
            profile_id=profile_id,
            product_id=item.product_id,
            position=item.position,
            propensity=item.propensity,
            seen=seen,
            strategy=strategy,
            rank=rank,
            score=score,
            origins=item.origins,
            value=values.get(item.product_id, 0.0),
            likely=item.purchase_probability,
        )
    if unshown:
        shown = {item.product_id for item in entry.slate.items}
        for name, (strategy, rank, score, origins) in proposed.items():
            if name not in shown:
                yield Label(entry, profile_id, name, 0, 0.0, seen, strategy, rank, score, origins, 0.0)


def _proposed(entry: SlateEntry) -> dict[str, tuple[str, int, float, tuple[str, ...]]]:
    """Each candidate as the first strategy that proposed it did: strategy, rank, score, origins."""
    found: dict[str, tuple[str, int, float, tuple[str, ...]]] = {}
    for rung in entry.rungs:
        for rank, (name, score, bits) in enumerate(zip(rung.product_ids, rung.scores, rung.origins, strict=True)):
            if name not in found:
                origins = tuple(source for bit, source in enumerate(rung.sources) if bits >> bit & 1)
                found[name] = (rung.strategy, rank, score, origins)
    return found
