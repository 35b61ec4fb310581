"""A visitor's numbers straight from the profile, only those asked for: what segments are told by with every event.

:func:`~mtp_plugin.profile.features.features_of` says the same in words, for people and conditions, at some ten times
the cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..records import Profile
from .features import LEVELS, SESSIONS, TIMES, is_excluded, key, prefixes, sessions, times, weekend_share

MOST = 50_000
"""Categories and values whose places are remembered."""
HIDDEN = -2
"""The place of what is excluded."""
FUNNEL = frozenset({"views", "view_to_buy", "abandonment", "view_to_buy_in", "abandonment_in"})
Row = list[float]


class Reader:
    """Reads these numbers off profiles, compiled once for the columns of a bundle.

    A row has one place more while it is made: what is read along but not asked for goes there.

    :param scalars: place of each plain feature
    :param families: places by family and value
    :param words: places by trait and word
    :param size: length of a row
    :param excluded: categories of which nothing is read
    """

    def __init__(
        self,
        scalars: Mapping[str, int],
        families: Mapping[str, Mapping[str, int]],
        words: Mapping[str, Mapping[str, int]],
        size: int,
        excluded: Iterable[str] = (),
    ) -> None:
        self._unknown, self._excluded = [math.nan] * (size + 1), frozenset(excluded)
        self._at = {name: scalars.get(name, size) for name in (*TIMES, *SESSIONS, *FUNNEL, *_OTHERS)}
        self._times, self._sessions = ([self._at[name] for name in names] for names in (TIMES, SESSIONS))
        self._margin, self._discount = self._at["margin_affinity"], self._at["discount_share"]
        self._families = {family: _Places(places, size) for family, places in families.items()}
        self._funnel = not FUNNEL.isdisjoint({*scalars, *families})
        self._above: dict[str, tuple[int, ...]] = {}
        self._tops: dict[str, int] = {}
        by_view, by_cart = families.get("view_to_buy_in", {}), families.get("abandonment_in", {})
        self._in = {top: (by_view.get(top, size), by_cart.get(top, size)) for top in (*by_view, *by_cart)}
        self._trait_numbers, self._words = dict(families.get("traits", {})), dict(words)
        self._traits_as_they_are = not any(
            mark in name for name in (*self._trait_numbers, *words) for mark in (".", "·")
        )

    def __call__(self, profile: Profile, now: float) -> Row:
        """The row at *now*, NaN where nothing is known."""
        row = self._unknown.copy()
        for place, value in zip(self._times, times(profile, now), strict=True):
            row[place] = value
        for place, value in zip(self._sessions, sessions(profile), strict=True):
            row[place] = value
        self._affinities(row, profile)
        if self._funnel and profile.funnels:
            self._funnels(row, profile)
        self._habits(row, profile.habits.counts)
        if profile.traits:
            self._traits(row, profile.traits)
        row.pop()
        return row

    def _affinities(self, row: Row, profile: Profile) -> None:
        for facet, weights in profile.affinities.items():
            if facet == "category":
                self._categories(row, weights)
                continue
            total = sum(weights.values())
            if total <= 0:
                continue
            if facet == "brand":
                row[self._at["brand_focus"]] = max(weights.values()) / total
            elif facet == "price_tier":
                level = sum([weight / total * LEVELS.get(name, 0.0) for name, weight in weights.items()])
                row[self._at["price_level"]] = level
            places = self._families.get(facet)
            if places is not None:
                places.fill(row, weights, total)
        amount, weight = profile.margin
        if weight > 0:
            row[self._margin] = amount / weight
        amount, weight = profile.discount
        if weight > 0:
            row[self._discount] = amount / weight

    def _categories(self, row: Row, weights: Mapping[str, float]) -> None:
        """Shares of categories and, summed, of all above them."""
        if self._excluded:
            weights = {name: weight for name, weight in weights.items() if self._top(name) != HIDDEN}
        total = sum(weights.values())
        if total <= 0:
            return
        row[self._at["category_focus"]] = max(weights.values()) / total
        places = self._families.get("category")
        if places is not None:
            places.clear(row)
            above = self._above
            for name, weight in weights.items():
                share = weight / total
                for place in above.get(name) or self._places_above(name, places):
                    row[place] += share

    def _places_above(self, category: str, places: _Places) -> tuple[int, ...]:
        found = tuple(map(places.of, prefixes(category)))
        _keep(self._above, category, found)
        return found

    def _funnels(self, row: Row, profile: Profile) -> None:
        tops, known, hidden = [[0, 0, 0] for _ in range(len(self._in) + 1)], self._tops, 0
        for category, funnel in profile.funnels.items():
            top = known.get(category)
            if top is None:
                top = self._top(category)
            if top == HIDDEN:
                hidden += 1
                continue
            sums = tops[top]
            sums[0] += funnel.views
            sums[1] += funnel.carts
            sums[2] += funnel.purchases
        if hidden == len(profile.funnels):
            return
        views, carts, purchases = map(sum, zip(*tops, strict=True))
        at = self._at
        row[at["views"]] = float(views)
        if views:
            row[at["view_to_buy"]] = purchases / views
        if carts:
            row[at["abandonment"]] = max(0.0, 1.0 - purchases / carts)
        for (by_view, by_cart), (seen, put, bought) in zip(self._in.values(), tops, strict=False):
            if views:
                row[by_view] = bought / seen if seen else 0.0
            if carts:
                row[by_cart] = max(0.0, 1.0 - bought / put) if put else 0.0

    def _top(self, category: str) -> int:
        """Where the top category stands among those asked about, -1 for one that is not, last of all."""
        found = self._tops.get(category)
        if found is None:
            hidden = bool(self._excluded) and is_excluded(category, self._excluded)
            place = list(self._in).index(top) if (top := prefixes(category)[0]) in self._in else -1
            found = HIDDEN if hidden else place
            _keep(self._tops, category, found)
        return found

    def _habits(self, row: Row, counts: Mapping[str, Mapping[str, int]]) -> None:
        for facet, values in counts.items():
            total = sum(values.values())
            if not total:
                continue
            if facet == "weekday":
                row[self._at["weekend_share"]] = weekend_share(values, total)
            elif facet in self._families:
                self._families[facet].fill(row, values, total)

    def _traits(self, row: Row, traits: Mapping[str, Any]) -> None:
        if not self._traits_as_they_are:
            traits = {key(name): value for name, value in traits.items()}
        for name, place in self._trait_numbers.items():
            if name in traits:
                row[place] = number(traits[name])
        for name, words in self._words.items():
            said = traits.get(name)
            if said is not None:
                said = word(said)
                for text, place in words.items():
                    row[place] = float(text == said)


_OTHERS = ("category_focus", "brand_focus", "price_level", "margin_affinity", "discount_share", "weekend_share")


class _Places:
    """Where the values of a family go.

    :param nowhere: where those go that have no place
    """

    def __init__(self, places: Mapping[str, int], nowhere: int) -> None:
        self._all, self._named, self._nowhere = tuple(places.values()), dict(places), nowhere
        first, beyond = min(self._all), max(self._all) + 1
        self._span = slice(first, beyond) if beyond - first == len(self._all) else None
        self._zeros = [0.0] * len(self._all)
        self._known: dict[str, int] = {}

    def of(self, name: str) -> int:
        """The place of a value spelt as a step of a path."""
        return self._named.get(name, self._nowhere)

    def clear(self, row: Row) -> None:
        """Put 0 at all places."""
        if self._span is not None:
            row[self._span] = self._zeros
        else:
            for place in self._all:
                row[place] = 0.0

    def fill(self, row: Row, values: Mapping[str, float], total: float) -> None:
        """Shares of *total* at their places, 0 at the others."""
        self.clear(row)
        known = self._known
        try:
            for name, value in values.items():
                row[known[name]] = value / total
        except KeyError:
            for name in values:
                _keep(known, name, self.of(key(name)))
            self.fill(row, values, total)


def _keep(known: dict[str, Any], name: str, value: Any) -> None:
    if len(known) >= MOST:
        known.clear()
    known[name] = value


def word(value: Any) -> str:
    """A trait's value as a column's name spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def number(value: Any) -> float:
    """A trait's value as a number, NaN where it is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e30:
        return float(value)
    return math.nan
