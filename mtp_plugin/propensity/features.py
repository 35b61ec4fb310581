"""What is known of a visitor and a category, or a product, at a moment: the rows that propensities are told by.

Everything comes from the visitor's profile as it was at the moment, and from :class:`Standing`, what was known of
categories and products by then. Training and serving call the same functions: a row is the same in both. What is
unknown is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from ..records import PRICE_TIERS, Action, FloatArray, IntArray, ProductTable, Profile

DAY = 86_400.0
SEPARATOR = " > "
NAN = math.nan
LEVELS = {tier: place / (len(PRICE_TIERS) - 1) for place, tier in enumerate(PRICE_TIERS)}

VISITOR = (
    "recency_days", "tenure_days", "sessions_per_week", "orders", "orders_per_week", "days_since_order",
    "order_gap_days", "order_overdue", "average_order", "lines_per_order", "views", "searches", "minutes_per_session",
    "discount_share", "margin_affinity", "price_level", "mobile_share", "weekend_share", "open_carts",
)  # fmt: skip
"""Of the visitor alone; the traits a shop names come after them."""
PAST = (
    "bought", "days_since_bought", "days_known", "products", "gap_days", "overdue", "bought_per_week", "in_last_orders",
    "viewed", "viewed_in_session", "in_cart", "minutes_spent", "days_since_seen",
)  # fmt: skip
"""Of the visitor with a category, or with a product: purchases net of returns, rhythm, what was viewed of late."""
LIKING = ("funnel_views", "funnel_carts", "funnel_bought", "affinity", "affinity_share")
"""Of the visitor with a category."""
STANDING = ("buyers_share", "trend", "repeat_share")
"""Of a category, or a product, among all visitors in the weeks before."""
PRODUCT = ("price_tier", "tier_distance", "share_of_category")
"""Of a product."""

CATEGORY_ROW = (*(f"category_{name}" for name in (*PAST, *LIKING, *STANDING)),)
PRODUCT_ROW = (*(f"product_{name}" for name in (*PAST, *STANDING, *PRODUCT)), *CATEGORY_ROW)

PRICE_LEVEL = VISITOR.index("price_level")
BUYERS = len(PAST) + len(LIKING)
"""Where the share of buyers stands in :data:`CATEGORY_ROW`."""

BOUGHT, FIRST, LAST, PRODUCTS, IN_ORDERS, VIEWED, IN_SESSION, IN_CART, SECONDS, SEEN = range(10)
NOTHING: tuple[float, ...] = (0.0, NAN, NAN, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, NAN)
"""What a visitor did with a category that they never met."""
Met = dict[int, list[float]]


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What was known of categories and products among all visitors at a moment.

    ``categories`` float32 ``(c, 3)`` and ``products`` float32 ``(p, 3)`` hold :data:`STANDING`, in the order of
    ``category_names`` and ``product_ids``.
    """

    category_names: tuple[str, ...]
    categories: NDArray[Any]
    product_ids: tuple[str, ...]
    products: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Visitor:
    """A visitor at a moment: ``row`` of :data:`VISITOR` and traits, what they did by category and by product row."""

    profile: Profile
    now: float
    row: list[float]
    by_category: Met
    by_product: Met


