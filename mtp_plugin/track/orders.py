"""Lines of one order, wherever in a file they stand, become one event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator

from ..errors import InputError
from ..records import Event
from .imported import imported_event

MOST_OPEN = 1_000_000
"""Lines kept of orders that are not complete yet."""

OrderKey = tuple[Hashable, ...]


class Orders:
    """Collects the lines of orders and gives each order when its last line was read.

    A file is read twice: first to count the lines of each order, then to collect them. So what is kept are lines of
    orders that are open at the same time, and a number for each order.

    :param keys: of all lines in the file that belong to an order
    :param most_open: lines that may be open at once
    """

    def __init__(self, keys: Iterable[OrderKey], most_open: int = MOST_OPEN) -> None:
        self._left = Counter(map(hash, keys))
        self._open: dict[OrderKey, list[Event]] = {}
        self._held, self._most_open = 0, most_open

    def take(self, key: OrderKey, line: Event | None) -> Event | None:
        """Add a line, ``None`` for one that is wrong; gives the order if this was its last line.

        :raises InputError: too many lines are open at once
        """
        if line is not None:
            self._open.setdefault(key, []).append(line)
            self._held += 1
            if self._held > self._most_open:
                raise InputError(
                    f"lines of one order stand more than {self._most_open:,} lines apart; sort the file by order_id",
                    field="order_id",
                )
        self._left[hash(key)] -= 1
        return self._closed(key) if self._left[hash(key)] <= 0 else None

    def rest(self) -> Iterator[Event]:
        """What is still open at the end of the file."""
        for key in list(self._open):
            if (order := self._closed(key)) is not None:
                yield order

    def _closed(self, key: OrderKey) -> Event | None:
        lines = self._open.pop(key, [])
        self._held -= len(lines)
        return _joined(lines) if lines else None


def _joined(lines: list[Event]) -> Event:
    """One event at the time of the first line; a later return of the same order has its own time, hence its own id."""
    first = min(lines, key=lambda line: line.timestamp)
    order_id = str(first.properties["order_id"])
    return imported_event(
        first.name,
        key=order_id if first.name == "Order Completed" else f"{order_id}|{first.timestamp}",
        timestamp=first.timestamp,
        user_id=first.user_id,
        anonymous_id=first.anonymous_id,
        products=tuple(product for line in lines for product in line.products),
        properties=first.properties,
    )
