"""Orders and what was given back of them, from events in whatever order they came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..records import Event

Price = Callable[[str, float], "tuple[float | None, float | None]"]
"""A product and a time to its price in the shop's currency and its margin (a share of the price), ``None`` unknown."""

PURCHASED = "Order Completed"
GIVEN_BACK = frozenset({"Order Refunded", "Order Cancelled"})
AMOUNTS = ("revenue", "total", "value")


@dataclass(frozen=True, slots=True)
class Line:
    """One product of an order: pieces, money in the shop's currency, and whether the order itself said the price."""

    product_id: str
    quantity: float
    value: float
    margin: float
    said: bool


@dataclass(frozen=True, slots=True)
class Order:
    """What was bought at once; ``returned`` is the share of each product that was given back, ``returned_at`` when."""

    order_id: str
    at: float
    profile_id: str
    lines: tuple[Line, ...]
    returned: Mapping[str, float]
    returned_at: float = 0.0


def orders_of(events: Iterable[Event], price: Price, currency: str) -> list[Order]:
    """The orders of one person, by time. An order that was told twice is the one that was told of first by its time.

    What is given back is never more than was bought, and needs the id of its order.

    :param currency: the shop's; of an order in another one the catalogue's prices count
    """
    told = sorted(events, key=lambda event: (event.timestamp, event.event_id))
    placed: dict[str, Event] = {}
    for event in told:
        if event.name == PURCHASED:
            placed.setdefault(order_id_of(event) or f"event:{event.event_id}", event)
    returns: dict[str, list[Event]] = {}
    for event in told:
        if event.name in GIVEN_BACK and (order_id := order_id_of(event)):
            returns.setdefault(order_id, []).append(event)
    return [_order(order_id, event, returns.get(order_id, ()), price, currency) for order_id, event in placed.items()]


def order_id_of(event: Event) -> str:
    """The order's id as the event tells it, ``""`` for none."""
    value = event.properties.get("order_id")
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _order(order_id: str, event: Event, returns: Sequence[Event], price: Price, currency: str) -> Order:
    foreign = str(event.properties.get("currency") or currency).upper() != currency
    pieces: dict[str, float] = {}
    paid: dict[str, float | None] = {}
    for line in event.products:
        pieces[line.product_id] = pieces.get(line.product_id, 0.0) + line.quantity
        before = paid.get(line.product_id, 0.0)
        known = line.price is not None and before is not None and not foreign
        paid[line.product_id] = (before or 0.0) + (line.price or 0.0) * line.quantity if known else None
    lines = tuple(_line(name, number, paid[name], price(name, event.timestamp)) for name, number in pieces.items())
    whole = abs(amount_of(event)) or sum(line.value for line in lines)
    returned_at = max((one.timestamp for one in returns), default=0.0)
    return Order(order_id, event.timestamp, event.profile_id, lines, _returned(pieces, returns, whole), returned_at)


def _line(product_id: str, quantity: float, paid: float | None, known: tuple[float | None, float | None]) -> Line:
    price, margin = known
    value = paid if paid is not None else (price or 0.0) * quantity
    return Line(product_id, quantity, value, value * (margin or 0.0), paid is not None)


def _returned(pieces: Mapping[str, float], returns: Sequence[Event], whole: float) -> dict[str, float]:
    """The share of each product that was given back, 0 to 1; a sum, so the order of returns makes no difference."""
    shares = dict.fromkeys(pieces, 0.0)
    for event in returns:
        if event.products:
            for line in event.products:
                if pieces.get(line.product_id):
                    shares[line.product_id] += line.quantity / pieces[line.product_id]
        else:
            amount = abs(amount_of(event))
            share = min(1.0, amount / whole) if amount and whole and event.name != "Order Cancelled" else 1.0
            shares = {name: known + share for name, known in shares.items()}
    return {name: min(1.0, share) for name, share in shares.items() if share > 0}


def amount_of(event: Event) -> float:
    """What an event says that an order, or what was given back of it, came to; 0 where it does not say."""
    for name in AMOUNTS:
        said = event.properties.get(name)
        if isinstance(said, (int, float)) and not isinstance(said, bool):
            return float(said)
    return 0.0