class Features:
    """Makes rows for visitors over one catalogue.

    :param standing: of categories and products; categories it does not name have no rows
    :param half_life: seconds, the one profiles were folded with
    :param idle: idle seconds that end a session
    :param traits: columns of traits: a name for a number, ``name=word`` for a word
    """

    def __init__(
        self,
        table: ProductTable,
        standing: Standing,
        *,
        half_life: float,
        idle: float,
        traits: Sequence[str] = (),
    ) -> None:
        self.table, self.standing, self.traits = table, standing, tuple(traits)
        self._half_life, self._idle = half_life, idle
        self._code = {name: code for code, name in enumerate(standing.category_names)}
        codes = np.array([self._code.get(name, -1) for name in table.category_names] + [-1], dtype=np.int32)
        self.category: IntArray = codes[table.category] if len(table) else np.zeros(0, dtype=np.int32)
        """The code of each row's category, -1 for none that is told."""
        self._category: list[int] = self.category.tolist()
        self._products = _by_row(standing, table)
        self._tier = np.where(table.tier >= 0, table.tier / np.float32(len(PRICE_TIERS) - 1), np.nan)

    @property
    def category_columns(self) -> tuple[str, ...]:
        """Names of the columns of :meth:`categories`."""
        return (*VISITOR, *self.traits, *CATEGORY_ROW)

    @property
    def product_columns(self) -> tuple[str, ...]:
        """Names of the columns of :meth:`products`."""
        return (*VISITOR, *self.traits, *PRODUCT_ROW)

    def visitor(self, profile: Profile, now: float) -> Visitor:
        """What is known of a visitor at *now*."""
        by_category, by_product = self._met(profile, now)
        row = [*_visitor_row(profile, now, by_product), *trait_values(profile.traits, self.traits)]
        return Visitor(profile, now, row, by_category, by_product)

    def categories(self, visitor: Visitor, codes: IntArray) -> FloatArray:
        """Rows for these categories, float32 ``(len(codes), len(category_columns))``."""
        found = np.empty((len(codes), len(self.category_columns)), dtype=np.float32)
        start = len(visitor.row)
        found[:, :start] = visitor.row
        found[:, start:] = self._category_part(visitor, codes.tolist())
        return found

    def products(self, visitor: Visitor, rows: IntArray) -> FloatArray:
        """Rows for these products, float32 ``(len(rows), len(product_columns))``.

        :param rows: of the catalogue, all of categories that are told of
        """
        found = np.empty((len(rows), len(self.product_columns)), dtype=np.float32)
        start = len(visitor.row)
        after = start + len(PAST)
        found[:, :start] = visitor.row
        found[:, start:after] = _past(visitor, visitor.by_product, rows.tolist())
        standing = found[:, after : after + len(STANDING)] = self._products[rows]
        after += len(STANDING)
        codes = self.category[rows].tolist()
        place_of = {code: place for place, code in enumerate(dict.fromkeys(codes))}
        parts = self._category_part(visitor, list(place_of))[[place_of[code] for code in codes]]
        found[:, after] = tier = self._tier[rows]
        found[:, after + 1] = np.abs(tier - visitor.row[PRICE_LEVEL])
        found[:, after + 2] = standing[:, 0] / np.maximum(parts[:, BUYERS], np.float32(1e-6))
        found[:, after + 3 :] = parts
        return found

    # ------------------------------------------------------------------------------------------- the parts

    def _category_part(self, visitor: Visitor, codes: list[int]) -> FloatArray:
        """The columns of :data:`CATEGORY_ROW`."""
        part = np.empty((len(codes), len(CATEGORY_ROW)), dtype=np.float32)
        if not codes:
            return part  # a catalogue may have no categories
        part[:, : len(PAST)] = _past(visitor, visitor.by_category, codes)
        part[:, len(PAST) : -len(STANDING)] = self._liking(visitor, codes)
        part[:, -len(STANDING) :] = self.standing.categories[codes]
        return part

    def _liking(self, visitor: Visitor, codes: list[int]) -> list[tuple[float, ...]]:
        profile, names = visitor.profile, self.standing.category_names
        weights = profile.affinities.get("category", {})
        total = sum(weights.values())
        faded = 2.0 ** max(-1000.0, min(1000.0, (profile.landmark - visitor.now) / self._half_life))
        found: list[tuple[float, ...]] = []
        for code in codes:
            name = names[code]
            funnel, weight = profile.funnels.get(name), weights.get(name, 0.0)
            counts = (funnel.views, funnel.carts, funnel.purchases) if funnel else (0, 0, 0)
            found.append((*counts, weight * faded, weight / total if total > 0 else NAN))
        return found

    def _met(self, profile: Profile, now: float) -> tuple[Met, Met]:
        """What the visitor did with each category and each product row that they met."""
        index, category = self.table.index, self._category
        by_category: Met = {}
        by_product: Met = {}
        for one in profile.purchases:
            row = index.get(one.product_id)
            if row is not None:
                _add_purchase(by_product, row, one.orders, one.first, one.last)
                if category[row] >= 0:
                    _add_purchase(by_category, category[row], one.orders, one.first, one.last)
        for order in profile.placed:
            rows = {row for product_id, _ in order.lines if (row := index.get(product_id)) is not None}
            for met, codes in ((by_product, rows), (by_category, {category[row] for row in rows})):
                for code in codes:
                    if code in met:
                        met[code][IN_ORDERS] += 1.0
        for met, row, what, amount, at in self._recent(profile, now, by_category, by_product):
            entry = met.get(row) or met.setdefault(row, list(NOTHING))
            entry[what] += amount
            if not entry[SEEN] >= at:
                entry[SEEN] = at
        return by_category, by_product

    def _recent(
        self, profile: Profile, now: float, by_category: Met, by_product: Met
    ) -> list[tuple[Met, int, int, float, float]]:
        """What the recent products add: views, time spent, what is in the cart still."""
        found: list[tuple[Met, int, int, float, float]] = []
        later, session, taken = now, True, set()
        for item in reversed(profile.recent):
            gap = later - item.timestamp
            session = session and gap <= self._idle
            row = self.table.index.get(item.product_id)
            later = item.timestamp
            if row is None:
                continue
            said: list[tuple[int, float]] = []
            if item.action == Action.VIEW:
                said = [(VIEWED, 1.0), (SECONDS, gap if 0 <= gap <= self._idle else 0.0)]
                if session:
                    said.append((IN_SESSION, 1.0))
            elif item.action == Action.PURCHASE:
                taken.add(row)
            elif row not in taken:
                said, taken = [(IN_CART, 1.0)], taken | {row}
            code = self._category[row]
            for what, amount in said:
                found.append((by_product, row, what, amount, item.timestamp))
                if code >= 0:
                    found.append((by_category, code, what, amount, item.timestamp))
        return found


