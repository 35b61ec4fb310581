"""Three weeks of simulated visits to the shop's blocks, so that the console has results to show.

Nobody real is in it. Who is shown what goes the real way through the pipeline, and so does what comes of it: events
that name the slates, attribution, key figures. What a shopper clicks and buys is drawn by the taste of a persona, as in
:mod:`.shoppers`. Profiles are those of today, and know a little of what came after such a visit; of what personalised
blocks earn only :mod:`.traffic` tells.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from mtp_plugin.attributing import CURSOR
from mtp_plugin.jobs import Jobs
from mtp_plugin.ports import JobRun
from mtp_plugin.records import ConsentLevel, Context, Event, EventProduct, Slate, SlateRequest
from mtp_plugin.scheduled import standard_jobs
from mtp_plugin.track.imported import imported_event

from .shoppers import CHARM, LOOKS, PATIENCE, TEMPTED
from .simulate import DAY, SOURCE, Floats, Market, Visitor, batches

DAYS, A_DAY = 21, 1 / 60
"""Days, and visits a day for each visitor at their beginning; there are half as many more at their end."""
PAGES: tuple[tuple[str, ...], ...] = (
    ("home-hero", "home-trending", "home-sale"),
    ("product-together", "product-similar"),
    ("category-top",),
)
"""The blocks of the pages that a visit may begin with."""
LIKELY = (0.45, 0.4, 0.15)
CARTED, PAID = 0.25, 0.6
"""Of what was clicked so much goes into the basket, of baskets so many are ordered."""
DONE_BY_BUILDING = ("train", "refresh", "segments", "segment-slates")
"""Jobs whose work the building of the shop has just done."""


def show_blocks(state: Any, market: Market, visitors: list[Visitor], now: float, seed: int) -> int:
    """Let three weeks of simulated visits pass and find what came of them; gives the number of visits."""
    results = Results(state, market, now, np.random.default_rng([seed, 6]))
    visits = list(results.visits(visitors))
    # What was there before knows of no slates.
    state.cursors.put(CURSOR, str(state.journal.last_number()), now)
    state.slates.flush(60.0)
    for batch in batches([event for visit in visits for event in visit], 2000):
        state.pipeline.ingest(batch)
    return len(visits)


def run_jobs(state: Any, built_at: float) -> None:
    """Run the shop's jobs for the first time; what building has done counts as done then."""
    for name in DONE_BY_BUILDING:
        message = "done when the shop was built"
        state.leases.record_run(JobRun(name=name, started_at=built_at, seconds=0.0, ok=True, message=message))
    Jobs(standard_jobs(state), state.leases, time.time).run_due()


@dataclass
class Results:
    """Lets simulated shoppers look at blocks.

    :param state: the plugin's
    :param market: what they like
    :param now: when the last of them leaves, in seconds since 1970
    """

    state: Any
    market: Market
    now: float
    dice: np.random.Generator

    def __post_init__(self) -> None:
        self.rows = {product.product_id: row for row, product in enumerate(self.market.products)}

    def visits(self, visitors: list[Visitor]) -> Iterator[list[Event]]:
        """What a visitor of each visit did, the earliest first."""
        for day in range(DAYS):
            count = math.ceil(len(visitors) * A_DAY * (1 + 0.5 * day / DAYS))
            begins = self.now - (DAYS - day) * DAY
            for at in np.sort(self.dice.uniform(begins, begins + DAY - 3600.0, count)).tolist():
                yield self._visit(visitors[int(self.dice.integers(len(visitors)))], at)

    def _visit(self, visitor: Visitor, at: float) -> list[Event]:
        page, wants = PAGES[int(self.dice.choice(len(PAGES), p=LIKELY))], self._wants(visitor, at)
        row = int(np.searchsorted(np.cumsum(np.exp(wants)), self.dice.random() * np.exp(wants).sum()))
        diary, basket = Diary(visitor, at), list[EventProduct]()
        for placement in page:
            slate = self._slate(visitor, placement, row, diary.clock)
            if slate.items and self.dice.random() < LOOKS.get(placement, 0.5):
                basket += self._looks(diary, slate, wants)
        if basket and self.dice.random() < PAID:
            diary.clock += 120.0
            total = round(sum((line.price or 0.0) * line.quantity for line in basket), 2)
            order = {"order_id": f"R-{visitor.profile_id}-{at:.0f}", "total": total, "currency": "EUR"}
            diary.tell("Order Completed", tuple(basket), properties=order)
        return diary.events

    def _wants(self, visitor: Visitor, at: float) -> Floats:
        """How much the shopper likes each product, in standard deviations."""
        liking = np.log(self.market.appeal(visitor.persona, at) + 1e-3)
        return np.asarray((liking - liking.mean()) / liking.std())

    def _slate(self, visitor: Visitor, placement: str, row: int, at: float) -> Slate:
        product, place = self.market.products[row], visitor.place
        about_product = placement.startswith("product-")
        known = place.context(at) if place else {}
        request = SlateRequest(
            placement=placement,
            now=at,
            seed=int(self.dice.integers(2**31)),
            consent_level=ConsentLevel.FULL,
            profile_ids=(visitor.profile_id,),
            context=Context(category=" > ".join(product.category_path) if placement == "category-top" else "", **known),
            product_ids=(product.product_id,) if about_product else (),
        )
        slate: Slate = self.state.pipeline.recommend(request)
        return slate

    def _looks(self, diary: Diary, slate: Slate, wants: Floats) -> list[EventProduct]:
        """What of a block that was looked at goes into the basket."""
        name, basket = slate.recommendation_id, list[EventProduct]()
        lines = [self._line(item.product_id, diary.clock) for item in slate.items]
        diary.tell("Product List Viewed", tuple(lines), name)
        for item, line in zip(slate.items, lines, strict=True):
            charm = 1 / (1 + np.exp(-(TEMPTED + CHARM * wants[self.rows[item.product_id]])))
            if self.dice.random() < item.position**-PATIENCE * charm:
                diary.tell("Product Clicked", (line,), name)
                if self.dice.random() < CARTED:
                    diary.tell("Product Added", (line,), name)
                    basket.append(line)
        return basket

    def _line(self, product_id: str, at: float) -> EventProduct:
        price = self.market.products[self.rows[product_id]].effective_price(at)
        return EventProduct(product_id=product_id, quantity=1.0, price=price)


@dataclass(slots=True)
class Diary:
    """Writes down what one visitor does."""

    visitor: Visitor
    clock: float
    events: list[Event] = field(default_factory=list)

    def tell(
        self,
        name: str,
        products: tuple[EventProduct, ...],
        recommendation_id: str = "",
        properties: dict[str, Any] | None = None,
    ) -> None:
        """Something happens, a few seconds after what happened before."""
        self.clock += 4.0
        visitor, place = self.visitor, self.visitor.place
        event = imported_event(
            name,
            key=f"result-{recommendation_id}-{self.clock:.0f}-{len(self.events)}",
            timestamp=round(self.clock, 3),
            user_id=visitor.user_id,
            anonymous_id="" if visitor.user_id else visitor.anonymous_id,
            products=products,
            properties=properties,
            context=place.context(self.clock) if place else None,
            recommendation_id=recommendation_id,
        )
        self.events.append(msgspec.structs.replace(event, source=SOURCE))
