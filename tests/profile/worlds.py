"""A small catalogue and made-up visits for the tests of profiles."""

from __future__ import annotations

from hypothesis import strategies as st

from mtp_plugin.config import Settings
from mtp_plugin.profile.fold import Fold
from mtp_plugin.records import EventProduct, ProductFacts
from mtp_plugin.track.imported import imported_event

T0 = 1_700_000_000.0
DAY = 86400.0
HALF_LIFE = 14 * DAY
COLORS = ((), ("red",), ("red", "blue"), ("green", "red", "grey"))
TIERS = ("budget", "mid", "", "luxury")

FACTS = {
    f"p{i}": ProductFacts(
        category=f"Shop > C{i % 5}" if i % 6 else "",
        brand=f"B{i % 4}",
        colors=COLORS[i % 4],
        style=f"s{i % 3}" if i % 2 else "",
        price_tier=TIERS[i % 4],
        price=10.0 + i,
        margin=i / 20 if i % 3 else None,
        on_sale=i % 2 == 0,
    )
    for i in range(12)
}


def facts(product_id, t):
    return FACTS.get(product_id)


def fold(**settings):
    return Fold(Settings(**settings))


def event(name, t, *pieces, key="", **properties):
    """An event at *t* seconds after :data:`T0`; pieces are ids or (id, quantity)."""
    products = tuple(EventProduct(p) if isinstance(p, str) else EventProduct(p[0], quantity=p[1]) for p in pieces)
    whole = key or f"{t}|{pieces}|{properties}"
    return imported_event(name, key=whole, timestamp=T0 + t, anonymous_id="v", products=products, properties=properties)


def bare(profile):
    """All of a profile but for how often it was written."""
    import msgspec

    return msgspec.structs.replace(profile, revision=0)


names = st.sampled_from(
    ["Product Viewed", "Product Added", "Product Removed", "Order Completed", "Order Refunded", "Page Viewed"]
)
# Up to years between events, so that landmarks move and weights fade away.
moments = st.one_of(st.integers(0, 7200), st.integers(0, 60 * 86400), st.integers(0, 3 * 365 * 86400)).map(float)
lines = st.lists(st.tuples(st.sampled_from([*FACTS, "unknown"]), st.integers(1, 3).map(float)), min_size=1, max_size=3)


@st.composite
def visits(draw, names=names, min_size=1, max_size=25):
    """Events in order of arrival, which is not that of their times."""
    made = []
    for place in range(draw(st.integers(min_size, max_size))):
        name, order = draw(names), draw(st.sampled_from(["", "o1", "o2", "o3"]))
        properties = {"order_id": order} if order and name.startswith("Order ") else {}
        pieces = [] if name == "Page Viewed" or (name == "Order Refunded" and order == "o3") else draw(lines)
        made.append(event(name, draw(moments), *pieces, key=str(place), **properties))
    return made
