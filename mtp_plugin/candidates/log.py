"""What models are learnt from: who did what with which product when, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..records import ACTIONS, Action, BoolArray, Event, FloatArray, IntArray

ACTION_CODES = {action: code for code, action in enumerate(Action)}
VIEW, CART, PURCHASE, UNCART, RETURN = (ACTION_CODES[action] for action in Action)

IDLE_S = 1800.0
"""Idle seconds that end a session."""


@dataclass(frozen=True, eq=False)
class TrainingLog:
    """Interactions, sessions contiguous and numbered by their start, each oldest first.

    ``visitor``, ``item``: int32 codes of the vocabularies ``visitors``, ``items``. ``time``: float64 seconds, or the
    ordinal of the session where the source has no clock (``timed`` is False). ``action``: index into
    :data:`ACTION_CODES`. ``session``: int32, not descending. ``basket``: int32, the order of a purchase, -1 none.
    All have shape ``(n,)``.
    """

    visitor: IntArray
    item: IntArray
    time: FloatArray
    action: IntArray
    session: IntArray
    basket: IntArray
    visitors: tuple[str, ...]
    items: tuple[str, ...]
    timed: bool = True

    def __len__(self) -> int:
        return len(self.item)

    @classmethod
    def from_events(
        cls, batches: Iterable[list[Event]], *, idle_s: float = IDLE_S, items: tuple[str, ...] = ()
    ) -> TrainingLog:
        """Read stored events, in any order; those that say nothing of a product are skipped.

        :param batches: lists of events, such as ``Journal.scan()`` gives
        :param idle_s: idle seconds that end a session
        :param items: product ids that keep their place in the vocabulary, such as those of an older log
        """
        rows = _Rows(items)
        for events in batches:
            for event in events:
                action = ACTIONS.get(event.name)
                if action is None or not event.products:
                    continue
                basket = event.event_id if action is Action.PURCHASE else ""
                for product in event.products:
                    rows.add(event.profile_id, product.product_id, event.timestamp, ACTION_CODES[action], basket)
        return rows.log(idle_s)

    @classmethod
    def from_sessions(cls, rows: Iterable[tuple[str, str, float]], *, timed: bool) -> TrainingLog:
        """Read views that are already cut into sessions.

        :param rows: session, item, and its time (*timed*) or place in the session
        :param timed: without clock, sessions are taken to be in order of their first row
        """
        sessions: dict[str, list[tuple[float, str]]] = {}
        for session, item, order in rows:
            sessions.setdefault(session, []).append((order, item))
        found = _Rows()
        for number, (session, views) in enumerate(sessions.items()):
            views.sort(key=lambda view: view[0])
            for order, item in views:
                found.add(session, item, order if timed else float(number), VIEW, "")
        return replace(found.log(np.inf), timed=timed)

    @classmethod
    def from_orders(cls, rows: Iterable[tuple[str, str, float, str]]) -> TrainingLog:
        """Read order lines: customer, product, time, order."""
        found = _Rows()
        for visitor, item, time, order in rows:
            found.add(visitor, item, time, PURCHASE, order)
        return found.log(IDLE_S)

    def take(self, mask: BoolArray) -> TrainingLog:
        """The rows of *mask*, same vocabularies, same numbers of sessions and baskets."""
        parts = {name: getattr(self, name)[mask] for name in ("visitor", "item", "time", "action", "session", "basket")}
        return replace(self, **parts)

    def without_visitor(self, visitor: int) -> TrainingLog:
        """All but one visitor's rows."""
        return self.take(self.visitor != visitor)

    def of_visitor(self, visitor: int) -> TrainingLog:
        """One visitor's rows."""
        return self.take(self.visitor == visitor)

    @cached_property
    def span(self) -> float:
        """Seconds (sessions, without clock) from the first to the last row, at least 1."""
        return max(1.0, float(self.time.max() - self.time.min())) if len(self) else 1.0

    @cached_property
    def end(self) -> float:
        """Time of the last row, 0 when there is none."""
        return float(self.time.max()) if len(self) else 0.0

    def views(self) -> TrainingLog:
        """The rows that are product views."""
        return self.take(self.action == VIEW)

    def purchases(self) -> TrainingLog:
        """The rows that are purchases."""
        return self.take(self.action == PURCHASE)


class _Rows:
    """Collects rows and gives codes to ids in order of first appearance."""

    def __init__(self, items: tuple[str, ...] = ()) -> None:
        self._visitors: dict[str, int] = {}
        self._items: dict[str, int] = {item: code for code, item in enumerate(items)}
        self._baskets: dict[str, int] = {}
        self._columns: tuple[list[int], list[int], list[float], list[int], list[int]] = ([], [], [], [], [])
        self._append: tuple[Callable[[Any], None], ...] = tuple(column.append for column in self._columns)

    def add(self, visitor: str, item: str, time: float, action: int, basket: str) -> None:
        to_visitor, to_item, to_time, to_action, to_basket = self._append
        to_visitor(self._visitors.setdefault(visitor, len(self._visitors)))
        to_item(self._items.setdefault(item, len(self._items)))
        to_time(time)
        to_action(action)
        to_basket(self._baskets.setdefault(basket, len(self._baskets)) if basket else -1)

    def log(self, idle_s: float) -> TrainingLog:
        visitor, item, action, basket = (np.array(self._columns[place], dtype=np.int32) for place in (0, 1, 3, 4))
        time = np.array(self._columns[2], dtype=np.float64)
        session = _cut_sessions(visitor, time, idle_s)
        order = np.lexsort((np.arange(len(session)), time, session))
        return TrainingLog(
            visitor=visitor[order],
            item=item[order],
            time=time[order],
            action=action[order].astype(np.int8),
            session=session[order],
            basket=basket[order],
            visitors=tuple(self._visitors),
            items=tuple(self._items),
        )


def _cut_sessions(visitor: IntArray, time: FloatArray, idle_s: float) -> IntArray:
    """The session of each row, numbered by the time of its first row."""
    if not len(visitor):
        return np.zeros(0, dtype=np.int32)
    order = np.lexsort((np.arange(len(visitor)), time, visitor))
    starts = np.ones(len(order), dtype=np.bool_)
    starts[1:] = (visitor[order][1:] != visitor[order][:-1]) | (np.diff(time[order]) > idle_s)
    local = np.cumsum(starts) - 1
    rank = np.empty(local[-1] + 1, dtype=np.int32)
    rank[np.lexsort((order[starts], time[order][starts]))] = np.arange(local[-1] + 1, dtype=np.int32)
    session = np.empty(len(order), dtype=np.int32)
    session[order] = rank[local]
    return session
