"""Simulated shoppers who see a shop through its HTML alone: their tastes, what they click, what they buy.

Nobody real is in it. A shopper's liking of a product is that of a persona (:mod:`.personas`), changed by what sets one
person apart; it is read off the words of the product's own page, as a person would read them. Nothing is known to a
shopper of profiles, scores or why a product stands where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .personas import PERSONAS, Persona
from .seeing import Card, Facts, Page, Shelf

HOUR, DAY = 3600.0, 86400.0
AGREES = 0.85
"""How many say yes when asked for consent."""
WATCHED = "home-hero"
"""The block that shoppers of all kinds are shown differently."""
LOOKS = {WATCHED: 0.95, "home-trending": 0.5, "product-similar": 0.5, "product-together": 0.4}
"""How often a block is looked at; others are passed by."""
PATIENCE = 0.5
"""The chance to look at the card at position *k* is ``k ** -PATIENCE``: the reader's eye tires."""
TEMPTED, CHARM = -4.4, 1.4
"""A card looked at is clicked with the chance ``sigmoid(TEMPTED + CHARM * liking)``; a liking of 1 is one standard
deviation more than this shopper likes the shop's products on average."""
CAUGHT = 0.03
"""That chance in the model where it does not matter what a card shows."""
WANTED, NEEDED = -4.0, 1.0
"""As :data:`TEMPTED` and :data:`CHARM`, of putting into the basket what was looked at."""
PAYS = 0.6
"""How many who have something in the basket order it."""


@dataclass(frozen=True, slots=True)
class Models:
    """How shoppers choose: by ``taste``, or ``null``, where neither clicks on blocks nor what is bought after them
    depend on the product.
    """

    by_taste: bool


class Browser(Protocol):
    """What a shopper needs of a browser."""

    def get(self, path: str) -> Page: ...

    def post(self, path: str, fields: Mapping[str, str]) -> Page: ...

    def tell(self, events: list[dict[str, Any]]) -> None: ...


@dataclass(slots=True)
class Told:
    """What a shopper did, as the shopper knows it."""

    seen: int = 0
    clicked: int = 0
    orders: int = 0
    revenue: float = 0.0
    fresh: int = 0
    """Times that a new product was looked at in the block."""


class Window:
    """The shop's products as read off their pages, one column each.

    :param facts: by address
    """

    def __init__(self, facts: Mapping[str, Facts], new: frozenset[str] = frozenset()) -> None:
        self.urls = list(facts)
        self.place = {url: number for number, url in enumerate(self.urls)}
        self.facts = list(facts.values())
        self.new = new
        self.categories = sorted({one.category for one in self.facts})
        self.category = np.array([self.categories.index(one.category) for one in self.facts])
        prices = np.array([max(one.price, 1.0) for one in self.facts])
        usual = np.array([np.median(prices[self.category == category]) for category in self.category])
        self.dear = np.log(prices / usual)

    def likings(self, persona: Persona, dice: np.random.Generator) -> NDArray[np.float64]:
        """How a person of this kind likes each product, in standard deviations about the mean."""
        weights = {word.lower(): np.log(weight) for word, weight in persona.likes.items()}
        liking = np.array([sum(weights.get(word, 0.0) for word in one.words) for one in self.facts])
        liking = 0.8 * liking - ((self.dear - np.log(persona.price)) / 0.7) ** 2
        liking += dice.normal(0, 0.5, len(self.categories))[self.category] + dice.normal(0, 0.5, len(liking))
        found: NDArray[np.float64] = (liking - liking.mean()) / liking.std()
        return found


