"""What can be said of a visitor in a name or an attribute, each a mask over the visitors: plain, and checkable.

An absolute claim speaks for itself (*on a mobile*: at least half of the events). A comparing one (*larger orders*) is
above, or below, the middle of all visitors of whom it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ...records import BoolArray, FloatArray
from ..english import ENGLISH
from ..matrix import FeatureTable
from ..naming import Part

HALF = 0.5
MUCH, LEAST = 1.5, 0.1
"""*More of a category*: so many times everyone's share, and this much of the own interest."""
LONG_DAYS = 90.0
"""Without an order for so long, a buyer has lapsed."""
FAMILIES = {"category": "category", "price_tier": "tier", "brand": "brand", "color": "color", "style": "style",
            "device": "device", "daypart": "daypart", "country": "place"}  # fmt: skip
"""What a family's value is called in a name."""
REPEATED = ("os", "browser", "device_class", "time_zone", "weather")
"""Traits that say in other words what others do, or are as fleeting as the weather."""
PLACES = ("city", "region", "country", "place")
"""Traits that are places."""

Read = Callable[[str], FloatArray]


class Claim(NamedTuple):
    """Something that is true of some visitors: what is said, and of whom, ``(n,)``."""

    part: Part
    holds: BoolArray


def claims_of(table: FeatureTable, least: int = 1) -> list[Claim]:
    """All that the table's columns allow to say, in a fixed order.

    :param least: fewest visitors of a place that is named
    """
    nothing: FloatArray = np.full(len(table), np.nan, dtype=np.float32)

    def read(name: str) -> FloatArray:
        return table.column(name) if name in table.names else nothing

    with np.errstate(invalid="ignore"):  # nothing holds of what is unknown
        found = [*_who(read, len(table)), *_values(table), *_comparing(table)]
    by_part = {claim.part: claim for claim in reversed(found) if _is_said(claim, least)}
    return list(reversed(by_part.values()))


def _is_said(claim: Claim, least: int) -> bool:
    return bool(claim.holds.sum() >= (least if claim.part[0] == "place" else 1))


def _who(read: Read, count: int) -> Iterator[Claim]:
    orders, pace = read("orders"), read("orders_per_month")
    paces = pace[(orders >= 1) & ~np.isnan(pace)]
    slow, fast = np.quantile(paces, [1 / 3, 2 / 3]) if len(paces) else (0.0, 0.0)
    yield Claim(("who", "visitors"), np.ones(count, dtype=bool))
    yield Claim(("who", "browsers"), orders == 0)
    yield Claim(("who", "buyers"), orders >= 1)
    yield Claim(("who", "once"), orders == 1)
    yield Claim(("who", "regulars"), (orders >= 3) & (pace >= fast))
    yield Claim(("who", "occasional"), (orders >= 2) & (pace <= slow))
    yield Claim(("who", "lapsed"), (orders >= 1) & (read("days_since_order") >= LONG_DAYS))
    yield Claim(("who", "abandoners"), (orders == 0) & (read("abandonment") >= HALF))
    yield Claim(("who", "bargain"), read("discount_share") >= HALF)
    yield Claim(("who", "searchers"), read("searches_per_session") >= 1)
    yield Claim(("visit", "first"), read("sessions") == 1)
    yield Claim(("visit", "returning"), read("sessions") > 1)


def _values(table: FeatureTable) -> Iterator[Claim]:
    """What at least half of somebody's interest, or of the events, goes to; and what is said of somebody in a word."""
    for place, name in enumerate(table.names):
        family, dot, value = name.partition(".")
        column = table.values[:, place]
        if family == "traits" and "=" in value:
            trait, _, word = value.partition("=")
            if trait in FAMILIES or trait in REPEATED:
                continue
            said = {"urban": ("urban", word)} | dict.fromkeys(PLACES, ("place", word))
            yield Claim(said.get(trait, ("trait", value)), column >= 1)
        elif dot and family in FAMILIES:
            yield Claim((FAMILIES[family], value), column >= HALF)
            if family == "category":
                known = column[~np.isnan(column)]
                usual = float(known.mean()) if len(known) else 0.0
                yield Claim(("much", value), column >= max(LEAST, MUCH * usual))


def _comparing(table: FeatureTable) -> Iterator[Claim]:
    for place, name in enumerate(table.names):
        if f"more.{name}" not in ENGLISH:
            continue
        column = table.values[:, place]
        middle = np.nanmedian(column) if not np.isnan(column).all() else 0.0
        yield Claim(("more", name), column > middle)
        yield Claim(("less", name), column < middle)
