"""The frozen records that stages hand to each other; the only thing one stage knows of another.

Times are seconds since 1970 in UTC (``float``). Prices are floats in the shop's major unit beside an ISO 4217
currency: they are for ranking and for showing, the shop's checkout alone charges. Records are
:class:`msgspec.Struct`, made in a fraction of a frozen dataclass's time; the catalogue as arrays, made once a version,
is a dataclass. Small records of which there are very many are kept from the garbage collector's sight (``gc=False``):
they hold nothing that could hold them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]

MAX_ID = 200
"""Most characters of an id of a product, visitor or account, wherever it comes from: catalogue, events, questions."""


class ConsentLevel(StrEnum):
    """What a request may use.

    ``FULL``: the visitor's own profile. ``CONTEXTUAL``: this page and this request (product in view, cart, device,
    daypart), nothing kept. ``NON_PERSONAL``: this page alone, the same slate for everybody.
    """

    FULL = "full"
    CONTEXTUAL = "contextual"
    NON_PERSONAL = "non-personal"


class Strategy(StrEnum):
    """How candidates are found."""

    RECOMMENDED_FOR_YOU = "recommended-for-you"
    RELATED_PRODUCTS = "related-products"
    FREQUENTLY_BOUGHT_TOGETHER = "frequently-bought-together"
    TRENDING_ITEMS = "trending-items"
    BEST_SELLERS = "best-sellers"
    RECENTLY_VIEWED = "recently-viewed"
    BUY_IT_AGAIN = "buy-it-again"
    ON_SALE = "on-sale"
    LIKELY_TO_BUY = "likely-to-buy"


class Action(StrEnum):
    """What an event says about a product, as far as ranking is concerned."""

    VIEW = "view"
    CART = "cart"
    PURCHASE = "purchase"
    UNCART = "uncart"
    RETURN = "return"


# ---------------------------------------------------------------------------------------------- catalogue


class Variant(msgspec.Struct, gc=False, frozen=True, kw_only=True, omit_defaults=True):
    """One buyable version of a product."""

    variant_id: str
    title: str = ""
    color: str = ""
    size: str = ""
    price: float | None = None
    stock: int | None = None
    image: str = ""


class Product(msgspec.Struct, gc=False, frozen=True, kw_only=True, omit_defaults=True):
    """A product as the shop sells it.

    ``category_path`` runs from the broadest to the narrowest. ``stock`` is a number of pieces, ``None`` when the shop
    does not count. ``margin`` is the share of the price that is earned, 0 to 1. ``sale_price`` holds from
    ``sale_from`` (inclusive) until ``sale_until`` (exclusive); either end may be open (``None``).
    """

    product_id: str
    title: str
    brand: str = ""
    category_path: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    style: str = ""
    colors: tuple[str, ...] = ()
    attributes: dict[str, Any] = {}
    description: str = ""
    price: float | None = None
    sale_price: float | None = None
    sale_from: float | None = None
    sale_until: float | None = None
    currency: str = ""
    stock: int | None = None
    margin: float | None = None
    image: str = ""
    url: str = ""
    rating: float | None = None
    rating_count: int = 0
    created: float | None = None
    hidden: bool = False
    variants: tuple[Variant, ...] = ()

    def on_sale(self, now: float) -> bool:
        """Whether the sale price is below the price and holds at *now*."""
        if self.sale_price is None or (self.price is not None and self.sale_price >= self.price):
            return False
        return (self.sale_from is None or self.sale_from <= now) and (self.sale_until is None or now < self.sale_until)

    def effective_price(self, now: float) -> float | None:
        """What the product costs at *now*."""
        return self.sale_price if self.on_sale(now) else self.price

    @property
    def in_stock(self) -> bool:
        return self.stock is None or self.stock > 0

    @property
    def category(self) -> str:
        """The whole path as one readable key, ``""`` when there is none."""
        return " > ".join(self.category_path)


class ProductFacts(msgspec.Struct, gc=False, frozen=True):
    """What folding an event needs to know of its product."""

    category: str
    brand: str
    colors: tuple[str, ...]
    style: str
    price_tier: str
    price: float | None
    margin: float | None
    on_sale: bool


class RowError(msgspec.Struct, frozen=True):
    """A row that was not imported: where (line from 1, in the file's own counting), which field, why."""

    line: int
    field: str
    reason: str


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did; counts are products or events."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    hidden: int = 0
    skipped: int = 0
    errors: tuple[RowError, ...] = ()
    notes: dict[str, int] = {}

    def line(self) -> str:
        """The result as one readable line."""
        return (
            f"{self.added:,} products added, {self.updated:,} updated, {self.unchanged:,} unchanged, "
            f"{self.hidden:,} hidden, {len(self.errors):,} rows with errors"
        )


PRICE_TIERS = ("budget", "mid", "premium", "luxury")


@dataclass(frozen=True, slots=True, eq=False)
class ProductTable:
    """The catalogue as arrays, row ``i`` being ``products[i]``; built once a catalogue version, shared by all threads.

    ``tier`` indexes :data:`PRICE_TIERS` (quartile of price within the top category), -1 unknown. ``category``,
    ``top_category`` and ``brand`` index the name tuples, -1 none. ``price``, ``sale_price``, ``margin`` are NaN when
    unknown; ``sale_from``/``sale_until`` are -inf/+inf when open.
    """

    version: int
    products: tuple[Product, ...]
    index: Mapping[str, int]
    visible: BoolArray
    in_stock: BoolArray
    price: FloatArray
    sale_price: FloatArray
    sale_from: FloatArray
    sale_until: FloatArray
    margin: FloatArray
    created: FloatArray
    category: IntArray
    top_category: IntArray
    brand: IntArray
    tier: IntArray
    category_names: tuple[str, ...]
    top_category_names: tuple[str, ...]
    brand_names: tuple[str, ...]
    open: BoolArray = field(init=False)
    """Visible and in stock."""
    ids: NDArray[np.object_] = field(init=False)
    """Product ids by row, and ``""`` behind them, which -1 finds."""
    _facts: dict[str, ProductFacts] = field(init=False, default_factory=dict, repr=False)
    """What was asked for and is the same at any time."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "open", self.visible & self.in_stock)
        ids = [*[product.product_id for product in self.products], ""]
        object.__setattr__(self, "ids", np.array(ids, dtype=object))

    def __len__(self) -> int:
        return len(self.products)

    def find(self, product_id: str) -> Product | None:
        """The product of an id, ``None`` for one that is not in the catalogue."""
        row = self.index.get(product_id)
        return None if row is None else self.products[row]

    def on_sale(self, now: float) -> BoolArray:
        """Mask of the rows whose sale price holds at *now*, shape ``(len(self),)``."""
        cheaper = ~(self.sale_price >= self.price) & ~np.isnan(self.sale_price)
        return cheaper & (self.sale_from <= now) & (now < self.sale_until)

    def worth(self, product_id: str, now: float) -> tuple[float | None, float | None]:
        """What a product costs, and its margin as a share of that; ``None`` for what is not known."""
        row = self.index.get(product_id)
        if row is None:
            return None, None
        product = self.products[row]
        return product.effective_price(now), product.margin

    def facts(self, product_id: str, now: float) -> ProductFacts | None:
        """What :mod:`mtp_plugin.profile` folds, or ``None`` for a product that is not in the catalogue."""
        known = self._facts.get(product_id)
        if known is not None:
            return known
        row = self.index.get(product_id)
        if row is None:
            return None
        facts = self._facts_at(row, now)
        if self.products[row].sale_price is None:
            self._facts[product_id] = facts
        return facts

    def _facts_at(self, row: int, now: float) -> ProductFacts:
        product, tier = self.products[row], int(self.tier[row])
        return ProductFacts(
            category=product.category,
            brand=product.brand,
            colors=product.colors,
            style=product.style,
            price_tier=PRICE_TIERS[tier] if tier >= 0 else "",
            price=product.effective_price(now),
            margin=product.margin,
            on_sale=product.on_sale(now),
        )


# ------------------------------------------------------------------------------------------------- events


class EventProduct(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """One product inside an event; ``position`` counts from 1."""

    product_id: str
    quantity: float = 1.0
    price: float | None = None
    variant_id: str = ""
    position: int | None = None


class Event(msgspec.Struct, gc=False, frozen=True, kw_only=True, omit_defaults=True):
    """One immutable thing that happened.

    ``event_id`` is 32 hex digits whose first 48 bits are a time in milliseconds (UUIDv7 layout), so ids sort by time.
    ``profile_id`` says whose it is: ``u:<user_id>`` when the shop vouches for the account, else ``a:<anonymous_id>``.
    ``dedupe_key`` is what makes a repetition recognisable; ``permanent`` de-duplicates for ever through ``event_id``
    itself (imports), not only within the window. ``timestamp`` is corrected for the sender's clock. ``context`` holds
    the page's path, the language and what the enrichers said of the request it came with, by the names of
    :class:`Context`: ``device``, ``os``, ``browser``, ``daypart``, ``weekday``, ``commuting``, ``country``, ...; what
    is unknown is left out.
    """

    event_id: str
    name: str
    profile_id: str
    timestamp: float
    received_at: float
    dedupe_key: str
    permanent: bool = False
    message_id: str = ""
    anonymous_id: str = ""
    user_id: str = ""
    products: tuple[EventProduct, ...] = ()
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    context: dict[str, Any] = {}
    source: str = "browser"
    recommendation_id: str = ""


ACTIONS: Mapping[str, Action] = {
    "Product Viewed": Action.VIEW,
    "Product Added": Action.CART,
    "Product Removed": Action.UNCART,
    "Order Completed": Action.PURCHASE,
    "Order Refunded": Action.RETURN,
    "Order Cancelled": Action.RETURN,
}
"""Canonical event names that change affinities, and what they mean for them."""


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """What waits in the stream of events.

    ``events`` and the ``entries`` they came in are not recorded yet, ``taken`` of these entries are with a worker now.
    ``oldest_seconds`` is how long the first has waited, ``workers`` how many have asked in the last minute, ``dead``
    the entries that could not be recorded and were put aside.
    """

    events: int
    entries: int
    taken: int
    oldest_seconds: float
    workers: int
    dead: int


class Surroundings(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Of a :class:`Context` what candidates are ordered by; empty where it is not known."""

    device: str = ""
    daypart: str = ""
    country: str = ""
    region: str = ""


NOWHERE = Surroundings()


class Interactions(NamedTuple):
    """What many events say of products, and no more, as columns: what models are learnt from, millions at a time.

    ``profile_ids``, ``names`` (of :data:`ACTIONS`), ``timestamps`` and ``sizes``, the number of products that each
    names, have one entry an event, and so have ``surroundings``, unless they are empty: then nothing is known of any.
    ``product_ids`` are those of the first event, then those of the second, and so on.
    """

    profile_ids: Sequence[str]
    names: Sequence[str]
    timestamps: Sequence[float]
    sizes: Sequence[int]
    product_ids: Sequence[str]
    surroundings: Sequence[Surroundings] = ()


class Dropped(msgspec.Struct, frozen=True):
    """An event that was understood and on purpose not kept."""

    index: int
    message_id: str
    reason: str


class Rejected(msgspec.Struct, frozen=True):
    """An event that could not be understood."""

    index: int
    code: str
    message: str
    field: str


class Receipt(msgspec.Struct, frozen=True):
    """The answer to a batch: how many events are now durable, which were dropped, which were wrong."""

    accepted: int
    dropped: tuple[Dropped, ...] = ()
    errors: tuple[Rejected, ...] = ()


# ------------------------------------------------------------------------------------------------- profile


class RecentItem(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """One product the visitor did something with."""

    product_id: str
    timestamp: float
    action: str


class Purchase(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """A visitor's history with one product: pieces bought net of returns, orders, first and last time."""

    product_id: str
    quantity: float
    orders: int
    first: float
    last: float


class PlacedOrder(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """One of a visitor's latest orders: what of it was not given back; ``lines`` are (product id, pieces)."""

    order_id: str
    timestamp: float
    amount: float
    lines: tuple[tuple[str, float], ...]


class Funnel(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """Counts in one category; ``abandoned`` is carts minus purchases, not below zero."""

    views: int = 0
    carts: int = 0
    purchases: int = 0

    @property
    def view_to_buy(self) -> float:
        return self.purchases / self.views if self.views else 0.0

    @property
    def abandonment(self) -> float:
        return max(0.0, 1.0 - self.purchases / self.carts) if self.carts else 0.0


class TraitOrigin(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """Where a trait came from (``shop``, ``crm:<name>``, ``request``) and when it was said, in seconds since 1970."""

    source: str
    timestamp: float


class Habits(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """How a visitor comes and goes.

    ``searches`` are searches made, ``active_seconds`` the time between events of one session, ``bounces`` sessions of
    a single event, ``session_events`` the events of the latest session. ``counts[facet][value]`` are events by
    ``device``, ``daypart``, ``weekday`` and ``country``, as the events' context tells them.
    """

    searches: int = 0
    active_seconds: float = 0.0
    bounces: int = 0
    session_events: int = 0
    counts: dict[str, dict[str, int]] = {}


class Profile(msgspec.Struct, gc=False, frozen=True, kw_only=True, array_like=True):
    """What is known of one visitor now. It is stored without names: new fields come last, none changes its place.

    ``affinities[facet][value]`` are forward-decayed weights relative to ``landmark``, see
    :mod:`mtp_plugin.profile.decay`; facets are ``category``, ``brand``, ``color``, ``style``, ``price_tier``. Read
    them through that module, never raw. ``recent`` and ``placed`` are oldest first and bounded. ``margin`` and
    ``discount`` are (weighted sum, weight) pairs, decayed alike. ``revision`` counts the writes. ``origins`` says of
    traits, by the same names, where each came from and when. ``abandoned_at`` is when a cart was noticed as abandoned,
    0 when there was none since the last order. ``extra`` are pieces in the cart beyond one for each time a product was
    put there, of products of which there are some.
    """

    profile_id: str
    revision: int = 0
    landmark: float = 0.0
    first_seen: float = 0.0
    last_seen: float = 0.0
    recent: tuple[RecentItem, ...] = ()
    purchases: tuple[Purchase, ...] = ()
    placed: tuple[PlacedOrder, ...] = ()
    affinities: dict[str, dict[str, float]] = {}
    margin: tuple[float, float] = (0.0, 0.0)
    discount: tuple[float, float] = (0.0, 0.0)
    funnels: dict[str, Funnel] = {}
    sessions: int = 0
    session_start: float = 0.0
    events: int = 0
    orders: int = 0
    revenue: float = 0.0
    searches: tuple[str, ...] = ()
    traits: dict[str, Any] = {}
    origins: dict[str, TraitOrigin] = {}
    habits: Habits = Habits()
    abandoned_at: float = 0.0
    extra: dict[str, float] = {}


FoldFunction = Callable[["Profile | None", "tuple[Event, ...]"], Profile]
"""Takes the profile as it is (or none) and new events in order of arrival; gives the next revision."""


# ------------------------------------------------------------------------------------------------- request


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where on earth, as far as the network that a request came from tells.

    ``country`` is an ISO 3166 code, ``region`` that of its largest division. ``city_id`` is the city's number at
    GeoNames, 0 unknown. ``density`` is the number of people on a square kilometre, where the database knows it.
    """

    country: str = ""
    region: str = ""
    city: str = ""
    city_id: int = 0
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str = ""
    density: float | None = None


class Reading(msgspec.Struct, frozen=True):
    """The weather at a place: a word such as ``rain`` and degrees Celsius; what is unknown is empty."""

    weather: str = ""
    temperature: float | None = None


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says by itself, before any enricher looks at it. It names nobody, and nothing of it is kept.

    ``at`` is when it was (seconds since 1970). ``time_zone`` is what the browser said, ``host`` our own, ``referrer``
    the page before, ``search`` the address's query. ``campaign`` is what a sender of events knows of it already.
    """

    at: float
    user_agent: str = ""
    time_zone: str = ""
    referrer: str = ""
    host: str = ""
    search: str = ""
    place: Place | None = None
    campaign: dict[str, str] = {}


class Context(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is true of this request, as its page and the enrichers tell. What is unknown is empty, never guessed.

    ``device`` is ``mobile``, ``tablet``, ``desktop`` or ``tv``; ``os`` and ``browser`` are families such as ``ios`` and
    ``safari``. ``daypart`` (``night``, ``morning``, ``afternoon``, ``evening``), ``weekday``, ``hour`` (0 to 23) and
    ``commuting`` are told by the visitor's clock where its ``time_zone`` is known, else by the shop's. ``country`` is
    an ISO 3166 code, ``region`` a code within it. ``temperature`` is in degrees Celsius. ``source``, ``medium`` and
    ``campaign`` say what led here, ``referrer`` is the host of the page before. ``extra`` holds what the shop's own
    enrichers add.
    """

    device: str = ""
    daypart: str = ""
    weekday: str = ""
    page_type: str = ""
    category: str = ""
    query: str = ""
    referrer: str = ""
    campaign: str = ""
    country: str = ""
    city: str = ""
    locale: str = ""
    os: str = ""
    browser: str = ""
    region: str = ""
    urban: bool | None = None
    hour: int | None = None
    commuting: bool | None = None
    time_zone: str = ""
    weather: str = ""
    temperature: float | None = None
    source: str = ""
    medium: str = ""
    extra: dict[str, Any] = {}


class SlateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One question to the pipeline.

    ``profile_ids`` are the visitor's keys, most trusted first, empty below full consent; ``unit`` is the one that
    experiments assign by. ``product_ids`` are the
    products in view, ``cart_ids`` those in the cart, ``shown_ids`` those that other blocks of the page show, which come
    after others. ``limit`` 0 means the placement's own size. ``private_facts`` lets
    ``filter`` speak of stock and margin: for the shop's own code and servers, not for visitors.
    """

    placement: str
    now: float
    seed: int = 0
    consent_level: ConsentLevel = ConsentLevel.NON_PERSONAL
    profile_ids: tuple[str, ...] = ()
    context: Context = Context()
    product_ids: tuple[str, ...] = ()
    cart_ids: tuple[str, ...] = ()
    limit: int = 0
    exclude_ids: tuple[str, ...] = ()
    filter: dict[str, Any] = {}
    private_facts: bool = False
    unit: str = ""
    segment_id: str = ""
    explain: bool = False
    shown_ids: tuple[str, ...] = ()


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where a block stands and what it asks for.

    ``strategies`` is a ladder: the first that fills the block wins, later ones top it up. ``layout`` is ``grid``,
    ``carousel`` or ``list``. ``allow_repeats`` lets products of the visitor's own session appear where the shop's
    history says that is right. ``min_items``: with fewer the block is empty. ``exploration`` is the share of slates of
    known visitors whose last place goes to a new product, drawn evenly among those that may be shown.
    """

    name: str
    title: str
    strategies: tuple[str, ...]
    size: int = 6
    min_items: int = 1
    layout: str = "grid"
    enabled: bool = True
    exclude_in_view: bool = True
    allow_repeats: bool = True
    exploration: float = 0.0


# ----------------------------------------------------------------------------------------------- candidates


class Query(msgspec.Struct, frozen=True, eq=False):
    """What a candidate source is asked; rows are rows of the :class:`ProductTable`.

    ``session`` are the products of the visitor's current session, oldest first, repeats kept; ``history`` earlier
    ones, oldest first. ``in_view`` are the anchors of the page, ``cart`` those of the cart. ``eligible`` masks the
    rows that may be shown at all. ``segment`` is the visitor's, or the one that is asked for. ``surroundings`` are
    known of visitors who agreed.
    """

    now: float
    session: tuple[int, ...] = ()
    history: tuple[int, ...] = ()
    in_view: tuple[int, ...] = ()
    cart: tuple[int, ...] = ()
    category: int = -1
    profile: Profile | None = None
    eligible: BoolArray | None = None
    seed: int = 0
    segment: SegmentRef | None = None
    surroundings: Surroundings = NOWHERE


class Candidates(msgspec.Struct, frozen=True, eq=False):
    """Rows worth considering, best first: ``rows`` int32 ``(n,)``, ``scores`` float32 ``(n,)``.

    ``origins`` are bit sets over ``sources`` saying which source proposed a row; ``anchors`` the row it was proposed
    because of, -1 none.
    """

    rows: IntArray
    scores: FloatArray
    origins: IntArray
    anchors: IntArray
    sources: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)


# ------------------------------------------------------------------------------------------------- segment


class SegmentRef(msgspec.Struct, frozen=True):
    """The segment a slate was made for; ``confidence`` is from 0 to 1."""

    segment_id: str
    name: str
    confidence: float


class Segment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A micro-segment, ``found`` by clustering or ``written`` by hand.

    ``size`` is its number of visitors at the last refresh and ``share`` that of all visitors. ``attributes`` say what
    its visitors have in common, by name: ``top_category``, ``price_tier``, ``device``, ``place``,
    ``new_or_returning``, ``discount_seeker``, ...; what is mixed is left out. ``lifts`` are what sets it apart most: a
    feature's name, its mean here and its mean among everyone. ``rule`` is a condition on the facts that says roughly
    who belongs, right for the share ``precision`` of those it picks and picking the share ``recall`` of its visitors,
    both counted on visitors held out. ``stability`` is the Jaccard index under resampling, ``None`` when not known.
    ``parent_id`` is the coarser segment it lies in, ``""`` for one that lies in none. ``parts`` are what its name was
    made of, see :mod:`mtp_plugin.segment.naming`.
    """

    segment_id: str
    name: str
    kind: str = "found"
    size: int = 0
    share: float = 0.0
    attributes: dict[str, Any] = {}
    lifts: tuple[tuple[str, float, float], ...] = ()
    rule: dict[str, Any] = {}
    precision: float | None = None
    recall: float | None = None
    stability: float | None = None
    parent_id: str = ""
    created_at: float = 0.0
    refreshed_at: float = 0.0
    parts: tuple[tuple[str, str], ...] = ()


# --------------------------------------------------------------------------------------------------- slate


class Assignment(msgspec.Struct, frozen=True):
    """Which variation of which experiment a visitor sees."""

    experiment_id: str
    variation: int
    key: str


class SlateItem(msgspec.Struct, gc=False, frozen=True, kw_only=True, omit_defaults=True):
    """One product of a slate. ``because`` is the product that the first reason speaks of."""

    product_id: str
    position: int
    score: float
    reason_codes: tuple[str, ...]
    origins: tuple[str, ...] = ()
    propensity: float = 1.0
    purchase_probability: float | None = None
    because: str = ""


class Choice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a policy that learns chose for a slate.

    ``policy`` is its name in the settings, ``about`` what it chose (``strategy``, ``product``, ``creative``), ``arm``
    what it took, ``propensity`` with which probability, ``position`` the place in the slate of a product (0: the
    whole slate), ``state_version`` that of the counts it chose by. Which products can be chosen differs from slate to
    slate: ``among`` are those, in the order of the ranking or the settings.
    """

    policy: str
    about: str
    arm: str
    propensity: float
    position: int = 0
    state_version: int = 0
    among: tuple[str, ...] = ()


class Slate(msgspec.Struct, frozen=True, kw_only=True):
    """The ordered products one request was answered with.

    ``rules`` are those that had a say, weightiest first, of ``rules_version``; ``by_visitor`` tells that one of them
    looked at the visitor's past. ``title`` and ``message`` are what they put over the block, empty for nothing.
    ``choices`` are those of policies that learn. ``late``: the latency budget ended before all strategies were asked.
    ``rungs`` is how many strategies its ladder names, that of its placement, of a rule or of a policy; a
    ``fallback_level`` of that many or more is below it.
    """

    recommendation_id: str
    placement: str
    strategy: str
    items: tuple[SlateItem, ...]
    consent_level: ConsentLevel
    fallback_level: int = 0
    rungs: int = 0
    segment: SegmentRef | None = None
    experiment: Assignment | None = None
    model_version: str = ""
    catalog_version: int = 0
    rules: tuple[str, ...] = ()
    rules_version: int = 0
    by_visitor: bool = False
    late: bool = False
    title: str = ""
    message: str = ""
    message_url: str = ""
    choices: tuple[Choice, ...] = ()
    created_at: float = 0.0
    took_us: int = 0
    availability_us: int = 0


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """What one strategy proposed for a slate, best first: the inputs of everything after the candidates.

    ``origins`` are bit sets over ``sources``, as in :class:`Candidates`. ``depth`` is how many were asked for.
    """

    strategy: str
    product_ids: tuple[str, ...]
    scores: tuple[float, ...]
    origins: tuple[int, ...]
    anchors: tuple[str, ...]
    sources: tuple[str, ...]
    depth: int = 0


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """A place of a slate (from 1) that a rule fills, with the first of these products that can be bought."""

    position: int
    rule_id: str
    strategy: str
    product_ids: tuple[str, ...]
    scores: tuple[float, ...]


class SlateEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A slate with what replaying it needs; falls under retention and erasure by ``profile_ids`` of its request.

    ``profile`` is the visitor as the request saw it, ``rungs`` what each strategy tried proposed, ``unavailable`` what
    the shop said could not be bought, ``versions`` those of catalogue, models and rules, ``exposures`` the experiments
    (and the visitor's variations) that made it another slate than the other variation would. ``placement`` is as it
    was then, ``stands`` what rules put at places of their own. ``draft_id`` is the slate in the log that has the
    ``rungs`` of this one: many visitors share what it was made from.
    """

    slate: Slate
    request: SlateRequest
    profile: Profile | None = None
    rungs: tuple[Rung, ...] = ()
    unavailable: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    exposures: tuple[tuple[str, int], ...] = ()
    placement: Placement | None = None
    stands: tuple[Stand, ...] = ()
    draft_id: str = ""


class ExposedSlate(msgspec.Struct, frozen=True, kw_only=True):
    """A slate that experiments made another one than it would have been: by experiment, the visitor's variation."""

    recommendation_id: str
    created_at: float
    segment_id: str
    device: str
    exposures: dict[str, int]


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of one product of a slate (``seen``: of the slate), as attribution found it.

    ``kind`` is ``seen``, ``click``, ``cart``, ``purchase`` or ``refund``. ``value`` and ``margin`` are money in the
    shop's currency, negative for what was taken back; ``at`` is when it happened, seconds since 1970. ``outcome_id``
    is the same however often and by whomever it is found. ``product_id`` and ``position`` are empty for ``seen``.
    """

    outcome_id: bytes
    kind: str
    recommendation_id: str
    profile_id: str
    at: float
    product_id: str = ""
    position: int = 0
    quantity: float = 0.0
    value: float = 0.0
    margin: float = 0.0
    order_id: str = ""


class Card(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """What a template shows of one product; every text is plain and escaped by the template.

    ``url`` and ``image`` are http(s) or relative, empty when the catalogue's could not be trusted. ``price`` is the
    list price; ``sale_price`` is set only while it holds. The ``_text`` fields are the same in the shop's own
    notation, ``rating_label`` is the rating said in words.
    """

    product_id: str
    position: int
    title: str
    brand: str
    url: str
    image: str
    price: float | None
    sale_price: float | None
    currency: str
    rating: float | None
    rating_count: int
    badge: str
    reasons: tuple[str, ...]
    price_text: str = ""
    sale_price_text: str = ""
    rating_text: str = ""
    rating_label: str = ""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A slate as a template shows it; without cards there is nothing to show.

    ``name`` is the placement's, ``reasons`` say in plain words why these products, ``note`` what the consent level
    means here, ``preferences_url`` where the visitor changes it (may be empty). ``message`` is a line that a rule puts
    above the products, ``message_url`` where it leads; both may be empty.
    """

    name: str
    title: str
    layout: str
    cards: tuple[Card, ...]
    reasons: tuple[str, ...]
    note: str
    consent_level: ConsentLevel
    recommendation_id: str
    strategy: str
    preferences_url: str = ""
    message: str = ""
    message_url: str = ""


# --------------------------------------------------------------------------------------------------- rules

MAX_POSITION = 48
"""Lowest place of a slate that a rule can speak of: the largest slate there is."""

RuleId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]
Named = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Position = Annotated[int, msgspec.Meta(ge=1, le=MAX_POSITION)]
Factor = Annotated[float, msgspec.Meta(gt=1, le=1000)]
LocalTime = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d\d-\d\d(T\d\d:\d\d)?)?$")]
"""A moment of the shop's own clock, ``2026-12-24`` or ``2026-12-24T18:00``; empty is none."""
Clock = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Tags = Annotated[tuple[Named, ...], msgspec.Meta(min_length=1, max_length=50)]


class Effect(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="effect"
):
    """What a rule does to a slate; the field ``effect`` says which of these it is."""


class Filter(Effect, frozen=True, kw_only=True, tag="filter"):
    """Only products that meet ``where`` may be shown; with ``exclude`` only those that do not."""

    where: dict[str, Any]
    exclude: bool = False


class Boost(Effect, frozen=True, kw_only=True, tag="boost"):
    """Products that meet ``where`` rank as if they stood ``by`` times as far up."""

    where: dict[str, Any]
    by: Factor = 2.0


class Bury(Effect, frozen=True, kw_only=True, tag="bury"):
    """Products that meet ``where`` rank as if they stood ``by`` times as far down."""

    where: dict[str, Any]
    by: Factor = 2.0


class Prefer(Effect, frozen=True, kw_only=True, tag="prefer"):
    """Boost products that carry any of the ``tags``."""

    tags: Tags
    by: Factor = 2.0


class Require(Effect, frozen=True, kw_only=True, tag="require"):
    """Only products that carry any of the ``tags`` may be shown."""

    tags: Tags


class Pin(Effect, frozen=True, kw_only=True, tag="pin"):
    """A product stands at ``position``: that of ``product_id``, or the best one that meets ``where``."""

    position: Position
    product_id: str = ""
    where: dict[str, Any] = {}


class Lock(Effect, frozen=True, kw_only=True, tag="lock"):
    """A hand-picked slot: the first of ``product_ids`` that can be bought stands at ``position``, whatever other rules
    filter or limit, until the shop's clock says ``until`` (empty: for ever).
    """

    position: Position
    product_ids: Annotated[tuple[Named, ...], msgspec.Meta(min_length=1, max_length=20)]
    until: LocalTime = ""


class Limit(Effect, frozen=True, kw_only=True, tag="limit"):
    """At most ``most`` products of one brand, category (narrowest level) or department (broadest)."""

    per: Literal["brand", "category", "department"]
    most: Position


class UseStrategies(Effect, frozen=True, kw_only=True, tag="strategy"):
    """Other strategies instead of the placement's own, tried in this order."""

    strategies: Annotated[tuple[Strategy, ...], msgspec.Meta(min_length=1, max_length=8)]


class UseModel(Effect, frozen=True, kw_only=True, tag="model"):
    """Another behaviour model answers instead of the one that serves: a ``version`` of the registry."""

    version: Named


class Retitle(Effect, frozen=True, kw_only=True, tag="title"):
    """Another heading over the block."""

    title: Named


class Message(Effect, frozen=True, kw_only=True, tag="message"):
    """A line of text above the products; ``url`` (http, https or local) makes it a link."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    url: Annotated[str, msgspec.Meta(max_length=2000)] = ""


AnyEffect = (
    Filter | Boost | Bury | Prefer | Require | Pin | Lock | Limit | UseStrategies | UseModel | Retitle | Message
)  # fmt: skip


class Hours(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename={"start": "from"}
):
    """Some hours of some days of each week; over midnight when they end before they begin. No days: every day."""

    start: Clock
    until: Clock
    days: tuple[
        Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...
    ] = ()  # fmt: skip


class Schedule(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename={"start": "from"}
):
    """When a rule is in force, by the shop's clock: from (inclusive) until (exclusive), and in which hours.

    Empty ends are open; without ``hours`` it is the whole week.
    """

    start: LocalTime = ""
    until: LocalTime = ""
    hours: Annotated[tuple[Hours, ...], msgspec.Meta(max_length=50)] = ()


VariationNumber = Annotated[int, msgspec.Meta(ge=0, le=99)]


class Gate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The experiment that a rule is a variation of: it holds for visitors who are assigned to ``variation``, one or
    several.

    Where the shop has an experiment of this id, that says how visitors are divided, and the rest does not count. As
    GrowthBook has it: ``coverage`` is the share of visitors who take part, ``weights`` how they are divided (empty:
    evenly among two), ``namespace`` keeps experiments apart: (name, from, to) with both ends from 0 to 1. ``seed`` is
    the experiment's id when empty.
    """

    experiment_id: RuleId
    variation: VariationNumber | Annotated[tuple[VariationNumber, ...], msgspec.Meta(min_length=1, max_length=100)] = 1
    coverage: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    weights: Annotated[tuple[float, ...], msgspec.Meta(max_length=100)] = ()
    namespace: tuple[str, float, float] | None = None
    seed: Annotated[str, msgspec.Meta(max_length=200)] = ""

    @property
    def variations(self) -> tuple[int, ...]:
        """Those that the rule holds for."""
        return (self.variation,) if isinstance(self.variation, int) else self.variation


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Merchant logic: when facts hold, then effects.

    ``when`` is a condition over the facts of a request (the empty one always holds), ``placements`` where it counts
    (empty: everywhere). Of two rules that cannot both have their way the one of higher ``priority`` has, then the one
    that stands first.
    """

    rule_id: RuleId
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    enabled: bool = True
    priority: Annotated[int, msgspec.Meta(ge=-1000, le=1000)] = 0
    placements: Annotated[tuple[Named, ...], msgspec.Meta(max_length=100)] = ()
    when: dict[str, Any] = {}
    then: Annotated[tuple[AnyEffect, ...], msgspec.Meta(min_length=1, max_length=20)]
    schedule: Schedule | None = None
    experiment: Gate | None = None
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class RuleSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All rules of a shop, as one file or one version."""

    rules: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=5000)] = ()


class RuleSetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the rules: who made it, when (seconds since 1970), why, and how many rules it has."""

    version: int
    created_at: float
    created_by: str
    note: str
    rules: int
    enabled: int


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that holds, with the effects that count now."""

    rule_id: str
    then: tuple[AnyEffect, ...]


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that holds but for the variation of its experiment, which decides: with it (``shown``) or without.

    ``place`` is where it stands, or would, among the rules that hold; ``then`` are its effects, ``variations`` those
    that it holds for.
    """

    experiment_id: str
    variation: int
    variations: tuple[int, ...]
    rule_id: str
    shown: bool
    place: int
    then: tuple[AnyEffect, ...]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules say about one request: those that hold, weightiest first, of one version of the rules.

    ``exposures`` are those of the rules whose holding an experiment decided.
    """

    version: int = 0
    fired: tuple[Fired, ...] = ()
    exposures: tuple[Exposure, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fired)


NO_DECISION = Decision()


# ---------------------------------------------------------------------------------------------- identity


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody says, or something lets us think, that two nodes are one person.

    A node is an id with a letter before it: ``u:`` account, ``a:`` browser, ``e:`` hashed e-mail, ``p:`` hashed phone,
    ``o:`` order. ``kind`` says how it is known (``sign-in``, ``email``, ``phone``, ``order``, ``alias``,
    ``likeness``, ``manual``), ``confidence`` how sure that is, 0 to 1. With ``suggest`` somebody has to look at it
    first. ``evidence`` is what it rests on, in words and numbers that name nobody. ``at`` is when it happened (seconds
    since 1970): what is older than the withdrawal of a permission does not undo it.
    """

    left: str
    right: str
    kind: str
    confidence: float = 1.0
    suggest: bool = False
    evidence: dict[str, Any] = {}
    at: float = math.inf


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A claim and what became of it.

    ``state``: ``active`` (the two are one), ``suggested`` (waits for somebody), ``refused`` (by a guard, which
    ``reason`` names), ``rejected`` and ``undone`` (by a person), ``suspended`` (was active until a guard spoke).
    """

    link_id: int
    left: str
    right: str
    kind: str
    confidence: float
    state: str
    reason: str
    made_at: float
    decided_at: float
    actor: str
    evidence: dict[str, Any] = {}


class LinkEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger: what a link became, when, why and by whom."""

    link_id: int
    at: float
    state: str
    reason: str
    actor: str


class Person(NamedTuple):
    """Whom some profile ids belong to: all the profiles that may be read together, and one id that lasts.

    ``profile_ids`` begin with those asked for. ``unit`` is what experiments assign by: it stays when the visitor
    signs in, and is the same on all devices of an account.
    """

    profile_ids: tuple[str, ...]
    unit: str