def _add_purchase(met: Met, code: int, orders: int, first: float, last: float) -> None:
    entry = met.get(code)
    if entry is None:
        met[code] = [float(orders), first, last, 1.0, *NOTHING[IN_ORDERS:]]
        return
    entry[BOUGHT] += orders
    entry[PRODUCTS] += 1.0
    if first < entry[FIRST]:
        entry[FIRST] = first
    if last > entry[LAST]:
        entry[LAST] = last


def _past(visitor: Visitor, met: Met, codes: list[int]) -> FloatArray:
    """The columns of :data:`PAST`, shape ``(len(codes), len(PAST))``."""
    raw = np.array([met.get(code, NOTHING) for code in codes], dtype=np.float64).reshape(-1, len(NOTHING))
    weeks = max(7.0, (visitor.now - visitor.profile.first_seen) / DAY) / 7
    found: FloatArray = past_columns(raw, visitor.now, weeks, float(max(1, len(visitor.profile.placed))))
    return found


@compiled
def past_columns(raw: NDArray[Any], now: float, weeks: float, orders: float) -> NDArray[Any]:
    """What a visitor did, as :data:`PAST` tells it.

    :param raw: what :data:`NOTHING` is of a stranger, float64 ``(n, 10)``
    :param weeks: since the visitor came, one at least
    :param orders: latest ones that are remembered, one at least
    """
    found = np.full((len(raw), 13), np.nan, dtype=np.float32)
    for row in range(len(raw)):
        bought, first, last = raw[row, 0], raw[row, 1], raw[row, 2]
        found[row, 0] = bought
        found[row, 1] = (now - last) / 86400.0
        found[row, 2] = (now - first) / 86400.0
        found[row, 3] = raw[row, 3]
        if bought > 1:
            gap = (last - first) / 86400.0 / (bought - 1)
            found[row, 4] = gap
            if gap > 0:
                found[row, 5] = (now - last) / 86400.0 / gap
        found[row, 6] = bought / weeks
        found[row, 7] = raw[row, 4] / orders
        found[row, 8] = raw[row, 5]
        found[row, 9] = raw[row, 6]
        found[row, 10] = raw[row, 7]
        found[row, 11] = raw[row, 8] / 60.0
        found[row, 12] = (now - raw[row, 9]) / 86400.0
    return found


