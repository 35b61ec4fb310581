"""What a profile says of a visitor, by name: for segments, for conditions and for people.

:func:`features_of` gives a nested mapping; a dotted path into it is the name of a feature everywhere: in conditions
(``profile.category.Watches``), in the columns that segments are learnt from and in the rules distilled from them. What
is not known is left out. The table :data:`FEATURES` is the documentation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..records import PRICE_TIERS, Funnel, Profile

DAY = 86_400.0
MONTH_DAYS = 30.0
SEPARATOR = " > "
LEVELS: Mapping[str, float] = {tier: place / (len(PRICE_TIERS) - 1) for place, tier in enumerate(PRICE_TIERS)}
"""Price tiers from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A row of the table; a *family* is a mapping with one entry for each value met, such as a category."""

    name: str
    group: str
    unit: str
    help: str
    family: bool = False


FEATURES = (
    Feature("recency_days", "recency", "days", "Since the last event."),
    Feature("tenure_days", "recency", "days", "Since the first event."),
    Feature("days_since_order", "recency", "days", "Since the last purchase that was kept."),
    Feature("sessions", "frequency", "", "Visits so far."),
    Feature("sessions_per_month", "frequency", "per 30 days", "Visits over the time known, a month at least."),
    Feature("orders", "frequency", "", "Orders, those given back whole not counted."),
    Feature("orders_per_month", "frequency", "per 30 days", "Orders over the time known, a month at least."),
    Feature("repeat_share", "frequency", "0 to 1", "Share of purchases of a product that was bought before."),
    Feature("spend", "spend", "money", "Worth of all orders less refunds."),
    Feature("spend_per_month", "spend", "money per 30 days", "The same over the time known, a month at least."),
    Feature("average_order", "spend", "money", "Worth of an order in the mean."),
    Feature("category", "affinity", "0 to 1", "Share of interest in a category and all below it.", True),
    Feature("brand", "brand", "0 to 1", "Share of interest in a brand.", True),
    Feature("color", "look", "0 to 1", "Share of interest in a colour.", True),
    Feature("style", "look", "0 to 1", "Share of interest in a style.", True),
    Feature("category_focus", "breadth", "0 to 1", "Share of the narrowest category liked best."),
    Feature("brand_focus", "breadth", "0 to 1", "Share of the brand liked best."),
    Feature("price_tier", "price", "0 to 1", "Share of interest in budget, mid, premium or luxury.", True),
    Feature("price_level", "price", "0 to 1", "From all budget (0) to all luxury (1), compared within categories."),
    Feature("margin_affinity", "price", "0 to 1", "Mean margin of what is looked at and bought."),
    Feature("discount_share", "price", "0 to 1", "Share of interest in products on sale."),
    Feature("views", "funnel", "", "Products looked at."),
    Feature("view_to_buy", "funnel", "per view", "Purchases over views."),
    Feature("abandonment", "funnel", "0 to 1", "Share of what was put into the cart and not bought."),
    Feature("view_to_buy_in", "funnel by category", "per view", "Purchases over views in a top category.", True),
    Feature("abandonment_in", "funnel by category", "0 to 1", "Abandonment in a top category.", True),
    Feature("dwell_seconds", "sessions", "s", "Time between two events of a session in the mean."),
    Feature("session_minutes", "sessions", "minutes", "Length of a session in the mean."),
    Feature("events_per_session", "sessions", "", "Events of a session in the mean."),
    Feature("bounce_share", "sessions", "0 to 1", "Share of sessions of one event."),
    Feature("searches_per_session", "search", "", "Searches of a session in the mean."),
    Feature("device", "device", "0 to 1", "Share of events by device: mobile, tablet, desktop, tv.", True),
    Feature(
        "daypart", "daypart", "0 to 1", "Share of events by time of day: night, morning, afternoon, evening.", True
    ),
    Feature("weekend_share", "daypart", "0 to 1", "Share of events on Saturday and Sunday."),
    Feature("country", "place", "0 to 1", "Share of events by country.", True),
    Feature("traits", "traits", "", "What the shop, a CRM or an enricher says; words become one column a value.", True),
)
"""All features; groups weigh alike when segments are learnt, however many columns they have."""

WORDS = (
    Feature("top_category", "words", "", "The top category liked best."),
    Feature("top_brand", "words", "", "The brand liked best."),
    Feature("top_price_tier", "words", "", "The price tier liked best."),
    Feature("top_device", "words", "", "The device used most."),
    Feature("cart_abandoned", "words", "", "`yes` from a cart noticed as abandoned until the next order."),
    Feature("new_or_returning", "words", "", "`new` in the first session, `returning` after it."),
)
"""Features that are words: for conditions, not for learning."""

GROUPS: Mapping[str, str] = {feature.name: feature.group for feature in FEATURES}


def features_of(profile: Profile, now: float, excluded: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The features of a visitor at *now*; what is unknown is missing.

    A dot within a value's name, which would read as a path, is written as ``·``.

    :param excluded: categories, as whole paths (``Health > Intimate``), of which nothing is said, nor of those below
    """
    found: dict[str, Any] = {}
    _take(found, TIMES, times(profile, now))
    if profile.events:
        found["new_or_returning"] = "returning" if profile.sessions > 1 else "new"
    if profile.abandoned_at:
        found["cart_abandoned"] = "yes"
    _affinities(found, profile, excluded)
    _funnels(found, profile, excluded)
    _take(found, SESSIONS, sessions(profile))
    _habits(found, profile)
    if profile.traits:
        found["traits"] = {key(name): value for name, value in profile.traits.items()}
    return found


