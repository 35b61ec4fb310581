"""What models are learnt from: who did what with which product when, as arrays."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records import ACTIONS, Action, BoolArray, Event, FloatArray, IntArray, Interaction
from .learn.pair_kernels import grouped

ACTION_CODES = {action: code for code, action in enumerate(Action)}
VIEW, CART, PURCHASE, UNCART, RETURN = (ACTION_CODES[action] for action in Action)
CODE_OF = {name: ACTION_CODES[action] for name, action in ACTIONS.items()}

IDLE_S = 1800.0
"""Idle seconds that end a session."""

COLUMNS = ("visitor", "item", "time", "action", "session", "basket")


def owner(visitor: str) -> int:
    """The number under which what a visitor did is kept: 63 bits of a hash of the id."""
    return int.from_bytes(hashlib.blake2b(visitor.encode(), digest_size=8).digest(), "big") >> 1


@dataclass(frozen=True, eq=False)
class TrainingLog:
    """Interactions, sessions contiguous and numbered by their start, each oldest first.

    ``visitor``, ``item``: int32 codes, of ``owners`` (int64, the number that :func:`owner` gives each visitor) and of the
    vocabulary ``items``. ``time``: float64 seconds, or the ordinal of the session where the source has no clock
    (``timed`` is False). ``action``: index into :data:`ACTION_CODES`. ``session``: int32, not descending. ``basket``:
    int32, the order of a purchase, -1 none. All but ``owners`` and ``items`` have shape ``(n,)``: 25 bytes a row.
    """

    visitor: IntArray
    item: IntArray
    time: FloatArray
    action: IntArray
    session: IntArray
    basket: IntArray
    owners: IntArray
    items: tuple[str, ...]
    timed: bool = True

    def __len__(self) -> int:
        return len(self.item)

    @classmethod
    def from_interactions(
        cls, batches: Iterable[Sequence[Interaction]], *, idle_s: float = IDLE_S, items: tuple[str, ...] = ()
    ) -> TrainingLog:
        """Read what happened, in any order.

        :param batches: such as ``Journal.interactions()`` gives
        :param idle_s: idle seconds that end a session
        :param items: product ids that keep their place in the vocabulary, such as those of an older log
        """
        rows = _Rows(items)
        for batch in batches:
            rows.read(batch)
        return rows.log(idle_s)

    @classmethod
    def from_events(cls, batches: Iterable[Sequence[Event]], **options: Any) -> TrainingLog:
        """Read events, in any order; those that say nothing of a product are skipped.

        :param options: as :meth:`from_interactions` takes
        """
        return cls.from_interactions((list(_interactions(events)) for events in batches), **options)

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
            found.read(
                Interaction(session, "Product Viewed", order if timed else float(number), (item,))
                for order, item in views
            )
        return replace(found.log(np.inf), timed=timed)

    @classmethod
    def from_orders(cls, rows: Iterable[tuple[str, str, float, str]]) -> TrainingLog:
        """Read order lines: customer, product, time, order."""
        orders: dict[str, tuple[str, float, list[str]]] = {}
        for visitor, item, time, order in rows:
            orders.setdefault(order, (visitor, time, []))[2].append(item)
        found = _Rows()
        found.read(Interaction(who, "Order Completed", time, tuple(ids)) for who, time, ids in orders.values())
        return found.log(IDLE_S)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], items: tuple[str, ...], timed: bool) -> TrainingLog:
        """Read what :meth:`arrays` wrote."""
        return cls(**{name: arrays[f"log_{name}"] for name in (*COLUMNS, "owners")}, items=items, timed=timed)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The log as a bundle keeps it, each name after ``log_``; serving never touches them."""
        return {f"log_{name}": getattr(self, name) for name in (*COLUMNS, "owners")}

    def take(self, rows: BoolArray | slice) -> TrainingLog:
        """Some of the rows, same vocabularies, same numbers of sessions and baskets; those of a slice are not copied."""
        return replace(self, **{name: getattr(self, name)[rows] for name in COLUMNS})

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


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """The product views of a log, without what is not asked of them; ``n`` is the number of products."""

    item: IntArray
    time: FloatArray
    session: IntArray
    n: int

    @classmethod
    def of(cls, log: TrainingLog) -> Views:
        """The views among the rows of a log."""
        seen = log.action == VIEW
        return cls(log.item[seen], log.time[seen], log.session[seen], len(log.items))


def _interactions(events: Iterable[Event]) -> Iterator[Interaction]:
    for event in events:
        if event.name in ACTIONS and event.products:
            ids = tuple(product.product_id for product in event.products)
            yield Interaction(event.profile_id, event.name, event.timestamp, ids)


class _Rows:
    """Collects rows as packed numbers and gives codes to ids in order of first appearance."""

    def __init__(self, items: tuple[str, ...] = ()) -> None:
        self._visitors: dict[str, int] = {}
        self._items: dict[str, int] = {item: code for code, item in enumerate(items)}
        self._orders = 0
        self._visitor, self._item, self._basket = array("i"), array("i"), array("i")
        self._time, self._action = array("d"), array("b")

    def read(self, interactions: Iterable[Interaction]) -> None:
        visitors, items = self._visitors, self._items
        for visitor, name, time, ids in interactions:
            who, action, basket = visitors.setdefault(visitor, len(visitors)), CODE_OF[name], -1
            if action == PURCHASE:
                basket, self._orders = self._orders, self._orders + 1
            for item in ids:
                self._visitor.append(who)
                self._item.append(items.setdefault(item, len(items)))
                self._time.append(time)
                self._action.append(action)
                self._basket.append(basket)

    def log(self, idle_s: float) -> TrainingLog:
        """What was collected, cut into sessions; it is not collected any longer."""
        owners = np.fromiter(map(owner, self._visitors), dtype=np.int64, count=len(self._visitors))
        self._visitors.clear()
        columns: dict[str, NDArray[Any]] = {
            "visitor": _unpacked(self._visitor, np.int32),
            "item": _unpacked(self._item, np.int32),
            "time": _unpacked(self._time, np.float64),
            "action": _unpacked(self._action, np.int8),
            "basket": _unpacked(self._basket, np.int32),
        }
        self._visitor, self._item, self._basket = array("i"), array("i"), array("i")
        self._time, self._action = array("d"), array("b")
        order, session = _cut_sessions(columns["visitor"], columns["time"], idle_s)
        for name in columns:
            columns[name] = columns[name][order]
        return TrainingLog(**columns, session=session, owners=owners, items=tuple(self._items))


def _unpacked(values: array[Any], kind: type[np.generic]) -> NDArray[Any]:
    return np.frombuffer(values, dtype=kind) if len(values) else np.zeros(0, dtype=kind)


def _cut_sessions(visitor: IntArray, time: FloatArray, idle_s: float) -> tuple[IntArray, IntArray]:
    """The rows in order of their sessions, and the session of each, numbered by the time of its first row."""
    if not len(visitor):
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
    order = np.lexsort((time, visitor)).astype(np.int32)
    moment, who = time[order], visitor[order]
    starts = np.ones(len(order), dtype=np.bool_)
    starts[1:] = (who[1:] != who[:-1]) | (np.diff(moment) > idle_s)
    local = np.cumsum(starts, dtype=np.int32) - 1
    rank = np.empty(local[-1] + 1, dtype=np.int32)
    rank[np.lexsort((order[starts], moment[starts]))] = np.arange(len(rank), dtype=np.int32)
    del moment, who, starts
    session = rank[local]
    positions = grouped(session, len(rank))[1]
    return order[positions], session[positions]
