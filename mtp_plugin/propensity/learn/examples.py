"""Training rows: visitors at moments of the past, as they were then, and what they bought in the week after.

A row sees nothing from its moment on: the profile is folded from the events before it, and categories and products
stand as they did before it. What was bought is read from the events of the horizon after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...records import ACTIONS, Action, BoolArray, Event, FloatArray, FoldFunction, IntArray, ProductTable, Profile
from ..features import DAY, Features
from ..model import HORIZON_DAYS
from .history import Visitors, rows_bought

HORIZON = HORIZON_DAYS * DAY
GONE_DAYS = 180.0
"""Who was not here for so long is not asked about."""
FEW = 4
"""Times as many as would be drawn: so few are all taken."""
BROWSING = (Action.VIEW, Action.CART)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Pairs of a visitor at a moment and a category or product.

    ``x`` float32 ``(n, columns)``, ``y`` bool, ``weight`` float64 (how many pairs each stands for), ``cut`` int32 (the
    place of the cut-off, whose horizon its own does not reach beyond), ``visitor`` and ``code`` int32, all ``(n,)``.
    """

    x: FloatArray
    y: BoolArray
    weight: FloatArray
    cut: IntArray
    visitor: IntArray
    code: IntArray

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, which: BoolArray | IntArray) -> Examples:
        """Some of them."""
        x, y, weight = self.x[which], self.y[which], self.weight[which]
        return Examples(x, y, weight, self.cut[which], self.visitor[which], self.code[which])


@dataclass(frozen=True, slots=True)
class Plan:
    """Which pairs are drawn.

    :param cuts: moments, oldest first
    :param at: the features as they could be made at a moment
    :param others: pairs drawn of those that the visitor neither met nor bought, each standing for many; 0 for all
    :param visits: whether visitors are asked about in the midst of a visit, too, as slates do
    """

    cuts: tuple[float, ...]
    at: Callable[[float], Features]
    others: int
    visits: bool
    seed: int


def examples(
    visitors: Visitors, fold: FoldFunction, table: ProductTable, plan: Plan, *, products: bool = True
) -> tuple[Examples, Examples]:
    """The pairs with categories and those with products (none unless asked for)."""
    by_category, by_product = _Pairs(), _Pairs()
    for place, (_, events) in enumerate(visitors()):
        random = np.random.default_rng((plan.seed, place))
        for cut, moment, profile, after in _moments(events, fold, plan, random):
            features = plan.at(moment)
            bought = {row for event in after for row in rows_bought(event, table)}
            visitor = features.visitor(profile, moment)
            codes = {code for row in bought if (code := int(features.category[row])) >= 0}
            count = len(features.standing.category_names)
            chosen, y, weight = draw(set(visitor.by_category), codes, count, plan.others, random)
            by_category.add(features.categories(visitor, chosen), y, weight, cut, place, chosen)
            if products:
                told = features.category >= 0
                met = {row for row in visitor.by_product if told[row]}
                wanted = {row for row in bought if told[row]}
                chosen, y, weight = draw(met, wanted, len(table), plan.others, random)
                kept = told[chosen]
                chosen, y, weight = chosen[kept], y[kept], weight[kept]
                by_product.add(features.products(visitor, chosen), y, weight, cut, place, chosen)
    return by_category.examples(), by_product.examples()


def _moments(
    events: Sequence[Event], fold: FoldFunction, plan: Plan, random: np.random.Generator
) -> list[tuple[int, float, Profile, list[Event]]]:
    """Cut-offs, moments and the profiles of then, with the orders of the horizon after."""
    asked = [(cut, place) for place, cut in enumerate(plan.cuts)]
    if plan.visits:
        asked += _visits(events, plan.cuts, random)
    profile, since, found = None, -np.inf, []
    for moment, place in sorted(asked):
        new = tuple(event for event in events if since <= event.timestamp < moment)
        profile, since = fold(profile, new) if new else profile, moment
        if profile is None or moment - profile.last_seen > GONE_DAYS * DAY:
            continue
        after = [
            event for event in events
            if moment <= event.timestamp < moment + HORIZON and ACTIONS.get(event.name) is Action.PURCHASE
        ]  # fmt: skip
        found.append((place, moment, profile, after))
    return found


def _visits(events: Sequence[Event], cuts: Sequence[float], random: np.random.Generator) -> list[tuple[float, int]]:
    """For each cut-off a moment just after something was looked at in the horizon before, if anything was."""
    found = []
    for place, cut in enumerate(cuts):
        times = [
            event.timestamp for event in events
            if cut - HORIZON <= event.timestamp < cut - 1 and ACTIONS.get(event.name) in BROWSING
        ]  # fmt: skip
        if times:
            found.append((times[int(random.integers(len(times)))] + 1.0, place))
    return found


def draw(
    met: set[int], bought: set[int], count: int, others: int, random: np.random.Generator
) -> tuple[IntArray, BoolArray, FloatArray]:
    """The pairs: all that was met or bought, and some of the others with the weight of all of them."""
    if not others or count <= FEW * others:
        chosen = np.arange(count)
        return chosen, np.isin(chosen, list(bought)), np.ones(count)
    near = np.array(sorted(met | bought), dtype=np.int64)
    left = count - len(near)
    drawn = np.zeros(0, dtype=np.int64)
    if left > 0:
        drawn = np.setdiff1d(random.integers(0, count, size=others), near)
    chosen = np.concatenate((near, drawn))
    weight = np.ones(len(chosen))
    if len(drawn):
        weight[len(near) :] = left / len(drawn)
    return chosen, np.isin(chosen, list(bought)), weight


class _Pairs:
    def __init__(self) -> None:
        self._parts: list[tuple[np.ndarray, ...]] = []

    def add(self, x: FloatArray, y: BoolArray, weight: FloatArray, cut: int, visitor: int, codes: IntArray) -> None:
        of = (np.full(len(y), number, dtype=np.int32) for number in (cut, visitor))
        self._parts.append((x, y, weight, *of, codes.astype(np.int32)))

    def examples(self) -> Examples:
        if not self._parts:
            none = np.zeros(0, dtype=np.int32)
            return Examples(np.zeros((0, 0), dtype=np.float32), none.astype(bool), none.astype(float), none, none, none)
        return Examples(*(np.concatenate(column) for column in zip(*self._parts, strict=True)))