def key(name: str) -> str:
    """A value's name as one step of a dotted path."""
    return name.replace(".", "·") if "." in name else name


def is_excluded(category: str, excluded: frozenset[str]) -> bool:
    """Whether this category, or one above it, is among them."""
    return any(category == one or category.startswith(one + SEPARATOR) for one in excluded)


def _take(found: dict[str, Any], names: Sequence[str], values: Sequence[float]) -> None:
    found.update((name, value) for name, value in zip(names, values, strict=True) if value == value)


TIMES = (
    *("recency_days", "tenure_days", "sessions", "sessions_per_month", "orders_per_month", "spend_per_month"),
    *("orders", "spend", "average_order", "days_since_order", "repeat_share"),
)
"""What :func:`times` gives."""
SESSIONS = ("events_per_session", "session_minutes", "bounce_share", "searches_per_session", "dwell_seconds")
"""What :func:`sessions` gives."""
_UNKNOWN = math.nan
_NEVER_CAME = (_UNKNOWN,) * 6
_NO_SESSIONS = (_UNKNOWN,) * 5


def times(profile: Profile, now: float) -> tuple[float, ...]:
    """What is a matter of when and how often, :data:`TIMES`; NaN is unknown."""
    orders, revenue, purchases = profile.orders, profile.revenue, profile.purchases
    came: tuple[float, ...] = _NEVER_CAME
    if profile.events:
        tenure = (now - profile.first_seen) / DAY
        tenure = tenure if tenure > 0.0 else 0.0
        months = tenure / MONTH_DAYS if tenure > MONTH_DAYS else 1.0
        recency, number = (now - profile.last_seen) / DAY, profile.sessions
        came = (
            *(recency if recency > 0.0 else 0.0, tenure, float(number)),
            *(number / months, orders / months, revenue / months),
        )
    average = revenue / orders if orders > 0 else _UNKNOWN
    since = again = _UNKNOWN
    if purchases:
        since = max(0.0, (now - max([bought.last for bought in purchases])) / DAY)
        often = sum([bought.orders for bought in purchases])
        again = 1.0 - len(purchases) / often if often else 0.0
    return (*came, float(orders), revenue, average, since, again)