@dataclass(slots=True)
class Shopper:
    """One person with a browser.

    :param models: how it is chosen
    """

    persona: Persona
    browser: Browser
    window: Window
    models: Models
    dice: np.random.Generator
    told: Told = field(default_factory=Told)
    liking: NDArray[np.float64] = field(init=False)
    answered: bool = False
    agrees: bool = False
    basket: list[str] = field(default_factory=list)
    _unsent: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.liking = self.window.likings(self.persona, self.dice)

    def visit(self) -> Iterator[float]:
        """One visit; gives after each thing done how many seconds pass until the next."""
        page = self._open("/")
        yield self._pause(6)
        for _ in range(int(self.dice.geometric(0.6))):
            clicked = self._look(page)
            if clicked:
                yield self._pause(4)
                yield from self._product(clicked)
            category = self._category()
            page = self._open(f"/shop/{category}")
            yield self._pause(8)
            for url in self._picks(page):
                yield from self._product(url)
            page = self._open("/")
            yield self._pause(5)
        if self.basket and self.dice.random() < PAYS:
            yield from self._order()
        self._send()
        self.basket.clear()

    # -------------------------------------------------------------------------------------------- pages

    def _open(self, path: str) -> Page:
        self._send()
        page = self.browser.get(path)
        asks = page.asks
        if asks is not None and not self.answered:
            self.answered, self.agrees = True, self.dice.random() < AGREES
            choice = "granted" if self.agrees else "denied"
            page = self.browser.post(asks.action, {**asks.fields, "choice": choice})
        self._tell({"type": "page", "properties": {"path": path}})
        return page

    def _product(self, url: str) -> Iterator[float]:
        page = self._open(url)
        facts = page.facts
        if facts is None:
            return
        self._tell(_track("Product Viewed", {"product_id": facts.product_id, "price": facts.price, "currency": "EUR"}))
        yield self._pause(20)
        buy = page.buy
        if buy is not None and url not in self.basket and self._chance(WANTED, NEEDED, url):
            self._tell(_track("Product Added", {"product_id": facts.product_id, "quantity": 1, "price": facts.price}))
            self._send()
            self.browser.post(buy.action, buy.fields)
            self.basket.append(url)
            yield self._pause(5)
        elif clicked := self._look(page):
            yield self._pause(4)
            yield from self._product(clicked)

    def _order(self) -> Iterator[float]:
        page = self._open("/checkout")
        yield self._pause(60)
        form = page.checkout
        if form is None:
            return
        total = page.total
        thanks = self.browser.post(form.action, {**form.fields, **ADDRESS})
        if thanks.path.startswith("/thanks/"):
            self.told.orders += 1
            self.told.revenue += total

    # -------------------------------------------------------------------------------------------- choices

    def _look(self, page: Page) -> str:
        """Look at the page's blocks, from the top; gives the address of the first card that is clicked, if one is."""
        for shelf in page.shelves:
            if self.dice.random() >= LOOKS.get(shelf.name, 0.0):
                continue
            self._tell(_track("Product List Viewed", {**_named(shelf), "products": [_line(c) for c in shelf.cards]}))
            watched = shelf.name == WATCHED and page.path == "/"
            self.told.seen += watched
            for card in shelf.cards:
                if self.dice.random() >= card.position**-PATIENCE:
                    continue
                self.told.fresh += watched and card.product_id in self.window.new
                if self._chance(TEMPTED, CHARM, card.url) if self.models.by_taste else self.dice.random() < CAUGHT:
                    self.told.clicked += watched
                    self._tell(_track("Product Clicked", {**_line(card), **_named(shelf)}))
                    return card.url
        return ""

    def _chance(self, base: float, slope: float, url: str) -> bool:
        place = self.window.place.get(url.split("?")[0])
        liking = self.liking[place] if place is not None and self.models.by_taste else 0.0
        return bool(self.dice.random() < 1.0 / (1.0 + np.exp(-base - slope * liking)))

    def _category(self) -> str:
        """A category that is liked, by the best of what it has."""
        window = self.window
        best = np.array([self.liking[window.category == n].max() for n in range(len(window.categories))])
        odds = np.exp(1.5 * best)
        return window.categories[int(self.dice.choice(len(odds), p=odds / odds.sum()))]

    def _picks(self, page: Page) -> list[str]:
        """What of a list is looked at: one to three, by taste."""
        urls = [url for url in page.products if url in self.window.place]
        if not urls:
            return []
        odds = np.exp(1.2 * self.liking[[self.window.place[url] for url in urls]])
        count = min(len(urls), 1 + int(self.dice.random() < 0.5) + int(self.dice.random() < 0.25))
        return [urls[int(n)] for n in self.dice.choice(len(urls), count, replace=False, p=odds / odds.sum())]

    def _pause(self, seconds: float) -> float:
        return 2.0 + float(self.dice.exponential(seconds))

    def _tell(self, event: dict[str, Any]) -> None:
        # The page's script sends nothing of somebody who did not agree.
        if self.agrees:
            self._unsent.append(event)

    def _send(self) -> None:
        """What the page's script sends when the page is left, or something goes into the basket."""
        if self._unsent:
            self.browser.tell(self._unsent)
            self._unsent = []


ADDRESS = {
    "email": "simulated@example.org",
    "name": "Sim Ulated",
    "address": "1 Example Street",
    "postcode": "10115",
    "city": "Berlin",
    "card": "4242 4242 4242 4242",
    "expiry": "12/99",
}


def kinds(count: int, dice: np.random.Generator) -> list[Persona]:
    """So many personas, drawn by how common they are."""
    shares = np.array([persona.share for persona in PERSONAS.values()])
    drawn = dice.choice(len(shares), count, p=shares / shares.sum())
    return [list(PERSONAS.values())[number] for number in drawn]


def _track(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "track", "event": name, "properties": properties}


def _named(shelf: Shelf) -> dict[str, Any]:
    return {"list_id": shelf.name, **({"recommendation_id": shelf.slate} if shelf.slate else {})}


def _line(card: Card) -> dict[str, Any]:
    return {"product_id": card.product_id, "position": card.position}
