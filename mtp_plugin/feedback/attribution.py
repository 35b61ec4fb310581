"""Which slate a click, a cart or a purchase is owed to: the last touch within a window, product by product.

Pure, and a function of the set of events alone: the order in which they arrived makes no difference.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..records import Event
from .orders import GIVEN_BACK, PURCHASED, Line, Order, Price, orders_of

DAY = 86400.0
SEEN, CLICKED, CARTED = "Product List Viewed", "Product Clicked", "Product Added"
NAMES = (SEEN, CLICKED, CARTED, PURCHASED, *sorted(GIVEN_BACK))
"""Events that say something of what came of a slate."""
EARLY = 60.0
"""Seconds that an event may lie before its slate: clocks of browsers are corrected, not right."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A slate as far as attribution needs it: when it was made, its products with their places, whose it was.

    Without ``owners`` it was shared by many visitors.
    """

    created_at: float
    positions: Mapping[str, int]
    owners: frozenset[str] = frozenset()


Find = Callable[[str], "Shown | None"]
"""A ``recommendation_id`` to its slate, ``None`` when there is none: what nobody served earns nothing."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How outcomes are owed: seconds after a touch, whether a slate that was only seen is one, and whether what is
    bought must be the product that was touched (``product``) or may be any (``any``).
    """

    window: float = 7 * DAY
    seen: bool = False
    match: str = "product"


@dataclass(frozen=True, slots=True)
class Credit:
    """What one slate is owed, once: the record that :func:`mtp_plugin.feedback.settle.settle` compares with what is
    known. ``said``: the value is the order's own and not the catalogue's of today.
    """

    kind: str
    recommendation_id: str
    profile_id: str
    at: float
    product_id: str = ""
    position: int = 0
    quantity: float = 1.0
    value: float = 0.0
    margin: float = 0.0
    order_id: str = ""
    said: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Touch:
    """A visitor met a product of a slate. Ordered by time; of two at once the click, then the greater id counts."""

    at: float
    clicked: bool
    recommendation_id: str
    product_id: str
    position: int


def attribute(
    events: Iterable[Event],
    profile_ids: Iterable[str],
    *,
    find: Find,
    price: Price,
    currency: str,
    policy: Policy,
    known: Mapping[tuple[str, str], Touch] | None = None,
) -> list[Credit]:
    """Everything that slates are owed by one person.

    :param events: of all profiles of the person; those of :data:`NAMES` count
    :param profile_ids: these profiles
    :param find: gives slates
    :param price: of a product at a time
    :param currency: the shop's
    :param known: by order and product, what is recorded: the slate, and as time that of the order. It counts when its
        touch was deleted with old events; where the order says otherwise by now, nothing is owed, said as quantity 0
    """
    told = sorted(
        (event for event in events if event.name in NAMES), key=lambda event: (event.timestamp, event.event_id)
    )
    persons = frozenset(profile_ids)
    touches = sorted(touch for event in told for touch in _touches(event, find, persons))
    ledger = _Ledger(touches, policy)
    credits = [*_seen(told, find, persons), *_clicks(told, find, persons)]
    credits += [credit for event in told if event.name == CARTED for credit in _carts(event, ledger, price)]
    orders = orders_of((event for event in told if event.name in {PURCHASED, *GIVEN_BACK}), price, currency)
    credits += [credit for order in orders for credit in _bought(order, ledger, known or {})]
    return credits


class _Ledger:
    """Touches by product, and all of them, each by time."""

    def __init__(self, touches: Iterable[Touch], policy: Policy) -> None:
        self._policy = policy
        self._by: dict[str, list[Touch]] = {}
        for touch in touches:
            if touch.clicked or policy.seen:
                self._by.setdefault(touch.product_id if policy.match == "product" else "", []).append(touch)
        self._times = {name: [touch.at for touch in found] for name, found in self._by.items()}

    def last(self, product_id: str, at: float) -> Touch | None:
        """The last touch within the window before *at*."""
        name = product_id if self._policy.match == "product" else ""
        found = self._by.get(name, ())
        place = bisect_right(self._times.get(name, []), at)
        touch = found[place - 1] if place else None
        return touch if touch is not None and touch.at > at - self._policy.window else None


def _shown(event: Event, find: Find, persons: frozenset[str]) -> Shown | None:
    """The slate an event names, if there is one, it was this person's, and it was there by then."""
    shown = find(event.recommendation_id) if event.recommendation_id else None
    if shown is None or event.timestamp < shown.created_at - EARLY:
        return None
    return shown if not shown.owners or shown.owners & persons else None


