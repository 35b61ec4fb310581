"""Made-up visitors of a shop who fall into plain groups."""

from __future__ import annotations

import random

from mtp_plugin.config import Settings
from mtp_plugin.profile.fold import Fold
from mtp_plugin.records import EventProduct, Product
from mtp_plugin.track.imported import imported_event

T0 = 1_750_000_000.0
DAY = 86400.0
KINDS = {
    "watches": ("Watches", 900.0, "mobile", 0.3),
    "bags": ("Bags", 60.0, "desktop", 0.1),
    "lamps": ("Lamps", 25.0, "tablet", 0.0),
}


def products() -> list[Product]:
    return [
        Product(
            product_id=f"{kind}-{number}",
            title=f"{category} {number}",
            brand=f"B{number % 3}",
            category_path=(category, ("Fine", "Plain")[number % 2]),
            price=price * (1 + number / 10),
            currency="EUR",
            stock=5,
        )
        for kind, (category, price, *_) in KINDS.items()
        for number in range(10)
    ]


def events_of(visitor: int, kind: str, chance: random.Random) -> list:
    """The visits of one visitor who likes one kind, and now and then looks elsewhere."""
    _, price, device, buys = KINDS[kind]
    made = []
    for visit in range(1 + chance.randrange(4)):
        at = T0 - chance.uniform(0, 30) * DAY
        for step in range(2 + chance.randrange(5)):
            liked = kind if chance.random() < 0.9 else chance.choice(list(KINDS))
            name = "Order Completed" if chance.random() < buys else "Product Viewed"
            made.append(
                imported_event(
                    name,
                    key=f"{visitor}-{visit}-{step}",
                    timestamp=at + step * 60,
                    anonymous_id=f"v{visitor}",
                    products=(EventProduct(f"{liked}-{chance.randrange(10)}", price=price),),
                    properties={"order_id": f"{visitor}-{visit}-{step}"} if name == "Order Completed" else {},
                    context={"device": device},
                )
            )
    return sorted(made, key=lambda event: event.timestamp)


def visits(count: int, seed: int = 1) -> list[list]:
    """The events of *count* visitors, whose kinds take turns."""
    chance, kinds = random.Random(seed), list(KINDS)
    return [events_of(visitor, kinds[visitor % len(kinds)], chance) for visitor in range(count)]


def folder():
    return Fold(Settings())


def view(kind: str, number: int, at: float, name: str = "Product Viewed"):
    """A product of this kind looked at by a visitor who has the kind's device."""
    return imported_event(
        name,
        key=f"one-{number}",
        timestamp=at,
        anonymous_id="one",
        products=(EventProduct(f"{kind}-{number}"),),
        context={"device": KINDS[kind][2]},
    )
