"""Simulated shoppers: visits of the last sixty days by the personas of :mod:`.personas`, as events.

Nobody real is in it. Each visitor has a taste drawn around a persona's; what is looked at, searched, put into baskets,
bought and sent back follows from taste, price, sales and what was looked at just before. One seed, one history.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mtp_plugin.records import Event, EventProduct
from mtp_plugin.track.imported import imported_event

from .catalogue import SEED, Catalogue
from .personas import PERSONAS, Persona
from .whereabouts import Whereabouts, whereabouts_of

DAY, HOUR = 86400.0, 3600.0
DAYS = 60
VISITORS = 3000
SOURCE = "simulated"
KNOWN = 0.3
"""Part of the visitors who have an account."""

GOES_WITH = {
    "mugs": ("kettles", "notebooks"),
    "kettles": ("mugs",),
    "notebooks": ("bags", "headphones"),
    "bags": ("bottles", "notebooks"),
    "bottles": ("bags", "jackets"),
    "lamps": ("chairs", "plants"),
    "chairs": ("lamps", "plants"),
    "plants": ("lamps", "mugs"),
    "headphones": ("bags", "notebooks"),
    "jackets": ("shoes", "bags"),
    "shoes": ("jackets", "bottles"),
    "watches": ("bags", "shoes"),
}
"""What people buy along with a thing, by category."""

HOURS = np.array([1, 1, 0, 0, 0, 1, 3, 6, 7, 5, 5, 6, 8, 7, 5, 5, 6, 8, 10, 12, 14, 13, 8, 3], dtype=float)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Visitor:
    """One simulated person; ``user_id`` is empty for somebody without an account."""

    persona: Persona
    anonymous_id: str
    user_id: str = ""
    place: Whereabouts | None = None

    @property
    def profile_id(self) -> str:
        return f"u:{self.user_id}" if self.user_id else f"a:{self.anonymous_id}"


class Market:
    """The catalogue as a preference model: how likely which persona is to look at which product.

    :param now: the end of the simulated time, in seconds since 1970
    """

    def __init__(self, catalogue: Catalogue, now: float, seed: int) -> None:
        self.products = list(catalogue.products.values())
        self.keys = [str(product.attributes["range"]) for product in self.products]
        self.categories = sorted(set(self.keys))
        self.category = np.array([self.categories.index(key) for key in self.keys])
        self.silhouette = np.array(
            [hash_of(f"{p.attributes['silhouette']}/{key}") for p, key in zip(self.products, self.keys, strict=True)]
        )
        self.brand = np.array([hash_of(product.brand) for product in self.products])
        self.style = np.array([hash_of(product.style) for product in self.products])
        self.price = np.array([product.price or 0.0 for product in self.products])
        self.created = np.array([product.created or 0.0 for product in self.products])
        sale = [(p.sale_price is not None, p.sale_from or -np.inf, p.sale_until or np.inf) for p in self.products]
        self.has_sale, self.sale_from, self.sale_until = (np.array(column) for column in zip(*sale, strict=True))
        in_stock = np.array([bool(product.stock) for product in self.products])
        fame = np.random.default_rng([seed, 1]).lognormal(0, 0.55, len(self.products))
        self.fame = fame * np.where(in_stock, 1.0, 0.3)
        self.in_stock = in_stock
        self.taste = {key: self._taste(persona) for key, persona in PERSONAS.items()}
        self.near, self.beside = self._near(), self._beside(seed)
        self._appeals: dict[tuple[str, int], Floats] = {}

    def _taste(self, persona: Persona) -> Floats:
        """How much a persona likes each product: likes times how well the price suits."""
        usual = np.array([np.median(self.price[self.category == c]) for c in self.category])
        fit = np.exp(-((np.log(self.price / (usual * persona.price)) / 0.7) ** 2))
        return np.array([self._liking(persona, row) for row in range(len(self.products))]) ** 0.8 * fit

    def _liking(self, persona: Persona, row: int) -> float:
        product, likes = self.products[row], persona.likes
        words = {self.keys[row], str(product.attributes["silhouette"]), product.style, product.brand, *product.tags}
        colour = max(likes.get(name, 1.0) for name in product.colors)
        return float(np.prod([likes.get(word, 1.0) for word in words])) * colour

    def _near(self) -> Floats:
        """How easily one leads to the other: the same kind, maker, price. Shape (products, products)."""
        near = np.where(self.category[:, None] == self.category, 1.0, 0.02)
        near *= np.where(self.silhouette[:, None] == self.silhouette, 2.6, 1.0)
        near *= np.where(self.brand[:, None] == self.brand, 1.7, 1.0)
        near *= np.exp(-np.abs(np.log(self.price / self.price[:, None])) * 0.8)
        np.fill_diagonal(near, 0.0)
        return np.asarray(near)

    def _beside(self, seed: int) -> Floats:
        """What is bought along with each product. Shape (products, products)."""
        others = {key: [self.categories.index(other) for other in GOES_WITH[key]] for key in self.categories}
        suits = np.random.default_rng([seed, 5]).lognormal(0, 1.5, (len(self.products),) * 2)
        suits *= np.where(self.style[:, None] == self.style, 2.0, 1.0)
        return np.array([np.isin(self.category, others[key]) * self.fame for key in self.keys]) * suits

    def appeal(self, persona: Persona, at: float) -> Floats:
        """What draws a persona on a day: taste, fame, sales; nothing that is not there yet."""
        day_ = int(at // DAY)
        if (persona.key, day_) not in self._appeals:
            self._appeals[persona.key, day_] = self._appeal(persona, day_ * DAY)
        return self._appeals[persona.key, day_]

    def _appeal(self, persona: Persona, at: float) -> Floats:
        on_sale = self.has_sale & (self.sale_from <= at) & (at < self.sale_until)
        drawn = self.taste[persona.key] * self.fame * np.where(on_sale, persona.thrift, 1.0)
        return np.asarray(drawn * (self.created <= at))


def hash_of(text: str) -> int:
    """A small number for a word, the same in every process."""
    return zlib.crc32(text.encode()) & 0xFFFFF


def simulate(
    catalogue: Catalogue,
    now: float,
    *,
    visitors: int = VISITORS,
    seed: int = SEED,
    progress: Callable[[int], None] | None = None,
) -> list[Event]:
    """All events of so many visitors, oldest first.

    :param now: the moment the history ends, in seconds since 1970
    :param progress: is told how many visitors are done
    """
    market = Market(catalogue, now, seed)
    events: list[Event] = []
    for number, (visitor, dice) in enumerate(people(visitors, seed)):
        events += life(market, visitor, now, dice)
        if progress and number % 500 == 499:
            progress(number + 1)
    events.sort(key=lambda event: event.timestamp)
    return events


def people(visitors: int, seed: int) -> Iterator[tuple[Visitor, np.random.Generator]]:
    """So many visitors, each with the dice of their life."""
    names, shares = list(PERSONAS), np.array([persona.share for persona in PERSONAS.values()])
    kinds = np.random.default_rng([seed, 2]).choice(len(names), visitors, p=shares / shares.sum())
    for number in range(visitors):
        dice = np.random.default_rng([seed, 3, number])
        persona = PERSONAS[names[kinds[number]]]
        user = f"shopper-{seed}-{number}" if dice.random() < KNOWN else ""
        place = whereabouts_of(persona, np.random.default_rng([seed, 5, number]))
        yield Visitor(persona, f"sim{seed}x{number:05d}", user, place), dice


def history_of(catalogue: Catalogue, persona: Persona, user_id: str, now: float, seed: int = SEED) -> list[Event]:
    """The past of a persona's account: a few visits of the last weeks, the latest still going on."""
    market, dice = Market(catalogue, now, seed), np.random.default_rng([seed, 4, *persona.key.encode()])
    # An account that stands for its kind keeps closer to it than a stranger would.
    taste = taste_of(persona, market, dice) * market.taste[persona.key] ** 0.7
    visit = Visit(market, Visitor(persona, "", user_id, whereabouts_of(persona)), taste, dice)
    for days in (21.3, 9.1, 3.2, 0.9, 0.012):
        visit.session(now - days * DAY, now)
    return sorted(visit.events, key=lambda event: event.timestamp)


