"""A shop whose visitors have habits: each buys from its own category every week, looks at others, and has an age."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mtp_plugin.catalog.table import build_table
from mtp_plugin.config import Settings
from mtp_plugin.profile.fold import Fold
from mtp_plugin.propensity.features import DAY
from mtp_plugin.propensity.learn.train import Options
from mtp_plugin.records import Event, EventProduct, FoldFunction, Product, ProductTable
from mtp_plugin.track.imported import imported_event

START = 1_750_000_000.0
WEEKS = 9
NOW = START + WEEKS * 7 * DAY
KINDS = ("Coffee", "Tea", "Soap", "Lamps")
EACH = 4
"""Products of a category."""
People = dict[str, list[Event]]


def products() -> list[Product]:
    """The catalogue."""
    return [
        Product(
            product_id=f"{kind.lower()}-{number}",
            title=f"{kind} {number}",
            category_path=("Shop", kind),
            price=5.0 + 3 * number,
            currency="EUR",
            stock=5,
        )
        for kind in KINDS
        for number in range(EACH)
    ]


def table() -> ProductTable:
    """The catalogue as arrays."""
    return build_table(products(), 1)


def fold(known: ProductTable) -> FoldFunction:
    """The fold over it."""
    folding = Fold(Settings())
    return lambda profile, events: folding(profile, events, known.facts)


def people(count: int = 72, *, seed: int = 1, until: float = NOW) -> People:
    """Their events before *until*, oldest first. Visitor ``i`` buys from category ``i % 3``, 9 weeks of 10."""
    found: People = {}
    for number in range(count):
        random = np.random.default_rng((seed, number))
        who, own = f"v{number}", KINDS[number % 3]
        events = [event("Identify", who, "who", START + random.uniform(0, DAY), traits={"age": 20 + number % 50})]
        for week in range(WEEKS):
            at = START + (week * 7 + 1 + number % 5) * DAY + random.uniform(0, DAY / 2)
            looked = KINDS[int(random.integers(len(KINDS)))]
            events.append(event("Product Viewed", who, f"w{week}", at, f"{looked.lower()}-{random.integers(EACH)}"))
            if random.random() < 0.9:
                bought = f"{own.lower()}-{int(random.integers(2))}"
                events.append(event("Order Completed", who, f"o{week}", at + 600, bought))
        found[f"u:{who}"] = [one for one in events if one.timestamp < until]
    return found


def event(name: str, who: str, key: str, at: float, product_id: str = "", **more: Any) -> Event:
    """One event."""
    items = (EventProduct(product_id, 1.0, 5.0),) if product_id else ()
    given = {"properties": {"order_id": f"{who}-{key}"}} if name == "Order Completed" else {}
    return imported_event(name, key=key, timestamp=at, user_id=who, products=items, **given, **more)


def visitors(of: People) -> Callable[[], Sequence[tuple[str, list[Event]]]]:
    """As training asks for them."""
    return lambda: list(of.items())


def options(**more: Any) -> Options:
    """Small and quick."""
    small = {"category": {"max_iter": 25}, "product": {"max_iter": 25}}
    return Options(**({"half_life": 14 * DAY, "idle": 1800.0, "params": small, "tries": 0} | more))