def _visitor_row(profile: Profile, now: float, by_product: Met) -> tuple[float, ...]:
    weeks = max(7.0, (now - profile.first_seen) / DAY) / 7
    habits, sessions, orders = profile.habits, profile.sessions, profile.orders
    placed = profile.placed
    last = max((entry[LAST] for entry in by_product.values() if entry[BOUGHT]), default=NAN)
    if placed:
        last = max(last, placed[-1].timestamp) if last == last else placed[-1].timestamp
    since = (now - last) / DAY
    gap = (placed[-1].timestamp - placed[0].timestamp) / DAY / (len(placed) - 1) if len(placed) > 1 else NAN
    days = habits.counts.get("weekday", {})
    return (
        (now - profile.last_seen) / DAY,
        (now - profile.first_seen) / DAY,
        sessions / weeks,
        float(orders),
        orders / weeks,
        since,
        gap,
        since / gap if gap > 0 else NAN,
        profile.revenue / orders if orders > 0 else NAN,
        sum(len(order.lines) for order in placed) / len(placed) if placed else NAN,
        float(sum(funnel.views for funnel in profile.funnels.values())),
        float(habits.searches),
        habits.active_seconds / 60 / sessions if sessions else NAN,
        _ratio(profile.discount),
        _ratio(profile.margin),
        _price_level(profile),
        _share(habits.counts.get("device", {}), ("mobile",)),
        _share(days, ("saturday", "sunday")),
        sum(entry[IN_CART] for entry in by_product.values()),
    )


def _ratio(pair: tuple[float, float]) -> float:
    return pair[0] / pair[1] if pair[1] > 0 else NAN


def _share(counts: Mapping[str, int], names: Collection[str]) -> float:
    total = sum(counts.values())
    return sum(counts.get(name, 0) for name in names) / total if total else NAN


def _price_level(profile: Profile) -> float:
    weights = profile.affinities.get("price_tier", {})
    total = sum(weights.values())
    return sum(weight * LEVELS.get(name, 0.0) for name, weight in weights.items()) / total if total > 0 else NAN


def trait_values(traits: Mapping[str, Any], columns: Sequence[str]) -> list[float]:
    """Traits as numbers: of ``name`` its number, of ``name=word`` whether it is that word; NaN where unknown."""
    found = []
    for column in columns:
        name, equals, word = column.partition("=")
        value = traits.get(name)
        if value is None:
            found.append(NAN)
        elif equals:
            found.append(float(trait_word(value) == word))
        else:
            found.append(float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else NAN)
    return found


def trait_word(value: Any) -> str:
    """A trait's value as a column's name spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_excluded(category: str, excluded: Collection[str]) -> bool:
    """Whether this category, or one above it, is among them."""
    return any(category == one or category.startswith(one + SEPARATOR) for one in excluded)


def _by_row(standing: Standing, table: ProductTable) -> FloatArray:
    """What is known of products, by row of the catalogue; zeros for those that nobody bought."""
    found = np.zeros((len(table), len(STANDING)), dtype=np.float32)
    rows = np.array([table.index.get(name, -1) for name in standing.product_ids], dtype=np.int64)
    found[rows[rows >= 0]] = standing.products[rows >= 0]
    return found


Rows = Callable[[Visitor, IntArray], FloatArray]