def life(market: Market, visitor: Visitor, now: float, dice: np.random.Generator) -> list[Event]:
    """Everything one visitor does."""
    visit = Visit(market, visitor, taste_of(visitor.persona, market, dice), dice)
    low, high = visitor.persona.sessions
    count = int(low + (high + 1 - low) * dice.random() ** 1.6)
    # Half of the visitors come for a while only; a shop has more of them lately.
    first = now - DAYS * DAY * dice.beta(1.0, 1.5)
    for _ in range(count):
        at = first + (now - first) * dice.random()
        start = at // DAY * DAY + float(dice.choice(24, p=HOURS / HOURS.sum())) * HOUR + dice.random() * HOUR
        if start < now - HOUR:
            visit.session(start, now)
    return visit.events


def taste_of(persona: Persona, market: Market, dice: np.random.Generator) -> Floats:
    """What sets one person apart from others of their kind: categories and products they like more or less."""
    by_category = dice.lognormal(0, 0.5, len(market.categories))[market.category]
    return np.asarray(by_category * dice.lognormal(0, 0.5, len(market.products)))


@dataclass(slots=True)
class Visit:
    """Writes one visitor's sessions down as events."""

    market: Market
    visitor: Visitor
    taste: Floats
    dice: np.random.Generator
    events: list[Event] = field(default_factory=list)
    bought: set[int] = field(default_factory=set)

    def session(self, start: float, now: float) -> None:
        """One visit: perhaps a search, some products, perhaps a basket, perhaps an order."""
        persona, dice, market = self.visitor.persona, self.dice, self.market
        appeal = market.appeal(persona, start) * self.taste
        clock, basket = start, dict[int, float]()
        if persona.searches and dice.random() < 0.16:
            words = persona.searches[int(dice.integers(len(persona.searches)))]
            self._tell("Products Searched", clock, properties={"query": words})
            clock += 6 + dice.random() * 20
        row, led = self._pick(appeal), False
        for _ in range(1 + min(18, int(dice.geometric(0.24)))):
            self._tell("Product Viewed", clock, (self._line(row, clock),))
            clock += 8 + dice.exponential(45)
            if clock > now:
                return
            if market.in_stock[row] and row not in basket and dice.random() < self._wants(row, basket, led):
                basket[row] = self._price(row, clock)
                self._tell("Product Added", clock, (self._line(row, clock),))
                clock += 4 + dice.random() * 10
                led = dice.random() < 0.55
                row = self._companion(appeal, row) if led else self._next(appeal, row)
            else:
                row, led = self._next(appeal, row), False
        self._end(basket, clock, now)

    def _wants(self, row: int, basket: dict[int, float], led: bool) -> float:
        """The chance that a product is put into the basket: high for what the last one called for, low for a second
        of the same kind."""
        if led:
            return 0.55
        category = self.market.category
        twice = any(category[other] == category[row] for other in basket)
        return self.visitor.persona.buys * (0.5 if twice else 1.7)

    def _end(self, basket: dict[int, float], clock: float, now: float) -> None:
        """Baskets are changed, left, or paid for; some of it comes back."""
        dice = self.dice
        if len(basket) > 1 and dice.random() < 0.15:
            row = list(basket)[int(dice.integers(len(basket)))]
            del basket[row]
            self._tell("Product Removed", clock, (self._line(row, clock),))
            clock += 10
        if not basket or dice.random() > 0.62 or clock + 90 > now:
            return
        clock += 90
        lines = tuple(self._line(row, clock, quantity=1 + int(dice.random() < 0.1)) for row in basket)
        order = f"S-{self.visitor.profile_id}-{len(self.events)}"
        total = sum((line.price or 0) * line.quantity for line in lines)
        self._tell("Order Completed", clock, lines, {"order_id": order, "total": round(total, 2), "currency": "EUR"})
        self.bought.update(basket)
        back = clock + (4 + 9 * dice.random()) * DAY
        if dice.random() < 0.06 and back < now:
            self._tell("Order Refunded", back, lines[:1], {"order_id": order})

    def _next(self, appeal: Floats, row: int) -> int:
        """The next product: mostly of the same kind, often by the same maker, sometimes something else."""
        market = self.market
        if self.dice.random() < 0.16:
            return self._pick(appeal)
        return self._pick(appeal * market.near[row])

    def _companion(self, appeal: Floats, row: int) -> int:
        # With company the own taste counts half: a kettle is bought for the mug's sake.
        return self._pick(np.sqrt(appeal) * self.market.beside[row])

    def _pick(self, weights: Floats) -> int:
        sums = np.cumsum(weights)
        if sums[-1] <= 0:
            return int(self.dice.integers(len(weights)))
        return int(np.searchsorted(sums, self.dice.random() * sums[-1], side="right"))

    def _price(self, row: int, at: float) -> float:
        return self.market.products[row].effective_price(at) or 0.0

    def _line(self, row: int, at: float, quantity: int = 1) -> EventProduct:
        return EventProduct(
            product_id=self.market.products[row].product_id, quantity=float(quantity), price=self._price(row, at)
        )

    def _tell(
        self, name: str, at: float, products: tuple[EventProduct, ...] = (), properties: dict[str, Any] | None = None
    ) -> None:
        event = imported_event(
            name,
            key=f"simulated-{len(self.events)}",
            timestamp=round(float(at), 3),
            user_id=self.visitor.user_id,
            anonymous_id="" if self.visitor.user_id else self.visitor.anonymous_id,
            products=products,
            properties=properties,
            context=self.visitor.place.context(at) if self.visitor.place else None,
        )
        self.events.append(msgspec.structs.replace(event, source=SOURCE))


def batches(events: Sequence[Event], size: int) -> Iterator[Sequence[Event]]:
    """The events in lists of at most *size*."""
    for start in range(0, len(events), size):
        yield events[start : start + size]
