"""A small made-up shop and its visitors, drawn by seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.recommender import Recommender
from mtp_plugin.candidates.train import Learnt, train, train_content
from mtp_plugin.catalog.table import build_table
from mtp_plugin.ports import Bundle
from mtp_plugin.records import Event, EventProduct, Product, ProductTable

DAY = 86_400.0
KINDS = ("Lamp", "Chair", "Cup", "Rug", "Vase", "Clock")
MAKERS = ("Nord", "Sol", "Terra")
COLORS = ("red", "blue", "green", "white")


def products(n: int = 96) -> list[Product]:
    return [
        Product(
            product_id=f"p{number:03}",
            title=f"{COLORS[number % 4]} {KINDS[number % 6]} {number // 24}",
            brand=MAKERS[number % 3],
            category_path=("Home", KINDS[number % 6]),
            colors=(COLORS[number % 4],),
            price=10.0 + number,
            sale_price=5.0 + number if number % 7 == 0 else None,
            created=float(number),
        )
        for number in range(n)
    ]


def table(n: int = 96) -> ProductTable:
    return build_table(products(n), 1)


def event(name: str, visitor: str, time: float, *ids: str) -> Event:
    number = f"{name}-{visitor}-{time}-{'-'.join(ids)}"
    return Event(
        event_id=number,
        name=name,
        profile_id=visitor,
        timestamp=time,
        received_at=time,
        dedupe_key=number,
        products=tuple(EventProduct(product_id=one) for one in ids),
    )


def events(seed: int = 0, visitors: int = 60, n: int = 96) -> list[Event]:
    """Visitors who stay within one kind of product, look at four to eight and often buy two of them."""
    random, found = np.random.default_rng(seed), []
    for visitor in range(visitors):
        for visit in range(3):
            kind, time = int(random.integers(6)), visit * 10 * DAY + visitor * 3600.0
            pool = np.arange(kind, n, 6)
            seen = [f"p{one:03}" for one in random.choice(pool, int(random.integers(4, 9)))]
            found += [event("Product Viewed", f"u:{visitor}", time + 60.0 * step, one) for step, one in enumerate(seen)]
            if random.random() < 0.7:
                found.append(event("Order Completed", f"u:{visitor}", time + 1000.0, *sorted(set(seen[:2]))))
    return found


def learnt(found: Sequence[Event] | None = None) -> Learnt:
    return train(TrainingLog.from_events([list(found if found is not None else events())]), table=table())


def bundle(kind: str, given: Learnt) -> Bundle:
    return Bundle(kind=kind, version="1", arrays=dict(given.arrays), strings=dict(given.strings), meta=dict(given.meta))


def recommender(*, behaviour: bool = True, content: bool = True) -> Recommender:
    products_of = table()
    return Recommender(
        products_of,
        bundle("behaviour", learnt()) if behaviour else None,
        bundle("content", train_content(products_of)) if content else None,
    )