def _touches(event: Event, find: Find, persons: frozenset[str]) -> Iterator[Touch]:
    if event.name not in (SEEN, CLICKED, CARTED) or (shown := _shown(event, find, persons)) is None:
        return
    for product in event.products:
        if position := shown.positions.get(product.product_id):
            yield Touch(event.timestamp, event.name != SEEN, event.recommendation_id, product.product_id, position)


def _seen(told: Iterable[Event], find: Find, persons: frozenset[str]) -> Iterator[Credit]:
    """Once a slate, the first time it was seen."""
    known: set[str] = set()
    for event in told:
        name = event.recommendation_id
        if event.name == SEEN and name not in known and _shown(event, find, persons) is not None:
            known.add(name)
            yield Credit("seen", name, event.profile_id, event.timestamp)


def _clicks(told: Iterable[Event], find: Find, persons: frozenset[str]) -> Iterator[Credit]:
    """Once a product of a slate, the first time it was clicked."""
    known: set[tuple[str, str]] = set()
    for event in told:
        if event.name != CLICKED:
            continue
        for touch in _touches(event, find, persons):
            key = (touch.recommendation_id, touch.product_id)
            if key not in known:
                known.add(key)
                yield Credit(
                    "click",
                    touch.recommendation_id,
                    event.profile_id,
                    event.timestamp,
                    touch.product_id,
                    touch.position,
                )


def _carts(event: Event, ledger: _Ledger, price: Price) -> Iterator[Credit]:
    for product in event.products:
        touch = ledger.last(product.product_id, event.timestamp)
        if touch is not None:
            known, margin = price(product.product_id, event.timestamp)
            value = (known if product.price is None else product.price) or 0.0
            yield Credit(
                kind="cart",
                recommendation_id=touch.recommendation_id,
                profile_id=event.profile_id,
                at=event.timestamp,
                product_id=product.product_id,
                position=touch.position if touch.product_id == product.product_id else 0,
                quantity=product.quantity,
                value=value * product.quantity,
                margin=value * product.quantity * (margin or 0.0),
                said=product.price is not None,
            )


def _bought(order: Order, ledger: _Ledger, known: Mapping[tuple[str, str], Touch]) -> Iterator[Credit]:
    """Each line of an order is owed to one slate at most; what was given back of it is taken from the same."""
    left = {product_id: touch for (order_id, product_id), touch in known.items() if order_id == order.order_id}
    for line in order.lines:
        before = left.get(line.product_id)
        touch = ledger.last(line.product_id, order.at) or (before if before and before.at == order.at else None)
        if touch is not None:
            left.pop(line.product_id, None)
            yield _line_credit("purchase", order, line, touch, 1.0, order.at)
            if share := order.returned.get(line.product_id, 0.0):
                yield _line_credit("refund", order, line, touch, -share, max(order.returned_at, order.at))
    for product_id, touch in left.items():
        nothing = Line(product_id, 0.0, 0.0, 0.0, said=True)
        yield _line_credit("purchase", order, nothing, touch, 0.0, order.at)
        yield _line_credit("refund", order, nothing, touch, 0.0, order.at)


def _line_credit(kind: str, order: Order, line: Line, touch: Touch, share: float, at: float) -> Credit:
    return Credit(
        kind=kind,
        recommendation_id=touch.recommendation_id,
        profile_id=order.profile_id,
        at=at,
        product_id=line.product_id,
        position=touch.position if touch.product_id == line.product_id else 0,
        quantity=share * line.quantity,
        value=share * line.value,
        margin=share * line.margin,
        order_id=order.order_id,
        said=line.said,
    )
