"""Made-up histories and catalogues of any size, for the benchmarks that learn from one.

Not a model of any shop, but the structure that costs time and memory: few products get most views, few visitors make
most of them, a session stays near one product, people come back to what they saw, and some of what is seen is bought.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtp_plugin.candidates.log import CART, PURCHASE, VIEW, TrainingLog
from mtp_plugin.catalog.table import build_table
from mtp_plugin.records import Product, ProductTable

DAY_S = 86_400.0
DAYS = 180
END = 1_750_000_000.0
"""Of every history, seconds since 1970."""

KINDS = ("watch", "lamp", "chair", "mug", "bag", "jacket", "shoe", "plant", "notebook", "headphone")
WORDS = ("small", "large", "red", "blue", "green", "oak", "steel", "cotton", "classic", "modern", "light", "warm")
Columns = dict[str, NDArray[np.generic]]


def history(rows: int, products: int, seed: int = 0, most_visits: int = 400) -> TrainingLog:
    """A log of about *rows* views, carts and order lines.

    Of 100 rows about 85 are views, 8 carts, 7 order lines; a session has 4.5 views on average, a visitor 4.6 sessions.

    :param most_visits: of one visitor; with 100 of them a visitor has 3.8 sessions
    """
    random = np.random.default_rng(seed)
    columns = _views(int(rows * 0.855), products, most_visits, random)
    parts = [columns, _some(columns, 0.09, CART, 20.0, random), _some(columns, 0.075, PURCHASE, 900.0, random)]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in columns}
    order = np.lexsort((joined["time"], joined["session"]))
    joined = {name: values[order] for name, values in joined.items()}
    joined["basket"] = np.where(joined["action"] == PURCHASE, joined["session"], -1).astype(np.int32)
    n_visitors = int(joined["visitor"].max()) + 1
    owners = random.integers(0, 2**63 - 1, n_visitors)
    return TrainingLog(**joined, owners=owners, items=tuple(f"p{number}" for number in range(products)))


def _views(views: int, products: int, most_visits: int, random: np.random.Generator) -> Columns:
    length = np.minimum(random.geometric(1 / 4.5, views // 4), 200)
    length = length[: np.searchsorted(np.cumsum(length), views) + 1]
    sessions = len(length)
    visitor = _visitors(sessions, most_visits, random)
    start = np.sort(END - DAYS * DAY_S * np.sqrt(random.random(sessions)))
    rank = _zipf(sessions, products, random)
    taste = _zipf(int(visitor.max()) + 1, products, random)
    centre = np.where(random.random(sessions) < 0.4, taste[visitor], rank)
    session = np.repeat(np.arange(sessions, dtype=np.int32), length)
    place = np.arange(len(session)) - np.repeat(np.cumsum(length) - length, length)
    step = np.rint(random.standard_t(1.5, len(session)) * 6).astype(np.int64)
    far = random.random(len(session)) < 0.1
    item = np.where(far, _zipf(len(session), products, random), (centre[session] + step) % products)
    again = (random.random(len(session)) < 0.12) & (place > 0)
    item[1:][again[1:]] = item[:-1][again[1:]]
    return {
        "visitor": visitor[session],
        "item": _shuffled(products)[item].astype(np.int32),
        "time": start[session] + place * 45.0,
        "action": np.full(len(session), VIEW, dtype=np.int8),
        "session": session,
    }


def _visitors(sessions: int, most_visits: int, random: np.random.Generator) -> NDArray[np.int32]:
    """The visitor of each session: half come once, a few very often."""
    visits = np.minimum(random.zipf(2.0, sessions), most_visits)
    visits = visits[: np.searchsorted(np.cumsum(visits), sessions) + 1]
    visitor = np.repeat(np.arange(len(visits), dtype=np.int32), visits)[:sessions]
    return random.permutation(visitor)


def _zipf(count: int, products: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Products by popularity: the share of rank r falls about as r to the power of -0.8."""
    return np.minimum(products * random.random(count) ** 5, products - 1).astype(np.int64)


def _shuffled(products: int) -> NDArray[np.int64]:
    return np.random.default_rng(1).permutation(products)


def _some(views: Columns, share: float, action: int, later: float, random: np.random.Generator) -> Columns:
    """Rows of another action about some of the products of some sessions."""
    busy = random.random(int(views["session"].max()) + 1) < 2.5 * share
    kept = np.flatnonzero(busy[views["session"]] & (random.random(len(views["session"])) < 0.4))
    found = {name: values[kept] for name, values in views.items()}
    found["action"] = np.full(len(kept), action, dtype=np.int8)
    if action == PURCHASE:  # all lines of an order bear its time
        last = np.zeros(len(busy))
        np.maximum.at(last, found["session"], found["time"])
        found["time"] = last[found["session"]]
    found["time"] = found["time"] + later
    return found


def catalogue(products: int) -> ProductTable:
    """Products with a title of five words, a category of two levels, a brand, a colour and a price."""
    return build_table(map(product, range(products)), 1)


def product(number: int) -> Product:
    """One product of :func:`catalogue`."""
    kind, first, second = number % 10, WORDS[number * 7 % 12], WORDS[number * 5 % 11]
    return Product(
        product_id=f"p{number}",
        title=f"{first} {second} {KINDS[kind]} model {number // 10} series {number % 977}",
        brand=f"Brand {number % 400}",
        category_path=("All", KINDS[kind].title(), f"{KINDS[kind].title()} {number % 40}"),
        colors=(WORDS[2 + number % 3],),
        description=f"A {first} {KINDS[kind]} of {second} make, made to last; number {number % 1000}.",
        price=10.0 + number * 37 % 300,
        currency="EUR",
        stock=number % 50 + 1,
        image=f"https://shop.example/images/{number}.jpg",
        url=f"https://shop.example/products/{number}",
    )