def _affinities(found: dict[str, Any], profile: Profile, excluded: frozenset[str]) -> None:
    for facet, weights in profile.affinities.items():
        if facet == "category" and excluded:
            weights = {name: weight for name, weight in weights.items() if not is_excluded(name, excluded)}
        total = sum(weights.values())
        if total <= 0:
            continue
        if facet == "category":
            found["category"] = _with_ancestors(weights, total)
            found["category_focus"] = max(weights.values()) / total
            found["top_category"] = _top({name: s for name, s in found["category"].items() if SEPARATOR not in name})
            continue
        shares = found[facet] = {key(name): weight / total for name, weight in weights.items()}
        if facet == "price_tier":
            found["price_level"] = sum(share * LEVELS.get(name, 0.0) for name, share in shares.items())
            found["top_price_tier"] = _top(shares)
        elif facet == "brand":
            found["brand_focus"] = max(shares.values())
            found["top_brand"] = _top(shares)
    for name, (amount, weight) in (("margin_affinity", profile.margin), ("discount_share", profile.discount)):
        if weight > 0:
            found[name] = amount / weight


def _with_ancestors(weights: Mapping[str, float], total: float) -> dict[str, float]:
    """Shares of categories and, summed, of all above them."""
    shares: dict[str, float] = {}
    for name, weight in weights.items():
        share = weight / total
        for above in prefixes(name):
            shares[above] = shares.get(above, 0.0) + share
    return shares


def prefixes(category: str) -> tuple[str, ...]:
    """A category and those above it, the broadest first, as steps of a dotted path."""
    found = _PREFIXES.get(category)
    if found is None:
        if len(_PREFIXES) > 50_000:
            _PREFIXES.clear()
        parts = key(category).split(SEPARATOR)
        found = _PREFIXES[category] = tuple(SEPARATOR.join(parts[: end + 1]) for end in range(len(parts)))
    return found


_PREFIXES: dict[str, tuple[str, ...]] = {}


def _top(shares: Mapping[str, float]) -> str:
    return max(shares, key=lambda name: (shares[name], name))


def _funnels(found: dict[str, Any], profile: Profile, excluded: frozenset[str]) -> None:
    tops: dict[str, Funnel] = {}
    for category, funnel in profile.funnels.items():
        if not excluded or not is_excluded(category, excluded):
            top = prefixes(category)[0]
            tops[top] = together(tops[top], funnel) if top in tops else funnel
    if not tops:
        return
    whole = Funnel()
    for funnel in tops.values():
        whole = together(whole, funnel)
    found["views"] = float(whole.views)
    if whole.views:
        found["view_to_buy"] = whole.view_to_buy
        found["view_to_buy_in"] = {name: one.view_to_buy for name, one in tops.items() if one.views}
    if whole.carts:
        found["abandonment"] = whole.abandonment
        found["abandonment_in"] = {name: one.abandonment for name, one in tops.items() if one.carts}


def together(a: Funnel, b: Funnel) -> Funnel:
    """Two funnels as one."""
    return Funnel(a.views + b.views, a.carts + b.carts, a.purchases + b.purchases)


def sessions(profile: Profile) -> tuple[float, ...]:
    """What a session is like, :data:`SESSIONS`; NaN is unknown."""
    habits, number, events = profile.habits, profile.sessions, profile.events
    if not number:
        return _NO_SESSIONS
    active = habits.active_seconds
    dwell = active / (events - number) if events > number else _UNKNOWN
    return (events / number, active / 60 / number, habits.bounces / number, habits.searches / number, dwell)


def weekend_share(counts: Mapping[str, int], total: int) -> float:
    """The share of Saturday and Sunday in events by weekday."""
    return (counts.get("saturday", 0) + counts.get("sunday", 0)) / total


def _habits(found: dict[str, Any], profile: Profile) -> None:
    for facet, counts in profile.habits.counts.items():
        total = sum(counts.values())
        if not total:
            continue
        if facet == "weekday":
            found["weekend_share"] = weekend_share(counts, total)
            continue
        found[facet] = {key(name): count / total for name, count in counts.items()}
        if facet == "device":
            found["top_device"] = _top(counts)
